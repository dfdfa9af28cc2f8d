import { describe, expect, it } from "vitest";
import { findVgpuType, NvidiaVgpuType } from "../../../src/extensions/nvidia/index.js";
import { MdevHost, type Parent } from "../../../src/index.js";
import { Errno, SimulatedHost, type SimulatedType } from "../../../src/testing/index.js";
import { fails, ok } from "../../contract/expect.js";

const ADDRESS = "0000:3b:00.0";

async function parentWith(types: readonly SimulatedType[]): Promise<Parent> {
  const simulated = new SimulatedHost();
  simulated.addParent({
    path: `devices/pci0000:3b/${ADDRESS}`,
    subsystem: "bus/pci",
    driver: "nvidia",
    deviceDriver: "nvidia-vgpu-vfio",
    types,
  });
  return ok(new MdevHost({ fs: simulated.fs }).parent(ADDRESS));
}

async function p40(): Promise<Parent> {
  const simulated = new SimulatedHost();
  simulated.addNvidiaGpu({ address: ADDRESS });
  return ok(new MdevHost({ fs: simulated.fs }).parent(ADDRESS));
}

describe("a vGPU type", () => {
  it("has a typed description and a parsed name", async () => {
    const type = await ok((await p40()).type("nvidia-156"));
    const vgpu = await ok(type.as(NvidiaVgpuType));
    expect(vgpu.type).toBe(type);
    expect(await ok(vgpu.description.read())).toMatchObject({ heads: 4, maxInstances: 12 });
    expect(await ok(vgpu.name())).toMatchObject({ brand: "GRID", product: "P40", gigabytes: 2, series: "B" });
  });

  it("has a name and no description on NVIDIA's own interface", async () => {
    const simulated = new SimulatedHost();
    simulated.addNvidiaSriovGpu({ address: "0000:41:00.0" });
    const parent = await ok(new MdevHost({ fs: simulated.fs }).parent("0000:41:00.5"));
    const vgpu = await ok((await ok(parent.type("nvidia-1148"))).as(NvidiaVgpuType));
    expect(await ok(vgpu.description.read())).toBeUndefined();
    expect(await ok(vgpu.name())).toMatchObject({ product: "L40S", framebufferBytes: 2 * 2 ** 30 });
  });

  it("has no name where none shows", async () => {
    const simulated = new SimulatedHost({ kernel: "5.10" });
    simulated.addParent({
      path: "devices/pci0000:3b/0000:3b:00.0",
      subsystem: "bus/pci",
      deviceDriver: "nvidia-vgpu-vfio",
      types: [{ id: "nvidia-1" }],
    });
    const parent = await ok(new MdevHost({ fs: simulated.fs }).parent(ADDRESS));
    const vgpu = await ok((await ok(parent.type("nvidia-1"))).as(NvidiaVgpuType));
    expect(await ok(vgpu.name())).toBeUndefined();
  });

  it("has the text of a name that cannot be understood", async () => {
    const parent = await parentWith([{ id: "nvidia-1", name: "GeForce RTX T10-8" }]);
    const vgpu = await ok((await ok(parent.type("nvidia-1"))).as(NvidiaVgpuType));
    const error = await fails(vgpu.name(), "decode");
    expect(error.raw).toBe("GeForce RTX T10-8");
    expect(error.path).toMatch(/nvidia-1\/name$/);
    expect(error.message).toBe(
      "cannot understand the name of nvidia-1 on 0000:3b:00.0: " +
        'its text "GeForce RTX T10-8" is no name of a vGPU type such as GRID P40-2B.',
    );
    expect(await ok(vgpu.type.name.read())).toBe("GeForce RTX T10-8");
  });

  it("is told by its id", async () => {
    const parent = await parentWith([{ id: "acme-1" }, { id: "nvidia-grid" }]);
    for (const type of await ok(parent.types())) {
      expect((await fails(type.as(NvidiaVgpuType), "unsupported")).missing).toBe("NvidiaVgpuType");
    }
  });

  it("fails as its file fails", async () => {
    const parent = await p40();
    const vgpu = await ok((await ok(parent.type("nvidia-156"))).as(NvidiaVgpuType));
    await fails(vgpu.name({ timeout: -1 }), "invalid-argument");
    await fails(vgpu.name({ signal: AbortSignal.abort() }), "aborted");
  });
});

describe("findVgpuType", () => {
  it.each([
    "GRID P40-2B",
    "P40-2B",
    "grid p40-2b",
    "NVIDIA P40-2B",
    "GRID_P40-2B",
    " p40-2B\n",
    "nvidia-156",
  ])("finds %j", async (name) => {
    expect((await ok(findVgpuType(await p40(), name))).id).toBe("nvidia-156");
  });

  it.each([
    ["P40-2Q4", "nvidia-47", "Did you mean nvidia-47 (GRID P40-2Q)?"],
    ["GRID P40-2", "nvidia-47", "Did you mean nvidia-47 (GRID P40-2Q)?"],
    ["P40-24Q", "nvidia-47", "Did you mean nvidia-47 (GRID P40-2Q)?"],
    ["Single port serial", undefined, undefined],
    ["nvidia-9", undefined, undefined],
  ])("does not take another one for %j", async (name, suggestion, hint) => {
    const error = await fails(findVgpuType(await p40(), name), "not-found");
    expect(error).toMatchObject({ suggestion, hint });
  });

  it.each([
    ["A100-1-5CME", "A100-1-5C"],
    ["A100-1-5C", "A100-1-5CME"],
    ["P40-2B", "P40-2B4"],
    ["P40-2B4", "P40-2B"],
  ])("tells %s from %s", async (wanted, other) => {
    const parent = await parentWith([{ id: "nvidia-1", name: `GRID ${other}` }]);
    expect(await fails(findVgpuType(parent, wanted), "not-found")).toMatchObject({ suggestion: "nvidia-1" });
  });

  it("does not choose where several types fit", async () => {
    const parent = await parentWith([
      { id: "nvidia-9", name: "GRID L40S-1B" },
      { id: "nvidia-10", name: "NVIDIA L40S-1B" },
    ]);
    const error = await fails(findVgpuType(parent, "l40s-1b"), "not-found");
    expect(error.suggestion).toBe("nvidia-9");
    expect(error.message).toBe(
      'cannot find the type "l40s-1b" of 0000:3b:00.0: 2 types have this name. ' +
        "Take one of them by its id: nvidia-9 (GRID L40S-1B), nvidia-10 (NVIDIA L40S-1B).",
    );
    expect((await ok(findVgpuType(parent, "NVIDIA L40S-1B"))).id).toBe("nvidia-10");
    expect((await ok(findVgpuType(parent, "nvidia-9"))).id).toBe("nvidia-9");
  });

  it("does not choose between types of the same name", async () => {
    const parent = await parentWith([
      { id: "nvidia-1", name: "GRID P4-1Q" },
      { id: "nvidia-2", name: "GRID P4-1Q" },
    ]);
    const error = await fails(findVgpuType(parent, "GRID P4-1Q"), "not-found");
    expect(error.hint).toContain("nvidia-1 (GRID P4-1Q), nvidia-2 (GRID P4-1Q)");
  });

  it("is not disturbed by a name that cannot be read", async () => {
    const refuse = (): string => {
      throw new Errno("EIO");
    };
    const parent = await parentWith([
      { id: "nvidia-1", attributes: { name: { read: refuse } } },
      { id: "nvidia-2", name: "GRID P4-1Q" },
    ]);
    expect((await ok(findVgpuType(parent, "P4-1Q"))).id).toBe("nvidia-2");
  });

  it("says that a type may only not be listed now", async () => {
    const simulated = new SimulatedHost();
    const gpu = simulated.addNvidiaSriovGpu({ address: "0000:41:00.0", functions: 2 });
    gpu.create("0000:41:00.4", "nvidia-1148");
    const parent = await ok(new MdevHost({ fs: simulated.fs }).parent("0000:41:00.4"));
    const error = await fails(findVgpuType(parent, "L40S-48Q"), "not-found");
    expect(error.hint).toBe(
      "Did you mean nvidia-1148 (NVIDIA L40S-2Q)? A type that cannot be created now is not listed here.",
    );
  });

  it("fails as the parent fails", async () => {
    const simulated = new SimulatedHost();
    const gpu = simulated.addNvidiaGpu({ address: ADDRESS });
    const parent = await ok(new MdevHost({ fs: simulated.fs }).parent(ADDRESS));
    for (const name of ["", "  ", undefined, 7]) {
      await fails(findVgpuType(parent, name as string), "invalid-argument");
    }
    await fails(findVgpuType(parent, "P40-2B", { timeout: NaN }), "invalid-argument");
    await fails(findVgpuType(parent, "P40-2B", { signal: AbortSignal.abort() }), "aborted");
    await gpu.unplug();
    await fails(findVgpuType(parent, "P40-2B"), "gone");
  });

  it("has one limit of time for all files", async () => {
    const simulated = new SimulatedHost();
    simulated.addNvidiaGpu({ address: ADDRESS });
    const parent = await ok(new MdevHost({ fs: simulated.fs }).parent(ADDRESS));
    const delay = simulated.delay({ path: /\/name$/, ms: 40 });
    await fails(findVgpuType(parent, "P40-2B", { timeout: 100 }), "timeout"); // six names
    await ok(findVgpuType(parent, "P40-2B", { timeout: 5000 }));
    delay.end();
  });
});
