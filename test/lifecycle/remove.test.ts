import { afterEach, describe, expect, it, vi } from "vitest";
import { MdevHost, type RemoveOutcome } from "../../src/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { fails, ok } from "../contract/expect.js";
import { makeSerialWorld, MTTY, OTHER_UUID, type SerialWorld, UUID } from "../support/world.js";

const DEVICE = `${MTTY}/${UUID}`;

afterEach(() => {
  vi.useRealTimers();
});

/** The removals that were written, by whom ever. */
const removals = ({ simulated }: SerialWorld): number =>
  simulated.operations.filter(
    ({ operation, path }) => operation.startsWith("write") && path.endsWith("/remove"),
  ).length;

it("is never the removal of a device that somebody else creates under the same UUID meanwhile", async () => {
  /** Removes a device that is replaced at the so manieth call; gives the number of the write, too. */
  async function removeReplaced(call: number): Promise<[RemoveOutcome, left: number, write: number]> {
    const { simulated, mtty, host, type } = await makeSerialWorld();
    const device = await ok(type.create({ uuid: UUID }));
    const calls: string[] = [];
    const end = simulated.onOperation(({ operation }) => {
      if (calls.push(operation) !== call) return;
      mtty.remove(UUID);
      mtty.create("mtty-2", UUID);
    });
    const outcome = await ok(device.remove());
    end();
    return [outcome, (await ok(host.devices())).length, 1 + calls.indexOf("writeDetached")];
  }

  const [undisturbed, none, write] = await removeReplaced(Infinity);
  expect([undisturbed, none]).toEqual([{ removed: true }, 0]);
  // The first call finds out which device is there; the one before the write is the write's own look at its file.
  for (let call = 2; call < write - 1; call++)
    expect([call, ...(await removeReplaced(call))]).toMatchObject([call, { removed: false }, 1, 0]);
});

describe("a device that is being made", () => {
  // Before `bus` and after `mdev_type` its folder looks as it does while it goes, or as if it were done.
  it.each(["power", "driver", "iommu_group", "vfio-dev", "vendor", "devices", "mdev_type"] as const)(
    "is creating, is listed, and is not removed: before %s",
    async (before) => {
      const world = await makeSerialWorld();
      const pause = world.simulated.pauseCreate({ before });
      const creation = world.type.create({ uuid: UUID });
      await pause.reached;
      const device = await ok(world.host.device(UUID));
      expect((await ok(world.host.devices())).map(({ id }) => id)).toEqual([UUID]);
      expect((await ok(world.parent.devices())).map(({ id }) => id)).toEqual([UUID]);
      expect(await ok(device.state())).toBe("creating");
      expect(await ok(device.type())).toBeUndefined();
      expect(await ok(device.read())).toMatchObject({ state: "creating", type: undefined, problems: [] });
      expect(await ok(device.vfioNodes())).toBeDefined();
      const error = await fails(device.remove(), "busy");
      expect(error).toMatchObject({ path: DEVICE, hint: "Try again when that is done." });
      expect(removals(world)).toBe(0);
      pause.resume();
      await ok(creation);
      expect(await ok(device.state())).toBe("active");
      expect(await ok(device.remove())).toEqual({ removed: true });
    },
  );

  const UNCLEAR = [
    ["6.1", "remove"],
    ["6.1", "bus"],
    ["5.10", "vendor"],
    ["5.10", "bus"],
    ["5.10", "driver"],
    ["5.10", "mdev_type"],
    ["5.10", "remove"],
  ] as const;
  it.each(UNCLEAR)(
    "is never taken for one that goes, and waited for until the time is over: %s before %s",
    async (kernel, before) => {
      const { simulated, type, parent } = await makeSerialWorld(kernel);
      const pause = simulated.pauseCreate({ before });
      const creation = type.create({ uuid: UUID });
      await pause.reached;
      const [device] = await ok(parent.devices());
      const removal = device?.remove({ timeout: 200 });
      setTimeout(() => pause.resume(), 20);
      await ok(creation);
      const result = await removal;
      // It can be removed once it is done, or be left alone; but there is no removal to wait for.
      if (result?.ok === true) expect(result.value).toEqual({ removed: true });
      else expect(result?.error.type).toBe("busy");
    },
  );

  it("is busy where the kernel says so", async () => {
    const { simulated, type } = await makeSerialWorld();
    const device = await ok(type.create({ uuid: UUID }));
    for (const errno of ["EAGAIN", "EBUSY"] as const) {
      simulated.failNext({ path: `${DEVICE}/remove`, operation: "writeDetached", errno });
      expect((await fails(device.remove(), "busy")).errno).toBe(errno);
    }
    expect(await ok(device.remove())).toEqual({ removed: true });
  });
});

describe("a device that is being removed by somebody else", () => {
  it.each([
    "mdev_type",
    "devices",
    "power",
    "uevent",
    "bus",
    "driver",
    "vendor",
    "vfio-dev",
    "iommu_group",
    "folder",
  ] as const)("is removing, is listed, and is waited for: before %s", async (before) => {
    const world = await makeSerialWorld();
    const { simulated, mtty, type } = world;
    const device = await ok(type.create({ uuid: UUID }));
    const pause = simulated.pauseRemove({ before });
    const theirs = simulated.fs.writeFile(`${DEVICE}/remove`, "1", { flag: 1 });
    await pause.reached;
    expect((await ok(world.host.devices())).map(({ id }) => id)).toEqual([UUID]);
    expect((await ok(world.host.device(UUID))).path).toBe(DEVICE);
    expect(await ok(device.state())).toBe("removing");
    expect(await ok(device.read())).toMatchObject({ state: "removing", problems: [] });
    const written = removals(world);
    const mine = device.remove();
    const settled = vi.fn();
    void mine.then(settled);
    await new Promise((resolve) => setTimeout(resolve, 25));
    expect(settled).not.toHaveBeenCalled();
    pause.resume();
    await theirs;
    expect(await ok(mine)).toEqual({ removed: false });
    expect(removals(world)).toBe(written);
    expect(mtty.devices).toEqual([]);
    await fails(device.state(), "gone");
  });

  it("is waited for as long as the caller says, and what may still happen is told", async () => {
    const { simulated, type } = await makeSerialWorld();
    const device = await ok(type.create({ uuid: UUID }));
    const vm = simulated.open(UUID);
    const theirs = simulated.fs.writeFile(`${DEVICE}/remove`, "1", { flag: 1 });
    await expect.poll(() => ok(device.state())).toBe("removing");
    const late = await fails(device.remove({ timeout: 30 }), "timeout");
    const aborted = await fails(device.remove({ signal: AbortSignal.timeout(30) }), "aborted");
    vm.close();
    await theirs;
    expect(late.pending).toMatch(/removal is under way/u);
    expect(aborted.pending).toMatch(/removal is under way/u);
  });

  it("is told to be under way, although the limit strikes while it is looked at", async () => {
    const { simulated, type } = await makeSerialWorld();
    const device = await ok(type.create({ uuid: UUID }));
    const vm = simulated.open(UUID);
    const theirs = simulated.fs.writeFile(`${DEVICE}/remove`, "1", { flag: 1 });
    await expect.poll(() => ok(device.state())).toBe("removing");
    const late = fails(device.remove({ timeout: 100 }), "timeout");
    await new Promise((resolve) => setTimeout(resolve, 40));
    const hanging = simulated.delay({ path: new RegExp(UUID, "u"), ms: "forever" });
    expect((await late).pending).toMatch(/removal is under way/u);
    hanging.end();
    vm.close();
    await theirs;
  });

  it("is waited for ten seconds where nobody says", async () => {
    const { simulated, type } = await makeSerialWorld();
    const device = await ok(type.create({ uuid: UUID }));
    const pause = simulated.pauseRemove({ before: "folder" });
    const theirs = simulated.fs.writeFile(`${DEVICE}/remove`, "1", { flag: 1 });
    await pause.reached;
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const removal = device.remove();
    await vi.advanceTimersByTimeAsync(9_000);
    let answered = false;
    void removal.then(() => (answered = true));
    await vi.advanceTimersByTimeAsync(900);
    expect(answered).toBe(false);
    await vi.advanceTimersByTimeAsync(300);
    const error = await fails(removal, "timeout");
    expect(error.message).toMatchInlineSnapshot(
      `"cannot remove 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 from mtty: it is still there after 10000 ms. Its removal is under way: the kernel waits until nobody has the device open."`,
    );
    expect(error.pending).toBe(
      "Its removal is under way: the kernel waits until nobody has the device open.",
    );
    vi.useRealTimers();
    pause.resume();
    await theirs;
  });

  it("is not removed by this call, at whichever step they are faster", async () => {
    const counting = await makeSerialWorld();
    const counted = await ok(counting.type.create({ uuid: UUID }));
    const before = counting.simulated.operations.length;
    await ok(counted.remove());
    const calls = counting.simulated.operations.length - before;
    for (let at = 1; at <= calls; at++) {
      const { simulated, mtty, type } = await makeSerialWorld();
      const device = await ok(type.create({ uuid: UUID }));
      let call = 0;
      simulated.onOperation(() => {
        if (++call === at && mtty.devices.length > 0) mtty.remove(UUID);
      });
      const outcome = await device.remove({ timeout: 1_000 });
      expect(outcome.ok ? outcome.value : outcome.error.message, `call ${at}`).toEqual({
        removed: at === calls,
      });
    }
  });

  it("is removed although somebody creates the same UUID again at once", async () => {
    const { simulated, mtty, type } = await makeSerialWorld();
    const device = await ok(type.create({ uuid: UUID }));
    let again = false;
    simulated.onOperation(({ operation }) => {
      if (operation === "lstat" && mtty.devices.length === 0 && !again) {
        again = true;
        mtty.create("mtty-2", UUID);
      }
    });
    expect(await ok(device.remove({ timeout: 1_000 }))).toEqual({ removed: true });
    expect([again, mtty.devices]).toEqual([true, [UUID]]);
  });

  it("is gone to who asks for its state meanwhile, and never creating", async () => {
    for (let at = 1; at <= 3; at++) {
      const { simulated, mtty, type } = await makeSerialWorld();
      const device = await ok(type.create({ uuid: UUID }));
      let call = 0;
      simulated.onOperation(() => {
        if (++call === at) mtty.remove(UUID);
      });
      const state = await device.state();
      if (state.ok) expect(state.value, `call ${at}`).toBe("removing");
      else expect(state.error.type, `call ${at}`).toBe("gone");
    }
  });
});

describe("a device that a virtual machine has open", () => {
  it.each(["timeout", "aborted"] as const)(
    "is removed when it lets go; giving up ends the waiting only: %s",
    async (how) => {
      const { simulated, mtty, type, host } = await makeSerialWorld();
      const device = await ok(type.create({ uuid: UUID }));
      const vm = simulated.open(UUID);
      const limits = how === "timeout" ? { timeout: 30 } : { signal: AbortSignal.timeout(30) };
      const error = await fails(device.remove(limits), how);
      expect(error.pending).toBe(
        "The kernel may still remove it: it waits until nobody has the device open.",
      );
      expect(error.message).toContain(error.pending);
      expect(await ok(device.state())).toBe("removing");
      expect((await ok(host.devices())).map(({ id }) => id)).toEqual([UUID]);
      const second = device.remove();
      vm.close();
      expect(await ok(second)).toEqual({ removed: false });
      expect(mtty.devices).toEqual([]);
    },
  );

  it("is removed through writeDetached, so that nothing else waits; through writeFile where there is no such call", async () => {
    for (const [detached, operation] of [
      [true, "writeDetached"],
      [false, "writeFile"],
    ] as const) {
      const simulated = new SimulatedHost();
      simulated.addMtty().create("mtty-1", UUID);
      const { writeDetached, ...rest } = simulated.fs;
      const host = new MdevHost({
        fs: detached ? { ...rest, writeDetached: writeDetached ?? expect.fail() } : rest,
      });
      expect(await ok((await ok(host.device(UUID))).remove())).toEqual({ removed: true });
      expect(
        simulated.operations.filter(({ path }) => path.endsWith("/remove")).map((each) => each.operation),
      ).toContain(operation);
      expect(simulated.operations.filter((each) => each.operation.startsWith("write"))).toEqual([
        { operation, path: `${DEVICE}/remove`, text: "1\n" },
      ]);
    }
  });
});

describe("what the kernel's refusal means", () => {
  it.each([
    ["EINVAL", "rejected"],
    ["EACCES", "permission"],
    ["EPERM", "busy"],
    ["EROFS", "permission"],
    ["EIO", "io"],
    ["ENOMEM", "io"],
  ] as const)("%s: %s, and the device stays", async (errno, type) => {
    const world = await makeSerialWorld();
    const device = await ok(world.type.create({ uuid: UUID }));
    world.simulated.failNext({ path: `${DEVICE}/remove`, operation: "writeDetached", errno });
    const error = await fails(device.remove(), type);
    expect(error).toMatchObject({ errno, path: `${DEVICE}/remove`, operation: `remove ${UUID} from mtty` });
    expect(await ok(device.state())).toBe("active");
  });

  it.each(["ENOENT", "ENODEV"] as const)("%s: somebody else was faster", async (errno) => {
    const { simulated, type, mtty } = await makeSerialWorld();
    const device = await ok(type.create({ uuid: UUID }));
    simulated.failNext({ path: `${DEVICE}/remove`, operation: "writeDetached", errno });
    simulated.onOperation(({ operation }) => {
      if (operation === "writeDetached") setImmediate(() => mtty.remove(UUID));
    });
    expect(await ok(device.remove())).toEqual({ removed: false });
  });

  it("is for who is not root", async () => {
    const { simulated, mtty } = await makeSerialWorld();
    mtty.create("mtty-1", UUID);
    const host = new MdevHost({ fs: simulated.fsAs(1000) });
    const error = await fails((await ok(host.device(UUID))).remove(), "permission");
    expect(error.errno).toBe("EACCES");
    expect(error.hint).toContain("root");
  });
});

describe("a folder that goes later than the kernel answers", () => {
  it("is waited for", async () => {
    const { simulated, type } = await makeSerialWorld();
    const device = await ok(type.create({ uuid: UUID }));
    const { writeDetached, ...rest } = simulated.fs;
    const fs = {
      ...rest,
      writeDetached: async (...given: Parameters<NonNullable<typeof writeDetached>>) =>
        void writeDetached?.(...given),
    };
    const pause = simulated.pauseRemove({ before: "folder" });
    const removal = (await ok(new MdevHost({ fs }).device(UUID))).remove();
    await pause.reached;
    let answered = false;
    void removal.then(() => (answered = true));
    await new Promise((resolve) => setTimeout(resolve, 25));
    expect(answered).toBe(false);
    pause.resume();
    expect(await ok(removal)).toEqual({ removed: true });
    await fails(device.state(), "gone");
  });
});

describe("giving up a removal", () => {
  it("leaves the device alone where the kernel was not told, and has it removed where it was, whichever call hangs", async () => {
    const counting = await makeSerialWorld();
    const counted = await ok(counting.type.create({ uuid: OTHER_UUID }));
    const before = counting.simulated.operations.length;
    await ok(counted.remove());
    const calls = counting.simulated.operations.length - before;
    for (let hanging = 1; hanging <= calls; hanging++) {
      const { simulated, mtty, type } = await makeSerialWorld();
      const device = await ok(type.create({ uuid: UUID }));
      const delays: { end(): void }[] = [];
      const progress = { told: false };
      let call = 0;
      simulated.onOperation(({ operation, path }) => {
        if (operation === "writeDetached") progress.told = true;
        if (++call === hanging) delays.push(simulated.delay({ operation, path, times: 1, ms: "forever" }));
      });
      const error = await fails(device.remove({ timeout: 3 }), "timeout");
      // Once the kernel has done it, nothing is pending any more.
      expect(error.pending !== undefined, `call ${hanging}`).toBe(progress.told && hanging < calls);
      for (const delay of delays) delay.end();
      await expect
        .poll(() => mtty.devices.length, { message: `call ${hanging}` })
        .toBe(progress.told ? 0 : 1);
    }
  });
});
