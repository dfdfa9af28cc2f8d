// The programs of the pages that take a real machine, as a reader runs them, on a real kernel (see suite.ts).
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { inspect } from "node:util";
import type { MdevDevice, MdevHost } from "../../src/index.js";
import { fencesRunBy } from "../../tools/doc-fences/extract.mjs";
import { ok } from "../contract/expect.js";
import type { Runner } from "../contract/subject.js";
import { open, start } from "./processes.js";
import { startedWith } from "./virtual-machine.js";

const HERE = "test/kernel/pages.ts";
/** The process that the pages name, whose root is elsewhere. */
const PROCESS = "/proc/4711/";

/** Saves a program as a reader does, beside the package; its name. */
function saved(code: string): string {
  writeFileSync("page.mjs", code);
  return "page.mjs";
}
const run = (code: string): string => execFileSync(process.execPath, [saved(code)], { encoding: "utf8" });

/** Mounts the trees of this host in `/host`, which is the root of a process, too; its number, and how to end all of that. */
function hostElsewhere(): { readonly pid: number; close(): Promise<void> } {
  const mounts = [
    ["sys", "-t", "sysfs", "sys"],
    ["proc", "-t", "proc", "proc"],
    ["dev", "--bind", "/dev"],
    ["bin", "--bind", "/bin"],
  ] as const;
  for (const [folder, ...what] of mounts) {
    mkdirSync(`/host/${folder}`, { recursive: true });
    execFileSync("mount", [...what, `/host/${folder}`]);
  }
  const { pid, ended } = start("chroot", ["/host", "/bin/sleep", "1000"]);
  const close = async (): Promise<void> => {
    process.kill(pid);
    await ended;
    for (const [folder] of mounts) execFileSync("umount", [`/host/${folder}`]);
  };
  return { pid, close };
}

/** What the pages say of the host with one device, and of the way to a virtual machine. */
export function pages({ describe, it }: Runner, host: MdevHost): void {
  const made = async (): Promise<MdevDevice> =>
    ok((await ok((await ok(host.parent("mtty"))).type("mtty-2"))).create());

  describe("the pages", () => {
    it("show the device of a host that is here, in /host, and where a process sees it", async () => {
      const device = await made();
      const elsewhere = hostElsewhere();
      const inner = `/proc/${elsewhere.pid}/`;
      const paths = [`/host${device.path}`, `${inner}root${device.path}`, device.path];
      const shown = (code = ""): string => run(code.replaceAll(PROCESS, inner));
      try {
        const [readme] = fencesRunBy(HERE, "README.md", 1);
        assert.equal(shown(readme), paths.map((path) => `${inspect([path])}\n`).join(""));

        const [local, container, process, pool] = fencesRunBy(HERE, "docs/file-systems.md", 4);
        assert.equal(shown(container), `${paths[0]}\n`);
        assert.equal(shown(process), `${paths[1]}\n`);
        assert.equal(shown(local), `${device.path}\n`);
        assert.equal(shown(pool), `${device.path}\n`);

        const [recipe] = fencesRunBy(HERE, "docs/recipes.md", 1);
        assert.equal(shown(recipe), `${paths[0]} no []\n`);
        const holder = await open(device);
        assert.equal(shown(recipe), `${paths[0]} yes [ ${holder.pid} ]\n`);
        await holder.close();
      } finally {
        await elsewhere.close();
      }
      await ok(device.remove());
    });

    it("show this machine to whoever gets started", async () => {
      const device = await made();
      const [code = ""] = fencesRunBy(HERE, "docs/getting-started.md", 1);
      const { devices } = await ok(host.snapshot());
      assert.deepEqual(
        devices.map(({ id }) => id),
        [device.id],
      );
      const snapshot = JSON.stringify(await ok(host.snapshot()), undefined, 2);
      assert.equal(run(code), `${inspect(await ok(host.support()))}\n${snapshot}\n`);
      await ok(device.remove());
    });

    it("bring a device to a virtual machine, and remove it when that has ended", async () => {
      const [code = ""] = fencesRunBy(HERE, "docs/qemu.md", 1);
      writeFileSync("disk.img", "");
      truncateSync("disk.img", 1 << 20);
      const program = start(process.execPath, [saved(code)]);
      let isOver = false;
      void program.ended.then(() => (isOver = true));
      let machine: number | undefined;
      let owned: readonly MdevDevice[] = [];
      while (machine === undefined) {
        if (isOver) await program.line(); // fails, with what the program complained about
        ({ devices: owned } = await ok(host.ownedDevices("my-manager")));
        for (const device of owned) [machine] = (await ok(device.inUse())).holders;
        await pause(100);
      }
      const ids = owned.map(({ id }) => id);
      assert.equal(ids.length, 1);
      assert.deepEqual(startedWith({ pid: machine }), ids);
      process.kill(machine, "SIGTERM");
      assert.equal((await program.ended).status, 0);
      assert.deepEqual(await ok(host.devices()), []);
      assert.deepEqual((await ok(host.ownedDevices("my-manager"))).devices, []);
    });
  });
}
