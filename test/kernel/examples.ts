// The examples for a real machine, as a user runs them, on a real kernel with mtty (see suite.ts).
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import type { MdevHost } from "../../src/index.js";
import { ok } from "../contract/expect.js";
import type { Runner } from "../contract/subject.js";

const UUID = "5f1cbd10-32d4-4d8a-9f0e-6d2b7b3a0003";

const run = (...args: string[]): string => execFileSync(process.execPath, args, { encoding: "utf8" });

/** What each of them prints of a host with one device of mtty, one that is replayed the same; and what the one that writes does. */
export function examples({ describe, it }: Runner, host: MdevHost): void {
  describe("the examples", () => {
    it("that only read print the device that there is, from the host and from its recording", async () => {
      const mtty = await ok(host.parent("mtty"));
      const device = await ok((await ok(mtty.type("mtty-2"))).create({ uuid: UUID }));
      const printed = {
        tree: run("examples/tree.mjs"),
        metrics: run("examples/exporter.mjs", "--once"),
        list: run("examples/list.mjs"),
        mdevctl: run("examples/mdevctl-list.mjs", "list"),
      };
      writeFileSync("host.json", run("examples/record.mjs"));
      for (const name of ["tree", "list", "mdevctl"] as const) assert.match(printed[name], new RegExp(UUID));
      assert.match(
        printed.metrics,
        /^mdev_devices\{parent="mtty",type="mtty-2",state="active",driver="\w+"\} 1$/m,
      );
      assert.equal(run("examples/tree.mjs", "host.json"), printed.tree);
      assert.equal(run("examples/exporter.mjs", "--once", "--replay", "host.json"), printed.metrics);
      await ok(device.remove());
    });

    it("that creates and removes prints the device and leaves none", async () => {
      const [, uuid = ""] =
        /"uuid": "([-0-9a-f]{36})"/.exec(run("examples/create-and-remove.mjs", "mtty", "mtty-1")) ?? [];
      assert.match(uuid, /^[-0-9a-f]{36}$/);
      assert.equal((await host.device(uuid)).error?.type, "not-found");
    });
  });
}
