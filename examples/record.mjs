// @ts-check
/**
 * Prints a recording of this machine for a bug report. It reads only; serial numbers and names of virtual machines are masked.
 *
 *     node examples/record.mjs > host.json
 *     node examples/record.mjs --uuids > host.json    # masks UUIDs, too
 */
import { nodeFileSystem } from "vfio-mdev";
import { recordHost } from "vfio-mdev/recording";

/** @type {import("vfio-mdev/recording").Maskable[]} */
const mask = ["serial-numbers", "vm-names"];
if (process.argv.includes("--uuids")) mask.push("uuids");

const recorded = await recordHost(nodeFileSystem, { mask, timeout: 60_000 });
if (!recorded.ok) {
  console.error(recorded.error.message);
  process.exitCode = 1;
} else {
  const { entries, complete } = recorded.value;
  console.log(JSON.stringify(recorded.value, null, 1));
  const rest = complete ? "" : "; not all of it found room";
  console.error(`${Object.keys(entries).length} entries${rest}. Look through them before you publish them.`);
}
