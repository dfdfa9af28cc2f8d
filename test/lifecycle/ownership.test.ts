import { describe, expect, it } from "vitest";
import { MdevHost, type StateStore } from "../../src/index.js";
import { MemoryStore, SimulatedHost } from "../../src/testing/index.js";
import { fails, ok } from "../contract/expect.js";
import { UUID } from "../support/world.js";

describe("creating and removing for an owner", () => {
  async function makeOwnedWorld(state: StateStore = new MemoryStore()) {
    const simulated = new SimulatedHost();
    const mtty = simulated.addMtty();
    const host = new MdevHost({ fs: simulated.fs, state });
    const type = await ok(host.parent("mtty").map((parent) => parent.type("mtty-1")));
    return { simulated, mtty, host, type, state };
  }
  const owned = async (host: MdevHost, owner: string): Promise<readonly string[]> =>
    (await ok(host.ownedDevices(owner))).devices.map(({ id }) => id);

  it("keeps whose a device is, and lets nobody else remove it", async () => {
    const { host, type, state } = await makeOwnedWorld();
    const device = await ok(type.create({ uuid: UUID, owner: "me" }));
    expect(await owned(host, "me")).toEqual([UUID]);
    expect((await fails(device.remove(), "conflict")).message).toContain('it belongs to "me"');
    await fails(device.remove({ owner: "you" }), "conflict");
    expect(await ok(device.remove({ owner: "me" }))).toEqual({ removed: true });
    expect(await state.names()).toEqual([]);
  });

  it("does not take what nobody owns for an owner's", async () => {
    const { host, type } = await makeOwnedWorld();
    const device = await ok(type.create({ uuid: UUID }));
    const error = await fails(device.remove({ owner: "me" }), "conflict");
    expect(error.message).toContain("does not say that it belongs to");
    expect(await owned(host, "me")).toEqual([]);
    await ok(device.remove());
  });

  it("forgets what was not created, and what was undone", async () => {
    const { simulated, host, type, state } = await makeOwnedWorld();
    simulated.failNext({ operation: "writeFile", path: /create$/u, errno: "EINVAL" });
    await fails(type.create({ uuid: UUID, owner: "me" }), "rejected");
    expect(await state.names()).toEqual([]);
    const attributes = [["vendor/none", "1"]] as const;
    await fails(type.create({ uuid: UUID, owner: "me", attributes }), "unsupported");
    expect(await state.names()).toEqual([]);
    expect(await ok(host.devices())).toEqual([]);
    const refused = simulated.delay({ operation: "writeFile", path: /create$/u, times: 1, ms: "forever" });
    simulated.failNext({ operation: "writeFile", path: /create$/u, errno: "EINVAL" });
    await fails(type.create({ uuid: UUID, owner: "me", timeout: 20 }), "timeout");
    expect(await state.names()).toHaveLength(1);
    refused.end();
    await expect.poll(() => state.names()).toEqual([]);
    const delay = simulated.delay({ operation: "writeFile", path: /create$/u, ms: "forever" });
    await fails(type.create({ uuid: UUID, owner: "me", timeout: 20 }), "timeout");
    delay.end();
    await expect.poll(() => state.names()).toEqual([]);
    await expect.poll(() => owned(host, "me")).toEqual([]);
  });

  it("keeps what is left behind when the undo fails, so that it can be removed later", async () => {
    const { simulated, host, type } = await makeOwnedWorld();
    simulated.failNext({ path: /\/remove$/u, operation: "writeFile", errno: "EIO" });
    await fails(
      type.create({ uuid: UUID, owner: "me", attributes: [["vendor/none", "1"]] }),
      "rollback-failed",
    );
    expect(await owned(host, "me")).toEqual([UUID]);
    expect(await ok(host.removeOwned("me"))).toMatchObject([{ id: UUID, removed: true }]);
  });

  it("is refused where there is no store, before anything is written", async () => {
    const { simulated } = await makeOwnedWorld();
    const host = new MdevHost({ fs: simulated.fs });
    const type = await ok(host.parent("mtty").map((parent) => parent.type("mtty-1")));
    await fails(type.create({ owner: "me" }), "unsupported");
    await fails(type.create({ owner: "" }), "invalid-argument");
    const device = await ok(type.create());
    await fails(device.remove({ owner: "me" }), "unsupported");
    await fails(device.remove({ owner: 5 as never }), "invalid-argument");
    expect(simulated.operations.filter(({ operation }) => operation.startsWith("write"))).toHaveLength(1);
  });
});
