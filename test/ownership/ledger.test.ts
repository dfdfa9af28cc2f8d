import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DirectoryStore, type MdevDevice, MdevHost, type StateStore } from "../../src/index.js";
import { Io } from "../../src/file-system/io.js";
import { GoneFailure } from "../../src/file-system/failure.js";
import { Limits } from "../../src/file-system/limits.js";
import { merged } from "../../src/layouts/merged.js";
import { nvidiaVfio } from "../../src/layouts/nvidia-vfio.js";
import type { FoundDevice } from "../../src/layouts/layout.js";
import { type Entry, Ledger, refusal as refusalOf } from "../../src/ownership/ledger.js";
import { MemoryStore, SimulatedHost, type SimulatedParent } from "../../src/testing/index.js";
import { fails, ok } from "../contract/expect.js";
import { crash } from "../support/crash.js";
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

/** Whose a device is, as far as the ledger can prove it. */
const ownerOf = async (ledger: Ledger, device: FoundDevice): Promise<string | undefined> =>
  (await ledger.claimTo(device))?.claim.owner;

const ids = (devices: readonly { readonly id: string }[]): string[] => devices.map(({ id }) => id);

const STORES: readonly (readonly [string, () => StateStore])[] = [
  ["a store in memory", () => new MemoryStore()],
  ["a folder", () => new DirectoryStore(temporaryFolder())],
];

describe.each(STORES)("a ledger in %s", (_, makeStore) => {
  it("knows whose a device is, and nothing of others", async () => {
    const world = serial(makeStore());
    await createFor(world, "me");
    world.mtty.create("mtty-1", OTHER_UUID);
    expect(await ownerOf(world.ledger, serialDevice(UUID))).toBe("me");
    expect(await ownerOf(world.ledger, serialDevice(OTHER_UUID))).toBeUndefined();
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
    expect(await ownerOf(world.ledger, serialDevice(UUID))).toBeUndefined();
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

describe.each(STORES)("a creation that is written down in %s", (_, makeStore) => {
  it("is nothing while it is under way, and unproven when its process has died of it", async () => {
    const world = serial(makeStore());
    await world.ledger.intend("me", serialDevice(UUID), "mtty-1");
    expect(await ok(world.host.ownedDevices("me"))).toMatchObject({ devices: [], unproven: [], gone: [] });
    world.mtty.create("mtty-1", UUID);
    expect(await ok(world.host.ownedDevices("me"))).toMatchObject({ devices: [], unproven: [], gone: [] });
    await crash(world.state);
    const { devices, unproven } = await ok(world.host.ownedDevices("me"));
    expect([ids(devices), ids(unproven)]).toEqual([[], [UUID]]);
    expect(await ok(world.host.removeOwned("me"))).toEqual([]);
    expect(ids(await ok(world.host.devices()))).toEqual([UUID]);
    world.mtty.remove(UUID);
    expect((await ok(world.host.ownedDevices("me"))).gone).toEqual([UUID]);
    await ok(world.host.removeOwned("me"));
    expect(await world.state.names()).toEqual([]);
  });

  it("is unproven once, however many processes have died of it", async () => {
    const world = serial(makeStore());
    for (let crashes = 0; crashes < 2; crashes++) {
      await world.ledger.intend("me", serialDevice(UUID), "mtty-1");
      await crash(world.state);
    }
    world.mtty.create("mtty-1", UUID);
    expect(ids((await ok(world.host.ownedDevices("me"))).unproven)).toEqual([UUID]);
  });

  it("is forgotten when it failed", async () => {
    const world = serial(makeStore());
    const intent = await world.ledger.intend("me", serialDevice(UUID), "mtty-1");
    expect(await world.ledger.forget(intent)).toBe(true);
    expect(await world.ledger.forget(intent)).toBe(false);
    expect(await world.state.names()).toEqual([]);
  });

  it("is not confirmed for a device that is gone, or that another owner has by now", async () => {
    const world = serial(makeStore());
    const intent = await world.ledger.intend("me", serialDevice(UUID), "mtty-1");
    await expect(world.ledger.confirm(intent, serialDevice(UUID))).rejects.toThrow(GoneFailure);
    await createFor(world, "you");
    await expect(world.ledger.confirm(intent, serialDevice(UUID))).rejects.toThrow(GoneFailure);
    expect(await ownerOf(world.ledger, serialDevice(UUID))).toBe("you");
    expect(await world.state.names()).toHaveLength(1);
  });

  it("makes older claims to the id void", async () => {
    const world = serial(makeStore());
    await createFor(world, "you");
    world.mtty.remove(UUID);
    await createFor(world, "me");
    expect(await world.state.names()).toHaveLength(1);
    expect((await ok(world.host.ownedDevices("you"))).gone).toEqual([]);
    expect(ids((await ok(world.host.ownedDevices("me"))).devices)).toEqual([UUID]);
  });
});

describe("an owner", () => {
  it.each([
    "../../etc/passwd",
    "a/b",
    "línea\nnueva",
    '"quoted"',
    "\0",
    "🚀",
    " ",
    "owned.x",
    "x".repeat(200),
  ])("can be called %j", async (owner) => {
    const world = serial(new DirectoryStore(temporaryFolder()));
    await createFor(world, owner);
    expect(await ownerOf(world.ledger, serialDevice(UUID))).toBe(owner);
    expect(ids((await ok(world.host.ownedDevices(owner))).devices)).toEqual([UUID]);
    expect(await ok(world.host.removeOwned(owner))).toMatchObject([{ id: UUID, removed: true }]);
  });

  it.each(["", "x".repeat(201), "half \ud800", 7 as unknown as string, undefined as unknown as string])(
    "cannot be called %j",
    async (owner) => {
      const { host } = serial();
      await fails(host.ownedDevices(owner), "invalid-argument");
      await fails(host.removeOwned(owner), "invalid-argument");
    },
  );

  it("is asked before a device is removed: by whom it is not, and by whom it is not proven", async () => {
    const world = serial();
    await createFor(world, "me");
    world.mtty.create("mtty-1", OTHER_UUID);
    const refusal = async (id: string, owner?: string): Promise<string | undefined> =>
      refusalOf(serialDevice(id), await world.ledger.claimTo(serialDevice(id)), owner, "remove it")?.message;
    expect(await refusal(UUID, "me")).toBeUndefined();
    expect(await refusal(UUID)).toContain('it belongs to "me"');
    expect(await refusal(UUID, "you")).toContain('it belongs to "me"');
    expect(await refusal(OTHER_UUID)).toBeUndefined();
    expect(await refusal(OTHER_UUID, "me")).toContain('does not say that it belongs to "me"');
  });
});

describe("a note", () => {
  it("is there for its owner, and for devices that are not proven too", async () => {
    const world = serial();
    const type = await (await world.host.parent("mtty").getOrThrow()).type("mtty-1").getOrThrow();
    const noted = await ok(type.create({ owner: "me", note: "vm-7 \u{1f5a5}" }));
    const plain = await ok(type.create({ owner: "me" }));
    const notes = { [noted.id]: "vm-7 \u{1f5a5}" };
    expect((await ok(world.host.ownedDevices("me"))).notes).toEqual(notes);
    expect((await ok(world.host.ownedDevices("you"))).notes).toEqual({});
    for (const name of await world.state.names()) {
      const entry = await world.state.read(name);
      const claim = JSON.parse(entry?.text ?? "") as object;
      await world.state.remove(name, entry?.tag ?? "");
      await world.state.create(name, JSON.stringify({ ...claim, identity: undefined }));
    }
    await crash(world.state);
    const { devices, unproven, notes: after } = await ok(world.host.ownedDevices("me"));
    expect([devices.length, unproven.length, after]).toEqual([0, 2, notes]);
    expect(plain.id).not.toBe(noted.id);
  });

  it.each([
    ["of another kind", 7],
    ["too long", "a".repeat(1001)],
    ["half a character", "\ud800"],
  ])("that is %s is refused before anything is written", async (_what, note) => {
    const world = serial();
    const type = await (await world.host.parent("mtty").getOrThrow()).type("mtty-1").getOrThrow();
    await fails(type.create({ owner: "me", note: note as string }), "invalid-argument");
    await fails(type.create({ note: "nobody's" }), "invalid-argument");
    expect(await world.state.names()).toEqual([]);
    expect(world.mtty.devices).toEqual([]);
  });
});

describe("removing an owner's devices", () => {
  it("goes on when one of them cannot be removed", async () => {
    const world = serial();
    await createFor(world, "me");
    await createFor(world, "me", OTHER_UUID);
    world.simulated.failNext({ operation: "writeDetached", path: `${MTTY}/${UUID}/remove`, errno: "EBUSY" });
    const outcomes = await ok(world.host.removeOwned("me"));
    expect(outcomes.map(({ id, removed, error }) => [id, removed, error?.type])).toEqual([
      [UUID, false, "busy"],
      [OTHER_UUID, true, undefined],
    ]);
    expect(ids((await ok(world.host.ownedDevices("me"))).devices)).toEqual([UUID]);
  });

  // At whichever step somebody else is faster. But one: sysfs has no command "remove this inode", so that the write, and
  // the last look at the path of its file, come after the last look at the device.
  it("never removes what somebody else has created in its place, at whichever step", async () => {
    const count = async (): Promise<number> => {
      const world = serial();
      await createFor(world, "me");
      const before = world.simulated.operations.length;
      await ok(world.host.removeOwned("me"));
      return world.simulated.operations.length - before;
    };
    const steps = await count();
    let replaced = 0;
    for (let step = 1; step <= steps; step++) {
      const world = serial();
      await createFor(world, "me");
      let seen = 0;
      const foreign = { isThere: false };
      let last = "";
      world.simulated.onOperation(({ operation, path }) => {
        const isLook =
          !operation.startsWith("write") && !(path.endsWith("/remove") && last === `${MTTY}/${UUID}`);
        last = path;
        if (++seen !== step || !world.mtty.devices.includes(UUID) || !isLook) return;
        world.mtty.remove(UUID);
        world.mtty.create("mtty-1", UUID);
        foreign.isThere = true;
      });
      const outcomes = await ok(world.host.removeOwned("me", { timeout: 1_000 }));
      if (!foreign.isThere) continue;
      replaced += 1;
      expect([step, world.mtty.devices]).toEqual([step, [UUID]]);
      expect([step, outcomes.some(({ removed }) => removed)]).toEqual([step, false]);
    }
    expect(replaced).toBeGreaterThan(5);
  });

  it("gives handles that are gone when the UUID is another device's", async () => {
    const world = serial();
    await createFor(world, "me");
    const [device] = (await ok(world.host.ownedDevices("me"))).devices;
    world.mtty.remove(UUID);
    world.mtty.create("mtty-1", UUID);
    expect(await ok((device as MdevDevice).remove())).toEqual({ removed: false });
    expect(world.mtty.devices).toEqual([UUID]);
  });

  it("ends where the time limit does, and says so of each", async () => {
    const world = serial();
    await createFor(world, "me");
    world.simulated.open(UUID);
    const [outcome] = await ok(world.host.removeOwned("me", { timeout: 100 }));
    expect(outcome).toMatchObject({ id: UUID, removed: false, error: { type: "timeout" } });
  });
});

describe("a restart of the machine", () => {
  it("ends all ownership, though the same inode comes again", async () => {
    const state = new MemoryStore();
    await createFor(serial(state), "me");
    state.restart();
    const after = serial(state);
    after.mtty.create("mtty-1", UUID);
    expect(await ownerOf(after.ledger, serialDevice(UUID))).toBeUndefined();
    expect(await ok(after.host.ownedDevices("me"))).toMatchObject({
      devices: [],
      unproven: [],
      gone: [UUID],
    });
    await ok(after.host.removeOwned("me"));
    expect(await state.names()).toEqual([]);
    expect(after.mtty.devices).toEqual([UUID]);
  });
});

describe("a vGPU on a function, which has no identity but its type", () => {
  const VF = "0000:3b:00.4";
  const PATH = (simulated: SimulatedHost): Promise<string> =>
    ok(new MdevHost({ fs: simulated.fs }).parent(VF)).then(({ path }) => path);

  async function vgpus(): Promise<{
    host: MdevHost;
    state: MemoryStore;
    ledger: Ledger;
    device: (type?: string) => FoundDevice;
    set: (number: number) => Promise<void>;
  }> {
    const simulated = new SimulatedHost();
    simulated.addNvidiaSriovGpu({ address: "0000:3b:00.0", functions: 4 });
    const state = new MemoryStore();
    const path = await PATH(simulated);
    return {
      host: new MdevHost({ fs: simulated.fs, state }),
      state,
      ledger: ledgerOf(simulated, state),
      device: (typeId = "nvidia-1145") => ({ id: VF, path, parent: { path, layout: nvidiaVfio }, typeId }),
      set: (number) => simulated.fs.writeFile(`${path}/nvidia/current_vgpu_type`, `${number}\n`, { flag: 1 }),
    };
  }

  it("is its owner's until another type is there", async () => {
    const { host, ledger, device, set } = await vgpus();
    const intent = await ledger.intend("me", device(), "nvidia-1145");
    await set(1145);
    await ledger.confirm(intent, device());
    expect(ids((await ok(host.ownedDevices("me"))).devices)).toEqual([VF]);
    await set(0);
    expect((await ok(host.ownedDevices("me"))).gone).toEqual([VF]);
    await set(1146);
    expect((await ok(host.ownedDevices("me"))).gone).toEqual([VF]);
    await ok(host.removeOwned("me"));
    expect(ids(await ok(host.devices()))).toEqual([VF]);
  });

  it("is the one's who created it last, of the same type too", async () => {
    const { host, state, ledger, device, set } = await vgpus();
    const mine = await ledger.intend("me", device(), "nvidia-1145");
    await set(1145);
    await ledger.confirm(mine, device());
    await set(0); // by hand
    const yours = await ledger.intend("you", device(), "nvidia-1145");
    await set(1145);
    // Until it is confirmed, it can be either's: nobody removes it.
    expect(await ownerOf(ledger, device())).toBeUndefined();
    expect(ids((await ok(host.ownedDevices("me"))).unproven)).toEqual([VF]);
    expect(await ok(host.removeOwned("me"))).toEqual([]);
    await ledger.confirm(yours, device());
    expect(await ownerOf(ledger, device())).toBe("you");
    expect(await ok(host.removeOwned("me"))).toEqual([]);
    expect(await state.names()).toHaveLength(1);
    expect(await ok(host.removeOwned("you"))).toMatchObject([{ id: VF, removed: true }]);
  });
});

describe("a ledger with strange things in it", () => {
  const name = (rest: string): string => `owned.${UUID}.${rest}`;

  it("tells of them as problems", async () => {
    const folder = temporaryFolder();
    const world = serial(new DirectoryStore(folder));
    await createFor(world, "me");
    for (const [rest, text] of Object.entries({ a: "", b: "half a", c: "null", d: '{"owner":"me"}' }))
      await world.state.create(name(rest), text);
    writeFileSync(join(folder, name("file")), "x");
    mkdirSync(join(folder, name("folder"), "x"), { recursive: true });
    writeFileSync(join(folder, "README"), "hello");
    const { devices, problems } = await ok(world.host.ownedDevices("me"));
    expect(ids(devices)).toEqual([UUID]);
    expect(problems.map(({ type }) => type).sort()).toEqual([
      "decode",
      "decode",
      "decode",
      "decode",
      "io",
      "io",
    ]);
    expect(await ownerOf(world.ledger, serialDevice(UUID))).toBe("me");
    expect(await ok(world.host.removeOwned("me"))).toMatchObject([{ removed: true }]);
  });

  it("does not follow a claim out of the tree", async () => {
    const world = serial();
    const entry = await world.ledger.intend("me", serialDevice(UUID), "mtty-1");
    for (const parent of ["../etc", "/etc", "devices/../../etc", ""])
      await world.state.create(name(`x${parent.length}`), JSON.stringify({ ...entry.claim, parent }));
    const { problems } = await ok(world.host.ownedDevices("me"));
    expect(problems.map(({ type }) => type)).toEqual(["decode", "decode", "decode", "decode"]);
  });
});

describe("a store that fails", () => {
  const failing = (call: keyof StateStore, answer: () => unknown): StateStore => {
    const store = new MemoryStore();
    return new Proxy(store, {
      get: (target, key) =>
        key === call ? answer : (Reflect.get(target, key) as () => unknown).bind(target),
    });
  };
  const errno = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }));

  it.each([
    ["EROFS", "permission"],
    ["EACCES", "permission"],
    ["EPERM", "permission"],
    ["ENOSPC", "io"],
    ["ENOENT", "io"],
    ["ENODEV", "io"],
  ] as const)("with %s is %s", async (code, type) => {
    const { host } = serial(failing("names", errno(code)));
    const error = await fails(host.ownedDevices("me"), type);
    expect(error.errno).toBe(code);
    const parent = await ok(serial(failing("create", errno(code))).host.parent("mtty"));
    await fails(parent.lock(), type);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("at once");
      },
    ],
    ["answers nothing", () => undefined],
    ["answers something else", () => Promise.resolve({ length: 3 })],
  ])("because it %s is io", async (_, answer) => {
    for (const call of ["boot", "names", "read", "create", "remove"] as const) {
      const honest = serial(new MemoryStore());
      await createFor(honest, "me");
      const state = new Proxy(honest.state, {
        get: (target, key) =>
          key === call ? answer : (Reflect.get(target, key) as () => unknown).bind(target),
      });
      const host = new MdevHost({ fs: honest.simulated.fs, state });
      const owned = await host.ownedDevices("me");
      if (!owned.ok) expect(owned.error.type).toBe("io");
      const lock = await (await ok(host.parent("mtty"))).lock({ timeout: 50 });
      if (!lock.ok) expect(["io", "conflict"]).toContain(lock.error.type);
    }
  });

  it("that never answers is given up in time", async () => {
    const silent = (): Promise<never> => new Promise(() => undefined);
    await fails(serial(failing("names", silent)).host.ownedDevices("me", { timeout: 20 }), "timeout");
    const parent = await ok(serial(failing("create", silent)).host.parent("mtty"));
    await fails(parent.lock({ timeout: 20 }), "timeout");
  });

  it("is missing where a file system of the caller's has none", async () => {
    const { simulated } = serial();
    const host = new MdevHost({ fs: simulated.fs });
    expect(await fails(host.ownedDevices("me"), "unsupported")).toMatchObject({ missing: "option state" });
    await fails(host.removeOwned("me"), "unsupported");
  });
});

it("many writers at once lose nothing", async () => {
  const store = new DirectoryStore(temporaryFolder());
  const simulated = new SimulatedHost();
  simulated.addMtty();
  const uuids = Array.from({ length: 200 }, (_, n) => `${UUID.slice(0, 32)}${String(n).padStart(4, "0")}`);
  await Promise.all(uuids.map((id) => ledgerOf(simulated, store).intend("me", serialDevice(id), "mtty-1")));
  const { entries, broken } = await ledgerOf(simulated, new DirectoryStore(store.path)).read();
  expect([new Set(entries.map(({ claim }) => claim.device)).size, broken]).toEqual([200, []]);
});
