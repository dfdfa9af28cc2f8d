import childProcess from "node:child_process";
import { EventEmitter, getEventListeners, on } from "node:events";
import { writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import {
  type ChangeHint,
  type ChangeSource,
  type HostEvent,
  InvalidArgumentError,
  MdevHost,
  NodeFileSystem,
  pollingSource,
  readOnly,
  text,
  type WatchOptions,
} from "../../src/index.js";
import { SimulatedHost, type SimulatedParent } from "../../src/testing/index.js";
import { ok, plain } from "../contract/expect.js";
import { quiet } from "../support/settled.js";
import { temporaryFolder } from "../support/temporary.js";
import { Replica } from "./replica.js";

const UUID = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
const NEVER = 3_600_000;
const CHANGED: ChangeHint = { type: "changed" };

interface World {
  readonly simulated: SimulatedHost;
  readonly mdpy: SimulatedParent;
  readonly host: MdevHost;
}

function makeWorld(kernel: "5.10" | "6.1" = "6.1"): World {
  const simulated = new SimulatedHost({ kernel });
  const mdpy = simulated.addMdpy({ count: 2000 });
  return { simulated, mdpy, host: new MdevHost({ fs: simulated.fs }) };
}

/** Somebody who listens until the test is over. */
const controllers: AbortController[] = [];
function listen(host: MdevHost, options: WatchOptions): Replica {
  const controller = new AbortController();
  controllers.push(controller);
  return new Replica(host.watch({ signal: controller.signal, ...options }));
}

/** Says that it listens, and no more. */
const silent: ChangeSource = {
  async *hints(signal) {
    yield CHANGED;
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  },
};

const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);
beforeEach(() => void process.on("unhandledRejection", note));
afterEach(async () => {
  for (const controller of controllers.splice(0)) controller.abort();
  await quiet();
  process.off("unhandledRejection", note);
  vi.restoreAllMocks();
  expect(unhandled.splice(0)).toEqual([]);
});

describe("what is told", () => {
  it("is the host first, and then each change to it", async () => {
    const { simulated, mdpy, host } = makeWorld();
    mdpy.create("mdpy-hd");
    const replica = listen(host, { source: simulated.changes, interval: NEVER });
    const first = await replica.next();
    expect(first).toEqual({ type: "snapshot", snapshot: await host.snapshot().getOrThrow() });

    mdpy.create("mdpy-hd", UUID);
    await replica.until(({ type }) => type === "device-ready");
    const device = await host.device(UUID).getOrThrow();
    await device.remove().getOrThrow();
    await replica.until(({ type }) => type === "device-removed");
    await replica.untilItKnows(host);
    simulated.addMtty();
    await replica.until(({ type }) => type === "parent-registered");
    await mdpy.unplug();
    await replica.untilItKnows(host);
    expect(replica.story).toEqual([
      "snapshot",
      "mdpy-hd 1999 1998",
      "mdpy-vga 1999 1998",
      "mdpy-xga 1999 1998",
      "device-added mdpy-hd active",
      "device-ready mdpy-hd active",
      "device-removed mdpy-hd active",
      "mdpy-hd 1998 1999",
      "mdpy-vga 1998 1999",
      "mdpy-xga 1998 1999",
      "parent-registered mtty",
      "device-removed mdpy-hd active",
      "parent-unregistered mdpy",
    ]);
    expect(plain(replica.events)).toEqual(JSON.parse(JSON.stringify(replica.events)));
  });

  it("is frozen, and has what was included", async () => {
    const { simulated, mdpy, host } = makeWorld();
    const include = { devices: { resolution: readOnly("vendor/resolution", text) } };
    const watch = host.watch({ source: simulated.changes, include });
    const first = await watch.next();
    expect(Object.isFrozen(first.value)).toBe(true);
    mdpy.create("mdpy-vga");
    for (;;) {
      const { value } = await watch.next();
      if (value?.type !== "device-ready") continue;
      expect(Object.isFrozen(value)).toBe(true);
      expect(value.device.attributes).toEqual({ resolution: "640x480" });
      break;
    }
    expect(await watch.return()).toEqual({ done: true, value: undefined });
  });

  it("is the same with polling, for changes further apart than the interval", async () => {
    for (const kernel of ["5.10", "6.1"] as const) {
      const { simulated, mdpy, host } = makeWorld(kernel);
      const replicas = [
        listen(host, { source: simulated.changes, interval: NEVER }),
        listen(host, { source: pollingSource({ interval: 5 }), interval: NEVER }),
        listen(host, { source: silent, interval: 5 }),
      ];
      for (const replica of replicas) await replica.next();
      const changes = [
        async () => mdpy.create("mdpy-hd", UUID),
        async () => mdpy.remove(UUID),
        async () => mdpy.removeType("mdpy-vga"),
        async () => simulated.addMbochs(),
        async () => mdpy.unplug(),
      ];
      for (const change of changes) {
        await change();
        await Promise.all(replicas.map((replica) => replica.untilItKnows(host)));
      }
      const [told, ...others] = replicas.map(({ story }) => story);
      for (const other of others) expect(other).toEqual(told);
    }
  });

  it("is what becomes of a half-made and of a half-removed device, soon after, though no source tells", async () => {
    const { simulated, mdpy, host } = makeWorld();
    const replica = listen(host, { source: simulated.changes, interval: NEVER });
    await replica.next();
    const made = simulated.pauseCreate({ before: "mdev_type" });
    const type = await host.parent("mdpy").getOrThrow();
    const creation = (await type.type("mdpy-hd").getOrThrow()).create({ uuid: UUID });
    await made.reached;
    await replica.until(({ type: told }) => told === "device-added");
    made.resume();
    const resumed = performance.now();
    await replica.until(({ type: told }) => told === "device-ready");
    expect(performance.now() - resumed).toBeLessThan(1_000);
    await creation.getOrThrow();

    const quietOne = listen(host, { source: silent, interval: NEVER });
    const gone = simulated.pauseRemove({ before: "folder" });
    const removal = (await host.device(UUID).getOrThrow()).remove();
    await gone.reached;
    await quietOne.next();
    gone.resume();
    await quietOne.until(({ type: told }) => told === "device-removed");
    await removal.getOrThrow();
    await replica.untilItKnows(host);
    expect(mdpy.devices).toEqual([]);
  });
});

describe("a device that looks as if it were going when it is first seen", () => {
  it("is told when it is ready: Linux 5.10 shows half-made ones so", async () => {
    for (const before of ["driver", "mdev_type", "remove"] as const) {
      const { simulated, host } = makeWorld("5.10");
      const replica = listen(host, { source: simulated.changes, interval: 5 });
      await replica.next();
      const pause = simulated.pauseCreate({ before });
      const mdpy = await host.parent("mdpy").getOrThrow();
      const creation = (await mdpy.type("mdpy-hd").getOrThrow()).create({ uuid: UUID });
      await pause.reached;
      setTimeout(() => pause.resume(), 50);
      await replica.until(({ type }) => type === "device-ready");
      const told = replica.story.filter((line) => line.startsWith("device-"));
      expect(told, before).toEqual(["device-added mdpy-hd active", "device-ready mdpy-hd active"]);
      await creation.getOrThrow();
    }
  });

  it("is told a second later when it stays so, and its end then, too", async () => {
    const { simulated, mdpy, host } = makeWorld();
    const replica = listen(host, { source: simulated.changes, interval: NEVER });
    await replica.next();
    mdpy.create("mdpy-hd", UUID);
    const vm = simulated.open(UUID);
    const removal = simulated.fs.writeFile(`${mdpy.path}/${UUID}/remove`, "1\n", { flag: 1 });
    await quiet(); // it waits for the virtual machine
    const began = performance.now();
    await replica.until(({ type }) => type === "device-added");
    expect(performance.now() - began).toBeGreaterThan(900);
    expect(replica.story.at(-1)).toBe("device-added ? removing");
    vm.close();
    await removal;
    await replica.until(({ type }) => type === "device-removed");
    await replica.untilItKnows(host);
  });
});

describe("the number of available instances", () => {
  it("is looked at once more after a change: it can come later than the last event", async () => {
    const simulated = new SimulatedHost();
    const stale = { reads: 0 };
    const gpu = simulated.addParent({
      path: "devices/virtual/gpu/gpu",
      subsystem: "class/gpu",
      deviceDriver: "gpu",
      types: [
        {
          id: "gpu-1",
          attributes: {
            available_instances: {
              read: () => (gpu.devices.length > 0 || stale.reads-- > 0 ? "0\n" : "1\n"),
            },
          },
        },
      ],
    });
    const host = new MdevHost({ fs: simulated.fs });
    gpu.create("gpu-1", UUID);
    const replica = listen(host, { source: simulated.changes, interval: NEVER });
    await replica.next();
    stale.reads = 1;
    gpu.remove(UUID);
    await replica.until(({ type }) => type === "availability-changed");
    expect(replica.story).toEqual(["snapshot", "device-removed gpu-1 active", "gpu-1 0 1"]);
  });
});

describe("a slow consumer", () => {
  it("is told what has changed since, in no more events than there are differences", async () => {
    const { simulated, mdpy, host } = makeWorld();
    const staying = mdpy.create("mdpy-hd");
    const replica = listen(host, { source: simulated.changes, interval: NEVER });
    await replica.next();
    const before = simulated.operations.length;
    for (let round = 0; round < 1000; round++) mdpy.remove(mdpy.create("mdpy-hd"));
    mdpy.remove(staying);
    mdpy.create("mdpy-hd", UUID);
    await quiet();
    expect(simulated.operations.length, "looks while nobody asks").toBe(before);
    await replica.until(({ type }) => type === "device-ready");
    expect(replica.story).toEqual([
      "snapshot",
      "device-removed mdpy-hd active",
      "device-added mdpy-hd active",
      "device-ready mdpy-hd active",
    ]);
  });

  it("is told of a device that was removed and made anew under its UUID", async () => {
    for (const kernel of ["5.10", "6.1"] as const) {
      const { simulated, mdpy, host } = makeWorld(kernel);
      mdpy.create("mdpy-hd", UUID);
      const replica = listen(host, { source: simulated.changes, interval: NEVER });
      await replica.next();
      mdpy.remove(UUID);
      mdpy.create("mdpy-hd", UUID);
      await replica.until(({ type }) => type === "device-ready");
      expect(replica.story.slice(1)).toEqual([
        "device-removed mdpy-hd active",
        "device-added mdpy-hd active",
        "device-ready mdpy-hd active",
      ]);
    }
  });

  it("hears of 1000 changes in a burst what is true in the end, with few looks", async () => {
    const { simulated, mdpy, host } = makeWorld();
    let looks = 0;
    simulated.onOperation(({ operation, path }) => {
      if (operation === "readdir" && path === "/sys/class/mdev_bus") looks++;
    });
    const replica = listen(host, { source: simulated.changes, interval: NEVER });
    await replica.next();
    let made = 0;
    const burst = (async () => {
      for (; made < 1000; made++) {
        mdpy.create("mdpy-hd");
        if (made % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const isAdded = ({ type }: HostEvent): boolean => type === "device-added";
    while (replica.events.filter(isAdded).length < 1000) await replica.next();
    await burst;
    expect(looks).toBeLessThan(100);
    await replica.untilItKnows(host);
    expect(replica.events.filter(isAdded).length).toBe(1000);
  }, 60_000);
});

describe("nothing is lost", () => {
  it("of what changes at any step of the first look", async () => {
    const count = await stepsOfFirstLook();
    for (let at = 1; at <= count; at++) {
      const { simulated, mdpy, host } = makeWorld();
      mdpy.create("mdpy-vga", UUID);
      let step = 0;
      const stop = simulated.onOperation(() => {
        if (++step !== at) return;
        mdpy.remove(UUID);
        mdpy.create("mdpy-hd");
        simulated.addMtty();
      });
      const replica = listen(host, { source: simulated.changes, interval: NEVER });
      await replica.next();
      stop();
      await replica.untilItKnows(host);
    }
  });

  it("of what changes at any step of a later look, which finds nothing else", async () => {
    const first = await stepsOfFirstLook();
    const later = await stepsOfLaterLook();
    for (let at = 1; at <= later; at++) {
      const { simulated, mdpy, host } = makeWorld();
      mdpy.create("mdpy-vga", UUID);
      const nudges = new EventEmitter();
      const source: ChangeSource = {
        async *hints(signal) {
          const nudged = on(nudges, "nudge", { signal });
          for (;;) {
            yield CHANGED;
            await nudged.next();
          }
        },
      };
      const replica = listen(host, { source, interval: NEVER });
      await replica.next();
      const told = replica.next();
      await vi.waitFor(() => expect(simulated.operations.length).toBe(first + later)); // it has looked once more
      let step = 0;
      const stop = simulated.onOperation(() => {
        if (++step !== at) return;
        mdpy.create("mdpy-hd");
        nudges.emit("nudge");
      });
      nudges.emit("nudge");
      await told;
      stop();
      await replica.untilItKnows(host);
      expect(replica.story).toContain("device-added mdpy-hd active");
    }
  }, 60_000);

  it("of what changes before the source listens, however late it does", async () => {
    const { simulated, mdpy, host } = makeWorld();
    let start = (): void => undefined;
    const started = new Promise<void>((resolve) => (start = resolve));
    const late: ChangeSource = {
      async *hints(signal) {
        await started;
        yield* simulated.changes.hints(signal);
      },
    };
    const replica = listen(host, { source: late, interval: NEVER });
    await replica.next(); // taken without the source
    mdpy.create("mdpy-hd");
    start();
    await replica.untilItKnows(host);
  });

  it("of random changes at random times", async () => {
    for (let seed = 1; seed <= 4; seed++) {
      const { simulated, mdpy, host } = makeWorld();
      let state = seed;
      const random = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below;
      const change = (): void => {
        const some = mdpy.devices[random(mdpy.devices.length + 1)];
        if (some === undefined) mdpy.create("mdpy-hd");
        else mdpy.remove(some);
      };
      const stop = simulated.onOperation(() => {
        if (random(40) === 0) change();
      });
      const timer = setInterval(change, 5);
      const replica = listen(host, { source: simulated.changes, interval: NEVER });
      while (replica.events.length < 200) await replica.next();
      clearInterval(timer);
      stop();
      await replica.untilItKnows(host);
    }
  }, 60_000);
});

/** How many calls a look takes that finds nothing new. */
async function stepsOfLaterLook(): Promise<number> {
  const { simulated, mdpy, host } = makeWorld();
  mdpy.create("mdpy-vga", UUID);
  const previous = await ok(host.snapshot());
  const before = simulated.operations.length;
  await ok(host.snapshot({ previous }));
  return simulated.operations.length - before;
}

async function stepsOfFirstLook(): Promise<number> {
  const { simulated, mdpy, host } = makeWorld();
  mdpy.create("mdpy-vga", UUID);
  await host.snapshot().getOrThrow();
  return simulated.operations.length;
}

describe("what goes wrong", () => {
  it("is told once, and the host when it can be seen again", async () => {
    const { simulated, mdpy, host } = makeWorld();
    const replica = listen(host, { source: pollingSource({ interval: 5 }) });
    simulated.failNext({ path: "/sys/class/mdev_bus", errno: "EACCES", times: 5 });
    await replica.until(({ type }) => type === "snapshot");
    expect(replica.story).toEqual(["problem permission", "snapshot"]);
    simulated.failNext({ path: "/sys/class/mdev_bus", errno: "EIO", times: 3 });
    expect(await replica.next()).toMatchObject({ type: "problem", problem: { type: "io" } });
    mdpy.create("mdpy-hd");
    await replica.until(({ type }) => type === "device-ready");
    expect(replica.story.filter((told) => told.startsWith("problem"))).toEqual([
      "problem permission",
      "problem io",
    ]);
  });

  it("with one file is told beside the rest, when it begins", async () => {
    const { simulated, mdpy, host } = makeWorld();
    const available = `${mdpy.path}/mdev_supported_types/mdpy-hd/available_instances`;
    const replica = listen(host, { source: pollingSource({ interval: 5 }) });
    await replica.next();
    simulated.failNext({ path: available, errno: "EIO", times: 4 });
    expect(await replica.next()).toEqual({
      type: "problem",
      problem: expect.objectContaining({ type: "io", path: available }) as object,
    });
    mdpy.create("mdpy-hd", UUID);
    await replica.until(({ type }) => type === "device-ready");
    expect(replica.story.filter((told) => told.startsWith("problem"))).toEqual(["problem io"]);
  });

  it("never looks as if something were gone", async () => {
    const count = await stepsOfFirstLook();
    for (const errno of ["EIO", "EACCES"] as const) {
      for (let at = 1; at <= count; at++) {
        const { simulated, mdpy, host } = makeWorld();
        mdpy.create("mdpy-vga", UUID);
        const replica = listen(host, { source: pollingSource({ interval: 2 }) });
        await replica.next();
        let step = 0;
        const stop = simulated.onOperation(() => {
          if (++step % count === at % count) throw Object.assign(new Error(errno), { code: errno });
        });
        await replica.until(({ type }) => type === "problem").catch(() => undefined);
        stop();
        mdpy.create("mdpy-hd");
        await replica.until(({ type }) => type === "device-ready");
        expect(
          replica.story.filter((told) => /removed|unregistered/u.test(told)),
          `${errno} at ${at} of ${count}`,
        ).toEqual([]);
        await replica.untilItKnows(host);
      }
    }
  }, 60_000);

  it("is a limit that a look exceeds", async () => {
    const { simulated, host } = makeWorld();
    const delay = simulated.delay({ path: "/sys/class/mdev_bus", ms: "forever" });
    const replica = listen(host, { source: pollingSource({ interval: 5 }), timeout: 20 });
    expect(await replica.next()).toMatchObject({ problem: { type: "timeout" } });
    delay.end();
    expect(await replica.next()).toMatchObject({ type: "snapshot" });
  });

  it("with the source is told, and the watch goes on by polling", async () => {
    const sources: Record<string, (signal: AbortSignal) => AsyncIterable<ChangeHint>> = {
      "throws at once": () => {
        throw new Error("broken at once");
      },
      // eslint-disable-next-line require-yield
      "throws before it listens": async function* () {
        throw new Error("broken before");
      },
      "throws later": async function* () {
        yield CHANGED;
        await new Promise((resolve) => setTimeout(resolve, 20));
        throw new Error("broken later");
      },
      ends: async function* () {
        yield CHANGED;
      },
      "throws what is no error": async function* () {
        yield CHANGED;
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- that is the point
        throw null;
      },
      "gives what is no hint": async function* () {
        yield undefined as unknown as ChangeHint;
      },
      "is no iterable": () => 5 as unknown as AsyncIterable<ChangeHint>,
    };
    for (const [how, hints] of Object.entries(sources)) {
      const { mdpy, host } = makeWorld();
      const replica = listen(host, { source: { hints }, interval: 20 });
      await replica.until(({ type }) => type === "problem");
      if (!replica.story.includes("snapshot")) await replica.until(({ type }) => type === "snapshot");
      mdpy.create("mdpy-hd");
      await replica.until(({ type }) => type === "device-ready");
      expect(
        replica.story.filter((told) => told.startsWith("problem")),
        how,
      ).toEqual(["problem io"]);
    }
  });

  it("with a source that goes on is told as the source tells it", async () => {
    const { simulated, mdpy, host } = makeWorld();
    const problem = { type: "io", path: undefined, message: "the line was cut for a moment" } as const;
    const source: ChangeSource = {
      async *hints(signal) {
        yield CHANGED;
        yield { type: "problem", problem };
        yield* simulated.changes.hints(signal);
      },
    };
    const replica = listen(host, { source, interval: NEVER });
    expect(await replica.until(({ type }) => type === "problem")).toEqual({ type: "problem", problem });
    mdpy.create("mdpy-hd");
    await replica.until(({ type }) => type === "device-ready");
  });

  it("with the options is thrown before anything begins", () => {
    const { simulated, host } = makeWorld();
    for (const options of [
      null,
      5,
      "options",
      { signal: 5 },
      { timeout: -1 },
      { interval: 0 },
      { interval: NaN },
      { interval: "5" },
      { interval: 2 ** 31 },
      { source: null },
      { source: {} },
      { source: () => CHANGED },
      { include: { colours: {} } },
    ]) {
      if (options === null) continue;
      expect(() => host.watch(options as WatchOptions), JSON.stringify(options)).toThrow(
        InvalidArgumentError,
      );
    }
    for (const interval of [0, -1, NaN, Infinity, "5"])
      expect(() => pollingSource({ interval: interval as number })).toThrow(InvalidArgumentError);
    expect(simulated.operations).toEqual([]);
  });
});

describe("the end", () => {
  it("comes with the signal, at whatever step", async () => {
    const count = await stepsOfFirstLook();
    for (let at = 0; at <= 2 * count; at++) {
      const { simulated, mdpy, host } = makeWorld();
      mdpy.create("mdpy-vga", UUID);
      const controller = new AbortController();
      if (at === 0) controller.abort(new Error("enough"));
      let step = 0;
      simulated.onOperation(() => {
        if (++step === at) controller.abort(new Error("enough"));
        if (step === count) mdpy.create("mdpy-hd");
      });
      const told: string[] = [];
      for await (const { type } of host.watch({
        signal: controller.signal,
        source: simulated.changes,
        interval: 5,
      }))
        told.push(type);
      expect(controller.signal.aborted).toBe(true);
      expect(getEventListeners(controller.signal, "abort")).toEqual([]);
      const calls = simulated.operations.length;
      await quiet();
      expect(simulated.operations.length).toBe(calls);
    }
  }, 60_000);

  it("comes with the signal while the consumer is busy, and no further event", async () => {
    const { simulated, mdpy, host } = makeWorld();
    for (let device = 0; device < 5; device++) mdpy.create("mdpy-hd");
    const controller = new AbortController();
    const watch = host.watch({ signal: controller.signal, source: simulated.changes });
    await watch.next();
    for (const uuid of [...mdpy.devices]) mdpy.remove(uuid);
    expect((await watch.next()).value).toMatchObject({ type: "device-removed" });
    controller.abort();
    expect(await watch.next()).toEqual({ done: true, value: undefined });
    expect(await watch.next()).toEqual({ done: true, value: undefined });
  });

  it("comes with return(), also while an event is waited for, and before the first was", async () => {
    const { simulated, host } = makeWorld();
    const done = { done: true, value: undefined };
    for (const pulls of [0, 1, 2, 3]) {
      const watch = host.watch({ source: simulated.changes, interval: NEVER });
      const pending = Array.from({ length: pulls }, () => watch.next());
      if (pulls === 1) await pending[0];
      if (pulls > 1) await vi.waitFor(() => expect(simulated.operations.length).toBeGreaterThan(0));
      expect(await watch.return()).toEqual(done);
      for (const end of (await Promise.all(pending)).slice(1)) expect(end).toEqual(done);
      expect(await watch.next()).toEqual(done);
    }
  });

  it("comes although a source heeds no signal and a file is never read", async () => {
    const { simulated, host } = makeWorld();
    simulated.delay({ path: /available_instances$/u, ms: "forever" });
    const deaf: ChangeSource = {
      async *hints() {
        yield CHANGED;
        await new Promise(() => undefined);
      },
    };
    const controller = new AbortController();
    const watch = host.watch({ signal: controller.signal, source: deaf });
    const first = watch.next();
    await new Promise((resolve) => setTimeout(resolve, 20));
    controller.abort();
    expect(await first).toEqual({ done: true, value: undefined });
  });

  it("leaves no timer", async () => {
    const set = vi.spyOn(globalThis, "setTimeout");
    const clear = vi.spyOn(globalThis, "clearTimeout");
    for (const pulls of [1, 2]) {
      const { simulated, mdpy, host } = makeWorld();
      const open = new Set<unknown>();
      set.mockClear();
      clear.mockClear();
      const watch = host.watch({ source: pollingSource({ interval: 1_000 }), timeout: 5_000 });
      for (let pull = 0; pull < pulls; pull++) {
        await watch.next();
        mdpy.create("mdpy-hd");
      }
      await watch.return();
      for (const { value } of set.mock.results) open.add(value);
      for (const [timer] of clear.mock.calls) open.delete(timer);
      expect([...open].filter((timer) => !(timer as { _destroyed?: boolean })._destroyed)).toEqual([]);
      expect(simulated.operations.length).toBeGreaterThan(0);
    }
  });
});

describe("the source that is taken where none is given", () => {
  function spawned(): unknown {
    const spawn = vi.spyOn(childProcess, "spawn");
    syncBuiltinESMExports();
    onTestFinished(() => {
      vi.restoreAllMocks();
      syncBuiltinESMExports();
    });
    return spawn;
  }

  /** The programs that are there. */
  function programs(scripts: Readonly<Record<string, string>>): void {
    const folder = temporaryFolder();
    for (const [name, script] of Object.entries(scripts))
      writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    vi.stubEnv("PATH", folder);
    onTestFinished(() => void vi.unstubAllEnvs());
  }

  it("is udevadm, for the local machine", async () => {
    const spawn = spawned();
    programs({ udevadm: "printf 'KERNEL - the kernel uevent\\n\\n'; exec /bin/sleep 60" });
    const watch = new MdevHost().watch({ interval: NEVER });
    const began = performance.now();
    expect((await watch.next()).value).toMatchObject({ type: "snapshot" });
    expect(performance.now() - began).toBeLessThan(900); // it did not wait in vain
    await watch.return();
    expect(spawn).toHaveBeenCalledExactlyOnceWith(
      "udevadm",
      ["monitor", "--kernel", "--property"],
      expect.anything(),
    );
  });

  it("is polling where there is no udevadm, and that is no problem; where it does not work, it is one", async () => {
    programs({});
    const without = listen(new MdevHost(), { interval: 20 });
    expect(await without.next()).toMatchObject({ type: "snapshot" });
    const nothingMore = new Promise((resolve) => setTimeout(() => resolve("nothing more"), 100));
    expect(await Promise.race([without.next(), nothingMore])).toBe("nothing more");
    programs({ udevadm: "echo 'Running in chroot, ignoring request.' >&2; exit 0" });
    const broken = listen(new MdevHost(), {});
    const { problem } = (await broken.until(({ type }) => type === "problem")) as HostEvent & {
      type: "problem";
    };
    expect(problem.message).toContain("said: Running in chroot, ignoring request");
  });

  it("is nothing local for a host with its own file system or sysfs root", async () => {
    const spawn = spawned();
    for (const host of [
      makeWorld().host,
      new MdevHost({ fs: new NodeFileSystem() }),
      new MdevHost({ sysfs: "/nonexistent/sys" }),
    ]) {
      for await (const { type } of host.watch()) {
        expect(type).toBe("snapshot");
        break;
      }
    }
    expect(spawn).not.toHaveBeenCalled();
  });
});
