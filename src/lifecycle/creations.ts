import type { FileSystem } from "../file-system/file-system.js";

const underWay = new WeakMap<FileSystem, Map<string, Promise<unknown>>>();

/**
 * Takes note of a write that creates a device, until it has returned: a removal before that would leave the device there
 * for good, as nothing in sysfs shows the last step of its creation.
 */
export function noteCreation(fs: FileSystem, path: string, creation: Promise<void>): void {
  const creations = underWay.get(fs) ?? new Map<string, Promise<unknown>>();
  underWay.set(fs, creations);
  const settled = creation.then(
    () => creations.delete(path),
    () => creations.delete(path),
  );
  creations.set(path, settled);
}

/** When the creation of a device by this process has returned; `undefined` where none is under way. */
export function creationOf(fs: FileSystem, path: string): Promise<unknown> | undefined {
  return underWay.get(fs)?.get(path);
}
