import { describe, expect, it } from "vitest";
import { DefinedHost, DefinitionStore } from "../../src/definitions/index.js";
import { MdevHost } from "../../src/index.js";
import { MemoryDefinitionFileSystem, MemoryStore, SimulatedHost } from "../../src/testing/index.js";
import { fails, ok } from "../contract/expect.js";

const UUID = "11111111-aaaa-4bbb-8ccc-000000000001";
const OTHER = "22222222-aaaa-4bbb-8ccc-000000000002";
const GPU = "0000:3b:00.0";

function world() {
  const simulated = new SimulatedHost();
  const gpu = simulated.addNvidiaGpu({ address: GPU });
  const mtty = simulated.addMtty();
  const fs = new MemoryDefinitionFileSystem();
  const store = new DefinitionStore({ fs });
  const host = new MdevHost({ fs: simulated.fs, state: new MemoryStore() });
  return { simulated, gpu, mtty, fs, store, host, defined: new DefinedHost({ host, store }) };
}
const VGPU = { parent: GPU, uuid: UUID, type: "nvidia-156" } as const;

describe("start", () => {
  it("creates the device and writes its attributes in order, the last of a name counts", async () => {
    const { defined, store, simulated } = world();
    const attributes = [
      ["nvidia/vgpu_params", "a=1\n"],
      ["nvidia/vgpu_params", "a=2\n"],
    ] as const;
    await ok(store.define({ ...VGPU, attributes }));
    const device = await ok(defined.start(UUID, { owner: "me" }));
    expect(device.uuid).toBe(UUID);
    expect((await simulated.fs.readFile(`${device.path}/nvidia/vgpu_params`, "utf8")).trim()).toBe("a=2");
    expect((await ok(defined.host.ownedDevices("me"))).devices).toHaveLength(1);
    await fails(defined.start(UUID), "already-exists");
    expect(await ok(defined.stop(UUID, { owner: "me" }))).toEqual({ removed: true });
    await fails(defined.stop(UUID), "not-found");
  });

  it("leaves no device behind whose attributes cannot be written", async () => {
    const { defined, store, gpu } = world();
    await ok(
      store.define({
        ...VGPU,
        attributes: [
          ["nvidia/vgpu_params", "a=1\n"],
          ["no_such", "1"],
        ],
      }),
    );
    const error = await fails(defined.start(UUID), "unsupported");
    expect(error.progress).toEqual({ failed: "no_such", written: ["nvidia/vgpu_params"] });
    expect((await ok(defined.host.devices())).length).toBe(0);
    expect(gpu).toBeDefined();
  });

  it("never writes outside the device what another program has stored", async () => {
    const { defined, fs } = world();
    const text = '{"mdev_type":"nvidia-156","start":"auto","attrs":[{"../../escape":"1"}]}';
    fs.write(`/etc/mdevctl.d/${GPU}/${UUID}`, text);
    await fails(defined.start(UUID), "invalid-argument");
    expect((await ok(defined.host.devices())).length).toBe(0);
  });

  it("says what is missing: the definition, which of several, the parent, the type", async () => {
    const { defined, store } = world();
    await fails(defined.start(UUID), "not-found");
    await ok(store.define({ ...VGPU, type: "nvidia-9999" }));
    expect((await fails(defined.start(UUID), "not-found")).message).toContain("nvidia-9999");
    await ok(store.define({ ...VGPU, parent: "0000:3b:00.1" }));
    await fails(defined.start(UUID), "conflict");
    const error = await fails(defined.start(UUID, { parent: "0000:3b:00.1" }), "not-found");
    expect(error.suggestion).toBe(GPU);
  });
});

describe("ensureStarted", () => {
  it("starts once, however often and from wherever it is called", async () => {
    const { defined, store } = world();
    await ok(store.define(VGPU));
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => ok(defined.ensureStarted(UUID))));
    expect(outcomes.filter(({ started }) => started)).toHaveLength(1);
    expect(outcomes.every(({ device }) => device.uuid === UUID)).toBe(true);
    expect((await ok(defined.ensureStarted(UUID))).started).toBe(false);
  });

  it("does not take another type or another parent for the same", async () => {
    const { defined, store, mtty } = world();
    await ok(store.define({ ...VGPU, parent: "mtty", type: "mtty-1" }));
    mtty.create("mtty-2", UUID);
    const error = await fails(defined.ensureStarted(UUID), "already-exists");
    expect(error.existing).toContain("/mtty/");
    await ok(store.define(VGPU));
    await fails(defined.ensureStarted(UUID, { parent: GPU }), "already-exists");
  });

  it("waits for one that is just being removed, and starts it then", async () => {
    const { defined, store } = world();
    await ok(store.define(VGPU));
    const device = await ok(defined.start(UUID));
    const [removal, ensured] = await Promise.all([
      device.remove(),
      defined.ensureStarted(UUID, { timeout: 20_000 }),
    ]);
    expect([removal.ok, ensured.ok]).toEqual([true, true]);
  });

  it("ends when its limit strikes", async () => {
    const { defined, store } = world();
    await ok(store.define(VGPU));
    await fails(defined.ensureStarted(UUID, { signal: AbortSignal.abort() }), "aborted");
    await fails(defined.ensureStarted(UUID, { timeout: -1 }), "invalid-argument");
  });
});

describe("startAuto", () => {
  it("starts what is automatic, of one parent or all, whatever becomes of the others", async () => {
    const { defined, store, fs } = world();
    await ok(store.define({ ...VGPU, start: "auto", type: "nvidia-9999" }));
    await ok(store.define({ ...VGPU, start: "auto", uuid: OTHER }));
    await ok(store.define({ parent: GPU, type: "nvidia-156" }));
    await ok(store.define({ parent: "mtty", type: "mtty-1", start: "auto" }));
    fs.write(`/etc/mdevctl.d/${GPU}/33333333-aaaa-4bbb-8ccc-000000000003`, "broken");

    const ofOne = await ok(defined.startAuto({ parent: GPU }));
    expect(ofOne.starts.map(({ started, error, device }) => [started, error?.type, device?.uuid])).toEqual([
      [false, "not-found", undefined],
      [true, undefined, OTHER],
    ]);
    expect(ofOne.problems).toMatchObject([{ type: "decode" }]);
    const ofAll = await ok(defined.startAuto());
    expect(ofAll.starts.map(({ started }) => started)).toEqual([false, false, true]);
    expect(await ok(defined.startAuto({ parent: "nobody" }))).toEqual({ starts: [], problems: [] });
  });
});

describe("drift", () => {
  it("is none where the device is what was defined", async () => {
    const { defined, store } = world();
    await ok(
      store.define({
        ...VGPU,
        attributes: [
          ["nvidia/vgpu_params", "a=1\n"],
          ["nvidia/vgpu_params", "a=2\n"],
        ],
      }),
    );
    expect(await ok(defined.drift(UUID))).toMatchObject({ isActive: false, isSame: false, attributes: [] });
    await ok(defined.start(UUID));
    expect(await ok(defined.drift(UUID))).toMatchObject({
      isActive: true,
      isSame: true,
      attributes: [],
      unknown: [],
    });
  });

  it("shows what the device really has, and what cannot be seen", async () => {
    const { defined, store } = world();
    await ok(store.define({ ...VGPU, attributes: [["nvidia/vgpu_params", "a=1\n"]] }));
    const device = await ok(defined.start(UUID));
    await ok(device.setAttributes([["nvidia/vgpu_params", "a=3\n"]]));
    await ok(
      store.modify(UUID, {
        attributes: [
          ["nvidia/vgpu_params", "a=1\n"],
          ["absent", "1"],
          ["remove", "1"],
        ],
      }),
    );
    const report = await ok(defined.drift(UUID));
    expect(report).toMatchObject({ isActive: true, isSame: false, parent: undefined, type: undefined });
    expect(report.attributes.map(({ name, defined: was, actual }) => [name, was, actual.trim()])).toEqual([
      ["nvidia/vgpu_params", "a=1\n", "a=3"],
    ]);
    expect(report.unknown).toEqual(["absent", "remove"]);
    expect(report.problems).toEqual([]);
  });

  it("is not said to be none where something cannot be seen", async () => {
    const { defined, store } = world();
    await ok(store.define(VGPU));
    await ok(defined.start(UUID));
    await ok(store.modify(UUID, { attributes: [["remove", "1"]] }));
    expect(await ok(defined.drift(UUID))).toMatchObject({
      isSame: false,
      attributes: [],
      unknown: ["remove"],
    });
  });

  it("tells another parent and another type, and compares no attributes then", async () => {
    const { defined, store, mtty } = world();
    mtty.create("mtty-2", UUID);
    await ok(store.define({ ...VGPU, attributes: [["a", "1"]] }));
    expect(await ok(defined.drift(UUID))).toMatchObject({
      isSame: false,
      parent: { defined: GPU, actual: "mtty" },
      type: { defined: "nvidia-156", actual: "mtty-2" },
      unknown: ["a"],
    });
  });
});
