// A real container that lists the devices of its host, by the command and the program of docs/recipes.md (see suite-debian.ts).
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync } from "node:fs";
import { before, describe, it } from "node:test";
import { inspect } from "node:util";
import type { MdevHost } from "../../src/index.js";
import { fencesRunBy } from "../../tools/doc-fences/extract.mjs";
import { ok } from "../contract/expect.js";
import { DEBIAN, put, shell } from "./debian.js";
import { open } from "./processes.js";

const PAGE = "docs/recipes.md";
const STORAGE = `[storage]
driver = "vfs"
runroot = "/run/containers"
graphroot = "/var/lib/containers"
`;

/** An image that has the guest's Node and nothing else. */
function imageOfNode(): string {
  const node = "/usr/bin/node";
  const list = execFileSync("/lib64/ld-linux-x86-64.so.2", ["--list", node], { encoding: "utf8" });
  const files = [node, ...(list.match(/\/\S+/gu) ?? [])];
  execFileSync("tar", ["-chf", `${DEBIAN}/root/node.tar`, "-C", "/", ...files.map((file) => file.slice(1))]);
  return "node.tar";
}

/** What a container sees of the host. */
export function container(host: MdevHost): void {
  const [command = ""] = fencesRunBy("test/kernel/container.ts", PAGE, 1);
  const [program = ""] = fencesRunBy("test/kernel/pages.ts", PAGE, 1);
  const image = /(\S+) node /u.exec(command)?.[1] ?? assert.fail("the command of the page starts no Node");

  describe("a container", () => {
    before(() => {
      put("/etc/containers/storage.conf", STORAGE);
      shell(`podman import ${imageOfNode()} docker.io/library/${image}`);
      put("/root/devices.mjs", program);
      cpSync("node_modules", `${DEBIAN}/root/node_modules`, { recursive: true });
    });

    it("shows the devices of the host, and who has them", async (t) => {
      t.diagnostic(shell("podman --version").trim());
      const types = await ok((await ok(host.parent("mtty"))).types());
      const devices = await Promise.all(types.map((type) => ok(type.create())));
      const [taken, free] = devices;
      assert.ok(taken && free);
      const holder = await open(taken);
      const sees = (command: string): string[] => shell(command).trim().split("\n").sort();
      const says = (...uses: string[]): string[] =>
        devices.map(({ path }, index) => `/host${path} ${uses[index]}`).sort();

      assert.deepEqual(sees(command), says(`yes ${inspect([holder.pid])}`, "no []"));
      const weaker = command.replace("--cap-add SYS_PTRACE ", "");
      assert.notEqual(weaker, command);
      assert.deepEqual(sees(weaker), says("unknown []", "unknown []"));
      await holder.close();
      for (const device of devices) await ok(device.remove());
    });
  });
}
