// What takes several processes, and so a real kernel.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type MdevDevice, MdevHost, type MdevType, NodeFileSystem } from "../../src/index.js";
import { ok } from "../contract/expect.js";
import type { Subject, Usage } from "../contract/subject.js";
import { anotherProcess, type Started } from "./processes.js";

const UUID = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1003";
/** How often each of two processes tries to get one of the last instances. */
const FIGHT = 200;
/** Nobody: a user without rights. */
const NOBODY = "65534";
/** How long two may go on until one of them was once faster than the other, in milliseconds. */
const PATIENCE = 60_000;
/** A process that is told to end, or has nothing left to do, is gone within this, in milliseconds. */
const SOON = 1_000;

type Counts = Readonly<Record<string, number>>;

export function races({ host, differences, ...subject }: Subject, { open }: Usage): void {
  const rounds = Math.ceil(subject.rounds / 5); // a removal looks at all processes, which takes its time here
  const typeOf = async (id: string): Promise<MdevType> =>
    ok((await ok(host.parent(id.replace(/-.*/u, "")))).type(id));
  const ready = async (process: Started): Promise<Started> => {
    assert.equal(await process.line(), '"ready"');
    return process;
  };
  const counts = async (process: Started): Promise<Counts> => JSON.parse(await process.line()) as Counts;
  /** Device folders of a parent, those that no list has included. */
  const folders = ({ parent }: MdevType): string[] =>
    readdirSync(parent.path).filter((name) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u.test(name));
  const nothingIsLeft = async (type: MdevType, available: number | undefined): Promise<void> => {
    assert.deepEqual(await ok(host.devices()), []);
    assert.deepEqual(folders(type), []);
    assert.equal(await ok(type.availableInstances.read()), available);
  };

  describe("a process that does not see all others", () => {
    for (const [who, user, before] of [
      ["in a process namespace of its own", [], ["unshare", "-pf", "--mount-proc"]],
      ["of a user without rights", [NOBODY], []],
    ] as const) {
      it(`knows of no user of a device, and does not say that there is none: ${who}`, async () => {
        const device = await ok((await typeOf("mtty-1")).create());
        const vm = await open(device);
        const asking = await ready(anotherProcess("use", [device.id, ...user], before));
        assert.deepEqual(JSON.parse(await asking.line()), { state: "unknown", holders: [] });
        await vm.close();
        await ok(device.remove());
      });
    }
  });

  describe("a process with four removals that are stuck", () => {
    for (const [how, what] of [
      ["exit", "exits when it is told to, while it waits for them"],
      ["end", "ends by itself when it has given up"],
    ] as const) {
      it(`reads files, and ${what}`, async (t) => {
        const type = await typeOf("mtty-1");
        const before = await ok(type.availableInstances.read());
        const devices: MdevDevice[] = [];
        for (let each = 0; each < 4; each++) devices.push(await ok(type.create()));
        const vms = await Promise.all(devices.map((device) => open(device)));
        const process = await ready(anotherProcess("stuck", [how, ...devices.map(({ id }) => id)]));
        const found = JSON.parse(await process.line()) as { milliseconds: number };
        const told = performance.now();
        const { status, at } = await process.ended;
        const { milliseconds, ...rest } = found;
        t.diagnostic(
          `four stuck removals, ${how}: read files in ${milliseconds} ms, gone in ${Math.round(at - told)} ms`,
        );
        const pending = "The kernel may still remove it: it waits until nobody has the device open.";
        assert.deepEqual(rest, {
          outcomes: how === "end" ? devices.map(() => ["aborted", pending]) : [],
          read: true,
          listed: 4,
        });
        assert.equal(status, 0);
        assert.ok(at - told < SOON, `gone after ${Math.round(at - told)} ms`);
        assert.ok(milliseconds < SOON, `files were read in ${milliseconds} ms`);
        // The removals go on without it, and end when the devices are released.
        for (const device of devices) assert.equal(await ok(device.state()), "removing");
        for (const vm of vms) await vm.close();
        for (const device of devices) assert.deepEqual(await ok(device.remove()), { removed: false });
        await nothingIsLeft(type, before);
      });
    }
  });

  describe("two processes", () => {
    it(`fight for the last instances, ${FIGHT} rounds`, async (t) => {
      const type = await typeOf("mdpy-hd"); // it has four
      const before = await ok(type.availableInstances.read());
      const fighters = [1, 2].map(() => anotherProcess("fight", ["mdpy-hd", String(FIGHT), "3"]));
      await Promise.all(fighters.map(ready));
      const begun = performance.now();
      for (const fighter of fighters) fighter.stop(); // begin
      const progress = { fighting: true };
      let most = 0;
      const watch = (async () => {
        for (; progress.fighting; await pause(1)) most = Math.max(most, (await ok(type.devices())).length);
      })();
      const results = await Promise.all(fighters.map(counts)).finally(() => (progress.fighting = false));
      await watch;
      t.diagnostic(
        `two processes, ${FIGHT} rounds each in ${Math.round(performance.now() - begun)} ms: ${JSON.stringify(results)}, at most ${most} at a time`,
      );
      let refused = 0;
      for (const { made = 0, "removed: true": removed = 0, ...others } of results) {
        const { "no-instances": full = 0, ...rest } = others;
        assert.deepEqual(rest, {});
        assert.equal(made, removed);
        assert.equal(made + full, FIGHT);
        assert.ok(made > 0);
        refused += full;
      }
      assert.ok(refused > 0, "there was no fight");
      if (!differences.racyCount) assert.ok(most <= 4, `${most} of 4 at a time`);
      await nothingIsLeft(type, before);
    });

    it(`create and remove the same device, ${rounds} times or more`, async (t) => {
      const hunter = await ready(anotherProcess("hunt", []));
      await neverStuck(async (tally) => {
        hunter.stop();
        const { "removed: true": removed = 0, ...others } = await counts(hunter);
        t.diagnostic(
          `the other process: ${JSON.stringify({ removed, ...others })}, this one: ${JSON.stringify(tally)}`,
        );
        assert.ok(removed > 0, "there was no race");
      });
    });
  });

  describe("two hosts of one process", () => {
    it(`create and remove the same device, ${rounds} times or more`, async (t) => {
      const other = new MdevHost({ fs: new NodeFileSystem() });
      const hunting = { on: true };
      let removed = 0;
      const hunt = (async () => {
        for (; hunting.on; await new Promise((resolve) => setImmediate(resolve))) {
          const found = await other.device(UUID);
          const removal = found.ok ? await found.value.remove() : undefined;
          if (removal?.ok === true && removal.value.removed) removed++;
        }
      })();
      await neverStuck(async (tally) => {
        hunting.on = false;
        await hunt;
        t.diagnostic(`the other host removed ${removed}, this one: ${JSON.stringify(tally)}`);
        assert.ok(removed > 0, "there was no race");
      });
    });
  });

  /**
   * Creates and removes while somebody else removes, until he was once faster: whoever is, the device is never there for
   * good.
   */
  async function neverStuck(stopTheOther: (tally: Counts) => Promise<void>): Promise<void> {
    const type = await typeOf("mtty-1");
    const before = await ok(type.availableInstances.read());
    const tally: Record<string, number> = {};
    const add = (what: string): void => void (tally[what] = (tally[what] ?? 0) + 1);
    const begun = performance.now();
    const isOver = (): boolean =>
      tally["gone"] !== undefined ||
      tally["removed: false"] !== undefined ||
      performance.now() - begun > PATIENCE;
    try {
      for (let round = 0; round < rounds || !isOver(); round++) {
        const created = await type.create({ uuid: UUID });
        add(created.ok ? "made" : created.error.type);
        // `gone`: made, and removed by the other before this host looked.
        if (!created.ok && created.error.type !== "gone") throw created.error;
        if (!created.ok) continue;
        const removed = await created.value.remove();
        if (!removed.ok) throw removed.error;
        add(`removed: ${removed.value.removed}`);
      }
    } finally {
      await stopTheOther(tally);
    }
    await nothingIsLeft(type, before);
  }

  describe("a named pipe in place of an attribute", () => {
    it("never freezes the event loop", async () => {
      const sysfs = mkdtempSync(join(tmpdir(), "tree-"));
      const parent = join(sysfs, "devices/virtual/slow");
      const folder = join(parent, "mdev_supported_types/slow-1");
      mkdirSync(join(folder, "devices"), { recursive: true });
      mkdirSync(join(sysfs, "class/mdev_bus"), { recursive: true });
      symlinkSync("../../devices/virtual/slow", join(sysfs, "class/mdev_bus/slow"));
      for (const [name, text] of [
        ["create", ""],
        ["device_api", "vfio-pci\n"],
      ] as const)
        writeFileSync(join(folder, name), text);
      for (const name of ["name", "available_instances"]) execFileSync("mkfifo", [join(folder, name)]);
      try {
        const type = await ok((await ok(new MdevHost({ sysfs }).parent("slow"))).type("slow-1"));
        let longest = 0;
        let last = performance.now();
        const beat = setInterval(() => {
          longest = Math.max(longest, performance.now() - last);
          last = performance.now();
        }, 10);
        const limit = { timeout: 200 };
        await Promise.all([type.name.read(limit), type.availableInstances.read(limit), type.read(limit)]);
        await pause(50);
        clearInterval(beat);
        assert.ok(longest < SOON, `the event loop stood still for ${Math.round(longest)} ms`);
      } finally {
        rmSync(sysfs, { recursive: true });
      }
    });
  });
}
