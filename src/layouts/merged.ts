import { NOWHERE } from "../attributes/source.js";
import { when } from "../file-system/answer.js";
import { isUuid } from "../identifiers.js";
import type { DeviceState, Layout } from "./layout.js";
import { deviceOf, linkedType, mdev, typeFiles, typeFolder, typeOfLink } from "./mdev.js";

/**
 * What Linux has had since 4.10: `<parent>/mdev_supported_types/<type>/{create,...}`, `<parent>/<uuid>/{remove,...}`
 * (`Documentation/driver-api/vfio-mediated-device.rst`, `Documentation/ABI/testing/sysfs-bus-vfio-mdev`).
 */
export const merged: Layout = {
  ...mdev,
  name: "merged",

  fits: async (_io, _parent, files) => files?.has("device_api") === true || files?.has("devices") === true,

  typeSource: typeFiles({
    name: "name",
    description: "description",
    deviceApi: "device_api",
    availableInstances: "available_instances",
  }),

  devicesOf: async (io, parent, typeId) => {
    const names = await io.namesIn(`${typeFolder(parent.path, typeId)}/devices`);
    return names.filter(isUuid).map((uuid) => deviceOf(parent, uuid));
  },

  typeIdOf: (io, device) => linkedType(io, device, "mdev_type"),

  // On creation `mdev_type` comes last, on removal `remove` goes first. Linux 5.10 makes both at the end: there a device
  // that is being created can be taken for one that is being removed, for the moment that it takes.
  stateOf: async (io, { path }) => {
    const complete = await io.exists(`${path}/mdev_type`);
    return stateBy({ complete, removable: await io.exists(`${path}/remove`) });
  },

  identity: "remove",

  // The one driver of Linux 5.10 can be unbound and bound again, and gives another group then. Those after it cannot be
  // bound again (ENODEV): mdev_match() of drivers/vfio/mdev/mdev_driver.c matches nothing.
  groupStays: (driver) => driver !== "vfio_mdev",

  look: (home) =>
    when(home.link("mdev_type"), (link) =>
      when(home.inode("remove"), (inode) => {
        const typeId = typeOfLink(link);
        const state = stateBy({ complete: typeId !== undefined, removable: inode !== undefined });
        return { typeId, state, inode };
      }),
    ),

  deviceSource: () => NOWHERE,

  createFacts: new Set(["uuid"] as const),

  create: ({ parent, typeId, uuid }) => ({
    path: `${typeFolder(parent.path, typeId)}/create`,
    text: `${uuid}\n`,
  }),

  remove: async (_io, { path }) => ({ path: `${path}/remove`, text: "1\n" }),
};

function stateBy({ complete, removable }: { complete: boolean; removable: boolean }): DeviceState {
  if (!removable) return "removing";
  return complete ? "active" : "creating";
}
