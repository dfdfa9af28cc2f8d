import { integer, text } from "../attributes/codec.js";
import type { Folder } from "../file-system/folder.js";
import type { DeviceSight, FoundDevice } from "../layouts/layout.js";
import { deviceOwner } from "../layouts/owner.js";
import type { DeviceSnapshot } from "./host-snapshot.js";
import { isLater, Visit, type Walk } from "./visit.js";

/** A device to read, and what was in its place. */
interface DeviceToRead {
  readonly home: Folder;
  readonly parentId: string;
  readonly was: DeviceSnapshot | undefined;
}

/** Reads a device; `undefined` where it vanished. What cannot have changed is not read again. */
export async function readDevice(
  walk: Walk,
  device: FoundDevice,
  { home, parentId, was }: DeviceToRead,
): Promise<DeviceSnapshot | undefined> {
  const { id, parent } = device;
  const visit = new Visit(walk, home, () => deviceOwner(walk.context, device));
  const known = await sameAs(was, device, home);
  const { typeId, state, inode } = known ?? (await parent.layout.look(home, device));
  if (state !== "active") visit.doubt();
  // The bus has no other link to a device that is going.
  const driver = (state === "active" ? walk.drivers.get(id) : undefined) ?? visit.link("driver", text);
  const driverNow = isLater(driver) ? await driver : driver;
  const group = known?.groupOf(driverNow) ?? visit.link("iommu_group", integer);
  const groupNow = isLater(group) ? await group : group;
  const included = visit.included(walk.include.devices);
  const attributes = isLater(included) ? await included : included;
  const isThere = visit.end();
  if (!(isLater(isThere) ? await isThere : isThere)) return undefined;
  if (was !== undefined && known !== undefined && was.driver === driverNow && was.iommuGroup === groupNow) {
    if (was.attributes === attributes) return was;
  }
  const entry = {
    id,
    parent: parentId,
    parentPath: parent.path,
    layout: parent.layout.name,
    type: typeId,
    state,
    driver: driverNow,
    iommuGroup: groupNow,
    inode,
    attributes,
  };
  return Object.freeze(entry);
}

/** What a device shows that is the same as before. */
interface KnownDevice extends DeviceSight {
  /** Its IOMMU group, where that cannot be another one as long as the device has a driver. */
  groupOf(driver: string | undefined): number | undefined;
}

/** What a device shows that is the same as before: its type cannot have changed. */
async function sameAs(
  was: DeviceSnapshot | undefined,
  { parent }: FoundDevice,
  home: Folder,
): Promise<KnownDevice | undefined> {
  const { layout } = parent;
  const { identity, name } = layout;
  if (was?.inode === undefined || identity === undefined || was.layout !== name) return undefined;
  const found = home.inode(identity);
  const inode = isLater(found) ? await found : found;
  if (inode !== was.inode) return undefined;
  const groupOf = (driver: string | undefined): number | undefined =>
    driver !== undefined && driver === was.driver && layout.groupStays(driver) ? was.iommuGroup : undefined;
  return { typeId: was.type, state: "active", inode, groupOf };
}
