import { NOWHERE } from "../attributes/source.js";
import type { Layout } from "./layout.js";
import { mdev, typeFiles, typeFolder } from "./mdev.js";

/**
 * The class-based layout of the discussion of September 2016, with a set of files for each class of devices:
 * `<parent>/mdev_supported_types/<number>/{create,name,fb_length,resolution,heads,max_instances,params,requires_group}`,
 * `<parent>/mdev_destroy`. No kernel has it. The proposal gives names but no formats; the formats are our reading.
 */
export const classBased: Layout = {
  ...mdev,
  name: "class-based",

  fits: async (io, parent, files) => {
    // The drafts before it have `mdev_destroy` too, beside a file that lists their types.
    if (files === undefined || files.has("device_api")) return false;
    const ownFiles = ["max_instances", "fb_length", "params"].some((name) => files.has(name));
    return ownFiles || io.exists(`${parent}/mdev_destroy`);
  },

  typeSource: typeFiles({
    name: "name",
    maxInstances: "max_instances",
    requiresGroup: "requires_group",
    params: "params",
  }),

  // A device has no link to its type.
  devicesOf: async () => undefined,

  typeIdOf: async () => undefined,

  stateOf: async () => "active",

  identity: undefined,

  groupStays: () => false,

  look: async (home) => ({ typeId: undefined, state: "active", inode: await home.inode() }),

  deviceSource: () => NOWHERE,

  createFacts: new Set(["uuid", "params", "group"] as const),

  // `<uuid>,<params>`: as the proposals of 2018 (aggregation) wrote parameters behind the UUID.
  create: ({ parent, typeId, uuid, group, params }) => {
    const parts = [uuid, group === undefined ? [] : `group=${group}`, params ?? []].flat();
    return { path: `${typeFolder(parent.path, typeId)}/create`, text: `${parts.join(",")}\n` };
  },

  remove: async (_io, { id, parent }) => ({ path: `${parent.path}/mdev_destroy`, text: `${id}\n` }),
};
