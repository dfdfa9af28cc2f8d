import { integer, text } from "../attributes/codec.js";
import { type Answer, when } from "../file-system/answer.js";
import type { Folder } from "../file-system/folder.js";
import type { DeviceSight, FoundDevice } from "../layouts/layout.js";
import { deviceOwner } from "../layouts/owner.js";
import type { DeviceSnapshot } from "./host-snapshot.js";
import { telling } from "./previous.js";
import { Visit, type Walk } from "./visit.js";

/** A device to read, and what was in its place. */
interface DeviceToRead {
  readonly home: Folder;
  readonly parentId: string;
  readonly was: DeviceSnapshot | undefined;
}

/** Reads a device; `undefined` where it vanished. What cannot have changed is not read again. */
export function readDevice(
  walk: Walk,
  device: FoundDevice,
  { home, parentId, was: before }: DeviceToRead,
): Answer<DeviceSnapshot | undefined> {
  const visit = new Visit(walk, home, () => deviceOwner(walk.context, device));
  return when(sight(device, home, before), ({ typeId, state, inode }) => {
    const was = isSameDevice(before, device, inode) ? before : undefined;
    if (state !== "active") visit.doubt();
    // The bus has no other link to a device that is going.
    const onBus = state === "active" ? walk.drivers.get(device.id) : undefined;
    return when(onBus ?? visit.link("driver", text), (driver) =>
      when(groupThatStays(was, device, driver) ?? visit.link("iommu_group", integer), (iommuGroup) =>
        when(visit.included(walk.include.devices), (attributes) =>
          when(visit.end(), (isThere) => {
            if (!isThere) return undefined;
            const entry = {
              id: device.id,
              parent: parentId,
              parentPath: device.parent.path,
              layout: device.parent.layout.name,
              type: typeId,
              state,
              driver,
              iommuGroup,
              inode: telling(inode),
              attributes,
            };
            return was !== undefined && isUnchanged(was, entry) ? was : Object.freeze(entry);
          }),
        ),
      ),
    );
  });
}

/** What a device shows of itself. Where it is the same as before, its type cannot have changed. */
function sight(device: FoundDevice, home: Folder, was: DeviceSnapshot | undefined): Answer<DeviceSight> {
  const { layout } = device.parent;
  if (was?.inode === undefined || layout.identity === undefined) return layout.look(home, device);
  return when(home.inode(layout.identity), (inode) =>
    isSameDevice(was, device, inode)
      ? { typeId: was.type, state: "active", inode }
      : layout.look(home, device),
  );
}

/** Whether a device is the one that was complete before: no other one's file has its inode number. */
function isSameDevice(
  was: DeviceSnapshot | undefined,
  { parent }: FoundDevice,
  inode: number | undefined,
): was is DeviceSnapshot {
  const { identity, name } = parent.layout;
  return inode !== undefined && inode === was?.inode && identity !== undefined && was.layout === name;
}

/** The IOMMU group of the same device, which cannot be another one as long as it has the same driver. */
function groupThatStays(
  was: DeviceSnapshot | undefined,
  { parent }: FoundDevice,
  driver: string | undefined,
): number | undefined {
  const stays = driver !== undefined && driver === was?.driver && parent.layout.groupStays(driver);
  return stays ? was.iommuGroup : undefined;
}

function isUnchanged(was: DeviceSnapshot, now: DeviceSnapshot): boolean {
  return was.driver === now.driver && was.iommuGroup === now.iommuGroup && was.attributes === now.attributes;
}
