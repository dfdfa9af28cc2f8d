import { describe, expect, it } from "vitest";
import { diff, type HostChange, type HostSnapshot, MdevHost, readOnly, text } from "../../src/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { ok } from "../contract/expect.js";
import { OTHER_UUID, UUID } from "../support/world.js";

/** A change in a few words. */
function brief(change: HostChange): string {
  switch (change.type) {
    case "parent-registered":
    case "parent-unregistered":
      return `${change.type} ${change.parent.id}`;
    case "type-added":
    case "type-removed":
      return `${change.type} ${change.mdevType.id}`;
    case "availability-changed":
      return `${change.mdevType.id} ${change.before} > ${change.after}`;
    case "device-changed":
      return `${change.device.id.slice(-4)} ${change.before.state} > ${change.device.state}`;
    default:
      return `${change.type} ${change.device.id.slice(-4)}`;
  }
}

async function changesBy(
  simulated: SimulatedHost,
  change: () => unknown,
  options?: Parameters<MdevHost["snapshot"]>[0],
): Promise<string[]> {
  const host = new MdevHost({ fs: simulated.fs });
  const before: HostSnapshot = await ok(host.snapshot(options));
  await change();
  const after: HostSnapshot = await ok(host.snapshot(options));
  expect(diff(after, after)).toEqual([]);
  const copy = JSON.parse(JSON.stringify(before)) as HostSnapshot;
  expect(diff(copy, after).map(brief)).toEqual(diff(before, after).map(brief));
  return diff(before, after).map(brief);
}

describe("the difference of two snapshots", () => {
  it("is nothing where nothing happened", async () => {
    const simulated = new SimulatedHost();
    simulated.addMtty().create("mtty-1", UUID);
    expect(await changesBy(simulated, () => undefined)).toEqual([]);
  });

  it("is a device that came, ready, and what it took from each type", async () => {
    const simulated = new SimulatedHost();
    const mtty = simulated.addMtty();
    expect(await changesBy(simulated, () => mtty.create("mtty-2", UUID))).toEqual([
      "mtty-1 24 > 22",
      "mtty-2 12 > 11",
      "device-added 1001",
      "device-ready 1001",
    ]);
    expect(await changesBy(simulated, () => mtty.remove(UUID))).toEqual([
      "device-removed 1001",
      "mtty-1 22 > 24",
      "mtty-2 11 > 12",
    ]);
  });

  it("is a removal and an addition where a device was made anew", async () => {
    const simulated = new SimulatedHost();
    const mtty = simulated.addMtty();
    mtty.create("mtty-1", UUID);
    mtty.create("mtty-1", OTHER_UUID);
    const again = (): void => {
      mtty.remove(UUID);
      mtty.create("mtty-1", UUID);
    };
    expect(await changesBy(simulated, again)).toEqual([
      "device-removed 1001",
      "device-added 1001",
      "device-ready 1001",
    ]);
  });

  it("is a parent that came with its devices, and went with them", async () => {
    const simulated = new SimulatedHost();
    simulated.addMdpy();
    let mtty: ReturnType<SimulatedHost["addMtty"]> | undefined;
    const load = (): void => {
      mtty = simulated.addMtty();
      mtty.create("mtty-1", UUID);
    };
    expect(await changesBy(simulated, load)).toEqual([
      "parent-registered mtty",
      "device-added 1001",
      "device-ready 1001",
    ]);
    expect(await changesBy(simulated, () => mtty?.unplug())).toEqual([
      "device-removed 1001",
      "parent-unregistered mtty",
    ]);
  });

  it("is a parent that was registered anew, with new devices under the old names", async () => {
    const simulated = new SimulatedHost();
    const mtty = simulated.addMtty();
    mtty.create("mtty-1", UUID);
    const reload = async (): Promise<void> => {
      await mtty.unplug();
      simulated.addMtty().create("mtty-1", UUID);
    };
    expect(await changesBy(simulated, reload)).toEqual([
      "device-removed 1001",
      "parent-unregistered mtty",
      "parent-registered mtty",
      "device-added 1001",
      "device-ready 1001",
    ]);
  });

  it("is a device that is being made, then ready; that is being removed, then gone", async () => {
    const simulated = new SimulatedHost();
    const mtty = simulated.addMtty();
    const host = new MdevHost({ fs: simulated.fs });
    const seen: HostSnapshot[] = [await ok(host.snapshot())];
    const look = async (): Promise<void> => void seen.push(await ok(host.snapshot()));

    const type = await ok((await ok(host.parent("mtty"))).type("mtty-1"));
    const making = simulated.pauseCreate({ before: "mdev_type" });
    const created = type.create({ uuid: UUID });
    await expect.poll(async () => (await ok(host.devices())).length).toBe(1);
    await look();
    making.resume();
    const device = await ok(created);
    await look();
    const vm = simulated.open(UUID);
    const removal = device.remove();
    await expect.poll(async () => ok(device.state())).toBe("removing");
    await look();
    vm.close();
    await ok(removal);
    await look();
    const changes = seen.slice(1).map((after, at) => diff(seen[at] ?? expect.fail(), after).map(brief));
    expect(changes.map((list) => list.filter((words) => words.includes("1001")))).toEqual([
      ["device-added 1001"],
      ["device-ready 1001"],
      ["1001 active > removing"],
      ["device-removed 1001"],
    ]);
    expect(mtty.path).toContain("mtty");
  });

  it("is an included attribute that changed", async () => {
    const simulated = new SimulatedHost();
    let value = "a";
    simulated
      .addParent({
        path: "devices/acme",
        subsystem: "bus/acme",
        deviceDriver: "acme",
        types: [{ id: "acme-1" }],
        deviceAttributes: { "acme/value": { read: () => value } },
        capacity: 4,
      })
      .create("acme-1", UUID);
    const include = { devices: { value: readOnly("acme/value", text) } };
    const change = (): void => {
      value = "b";
    };
    expect(await changesBy(simulated, change, { include })).toEqual(["1001 active > active"]);
  });

  it("is another vGPU on the function that had one, and the types that it can have now", async () => {
    const simulated = new SimulatedHost();
    const gpu = simulated.addNvidiaSriovGpu({ address: "0000:af:00.0" });
    const [first = ""] = gpu.functions;
    gpu.create(first, "nvidia-1147");
    const another = (): void => {
      gpu.remove(first);
      gpu.create(first, "nvidia-1145");
    };
    const changes = await changesBy(simulated, another);
    expect(changes.filter((words) => words.startsWith("device"))).toEqual([
      "device-removed 00.4",
      "device-added 00.4",
      "device-ready 00.4",
    ]);
  });

  it("is another device where one that was being removed is whole again", async () => {
    const simulated = new SimulatedHost();
    simulated.addMtty().create("mtty-1", UUID);
    const after: HostSnapshot = await ok(new MdevHost({ fs: simulated.fs }).snapshot());
    const devices = after.devices.map((device) => ({
      ...device,
      state: "removing" as const,
      inode: undefined,
    }));
    expect(diff({ ...after, devices }, after).map(brief)).toEqual([
      "device-removed 1001",
      "device-added 1001",
      "device-ready 1001",
    ]);
    expect(diff(after, { ...after, devices }).map(brief)).toEqual(["1001 active > removing"]);
  });
});
