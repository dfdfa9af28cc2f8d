import { describe, expect, it } from "vitest";
import { DirectoryStore, MdevHost, type StateStore } from "../../src/index.js";
import { Io } from "../../src/file-system/io.js";
import { Limits } from "../../src/file-system/limits.js";
import { merged } from "../../src/layouts/merged.js";
import type { FoundDevice } from "../../src/layouts/layout.js";
import { type Entry, Ledger } from "../../src/lifecycle/ledger.js";
import { MemoryStore, SimulatedHost, type SimulatedParent } from "../../src/testing/index.js";
import { fails, ok } from "../contract/expect.js";
import { temporaryFolder } from "../support/temporary.js";
import { MTTY, OTHER_UUID, UUID } from "../support/world.js";

/** A machine with the sample serial card, and a ledger of it. */
function serial(state: StateStore = new MemoryStore()): {
  simulated: SimulatedHost;
  mtty: SimulatedParent;
  state: StateStore;
  host: MdevHost;
  ledger: Ledger;
} {
  const simulated = new SimulatedHost();
  const mtty = simulated.addMtty();
  const host = new MdevHost({ fs: simulated.fs, state });
  return { simulated, mtty, state, host, ledger: ledgerOf(simulated, state) };
}

function ledgerOf({ fs }: SimulatedHost, state: StateStore): Ledger {
  const ledger = Ledger.of(new Io(fs, "/sys", new Limits({})), { state, sysfs: "/sys" });
  if (ledger === undefined) throw new Error("there is a store");
  return ledger;
}

const serialDevice = (id: string): FoundDevice => ({
  id,
  path: `${MTTY}/${id}`,
  parent: { path: MTTY, layout: merged },
});

/** Creates a device for an owner, as `create({ owner })` does. */
async function createFor(
  { ledger, mtty }: { ledger: Ledger; mtty: SimulatedParent },
  owner: string,
  id: string = UUID,
): Promise<Entry> {
  const intent = await ledger.intend(owner, serialDevice(id), "mtty-1");
  mtty.create("mtty-1", id);
  return ledger.confirm(intent, serialDevice(id));
}

const STORES: readonly (readonly [string, () => StateStore])[] = [
  ["a store in memory", () => new MemoryStore()],
  ["a folder", () => new DirectoryStore(temporaryFolder())],
];

describe.each(STORES)("a ledger in %s", (_, makeStore) => {
  it("knows whose a device is, and nothing of others", async () => {
    const world = serial(makeStore());
    await createFor(world, "me");
    world.mtty.create("mtty-1", OTHER_UUID);
    expect((await world.ledger.claimTo(serialDevice(UUID)))?.claim.owner).toBe("me");
    expect((await world.ledger.claimTo(serialDevice(OTHER_UUID)))?.claim.owner).toBeUndefined();
    const { devices, unproven, gone, problems } = await ok(world.host.ownedDevices("me"));
    expect(devices.map(({ id }) => id)).toEqual([UUID]);
    expect([unproven, gone, problems]).toEqual([[], [], []]);
    expect((await ok(world.host.ownedDevices("you"))).devices).toEqual([]);
  });

  it("does not take another device of the same UUID for it", async () => {
    const world = serial(makeStore());
    await createFor(world, "me");
    world.mtty.remove(UUID);
    expect((await ok(world.host.ownedDevices("me"))).gone).toEqual([UUID]);
    world.mtty.create("mtty-1", UUID);
    expect((await world.ledger.claimTo(serialDevice(UUID)))?.claim.owner).toBeUndefined();
    const owned = await ok(world.host.ownedDevices("me"));
    expect([owned.devices, owned.unproven, owned.gone]).toEqual([[], [], [UUID]]);
    expect(await ok(world.host.removeOwned("me"))).toEqual([]);
    expect(await world.state.names()).toEqual([]);
    expect((await ok(world.host.devices())).map(({ id }) => id)).toEqual([UUID]);
  });

  it("removes an owner's devices, and no others", async () => {
    const world = serial(makeStore());
    await createFor(world, "me");
    await createFor(world, "you", OTHER_UUID);
    expect(await ok(world.host.removeOwned("me"))).toEqual([
      { id: UUID, path: `${MTTY}/${UUID}`, removed: true, error: undefined },
    ]);
    expect((await ok(world.host.devices())).map(({ id }) => id)).toEqual([OTHER_UUID]);
    expect(await world.state.names()).toHaveLength(1);
  });
});

describe("creating and removing for an owner", () => {
  async function makeOwnedWorld(state: StateStore | undefined = new MemoryStore()) {
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
    expect(await state?.names()).toEqual([]);
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
    simulated.failNext({ path: /create$/u, errno: "EINVAL" });
    await fails(type.create({ uuid: UUID, owner: "me" }), "rejected");
    expect(await state?.names()).toEqual([]);
    const attributes = [["vendor/none", "1"]] as const;
    await fails(type.create({ uuid: UUID, owner: "me", attributes }), "unsupported");
    expect(await state?.names()).toEqual([]);
    expect(await ok(host.devices())).toEqual([]);
    const delay = simulated.delay({ path: /create$/u, ms: "forever" });
    await fails(type.create({ uuid: UUID, owner: "me", timeout: 20 }), "timeout");
    delay.end();
    await expect.poll(() => state?.names()).toEqual([]);
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
