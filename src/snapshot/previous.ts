import type { FoundParent } from "../layouts/layout.js";
import type { DeviceSnapshot, HostSnapshot, ParentSnapshot, TypeSnapshot } from "./host-snapshot.js";

/** The inode number that tells one thing from the next: 0 is what a file system without such numbers gives all of them. */
export function telling(inode: number | undefined): number | undefined {
  return inode === 0 ? undefined : inode;
}

/**
 * A snapshot that was taken before, and what of it still holds. A parent's types are what they were as long as the folder
 * that they are in has its inode number: the kernel makes them with the folder and never later. A device is the same one as
 * long as the file that removes it has its inode number.
 */
export class Previous {
  readonly #parents = new Map<string, ParentSnapshot>();
  readonly #devices = new Map<string, Map<string, DeviceSnapshot>>();

  constructor(snapshot: HostSnapshot | undefined) {
    for (const parent of snapshot?.parents ?? []) {
      this.#parents.set(parent.path, parent);
      this.#devices.set(parent.path, new Map());
    }
    for (const device of snapshot?.devices ?? []) {
      if (device.state === "active") this.#devices.get(device.parentPath)?.set(device.id, device);
    }
  }

  /** What the types of a parent were, in their order, where it is still the same. */
  types({ path, layout }: FoundParent, inode: number | undefined): readonly TypeSnapshot[] {
    const was = this.#parents.get(path);
    return inode !== undefined && was?.inode === inode && layout.hasTypeFolders ? was.types : [];
  }

  /** The devices of a parent that were complete, by their ids; whether one is the same is seen when it is looked at. */
  devices({ path }: FoundParent): ReadonlyMap<string, DeviceSnapshot> | undefined {
    return this.#devices.get(path);
  }
}
