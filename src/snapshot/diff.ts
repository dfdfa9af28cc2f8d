import { builtin } from "../node-builtin.js";
import type { DeviceSnapshot, HostSnapshot, ParentSnapshot, TypeSnapshot } from "./host-snapshot.js";

/** One difference between two snapshots of a host. */
export type HostChange =
  | {
      /** A parent appeared: its driver was loaded or bound. */
      readonly type: "parent-registered";
      /** It, as it is now. */
      readonly parent: ParentSnapshot;
    }
  | {
      /** A parent is gone: its driver was unloaded or unbound. */
      readonly type: "parent-unregistered";
      /** It, as it was. */
      readonly parent: ParentSnapshot;
    }
  | {
      /** A parent that was there has a type more. */
      readonly type: "type-added";
      /** Its parent, as it is now. */
      readonly parent: ParentSnapshot;
      /** It, as it is now. */
      readonly mdevType: TypeSnapshot;
    }
  | {
      /** A parent that is still there has a type less. */
      readonly type: "type-removed";
      /** Its parent, as it is now. */
      readonly parent: ParentSnapshot;
      /** It, as it was. */
      readonly mdevType: TypeSnapshot;
    }
  | {
      /** Another number of devices of a type can be made. */
      readonly type: "availability-changed";
      /** Its parent, as it is now. */
      readonly parent: ParentSnapshot;
      /** It, as it is now. */
      readonly mdevType: TypeSnapshot;
      /** How many it was. */
      readonly before: number | undefined;
      /** How many it is. */
      readonly after: number | undefined;
    }
  | {
      /** A device appeared, ready or not. */
      readonly type: "device-added";
      /** It, as it is now. */
      readonly device: DeviceSnapshot;
    }
  | {
      /** A device became active: it can be used. */
      readonly type: "device-ready";
      /** It, as it is now. */
      readonly device: DeviceSnapshot;
    }
  | {
      /** A device that was there tells something else of itself: its state, type, driver, group, or an attribute. */
      readonly type: "device-changed";
      /** It, as it was. */
      readonly before: DeviceSnapshot;
      /** It, as it is now. */
      readonly device: DeviceSnapshot;
    }
  | {
      /** A device is gone. */
      readonly type: "device-removed";
      /** It, as it was. */
      readonly device: DeviceSnapshot;
    };

/**
 * What happened between two snapshots of one host, in an order that can be replayed: devices go before their parents
 * do, and parents come before their devices; each kind in natural order. A device that was removed and created anew
 * under its UUID is `device-removed` and `device-added`. One that became active is `device-ready`, also when it is new.
 *
 * @example
 * ```ts
 * import { diff, MdevHost } from "vfio-mdev";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * const mdpy = simulated.addMdpy({ count: 4 });
 * const host = new MdevHost({ fs: simulated.fs });
 *
 * const before = await host.snapshot().getOrThrow();
 * mdpy.create("mdpy-hd");
 * const after = await host.snapshot().getOrThrow();
 * for (const change of diff(before, after)) {
 *   if (change.type === "availability-changed") console.log(change.mdevType.id, change.before, change.after);
 *   else console.log(change.type);
 *   // prints: mdpy-hd 4 3
 *   // prints: mdpy-vga 4 3
 *   // prints: mdpy-xga 4 3
 *   // prints: device-added
 *   // prints: device-ready
 * }
 * ```
 */
export function diff(before: HostSnapshot, after: HostSnapshot): readonly HostChange[] {
  const parents = new Map(before.parents.map((parent) => [parent.path, parent]));
  const devices = new Map(before.devices.map((device) => [placeOf(device), device]));
  const newParents = new Map(after.parents.map((parent) => [parent.path, parent]));
  const newDevices = new Map(after.devices.map((device) => [placeOf(device), device]));
  const changes: HostChange[] = [];

  const isSame = (was: DeviceSnapshot, now: DeviceSnapshot): boolean => {
    const [parent, newParent] = [parents.get(was.parentPath), newParents.get(was.parentPath)];
    // No device outlives its parent's registration.
    if (parent !== undefined && newParent !== undefined && !isSameParent(parent, newParent)) return false;
    return isSameDevice(was, now);
  };

  for (const device of before.devices) {
    const now = newDevices.get(placeOf(device));
    if (now === undefined || !isSame(device, now)) changes.push({ type: "device-removed", device });
  }
  for (const parent of before.parents) {
    const now = newParents.get(parent.path);
    if (now === undefined || !isSameParent(parent, now))
      changes.push({ type: "parent-unregistered", parent });
  }
  for (const parent of after.parents) {
    const was = parents.get(parent.path);
    if (was === undefined || !isSameParent(was, parent)) changes.push({ type: "parent-registered", parent });
    else changes.push(...changesOfTypes(was, parent));
  }
  for (const device of after.devices) {
    const was = devices.get(placeOf(device));
    if (was === undefined || !isSame(was, device)) {
      changes.push({ type: "device-added", device });
      if (device.state === "active") changes.push({ type: "device-ready", device });
    } else if (was.state !== "active" && device.state === "active") {
      changes.push({ type: "device-ready", device });
    } else if (!tellsTheSame(was, device)) {
      changes.push({ type: "device-changed", before: was, device });
    }
  }
  return changes;
}

function changesOfTypes(was: ParentSnapshot, parent: ParentSnapshot): HostChange[] {
  const types = new Map(was.types.map((mdevType) => [mdevType.id, mdevType]));
  const ids = new Set(parent.types.map(({ id }) => id));
  const changes: HostChange[] = [];
  for (const mdevType of was.types) {
    if (!ids.has(mdevType.id)) changes.push({ type: "type-removed", parent, mdevType });
  }
  for (const mdevType of parent.types) {
    const before = types.get(mdevType.id);
    if (before === undefined) changes.push({ type: "type-added", parent, mdevType });
    else if (before.availableInstances !== mdevType.availableInstances)
      changes.push({
        type: "availability-changed",
        parent,
        mdevType,
        before: before.availableInstances,
        after: mdevType.availableInstances,
      });
  }
  return changes;
}

/** Where a device is: no two devices are in one place at a time. */
export function placeOf({ parentPath, id }: DeviceSnapshot): string {
  return `${parentPath}/${id}`;
}

function isSameParent(was: ParentSnapshot, now: ParentSnapshot): boolean {
  return was.layout === now.layout && !differ(was.inode, now.inode);
}

function isSameDevice(was: DeviceSnapshot, now: DeviceSnapshot): boolean {
  // No removal is ever taken back: what is whole now is another device.
  if (was.state === "removing" && now.state !== "removing") return false;
  return was.layout === now.layout && !differ(was.inode, now.inode) && !differ(was.type, now.type);
}

/** Whether two values are known, and not the same. */
function differ<T>(a: T | undefined, b: T | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

function tellsTheSame(was: DeviceSnapshot, now: DeviceSnapshot): boolean {
  return (
    was.state === now.state &&
    was.type === now.type &&
    was.driver === now.driver &&
    was.iommuGroup === now.iommuGroup &&
    builtin("node:util").isDeepStrictEqual(was.attributes, now.attributes)
  );
}
