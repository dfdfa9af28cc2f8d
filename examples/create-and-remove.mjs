// @ts-check
/**
 * Creates a device on this machine, prints what it is, and removes it again. Takes root.
 *
 *     node examples/create-and-remove.mjs mtty mtty-1
 */
import { MdevHost } from "vfio-mdev";

const [parentId, typeId] = process.argv.slice(2);
if (parentId === undefined || typeId === undefined) {
  console.error("usage: node examples/create-and-remove.mjs <parent> <type>");
  process.exit(2);
}

const host = new MdevHost({ timeout: 10_000 });
const created = await host
  .parent(parentId)
  .map((parent) => parent.type(typeId))
  .map((type) => type.create());

if (!created.ok) {
  console.error(`${created.error.type}: ${created.error.message}`);
  process.exitCode = 1;
} else {
  const device = created.value;
  console.log(JSON.stringify(await device.read().getOrThrow(), null, 2));
  const { removed } = await device.remove().getOrThrow();
  console.log(removed ? `${device.id} is removed` : `${device.id} was gone already`);
}
