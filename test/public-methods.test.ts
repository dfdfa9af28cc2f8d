import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AsyncResult, type FileSystem, type MdevError, MdevHost } from "../src/index.js";
import { SimulatedHost } from "../src/testing/index.js";
import { fails, ok } from "./contract/expect.js";
import type { Call } from "./support/meddler.js";
import { CHANGING, PUBLIC_METHODS, type PublicMethod, REPORTING, WAITING } from "./support/public-methods.js";
import { quiet, settled } from "./support/settled.js";
import { watchTimers } from "./support/timers.js";
import { OTHER_UUID, UUID, makeWorld, type World } from "./support/world.js";

/** Each way to misbehave at one call, by what it answers. */
const HOSTILITIES: Readonly<Record<string, (call: Call) => unknown>> = {
  "throws an Error at once": () => {
    throw new Error("thrown at once");
  },
  "throws undefined at once": () => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- that is the point
    throw undefined;
  },
  "rejects with an Error without a code": () => Promise.reject(new Error("")),
  ...Object.fromEntries(
    Object.entries<unknown>({
      undefined,
      null: null,
      "a string": "ENOENT",
      "a number": -2,
      "an empty object": {},
      "an object without prototype": Object.create(null) as unknown,
      "a code that is no string": { code: 5, errno: "ENOENT" },
      "a strange errno": { errno: -99999, code: "" },
      "a symbol": Symbol("x"),
      "a function": () => undefined,
    }).map(([name, reason]) => [
      `rejects with ${name}`,
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- that is the point
      () => Promise.reject(reason),
    ]),
  ),
  "answers undefined": () => Promise.resolve(undefined),
  "answers undefined, not even a promise": () => undefined,
  "answers null": () => Promise.resolve(null),
  "answers a number": () => Promise.resolve(7),
  "answers with an empty object": () => Promise.resolve({}),
  "answers with a function": () => Promise.resolve(() => undefined),
  "answers names with slashes": () => Promise.resolve(["../../etc", "a/b"]),
  "answers names that lead upwards": () => Promise.resolve(["..", "."]),
  "answers names that are no strings": () => Promise.resolve([1, null, undefined]),
  "answers a list that is none": () => Promise.resolve({ length: 2, 0: "a", 1: "b" }),
  "answers an empty text": () => Promise.resolve(""),
  "answers a path outside": () => Promise.resolve("/etc/passwd"),
  "answers a path that leads upwards": () => Promise.resolve("../../../../../../../.."),
  "answers an unterminated text": () => Promise.resolve("\0\ud800\n\n"),
  "answers a thenable that throws": () => ({
    then: () => {
      throw new Error("no promise");
    },
  }),
};

const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);
beforeEach(() => void process.on("unhandledRejection", note));
afterEach(async () => {
  await quiet();
  process.off("unhandledRejection", note);
  vi.restoreAllMocks();
  expect(unhandled.splice(0)).toEqual([]);
});

/** How many calls a method makes where nothing goes wrong. */
async function callsOf(name: string, method: PublicMethod): Promise<number> {
  const world = await makeWorld();
  world.meddler.meddle();
  expect(await settled(() => method(world)), name).toBe("ok");
  return world.meddler.calls.length;
}

describe.each(PUBLIC_METHODS)("%s", (name, method) => {
  const fresh = async (shared: World): Promise<World> =>
    CHANGING.has(name) ? makeWorld({ timeout: 100 }) : shared;

  it("gives an AsyncResult with one of our errors, however hostile the file system is, at whichever call", async () => {
    const count = await callsOf(name, method);
    expect(count).toBeGreaterThan(0);
    const shared = await makeWorld({ timeout: 100 });
    for (const [hostility, answer] of Object.entries(HOSTILITIES)) {
      for (let hostile = 1; hostile <= count; hostile++) {
        const world = await fresh(shared);
        world.meddler.meddle((call) => (call.number === hostile ? answer(call) : call.honest()));
        const end = await settled(() => method(world)).catch((cause: unknown) => {
          throw new Error(`call ${hostile} of ${count} ${hostility}`, { cause });
        });
        // A lie can be believed, but no lie may look like a limit that struck.
        if (!CHANGING.has(name) && !WAITING.has(name)) expect(["timeout", "aborted"]).not.toContain(end);
      }
      const world = await fresh(shared);
      world.meddler.meddle(answer);
      await settled(() => method(world));
    }
  }, 60_000);

  it("gives an AsyncResult on its earliest failure", async () => {
    const world = await makeWorld();
    const controller = new AbortController();
    controller.abort();
    world.meddler.meddle();
    for (const options of [{ signal: controller.signal }, { timeout: -1 }, { timeout: NaN }, "options"]) {
      const end = await settled(() => method(world, options as object));
      if (!name.endsWith(".as"))
        expect(end).toBe(
          options === "options" || "timeout" in (options as object) ? "invalid-argument" : "aborted",
        );
    }
    if (!name.endsWith(".as")) expect(world.meddler.calls).toEqual([]);
    world.meddler.meddle(() =>
      Promise.reject(Object.assign(new Error("gone"), { code: "ENODEV", errno: -19 })),
    );
    await settled(() => method(world));
  });

  it("gives up when a call is never answered and the time is over, and keeps no timer", async () => {
    const count = await callsOf(name, method);
    const shared = await makeWorld({ timeout: 2 });
    const timers = watchTimers();
    for (let silent = 1; silent <= count; silent++) {
      const world = CHANGING.has(name) ? await makeWorld({ timeout: 2 }) : shared;
      world.meddler.meddle((call) => (call.number === silent ? new Promise(() => undefined) : call.honest()));
      expect(await settled(() => method(world)), `call ${silent}`).toBe("timeout");
      // A creation is undone behind the caller's back.
      await vi.waitFor(() => expect(timers.open).toBe(0), 10_000);
    }
  });

  it("keeps neither timer nor listener when all goes well", async () => {
    const world = await makeWorld();
    const { signal } = new AbortController();
    const timers = watchTimers();
    expect(await settled(() => method(world, { signal, timeout: 60_000 }))).toBe("ok");
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(timers.open).toBe(0);
  });

  it("gives an AsyncResult where there are no devices any more", async () => {
    const world = await makeWorld();
    world.gpu.remove(UUID);
    await settled(() => method(world));
  });

  it("gives an AsyncResult where there is no mdev bus any more", async () => {
    const world = await makeWorld();
    await world.gpu.unplug();
    await settled(() => method(world));
  });

  it("gives an AsyncResult wherever the parent is unplugged", async () => {
    const count = await callsOf(name, method);
    for (let at = 1; at <= count; at++) {
      const world = await makeWorld({ timeout: 5_000 });
      world.meddler.meddle(async (call) => {
        if (call.number === at) await world.gpu.unplug();
        return call.honest();
      });
      const end = await settled(() => method(world));
      const ends = ["ok", "gone", "not-found", "unsupported", ...(WAITING.has(name) ? ["timeout"] : [])];
      expect(ends, `call ${at}`).toContain(end);
    }
  });
});

// `as` has no options: the host's limit is its limit.
describe.each(PUBLIC_METHODS.filter(([name]) => !name.endsWith(".as")))("%s", (name, method) => {
  it("gives up when the signal is aborted during a call, and keeps no listener", async () => {
    const count = await callsOf(name, method);
    const shared = await makeWorld();
    for (let silent = 1; silent <= count; silent++) {
      const world = CHANGING.has(name) ? await makeWorld() : shared;
      const controller = new AbortController();
      const reason = new Error("enough");
      world.meddler.meddle((call) => {
        if (call.number !== silent) return call.honest();
        controller.abort(reason);
        return new Promise(() => undefined);
      });
      const result = method(world, { signal: controller.signal });
      expect(getEventListeners(controller.signal, "abort").length).toBeLessThanOrEqual(1);
      const error = await fails(result, "aborted");
      expect(error.cause).toBe(reason);
      expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    }
  });
});

it("never answers with a stat whose methods throw, but with an error", async () => {
  const world = await makeWorld({ timeout: 100 });
  world.meddler.meddle(({ name, honest }) =>
    name === "lstat"
      ? Promise.resolve({
          isDirectory: () => {
            throw new Error("no stat");
          },
        })
      : honest(),
  );
  for (const [, method] of PUBLIC_METHODS) await settled(() => method(world));
});

it("takes a thrown value whose properties throw for a failure like any other", async () => {
  const world = await makeWorld();
  const trap = new Proxy(new Error("trap"), {
    get: () => {
      throw new Error("get");
    },
  });
  world.meddler.meddle(() => Promise.reject(trap));
  for (const [, method] of PUBLIC_METHODS.filter(([name]) => !REPORTING.has(name)))
    expect(await settled(() => method(world))).toBe("io");
});

it("takes a file system without any calls for one where all fail", async () => {
  for (const fs of [{}, null, 5, "fs", Object.create(null) as object] as unknown as FileSystem[]) {
    const host = new MdevHost({ fs });
    for (const call of [
      () => host.support(),
      () => host.parents(),
      () => host.parent("mtty"),
      () => host.devices(),
    ]) {
      expect(await settled(call)).toBe("io");
    }
  }
});

describe("arguments that the types forbid", () => {
  const wrong = (value: unknown): never => value as never;

  it("are refused as limits", async () => {
    const world = await makeWorld();
    for (const options of [
      null,
      5,
      "x",
      { signal: 5 },
      { signal: {} },
      { signal: null },
      { timeout: "5" },
      { timeout: null },
    ]) {
      for (const [name, method] of PUBLIC_METHODS) {
        // `as` has none, and create's are checked below.
        if (name.endsWith(".as") || (name === "MdevType.create" && typeof options !== "object")) continue;
        if (name === "MdevType.create" && options === null) continue;
        expect(await settled(() => method(world, wrong(options))), `${name} ${JSON.stringify(options)}`).toBe(
          "invalid-argument",
        );
      }
    }
  });

  it("are refused as ids", async () => {
    const { host, parent } = await makeWorld();
    for (const id of [undefined, null, 5, {}, [], Symbol("x"), () => undefined]) {
      await fails(host.parent(wrong(id)), "invalid-argument");
      await fails(host.device(wrong(id)), "invalid-argument");
      await fails(parent.type(wrong(id)), "invalid-argument");
    }
  });

  it.each([
    ["no object", null],
    ["no object but a number", 5],
    ["an unknown option", { colour: "red" }],
    ["a uuid that is no string", { uuid: 5 }],
    ["attributes that are no list", { attributes: "vgpu_params" }],
    ["an attribute that is nothing", { attributes: [undefined] }],
    ["an attribute that is a name alone", { attributes: ["vgpu_params"] }],
    ["an attribute that is an empty pair", { attributes: [[]] }],
    ["an attribute that is a pair of others", { attributes: [[1, 2]] }],
    ["an attribute that is an empty object", { attributes: [{}] }],
  ])("are refused as create's options: %s", async (_what, options) => {
    const world = await makeWorld();
    world.meddler.meddle();
    expect(await settled(() => world.type.create(wrong(options)))).toBe("invalid-argument");
    expect(world.meddler.calls).toEqual([]);
  });
});

describe("a host without mdev", () => {
  it("has empty lists, and says what is missing", async () => {
    for (const simulated of [new SimulatedHost(), new SimulatedHost({ kernel: "5.10" })]) {
      const host = new MdevHost({ fs: simulated.fs });
      for (const result of [host.parents(), host.devices()] as AsyncResult<unknown, MdevError>[]) {
        expect(result).toBeInstanceOf(AsyncResult);
        expect(await ok(result)).toEqual([]);
      }
      expect(await ok(host.support())).toEqual({
        mdev: false,
        parents: false,
        vfio: false,
        vfioDevices: false,
        iommufd: false,
      });
      await fails(host.parent("mtty"), "not-found");
      await fails(host.device(OTHER_UUID), "not-found");
      simulated.loadMdev();
      expect(await ok(host.support())).toMatchObject({ mdev: true, parents: false });
      expect(await ok(host.parents())).toEqual([]);
    }
  });
});
