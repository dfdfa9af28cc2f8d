// The rule of docs/recipes.md, given to the real systemd-udevd of a guest, on a real kernel (see suite.ts).
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { release } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { MdevHost } from "../../src/index.js";
import { fencesRunBy } from "../../tools/doc-fences/extract.mjs";
import { ok } from "../contract/expect.js";
import type { Runner } from "../contract/subject.js";
import type { Action } from "./another-process.js";
import { anotherProcess, start, type Started } from "./processes.js";

const RULE = "/etc/udev/rules.d/60-mdev.rules";
const USER = "1000";
const [MEMBERS, OTHERS] = ["2000", "2001"];
/** Before glibc 2.34 the names of groups took a library of their own, which the guest of Debian 11 does not have. */
const knowsNames = !release().startsWith("5.10.");

/** Starts udevd. It is udevadm under another name; what the guest has by that name is a script that starts it (guest/setup.sh). */
async function startUdevd(): Promise<Started> {
  const script = readFileSync("/usr/bin/udevadm", "utf8");
  const [, udevadm = ""] = / (\S+) "\$@"\n/u.exec(script) ?? [];
  const udevd = join(dirname(udevadm), "systemd-udevd");
  symlinkSync(udevadm, udevd);
  writeFileSync("/tmp/udevd", script.replace(udevadm, udevd));
  const started = start("sh", ["/tmp/udevd"]);
  while (spawnSync("udevadm", ["control", "--ping"]).status !== 0) await pause(100);
  return started;
}

/** Who may create, open and remove where the rule is. */
export function permissions({ describe, it }: Runner, host: MdevHost): void {
  /** What another process says that is that user in a group. */
  const said = async (action: Action, what: string, group: string): Promise<unknown> => {
    const process = anotherProcess(action, [what, USER, group]);
    assert.equal(await process.line(), '"ready"');
    return JSON.parse(await process.line()) as unknown;
  };

  describe("permissions without root", () => {
    it("are those of the group that the rule for udev names", async () => {
      const [rule = ""] = fencesRunBy("test/kernel/permissions.ts", "docs/recipes.md", 1);
      mkdirSync("/etc/udev/rules.d", { recursive: true });
      writeFileSync(RULE, knowsNames ? rule : rule.replace('GROUP="mdev"', `GROUP="${MEMBERS}"`));
      appendFileSync("/etc/group", `mdev:x:${MEMBERS}:\n`);
      const udevd = await startUdevd();

      const type = await ok((await ok(host.parent("mtty"))).type("mtty-2"));
      assert.equal(await said("create", type.id, MEMBERS), "permission");
      chownSync(`${type.path}/create`, 0, Number(MEMBERS)); // what the page has a service do
      chmodSync(`${type.path}/create`, 0o220);
      assert.equal(await said("create", type.id, OTHERS), "permission");
      const uuid = String(await said("create", type.id, MEMBERS));
      execFileSync("udevadm", ["settle"]);
      const { group: node } = await ok((await ok(host.device(uuid))).vfioNodes());
      assert.deepEqual(await said("take", uuid, OTHERS), [node, "EACCES", "permission"]);
      assert.deepEqual(await said("take", uuid, MEMBERS), [node, "ok", "ok"]);
      assert.deepEqual(await ok(host.devices()), []);

      process.kill(udevd.pid);
      assert.equal((await udevd.ended).status, 0);
      rmSync(RULE);
      chownSync(`${type.path}/create`, 0, 0);
      chmodSync(`${type.path}/create`, 0o200);
    });
  });
}
