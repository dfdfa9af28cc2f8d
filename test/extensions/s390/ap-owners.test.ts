import { describe, expect, it } from "vitest";
import { applyMatrix, VfioApDevice } from "../../../src/extensions/s390/index.js";
import { ConflictError } from "../../../src/index.js";
import { errorOf, machine, PARENT, TYPE, uuid } from "./ap-machine.js";

const BOTH = ["6.12", "6.1"] as const;
const SMALL = { adapters: [0, 1, 2], domains: [0, 1, 2], freed: { adapters: [0, 1, 2] } };
const [MINE, ONE, TWO] = [uuid(1), uuid(2), uuid(3)];

describe.each(BOTH)("who has a queue that was refused, on Linux %s", (driver) => {
  it("is said of an adapter and of a domain that are assigned", async () => {
    const { add } = machine({ ...SMALL, driver });
    await add(ONE, { adapters: [2], domains: [1, 2] });
    await add(TWO, { adapters: [1], domains: [0, 2] });
    const device = await add(MINE, { adapters: [0], domains: [0, 1] });
    const adapter = errorOf(await device.assignAdapter.write(2));
    expect(adapter).toBeInstanceOf(ConflictError);
    expect(adapter).toMatchObject({ owners: [{ device: ONE, resources: ["02.0001"] }] });
    expect(adapter.message).toMatch(`${ONE} has 02.0001 (EADDRINUSE)`);
    await device.unassignDomain.write(0).getOrThrow();
    await device.unassignDomain.write(1).getOrThrow();
    for (const id of [1, 2]) await device.assignAdapter.write(id).getOrThrow();
    expect(errorOf(await device.assignDomain.write(2))).toMatchObject({
      owners: [
        { device: ONE, resources: ["02.0002"] },
        { device: TWO, resources: ["01.0002"] },
      ],
    });
  });

  it("is said of a matrix that is applied, of attributes that are set, and of a creation", async () => {
    const { add, host } = machine({ ...SMALL, driver });
    await add(ONE, { adapters: [2], domains: [2] });
    const device = await add(MINE);
    const owners = [{ device: ONE, resources: ["02.0002"] }];
    const matrix = { adapters: [1, 2], domains: [1, 2] };
    expect(errorOf(await applyMatrix(device, matrix))).toMatchObject({ type: "conflict", owners });
    await device.assignDomain.write(2).getOrThrow();
    const set = await device.device.setAttributes([VfioApDevice.assignAdapter.to(2)]);
    expect(errorOf(set)).toMatchObject({ type: "conflict", owners });
    const attributes = [VfioApDevice.assignAdapter.to(2), VfioApDevice.assignDomain.to(2)];
    const type = await host
      .parent("matrix")
      .map((parent) => parent.type(TYPE))
      .getOrThrow();
    expect(errorOf(await type.create({ attributes }))).toMatchObject({ type: "conflict", owners });
  });

  it("is nobody where the host has it, or where it was free again when it was looked for", async () => {
    const { add, hardware, simulated } = machine({ ...SMALL, freed: { adapters: [1, 2] }, driver });
    const device = await add(MINE, { domains: [2] });
    expect(errorOf(await device.assignAdapter.write(0))).toMatchObject({
      type: "conflict",
      errno: "EADDRNOTAVAIL",
      owners: [],
    });
    await add(ONE, { adapters: [2], domains: [2] });
    const path = `${PARENT}/${MINE}/${driver === "6.12" ? "ap_config" : "matrix"}`;
    const end = simulated.onOperation((operation) => {
      if (operation.operation !== "readFile" || operation.path !== path) return;
      end();
      hardware.remove(ONE);
    });
    const error = errorOf(await device.assignAdapter.write(2));
    expect(error).toMatchObject({ type: "conflict", errno: "EADDRINUSE", owners: [] });
    expect(error.hint).toMatch(/conflicts/);
  });

  it("is nobody where that cannot be read, and the refusal is told in time all the same", async () => {
    const { add, simulated } = machine({ ...SMALL, driver });
    await add(ONE, { adapters: [2], domains: [2] });
    const device = await add(MINE, { domains: [2] });
    simulated.failNext({ path: `${PARENT}/${ONE}/matrix`, errno: "EIO" });
    simulated.failNext({ path: `${PARENT}/${ONE}/ap_config`, errno: "EIO" });
    expect(errorOf(await device.assignAdapter.write(2))).toMatchObject({ type: "conflict", owners: [] });
    const delay = simulated.delay({ operation: "readFile", path: new RegExp(MINE), ms: "forever" });
    const error = errorOf(await device.assignAdapter.write(2, { timeout: 20 }));
    expect(error).toMatchObject({ type: "conflict", errno: "EADDRINUSE", owners: [] });
    const before = performance.now();
    expect(errorOf(await device.assignAdapter.write(2))).toMatchObject({ type: "conflict", owners: [] });
    expect(performance.now() - before).toBeLessThan(5_000);
    delay.end();
  });
});
