import { describe, expect, it } from "vitest";
import { MdevHost, type MdevType } from "../../src/index.js";
import { SimulatedHost, type SimulatedParent } from "../../src/testing/index.js";
import { fails, ok } from "../contract/expect.js";

const UUID = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1004";

async function typeOf(simulated: SimulatedHost, parent: SimulatedParent, id: string): Promise<MdevType> {
  return ok((await ok(new MdevHost({ fs: simulated.fs }).parent(parent.id))).type(id));
}

describe("the general layout", () => {
  it("puts a device into its group before it is handed out", async () => {
    const simulated = new SimulatedHost();
    const type = await typeOf(simulated, simulated.addGeneral(), "large");
    expect(await ok(type.requiresGroup.read())).toBe(true);
    const alone = await ok(type.create());
    await fails(alone.online.write(true), "rejected");
    await ok(alone.remove());
    const device = await ok(type.create({ uuid: UUID, group: "vm-7" }));
    expect(await ok(device.group.read())).toBe("vm-7");
    await ok(device.online.write(true));
    expect(await ok(device.read())).toMatchObject({
      online: true,
      group: "vm-7",
      type: "large",
      problems: [],
    });
    await ok(device.online.write(false));
    await ok(device.remove());
  });

  it("has params only where the driver has the file: otherwise nothing is left of the device", async () => {
    const simulated = new SimulatedHost();
    const type = await typeOf(simulated, simulated.addGeneral({ id: "plain" }), "small");
    expect((await fails(type.create({ params: "a=1" }), "unsupported")).missing).toBe("params");
    expect(await ok(type.devices())).toEqual([]);
    const rich = await typeOf(simulated, simulated.addGeneral({ id: "rich", params: "" }), "small");
    const device = await ok(rich.create({ params: "a=1,b=2" }));
    expect(await ok(device.params.read())).toBe("a=1,b=2");
    await ok(device.remove());
  });

  it("gives numbers and flags, or says that they are none", async () => {
    const simulated = new SimulatedHost();
    const parent = simulated.addGeneral({
      types: [
        {
          id: "odd",
          attributes: {
            requires_group: { read: () => "maybe\n" },
            available_instances: { read: () => "many\n" },
          },
        },
      ],
    });
    const type = await typeOf(simulated, parent, "odd");
    await fails(type.requiresGroup.read(), "decode");
    const info = await ok(type.read());
    expect(info).toMatchObject({ requiresGroup: undefined, availableInstances: undefined, name: "odd" });
    expect(info.problems.map(({ type: tag, raw }) => [tag, raw])).toEqual([
      ["decode", "many\n"],
      ["decode", "maybe\n"],
    ]);
  });

  it("refuses numbers that are none before anything is written", async () => {
    const simulated = new SimulatedHost();
    const device = await ok(
      (await typeOf(simulated, simulated.addGeneral({ weight: 1, priority: 1 }), "small")).create(),
    );
    for (const value of [NaN, 1.5, Infinity]) await fails(device.weight.write(value), "invalid-argument");
    expect(await ok(device.weight.read())).toBe(1);
    await ok(device.remove());
  });
});

describe("the class-based layout", () => {
  it("has the files of the proposal", async () => {
    const simulated = new SimulatedHost();
    const type = await typeOf(simulated, simulated.addClassBased(), "11");
    const info = await ok(type.read());
    expect(info).toMatchObject({
      name: "GRID M60-0B",
      maxInstances: 16,
      requiresGroup: false,
      devices: undefined,
    });
    expect([info.availableInstances, info.deviceApi, info.description]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("creates with group and parameters in one command", async () => {
    const simulated = new SimulatedHost();
    const gpu = simulated.addClassBased();
    const type = await typeOf(simulated, gpu, "12");
    const device = await ok(type.create({ uuid: UUID, group: "vm-7", params: "frame_rate_limiter=0" }));
    expect(gpu.creationOf(UUID)).toEqual({ group: "vm-7", params: "frame_rate_limiter=0" });
    expect(await ok(device.type())).toBeUndefined();
    await ok(device.remove());
  });

  it("refuses what would be another command", async () => {
    const simulated = new SimulatedHost();
    const type = await typeOf(simulated, simulated.addClassBased(), "12");
    for (const group of ["", "a,b", "a\nb"]) await fails(type.create({ group }), "invalid-argument");
    for (const params of ["", "a\nb", "x".repeat(4096)])
      await fails(type.create({ params }), "invalid-argument");
    expect(await ok(type.parent.devices())).toEqual([]);
  });

  it("removes through the parent, and is busy while a device is open", async () => {
    const simulated = new SimulatedHost();
    const device = await ok(
      (await typeOf(simulated, simulated.addClassBased(), "13")).create({ uuid: UUID }),
    );
    const vm = simulated.open(UUID);
    await fails(device.remove(), "busy");
    vm.close();
    expect(await ok(device.remove())).toEqual({ removed: true });
    expect(simulated.operations.some(({ path }) => path.endsWith("/mdev_destroy"))).toBe(true);
  });
});
