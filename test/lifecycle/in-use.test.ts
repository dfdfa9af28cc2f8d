import { describe, expect, it } from "vitest";
import { MdevHost, type MdevDevice, type MdevHostOptions } from "../../src/index.js";
import { NvidiaVgpuDevice } from "../../src/extensions/nvidia/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { fails, ok } from "../contract/expect.js";
import { Meddler } from "../support/meddler.js";
import { UUID, OTHER_UUID } from "../support/world.js";

interface UseWorld {
  readonly simulated: SimulatedHost;
  readonly meddler: Meddler;
  readonly device: MdevDevice;
}

/** One vGPU, and a host that sees the processes. */
async function makeUseWorld(options: MdevHostOptions = {}): Promise<UseWorld> {
  const simulated = new SimulatedHost();
  const gpu = simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
  gpu.create("nvidia-156", UUID);
  gpu.create("nvidia-156", OTHER_UUID);
  const meddler = new Meddler(simulated.fs);
  const host = new MdevHost({ fs: meddler.fs, proc: "/proc", ...options });
  return { simulated, meddler, device: await ok(host.device(UUID)) };
}

describe("a device", () => {
  it("is used by the processes that have it open, and by none when they have closed it", async () => {
    const { simulated, device } = await makeUseWorld();
    expect(await ok(device.inUse())).toEqual({ state: "no", holders: [] });
    const vm = simulated.open(UUID, { pid: 9000 });
    const other = simulated.open(OTHER_UUID, { pid: 8000 });
    expect(await ok(device.inUse())).toEqual({ state: "yes", holders: [9000] });
    vm.close();
    expect(await ok(device.inUse())).toEqual({ state: "no", holders: [] });
    other.close();
  });

  it("is used where only its group is open: a virtual machine is about to start", async () => {
    const { simulated, device } = await makeUseWorld();
    const { pid } = simulated.open(UUID, { what: "group" });
    expect(await ok(device.inUse())).toEqual({ state: "yes", holders: [pid] });
  });

  it("may be used by whom nobody sees: without /proc, without root, in a container", async () => {
    for (const blind of [
      makeUseWorld({ proc: undefined }),
      makeUseWorld({ proc: "/none" }),
      makeUseWorld().then((world) => {
        const host = new MdevHost({ fs: world.simulated.fsAs(1000), proc: "/proc" });
        return ok(host.device(UUID)).then((device) => ({ ...world, device }));
      }),
      makeUseWorld().then((world) => {
        world.meddler.meddle(({ path, name, honest }) =>
          name === "readlink" && path === "/proc/1/ns/pid" ? Promise.resolve("pid:[4026532201]") : honest(),
        );
        return world;
      }),
    ]) {
      const { simulated, device } = await blind;
      expect(await ok(device.inUse())).toEqual({ state: "unknown", holders: [] });
      simulated.open(UUID);
      expect((await ok(device.inUse())).state).not.toBe("no");
    }
  });

  it("is used where the driver's own files say so, if the host knows the driver", async () => {
    const without = await makeUseWorld({ proc: undefined });
    without.simulated.open(UUID, { vmName: "desktop-7" });
    expect((await ok(without.device.inUse())).state).toBe("unknown");

    const { simulated, device } = await makeUseWorld({ proc: undefined, extensions: [NvidiaVgpuDevice] });
    expect((await ok(device.inUse())).state).toBe("unknown");
    simulated.open(UUID, { vmName: "desktop-7" });
    expect(await ok(device.inUse())).toEqual({ state: "yes", holders: [] });
  });

  it("is found in use by opening its group's node, if the caller wants that", async () => {
    const { simulated, meddler, device } = await makeUseWorld({ proc: undefined });
    expect(await ok(device.inUse({ probeGroup: true }))).toEqual({ state: "unknown", holders: [] });
    simulated.open(UUID);
    meddler.meddle();
    expect((await ok(device.inUse())).state).toBe("unknown");
    expect(meddler.calls.filter(({ path }) => path.startsWith("/dev"))).toEqual([]);
    expect(await ok(device.inUse({ probeGroup: true }))).toEqual({ state: "yes", holders: [] });
  });
});

describe("a process that has a VFIO device open and no group", () => {
  const GPU = "/sys/devices/pci0000:3b/0000:3b:00.0";

  /** A process of which only `anon_inode:[vfio-device]` shows, and what `fdinfo` says of that. */
  async function lookAt(fdinfo: string | undefined): Promise<unknown> {
    const { simulated, meddler, device } = await makeUseWorld();
    simulated.open(OTHER_UUID, { pid: 8000 });
    meddler.meddle(({ path, name, honest }) => {
      if (name === "readlink" && /^\/proc\/8000\/fd\/[34]$/u.test(path)) return Promise.resolve("/dev/null");
      if (!path.startsWith("/proc/8000/fdinfo")) return honest();
      if (fdinfo === undefined) return Promise.reject(Object.assign(new Error(), { code: "ENOENT" }));
      if (name === "readFile") return Promise.resolve(fdinfo);
      return simulated.fs.lstat(path.endsWith("fdinfo") ? "/proc/8000/fd" : "/proc/8000/comm");
    });
    expect(device.path).toBe(`${GPU}/${UUID}`);
    return ok(device.inUse());
  }

  it("leaves it open whose it is, where the kernel does not say", async () => {
    expect(await lookAt(undefined)).toEqual({ state: "unknown", holders: [] });
    expect(await lookAt("pos:\t0\nflags:\t02\n")).toEqual({ state: "unknown", holders: [] });
  });

  it("has this one open or another, where the kernel says so", async () => {
    const says = (uuid: string): string => `pos:\t0\nvfio-device-syspath: ${GPU}/${uuid}\n`;
    expect(await lookAt(says(UUID))).toEqual({ state: "yes", holders: [8000] });
    expect(await lookAt(says(OTHER_UUID))).toEqual({ state: "no", holders: [] });
  });
});

describe("removing", () => {
  it("is refused while somebody has it open, says who, and writes nothing", async () => {
    const { simulated, device } = await makeUseWorld();
    const vm = simulated.open(UUID, { pid: 9000 });
    for (const options of [undefined, { ifBusy: "fail" }] as const) {
      const error = await fails(device.remove(options), "busy");
      expect(error).toMatchObject({ holders: [9000], path: device.path });
      expect(error.message).toContain("by the process 9000");
    }
    expect(simulated.operations.filter(({ operation }) => operation.startsWith("write"))).toEqual([]);
    vm.close();
    expect(await ok(device.remove())).toEqual({ removed: true });
  });

  it("waits for it, writes nothing before, and gives up in time with nothing pending", async () => {
    const { simulated, device } = await makeUseWorld();
    const vm = simulated.open(UUID);
    const error = await fails(device.remove({ ifBusy: "wait", timeout: 150 }), "timeout");
    expect(error.pending).toBeUndefined();
    expect(simulated.operations.filter(({ operation }) => operation.startsWith("write"))).toEqual([]);
    const removal = device.remove({ ifBusy: "wait" });
    setTimeout(vm.close, 150);
    expect(await ok(removal)).toEqual({ removed: true });
  });

  it("goes on where nobody can see who has it open, and says what is pending when that takes too long", async () => {
    const { simulated, device } = await makeUseWorld({ proc: undefined });
    const vm = simulated.open(UUID);
    const error = await fails(device.remove({ timeout: 50 }), "timeout");
    expect(error.pending).toContain("waits until nobody has the device open");
    vm.close();
    expect((await ok(device.remove())).removed).toBe(false);
  });

  it("leaves the driver the time to do it itself, and does it where that does not", async () => {
    const { simulated, device } = await makeUseWorld();
    const gpu = simulated.addNvidiaGpu({ address: "0000:3c:00.0" });
    const third = gpu.create("nvidia-156");
    const other = await ok(new MdevHost({ fs: simulated.fs }).device(third));
    setTimeout(() => gpu.remove(third), 40);
    expect(await ok(other.remove({ waitForDriver: 5_000 }))).toEqual({ removed: false });
    expect(await ok(device.remove({ waitForDriver: 40 }))).toEqual({ removed: true });
    expect(simulated.operations.filter(({ operation }) => operation.startsWith("write"))).toHaveLength(1);
  });

  it("refuses what it does not understand", async () => {
    const { meddler, device } = await makeUseWorld();
    meddler.meddle();
    for (const options of [{ ifBusy: "kill" }, { waitForDriver: -1 }, { waitForDriver: "1" }]) {
      await fails(device.remove(options as never), "invalid-argument");
    }
    expect(meddler.calls).toEqual([]);
  });

  it("waits until a creation of this process has returned, though all of the device shows already", async () => {
    const { simulated, meddler, device } = await makeUseWorld();
    const type = await ok(device.parent().map((parent) => parent.type("nvidia-156")));
    const uuid = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1003";
    const pause = simulated.pauseCreate({ before: "active" });
    const creation = type.create({ uuid });
    await pause.reached;
    const half = await ok(new MdevHost({ fs: meddler.fs }).device(uuid));
    expect(await ok(half.state())).toBe("active");
    await fails(half.remove(), "busy");
    pause.resume();
    await ok(creation);
    expect(await ok(half.remove())).toEqual({ removed: true });
  });
});
