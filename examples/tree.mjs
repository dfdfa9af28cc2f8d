// @ts-check
/**
 * A host's parents, types and devices as a tree in the terminal. Reads only, and takes no root.
 *
 *     node examples/tree.mjs              # this machine
 *     node examples/tree.mjs host.json    # a recorded one
 */
import { hostOf } from "./host.mjs";

/**
 * @typedef {import("vfio-mdev").MdevHost} MdevHost
 * @typedef {import("vfio-mdev").Parent} Parent
 * @typedef {import("vfio-mdev").MdevDeviceInfo} MdevDeviceInfo
 */

/** @param {MdevHost} host */
export async function treeOf(host) {
  const lines = [];
  for (const parent of await host.parents().getOrThrow()) {
    lines.push(`${parent.id} (${await describe(parent)})`, ...(await branchesOf(parent)));
  }
  return lines.length === 0 ? "(no parents)" : lines.join("\n");
}

/** @param {Parent} parent */
async function describe(parent) {
  const driver = await parent.driver().getOrNull();
  const numaNode = await parent.numaNode.read().getOrNull();
  const facts = [parent.path, `layout ${parent.layout}`];
  if (driver) facts.push(`driver ${driver}`);
  if (typeof numaNode === "number") facts.push(`NUMA node ${numaNode}`);
  return facts.join(", ");
}

/** @param {Parent} parent */
async function branchesOf(parent) {
  const devices = await devicesOf(parent);
  /** @type {{ label: string, twigs: string[] }[]} */
  const branches = [];
  for (const type of await parent.types().getOrThrow()) {
    const info = await type.read();
    if (!info.ok) continue; // it went away meanwhile
    const { id, name, description, deviceApi, availableInstances } = info.value;
    const words = name === undefined || name === id ? description : name;
    const facts = [id, words, deviceApi, `${availableInstances ?? "?"} available`];
    const label = facts.filter((fact) => fact !== undefined).join(" | ");
    branches.push({ label, twigs: devices.filter((device) => device.type === id).map(labelOf) });
  }
  const rest = devices.filter((device) => device.type === undefined); // half-made, half-removed, or class-based
  if (rest.length > 0) branches.push({ label: "(no type shows)", twigs: rest.map(labelOf) });
  return branches.flatMap(({ label, twigs }, index) => {
    const last = index === branches.length - 1;
    return [
      `${last ? "└──" : "├──"} ${label}`,
      ...twigs.map(
        (twig, at) => `${last ? "    " : "│   "}${at === twigs.length - 1 ? "└──" : "├──"} ${twig}`,
      ),
    ];
  });
}

/** @param {Parent} parent */
async function devicesOf(parent) {
  const infos = [];
  for (const device of await parent.devices().getOrThrow()) {
    const info = await device.read();
    if (info.ok) infos.push(info.value);
  }
  return infos;
}

/** @param {MdevDeviceInfo} info */
function labelOf({ id, state, driver, iommuGroup }) {
  /** @type {string[]} */
  const facts = [state];
  if (driver !== undefined) facts.push(`driver ${driver}`);
  if (iommuGroup !== undefined) facts.push(`IOMMU group ${iommuGroup}`);
  return `${id} (${facts.join(", ")})`;
}

if (process.argv[1] === import.meta.filename) console.log(await treeOf(hostOf(process.argv[2])));
