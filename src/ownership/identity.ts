import { GoneFailure, isVanished } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";
import type { FoundDevice, Layout } from "../layouts/layout.js";

/**
 * What tells a device from one of the same name that comes after it. The inode of its folder: sysfs counts them up and
 * gives none twice in a boot (Linux 5.5 and later on 64 bits, `fs/kernfs/dir.c`). Where the device is its function,
 * which stays, there is but the type. `undefined` when it is gone.
 */
export async function identityOf(io: Io, device: FoundDevice): Promise<string | undefined> {
  const { path, typeId, parent } = device;
  try {
    if (typeId === undefined) return `inode ${(await io.lstat(path)).ino}`;
    const type = await parent.layout.typeIdOf(io, device);
    return type === undefined ? undefined : `type ${type}`;
  } catch (thrown) {
    if (isVanished(thrown)) return undefined;
    throw thrown;
  }
}

/** Whether an identity tells one device from all others; a type does not. */
export function isUnique(identity: string): boolean {
  return identity.startsWith("inode ");
}

/** The device as long as it is this very one: one that comes after it does not exist for it, and is never removed. */
export function pinned(device: FoundDevice, identity: string): FoundDevice {
  const { layout } = device.parent;
  const isSame = async (io: Io): Promise<boolean> => (await identityOf(io, device)) === identity;
  const own: Layout = {
    ...layout,
    exists: async (io) => (await isSame(io)) && layout.exists(io, device),
    remove: async (io) => {
      const command = await layout.remove(io, device);
      await io.resolve(command.path); // so that it is known, and next to nothing comes between look and write
      if (!(await isSame(io))) throw new GoneFailure(device.path);
      return command;
    },
  };
  return { ...device, parent: { ...device.parent, layout: own } };
}
