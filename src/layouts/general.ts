import type { AttributeCommand } from "../attributes/descriptor.js";
import { derived, file } from "../attributes/source.js";
import type { Layout } from "./layout.js";
import { linkedType, mdev, typeFiles, typeFolder, typeOfLink } from "./mdev.js";

const fileSource = typeFiles({ availableInstances: "available_instances", requiresGroup: "requires_group" });

/**
 * The general layout of the discussion of September 2016, where all that is special to a device is an attribute of it:
 * `<parent>/mdev_supported_types/<type>/{create,available_instances,requires_group}`,
 * `<parent>/<uuid>/{type,destroy,online,reset}`. No kernel has it. The proposal gives names but no formats; the formats,
 * and the file names `group`, `priority`, `weight` and `params`, are our reading.
 */
export const general: Layout = {
  ...mdev,
  name: "general",

  fits: async (_io, _parent, files) =>
    files?.has("available_instances") === true && !files.has("device_api") && !files.has("max_instances"),

  // "ID or name": the folder's name is all the name there is.
  typeSource: (parent, id, fact) =>
    fact === "name" ? derived(async () => id) : fileSource(parent, id, fact),

  devicesOf: async (io, parent, typeId) => {
    const devices = await mdev.devices(io, parent);
    const types = await Promise.all(devices.map((device) => linkedType(io, device, "type")));
    return devices.filter((_, at) => types[at] === typeId);
  },

  typeIdOf: (io, device) => linkedType(io, device, "type"),

  stateOf: async (io, { path }) => {
    if (!(await io.exists(await destroyFile(io, path)))) return "removing";
    return (await io.exists(`${path}/type`)) ? "active" : "creating";
  },

  identity: undefined,

  groupStays: () => false,

  look: async (home) => {
    const typeId = typeOfLink(await home.link("type"));
    const inode = (await home.inode("Destroy")) ?? (await home.inode("destroy"));
    const state = typeId === undefined ? "creating" : "active";
    return { typeId, state: inode === undefined ? "removing" : state, inode };
  },

  deviceSource: file,

  createFacts: new Set(["uuid", "params", "group"] as const),

  create: ({ parent, typeId, uuid }) => ({
    path: `${typeFolder(parent.path, typeId)}/create`,
    text: `${uuid}\n`,
  }),

  settings: ({ group, params }) => [setting("group", group), setting("params", params)].flat(),

  remove: async (io, { path }) => ({ path: await destroyFile(io, path), text: "1\n" }),
};

// The proposal writes the name in both ways.
async function destroyFile(io: Parameters<Layout["exists"]>[0], device: string): Promise<string> {
  return (await io.exists(`${device}/Destroy`)) ? `${device}/Destroy` : `${device}/destroy`;
}

function setting(name: string, value: string | undefined): AttributeCommand[] {
  return value === undefined ? [] : [{ name, text: `${value}\n`, options: {} }];
}
