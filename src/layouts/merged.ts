import { NOWHERE } from "../attributes/source.js";
import { isUuid } from "../identifiers.js";
import type { Layout } from "./layout.js";
import { deviceOf, filesOfSomeType, linkedType, mdev, typeFiles, typeFolder } from "./mdev.js";

/**
 * What Linux has had since 4.10: `<parent>/mdev_supported_types/<type>/{create,…}`, `<parent>/<uuid>/{remove,…}`
 * (`Documentation/driver-api/vfio-mediated-device.rst`, `Documentation/ABI/testing/sysfs-bus-vfio-mdev`).
 */
export const merged: Layout = {
  ...mdev,
  name: "merged",

  fits: async (io, parent) => {
    const files = await filesOfSomeType(io, parent);
    return files.has("device_api") || files.has("devices");
  },

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

  // `mdev_type` comes last, with `remove` before it or beside it, and `remove` goes first. A device that is removed while
  // somebody has it open keeps its folder, without `uevent`.
  stateOf: async (io, { path }) => {
    if (await io.exists(`${path}/mdev_type`))
      return (await io.exists(`${path}/remove`)) ? "active" : "removing";
    return (await io.exists(`${path}/uevent`)) ? "creating" : "removing";
  },

  deviceSource: () => NOWHERE,

  createFacts: new Set(["uuid"] as const),

  create: ({ parent, typeId, uuid }) => ({
    path: `${typeFolder(parent.path, typeId)}/create`,
    text: `${uuid}\n`,
  }),

  remove: async (_io, { path }) => ({ path: `${path}/remove`, text: "1\n" }),
};
