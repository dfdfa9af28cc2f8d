import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../support/temporary.js";
import { Mdevctl } from "./mdevctl.js";
import { Machine } from "./tree.js";

const UUID = "11111111-aaaa-4bbb-8ccc-000000000001";

it("examples/mdevctl-list.mjs prints what the real mdevctl prints, byte for byte", async () => {
  const root = temporaryFolder();
  const mdevctl = new Mdevctl(root);
  const files = { available_instances: "4\n", device_api: "vfio-pci\n", name: 'Dual "port" serial\n' };
  const definition = { mdev_type: "t-2", start: "auto", attrs: [{ attr_a: "1" }] };
  new Machine(root).lay({
    parents: {
      pa: { "t-1": { files }, "t-2": { files: { ...files, description: "a, b\n" } } },
      pb: { t: { files } },
    },
    devices: [{ uuid: UUID, parent: "pa", type: "t-1" }],
    definitions: { "pb/22222222-aaaa-4bbb-8ccc-000000000002": JSON.stringify(definition) },
  });
  mdevctl.prepare();
  const places = ["--sysfs", join(root, "sys"), "--definitions", join(root, "etc/mdevctl.d")];
  for (const asked of [["types"], ["list"], ["list", "--defined"]]) {
    const ours = execFileSync(process.execPath, ["examples/mdevctl-list.mjs", ...asked, ...places], {
      encoding: "utf8",
    });
    const theirs = await mdevctl.run(...asked, "--dumpjson");
    expect(theirs.stderr).toBe("");
    expect(ours).toBe(theirs.stdout);
    expect(ours.length).toBeGreaterThan(10);
  }
});
