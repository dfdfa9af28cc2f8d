import { FileFailure } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";
import { isUuid } from "../identifiers.js";
import { log } from "../log.js";
import { baseName, folderOf, type Paths } from "../paths.js";
import type { Layout } from "./layout.js";
import { probe } from "./probe.js";

/** A parent as it was found. */
export interface FoundParent {
  readonly path: string;
  readonly layout: Layout;
}

/** A device as it was found. */
export interface FoundDevice {
  readonly path: string;
  readonly parent: FoundParent;
}

/**
 * All parents: those with a class link, and those that only their devices lead to (the kernel leaves the link out where
 * two parents have the same name).
 */
export async function findParents(io: Io, paths: Paths): Promise<FoundParent[]> {
  const folders = new Set<string>();
  for (const id of await io.namesIn(paths.mdevClass)) {
    const folder = await follow(io, paths, `${paths.mdevClass}/${id}`);
    if (folder !== undefined) folders.add(folder);
  }
  for (const device of await registeredDevices(io, paths)) folders.add(folderOf(device));
  const found: FoundParent[] = [];
  for (const path of folders) {
    const layout = await unlessBroken(probe(io, path));
    if (layout !== undefined) found.push({ path, layout });
  }
  log.list("%d parents", found.length);
  return found;
}

/** One parent, by its name. */
export async function findParent(io: Io, paths: Paths, id: string): Promise<FoundParent | undefined> {
  const linked = await follow(io, paths, `${paths.mdevClass}/${id}`);
  const path =
    linked ?? (await registeredDevices(io, paths)).map(folderOf).find((folder) => baseName(folder) === id);
  const layout = path === undefined ? undefined : await probe(io, path);
  return path === undefined || layout === undefined ? undefined : { path, layout };
}

/** All devices: those on the bus, and those that are only folders of their parents any more, being removed. */
export async function findDevices(io: Io, paths: Paths): Promise<FoundDevice[]> {
  const found: FoundDevice[] = [];
  for (const parent of await findParents(io, paths)) {
    const ids = await unlessBroken(parent.layout.deviceIds(io, parent.path));
    for (const id of ids ?? []) found.push({ path: `${parent.path}/${id}`, parent });
  }
  log.list("%d devices", found.length);
  return found;
}

/** One device, by its UUID. */
export async function findDevice(io: Io, paths: Paths, uuid: string): Promise<FoundDevice | undefined> {
  const path = await follow(io, paths, `${paths.mdevDevices}/${uuid}`);
  if (path !== undefined) {
    const layout = await probe(io, folderOf(path));
    return layout === undefined ? undefined : { path, parent: { path: folderOf(path), layout } };
  }
  // While it is being removed, its folder outlives its link.
  for (const parent of await findParents(io, paths)) {
    const folder = `${parent.path}/${uuid}`;
    if (await io.isDirectory(folder)) return { path: folder, parent };
  }
  return undefined;
}

/** The folders of the devices on the bus. */
async function registeredDevices(io: Io, paths: Paths): Promise<string[]> {
  const folders: string[] = [];
  for (const uuid of (await io.namesIn(paths.mdevDevices)).filter(isUuid)) {
    const folder = await follow(io, paths, `${paths.mdevDevices}/${uuid}`);
    if (folder !== undefined) folders.push(folder);
  }
  return folders;
}

/** Where a link of the kernel leads; `undefined` where there is none, or where it leads out of the sysfs root. */
async function follow(io: Io, paths: Paths, link: string): Promise<string | undefined> {
  const target = await unlessBroken(io.linkTarget(link));
  if (target === undefined) return undefined;
  const folder = paths.target(link, target);
  if (folder === undefined) log.list("%s leads to %s, outside the sysfs root", link, target);
  return folder;
}

/** What one entry says; a broken one must not spoil the listing. */
async function unlessBroken<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (thrown) {
    if (!(thrown instanceof FileFailure)) throw thrown;
    log.list("left out: %s", thrown.message);
    return undefined;
  }
}
