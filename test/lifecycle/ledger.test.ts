import { describe, expect, it } from "vitest";
import { DirectoryStore, MdevHost, type StateStore } from "../../src/index.js";
import { Io } from "../../src/file-system/io.js";
import { Limits } from "../../src/file-system/limits.js";
import { merged } from "../../src/layouts/merged.js";
import type { FoundDevice } from "../../src/layouts/layout.js";
import { type Entry, Ledger } from "../../src/lifecycle/ledger.js";
import { MemoryStore, SimulatedHost, type SimulatedParent } from "../../src/testing/index.js";
import { ok } from "../contract/expect.js";
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
    expect(await world.ledger.ownerOf(serialDevice(UUID))).toBe("me");
    expect(await world.ledger.ownerOf(serialDevice(OTHER_UUID))).toBeUndefined();
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
    expect(await world.ledger.ownerOf(serialDevice(UUID))).toBeUndefined();
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
