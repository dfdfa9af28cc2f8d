import { describe, expect, it } from "vitest";
import { diff, MdevHost } from "../../src/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { ok } from "../contract/expect.js";

/** A host with so many devices on one parent, and how many calls to its file system some work takes. */
function hostOf(devices: number): { host: MdevHost; calls(work: () => Promise<unknown>): Promise<number> } {
  const simulated = new SimulatedHost();
  const mdpy = simulated.addMdpy({ count: devices + 1 });
  for (let device = 0; device < devices; device++) mdpy.create("mdpy-hd");
  let count = 0;
  simulated.onOperation(() => (count += 1));
  const calls = async (work: () => Promise<unknown>): Promise<number> => {
    count = 0;
    await work();
    return count;
  };
  return { host: new MdevHost({ fs: simulated.fs }), calls };
}

describe("thousands of devices", () => {
  const [FEW, MANY] = [200, 2_000];
  const [few, many] = [hostOf(FEW), hostOf(MANY)];

  it("are listed, created and removed as few are", async () => {
    const { host } = many;
    const before = await ok(host.snapshot());
    expect(before.devices).toHaveLength(MANY);
    expect(before.problems).toEqual([]);
    expect(await ok(host.devices())).toHaveLength(MANY);
    const type = await ok(host.parent("mdpy").map((parent) => parent.type("mdpy-hd")));
    const device = await ok(type.create());
    const after = await ok(host.snapshot({ previous: before }));
    expect(diff(before, after).map((change) => change.type)).toContain("device-added");
    expect(after.devices).toHaveLength(MANY + 1);
    expect(await ok(device.remove())).toEqual({ removed: true });
    expect(await ok(type.devices())).toHaveLength(MANY);
  });

  it.each([
    ["a snapshot", (host: MdevHost) => ok(host.snapshot())],
    ["a list of devices", (host: MdevHost) => ok(host.devices())],
    [
      "a list of a parent's devices",
      (host: MdevHost) => ok(host.parent("mdpy").map((mdpy) => mdpy.devices())),
    ],
  ])("take in proportion: %s", async (_what, work) => {
    const calls = await few.calls(() => work(few.host));
    expect(await many.calls(() => work(many.host))).toBeLessThanOrEqual((MANY / FEW) * calls);
  });

  it("do not make one of them dear to find", async () => {
    const calls: number[] = [];
    for (const { host, calls: count } of [few, many]) {
      const [{ id } = { id: "" }] = await ok(host.devices());
      calls.push(await count(() => ok(host.device(id).map((device) => device.read()))));
    }
    expect(calls[1]).toBe(calls[0]);
  });
});
