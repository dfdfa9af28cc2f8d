// @ts-check
/**
 * Prints what `mdevctl types --dumpjson` and `mdevctl list --dumpjson` print, byte for byte, where there is no mdevctl. Reads only.
 *
 *     node examples/mdevctl-list.mjs types
 *     node examples/mdevctl-list.mjs list              # active devices
 *     node examples/mdevctl-list.mjs list --defined    # persistent definitions
 *     node examples/mdevctl-list.mjs types --sysfs /host/sys --definitions /host/etc/mdevctl.d
 */
import { parseArgs } from "node:util";
import { MdevHost } from "vfio-mdev";
import { DefinitionStore, devicesJson, listedDevices, typesJson } from "vfio-mdev/definitions";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { defined: { type: "boolean" }, sysfs: { type: "string" }, definitions: { type: "string" } },
});
const host = new MdevHost({ sysfs: values.sysfs });
const store = new DefinitionStore({ root: values.definitions });

if (positionals[0] === "types") {
  console.log(typesJson(await host.snapshot().getOrThrow()));
} else if (positionals[0] === "list") {
  const { definitions } = await store.list().getOrThrow();
  const listed = values.defined
    ? definitions
    : listedDevices(await host.snapshot().getOrThrow(), { definitions });
  console.log(devicesJson(listed));
} else {
  console.error("usage: node examples/mdevctl-list.mjs types | list [--defined]");
  process.exitCode = 2;
}
