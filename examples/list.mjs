// @ts-check
/**
 * Prints all parents, types and devices of this machine as JSON. Reads only.
 *
 *     node examples/list.mjs
 */
import { MdevHost } from "vfio-mdev";

const host = new MdevHost();
const parents = [];
for (const parent of await host.parents().getOrThrow()) {
  parents.push({
    ...(await parent.read().getOrThrow()),
    types: await readAll(await parent.types().getOrThrow()),
    devices: await readAll(await parent.devices().getOrThrow()),
  });
}
console.log(JSON.stringify({ support: await host.support().getOrThrow(), parents }, null, 2));

/**
 * What each object tells of itself; one that vanished meanwhile is left out.
 *
 * @template {import("vfio-mdev").MdevType | import("vfio-mdev").MdevDevice} T
 * @param {readonly T[]} objects
 */
async function readAll(objects) {
  const infos = [];
  for (const object of objects) {
    const info = await object.read();
    if (info.ok) infos.push(info.value);
    else if (info.error.type !== "gone") throw info.error;
  }
  return infos;
}
