import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { MdevDevice, MdevType } from "../../src/index.js";
import { fails, ok } from "./expect.js";
import type { Opened, Runner, Subject, Usage } from "./subject.js";

/** Enough for a removal to begin where there was one just before, in milliseconds. */
const LIMIT = 1_500;
/** How long a removal waits here before it gives up, and how much later than that it may say so, in milliseconds. */
const [PATIENCE, SLACK] = [300, 1_000];

/** Devices that somebody has open. */
export function inUse({ describe, it, afterEach }: Runner, { host, usage }: Subject): void {
  if (usage === undefined) return;
  const { blind } = usage;
  const opened: Opened[] = [];
  const open: Usage["open"] = async (...given) => {
    const vm = await usage.open(...given);
    opened.push(vm);
    return vm;
  };
  const typeOf = async (id: string): Promise<MdevType> =>
    ok((await ok(host.parent(id.replace(/-.*/u, "")))).type(id));
  const blindly = (device: MdevDevice): Promise<MdevDevice> => ok(blind.device(device.id));
  const settlesAs = async (device: MdevDevice, state: "removing" | "gone"): Promise<void> => {
    for (const begun = performance.now(); ;) {
      const result = await device.state();
      if ((result.ok ? result.value : result.error.type) === state) return;
      assert.ok(performance.now() - begun < 20_000, `${device.id} is not ${state}`);
      await pause(5);
    }
  };
  /** It is as if nobody had tried to remove it. */
  const isIntact = async (device: MdevDevice): Promise<void> => {
    assert.equal(await ok(device.state()), "active");
    assert.equal(await ok(device.can("remove")), true);
    assert.deepEqual(
      (await ok((await ok(device.type()))?.devices() ?? assert.fail("it has no type"))).map(({ id }) => id),
      [device.id],
    );
  };

  describe("a device in use", () => {
    // A test that failed must not leave a removal stuck.
    afterEach(async () => {
      for (const vm of opened.splice(0)) await vm.close();
    });

    for (const id of ["mtty-1", "mdpy-hd", "mbochs-small"]) {
      it(`names the process that has it open, and nobody else's: ${id}`, async () => {
        const type = await typeOf(id);
        const [device, other] = [await ok(type.create()), await ok(type.create())];
        assert.deepEqual(await ok(device.inUse()), { state: "no", holders: [] });
        const vm = await open(device);
        const another = await open(other);
        assert.deepEqual(await ok(device.inUse()), { state: "yes", holders: [vm.pid] });
        assert.deepEqual(await ok(other.inUse()), { state: "yes", holders: [another.pid] });
        await vm.close();
        assert.deepEqual(await ok(device.inUse()), { state: "no", holders: [] });
        await another.close();
        for (const each of [device, other]) assert.deepEqual(await ok(each.remove()), { removed: true });
      });
    }

    it("is one whose group alone is open, too", async () => {
      const device = await ok((await typeOf("mtty-1")).create());
      const vm = await open(device, "group");
      assert.deepEqual(await ok(device.inUse()), { state: "yes", holders: [vm.pid] });
      assert.deepEqual((await fails(device.remove(), "busy")).holders, [vm.pid]);
      await vm.close();
      assert.deepEqual(await ok(device.remove()), { removed: true });
    });

    it("is unknown to who cannot see the processes, unless the group is tried", async () => {
      const device = await ok((await typeOf("mtty-1")).create());
      const seen = await blindly(device);
      const vm = await open(device);
      assert.deepEqual(await ok(seen.inUse()), { state: "unknown", holders: [] });
      assert.deepEqual(await ok(seen.inUse({ probeGroup: true })), { state: "yes", holders: [] });
      await vm.close();
      assert.deepEqual(await ok(seen.inUse({ probeGroup: true })), { state: "unknown", holders: [] });
      // The probe lets go of it again.
      await (await open(device)).close();
      assert.deepEqual(await ok(device.inUse({ probeGroup: true })), { state: "no", holders: [] });
      assert.deepEqual(await ok(seen.remove()), { removed: true });
    });

    it("is not removed: busy, with the process, at once", async () => {
      const device = await ok((await typeOf("mdpy-hd")).create());
      const vm = await open(device);
      for (const options of [undefined, { ifBusy: "fail" } as const]) {
        assert.deepEqual((await fails(device.remove(options), "busy")).holders, [vm.pid]);
      }
      await isIntact(device);
      await vm.close();
      assert.deepEqual(await ok(device.remove({ ifBusy: "fail" })), { removed: true });
    });

    it("is waited for as long as the caller says, and left as it is then", async () => {
      const device = await ok((await typeOf("mtty-1")).create());
      const vm = await open(device);
      const begun = performance.now();
      const late = await fails(device.remove({ ifBusy: "wait", timeout: PATIENCE }), "timeout");
      const took = performance.now() - begun;
      assert.ok(took >= PATIENCE - 5 && took < PATIENCE + SLACK, `gave up after ${Math.round(took)} ms`);
      assert.equal(late.pending, undefined);
      const signal = AbortSignal.timeout(PATIENCE);
      const aborted = await fails(device.remove({ ifBusy: "wait", signal }), "aborted");
      assert.equal(aborted.pending, undefined);
      await isIntact(device);
      assert.deepEqual(await ok(device.inUse()), { state: "yes", holders: [vm.pid] });
      await vm.close();
      await isIntact(device); // nothing was left to happen later
      assert.deepEqual(await ok(device.remove()), { removed: true });
    });

    it("is removed once it is released", async () => {
      const device = await ok((await typeOf("mbochs-small")).create());
      const vm = await open(device);
      const removals = [1, 2].map(() => ok(device.remove({ ifBusy: "wait", timeout: 20_000 })));
      await pause(PATIENCE);
      await isIntact(device);
      await vm.close();
      const outcomes = await Promise.all(removals);
      assert.deepEqual(outcomes.map(({ removed }) => removed).sort(), [false, true]);
      await fails(device.state(), "gone");
    });

    it("may be opened after the check: giving up says what goes on, and it goes when it is released", async () => {
      const type = await typeOf("mtty-1");
      const before = await ok(type.availableInstances.read());
      assert.ok(before);
      const device = await ok(type.create());
      const vm = await open(device);
      assert.deepEqual(await ok((await ok(type.create())).remove()), { removed: true });
      const removal = (await blindly(device)).remove({ timeout: LIMIT });
      const outcome = fails(removal, "timeout");
      await settlesAs(device, "removing");
      assert.match((await outcome).pending ?? "", /may still remove it/u);

      // It holds up nothing but itself.
      assert.equal(await ok(type.availableInstances.read()), before - 1);
      await fails(type.create({ uuid: device.id }), "already-exists");
      assert.deepEqual(await ok((await ok(type.create())).remove()), { removed: true });
      for (const ifBusy of ["fail", "wait"] as const) {
        const late = await fails(device.remove({ ifBusy, timeout: PATIENCE }), "timeout");
        assert.match(late.pending ?? "", /removal is under way/u);
      }
      const last = ok(device.remove({ timeout: 20_000 }));
      await vm.close();
      assert.deepEqual(await last, { removed: false });
      await settlesAs(device, "gone");
      assert.equal(await ok(type.availableInstances.read()), before);
    });
  });
}
