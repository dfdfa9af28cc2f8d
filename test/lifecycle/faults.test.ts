import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type AnyMdevError,
  type AsyncResult,
  type MdevDevice,
  IoError,
  MdevError,
  MdevHost,
  type MdevType,
  type OperationOptions,
  type OwnedRemoval,
  Result,
  type StateStore,
} from "../../src/index.js";
import { ERRNO_NAMES } from "../../src/testing/errno.js";
import {
  type ErrnoName,
  MemoryStore,
  type Operation,
  SimulatedHost,
  type SimulatedParent,
} from "../../src/testing/index.js";
import { ok } from "../contract/expect.js";
import { quiet } from "../support/settled.js";
import { watchTimers } from "../support/timers.js";
import { UUID } from "../support/world.js";

// Every step of every operation that changes something or waits: it fails once (a write with every errno there is), hangs
// until the caller gives up, and loses the device or the parent under its hands. The steps are those that a run without
// faults was seen to make.

/** What a look can fail with. ENOENT and ENODEV are no failures but news: they come when things vanish. */
const LOOKING: readonly ErrnoName[] = ["EACCES", "EBUSY", "EINTR", "EIO", "EMFILE"];

/** A machine, and one operation on it that changes something. */
interface Scene {
  readonly simulated: SimulatedHost;
  readonly host: MdevHost;
  run(options?: OperationOptions): AsyncResult<unknown, AnyMdevError>;
  /** What the operation's outcome must have left, once all is settled. */
  check(end: Result<unknown, AnyMdevError>): Promise<void>;
  /** Somebody else removes the device, and the parent goes. */
  readonly removeDevice: () => void;
  unplug(): Promise<void>;
}

const NOTHING_SAID = Result.error(new IoError({ tried: "say", reason: "nothing is said" }));
const SOON = { timeout: 3_000, interval: 2 };
const PARAMS = "nvidia/vgpu_params";
const VF = "0000:41:00.4";
const CURRENT = `/sys/bus/pci/devices/${VF}/nvidia/current_vgpu_type`;
const ATTRIBUTES = [
  [PARAMS, "a=1\n"],
  [PARAMS, "b=1\n"],
] as const;

/** The states of the devices that are there, by id. */
async function devices(host: MdevHost): Promise<Record<string, string>> {
  const states: Record<string, string> = {};
  for (const device of await ok(host.devices())) states[device.id] = await ok(device.state());
  return states;
}

/** Whether an error says that something may be left, now or later. */
const leaves = (error: AnyMdevError): boolean => error.type === "rollback-failed";

function allOrNothing(host: MdevHost): Scene["check"] {
  return async (end) => {
    const left = await devices(host);
    if (end.ok) {
      expect(left).toEqual({ [(end.value as MdevDevice).id]: "active" });
    } else if (leaves(end.error)) {
      expect(Object.values(left).every((state) => state === "active")).toBe(true);
    } else {
      expect(left).toEqual({});
    }
  };
}

interface Gpu extends Pick<Scene, "simulated" | "host" | "unplug" | "removeDevice"> {
  readonly gpu: SimulatedParent;
  readonly device: MdevDevice;
}

/** A GPU with one device. */
async function makeGpu(state?: StateStore): Promise<Gpu> {
  const simulated = new SimulatedHost();
  const gpu = simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
  gpu.create("nvidia-156", UUID);
  const host = new MdevHost({ fs: simulated.fs, proc: "/proc", state });
  const device = await ok(host.device(UUID));
  const removeDevice = (): void => {
    if (gpu.devices.includes(UUID)) gpu.remove(UUID);
  };
  return { simulated, gpu, host, device, removeDevice, unplug: () => gpu.unplug() };
}

/** Whole or gone, never half; and gone where the outcome says so. */
function wholeOrGone(host: MdevHost, id: string): Scene["check"] {
  return async (end) => {
    const left = await devices(host);
    expect([{}, { [id]: "active" }]).toContainEqual(left);
    if (end.ok) expect(left).toEqual({});
  };
}

/** A card with SR-IOV on NVIDIA's own interface, and a type of its first function. */
async function makeFunctions(): Promise<Omit<Scene, "run" | "check"> & { readonly type: MdevType }> {
  const simulated = new SimulatedHost();
  const gpu = simulated.addNvidiaSriovGpu({
    address: "0000:41:00.0",
    functions: 2,
    attributes: ["vgpu_params"],
  });
  const host = new MdevHost({ fs: simulated.fs, proc: "/proc" });
  const type = await ok(host.parent(VF).map((parent) => parent.type("nvidia-1145")));
  const removeDevice = (): void => {
    if (gpu.functions.includes(VF))
      void simulated.fs.writeFile(CURRENT, "0", { flag: 1 }).catch(() => undefined);
  };
  return { simulated, host, type, removeDevice, unplug: () => gpu.unplug() };
}

/** Creating on a parent of one of the layouts of 2016, with all that it can be given. */
async function makeDraftScene(simulated: SimulatedHost, parent: SimulatedParent, id: string): Promise<Scene> {
  const host = new MdevHost({ fs: simulated.fs, proc: "/proc" });
  const type = await ok(host.parent(parent.id).map((found) => found.type(id)));
  return {
    simulated,
    host,
    run: (limits) => type.create({ uuid: UUID, group: "seven", params: "frame_rate_limiter=0", ...limits }),
    check: allOrNothing(host),
    removeDevice: () => {
      if (parent.devices.includes(UUID)) parent.remove(UUID);
    },
    unplug: () => parent.unplug(),
  };
}

const SCENES: Readonly<Record<string, () => Promise<Scene>>> = {
  "creating, with attributes and a node to wait for": async () => {
    const scene = await makeGpu();
    const type = await ok(scene.host.parent("0000:3b:00.0").map((parent) => parent.type("nvidia-156")));
    scene.gpu.remove(UUID);
    return {
      ...scene,
      run: (limits) => type.create({ uuid: UUID, attributes: ATTRIBUTES, waitFor: "node", ...limits }),
      check: allOrNothing(scene.host),
    };
  },
  "creating on NVIDIA's interface": async () => {
    const scene = await makeFunctions();
    return {
      ...scene,
      run: (limits) => scene.type.create({ attributes: ATTRIBUTES, ...limits }),
      check: allOrNothing(scene.host),
    };
  },
  "creating in the general layout": () => {
    const simulated = new SimulatedHost();
    return makeDraftScene(simulated, simulated.addGeneral({ params: "" }), "large");
  },
  "creating in the class-based layout": () => {
    const simulated = new SimulatedHost();
    return makeDraftScene(simulated, simulated.addClassBased(), "11");
  },
  removing: async () => {
    const scene = await makeGpu();
    const options = { ifBusy: "wait", retries: 1, retryInterval: 1, timeout: 100 } as const;
    return {
      ...scene,
      run: (limits) => scene.device.remove({ ...options, ...limits }),
      check: wholeOrGone(scene.host, UUID),
    };
  },
  "removing on NVIDIA's interface": async () => {
    const scene = await makeFunctions();
    const device = await ok(scene.type.create());
    return {
      ...scene,
      run: (limits) => device.remove({ retries: 1, retryInterval: 1, timeout: 100, ...limits }),
      check: wholeOrGone(scene.host, VF),
    };
  },
  "removing an owner's devices": async () => {
    const { simulated, host, gpu, ...scene } = await makeGpu(new MemoryStore());
    gpu.remove(UUID);
    const type = await ok(host.parent("0000:3b:00.0").map((parent) => parent.type("nvidia-156")));
    await ok(type.create({ uuid: UUID, owner: "me" }));
    // What became of each device is in the report.
    const run: Scene["run"] = (limits) =>
      host.removeOwned("me", { timeout: 100, ...limits }).map(([removal]) => {
        return removal?.error === undefined ? Result.ok(removal) : Result.error(removal.error);
      });
    const whole = wholeOrGone(host, UUID);
    const check: Scene["check"] = (end) =>
      // A look that fails leaves the device out of the report's removals.
      whole(end.ok && (end.value as OwnedRemoval | undefined)?.removed !== true ? NOTHING_SAID : end);
    return { ...scene, simulated, host, run, check };
  },
  "setting attributes": async () => {
    const scene = await makeGpu();
    const file = `${scene.device.path}/${PARAMS}`;
    await scene.simulated.fs.writeFile(file, "old=1\n", { flag: 1 });
    return {
      ...scene,
      run: (limits) => scene.device.setAttributes(ATTRIBUTES, limits),
      check: async (end) => {
        const text = await scene.simulated.fs.readFile(file, "utf8").catch(() => undefined);
        if (end.ok) expect(text).toBe("b=1\n");
        else if (text !== undefined && !leaves(end.error)) expect(text).toBe("old=1\n");
      },
    };
  },
  "waiting for a parent and its types": async () => {
    const scene = await makeGpu();
    return {
      ...scene,
      run: (limits) =>
        scene.host
          .waitForParents({ ids: ["0000:3b:00.0"], interval: 1, timeout: 20, ...limits })
          .map(() => scene.host.parent("0000:3b:00.0", limits))
          .map((parent) => parent.waitForTypes({ interval: 1, timeout: 20, ...limits })),
      check: async () => expect([{}, { [UUID]: "active" }]).toContainEqual(await devices(scene.host)),
    };
  },
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

/** Runs the operation while something happens at its step `at`, and checks what is left when all is settled. */
async function stumble(
  make: () => Promise<Scene>,
  at: number,
  happen: (scene: Scene, step: Operation) => (() => void) | undefined,
  options: OperationOptions = {},
): Promise<Result<unknown, AnyMdevError>> {
  const scene = await make();
  const timers = watchTimers();
  let count = 0;
  let settle: (() => void) | undefined;
  const stop = scene.simulated.onOperation((step) => {
    if (++count !== at) return;
    stop();
    settle = happen(scene, step);
  });
  const end = await scene.run(options);
  stop();
  settle?.();
  if (!end.ok) {
    expect(end.error).toBeInstanceOf(MdevError);
    expect(end.error.message).toMatch(/^cannot .+[.?]$/su);
  }
  await vi.waitFor(() => expect(timers.open).toBe(0), SOON);
  await quiet();
  vi.restoreAllMocks();
  await vi.waitFor(() => scene.check(end), SOON);
  return end;
}

async function stepsOf(make: () => Promise<Scene>): Promise<readonly Operation[]> {
  const scene = await make();
  const before = scene.simulated.operations.length;
  const end = await scene.run();
  if (!end.ok) throw end.error;
  return scene.simulated.operations.slice(before);
}

describe.each(Object.entries(SCENES))("%s", (_name, make) => {
  it("ends in order, whichever step fails with whichever errno", async () => {
    const steps = await stepsOf(make);
    for (let at = 1; at <= steps.length; at++) {
      const writes = steps[at - 1]?.operation.startsWith("write") === true;
      for (const errno of writes ? ERRNO_NAMES : LOOKING) {
        const fail = ({ simulated }: Scene, { operation, path }: Operation): undefined => {
          simulated.failNext({ operation, path, errno });
          return undefined;
        };
        const end = await stumble(make, at, fail).catch((cause: unknown) => {
          throw new Error(`step ${at} (${steps[at - 1]?.operation} ${steps[at - 1]?.path}), ${errno}`, {
            cause,
          });
        });
        expect(end.ok ? "ok" : end.error.type).not.toBe("aborted");
      }
    }
  }, 60_000);

  it.each(["timeout", "aborted"] as const)(
    "ends in order when a step hangs until the %s limit strikes",
    async (how) => {
      const steps = await stepsOf(make);
      for (let at = 1; at <= steps.length; at++) {
        const controller = new AbortController();
        const hang = ({ simulated }: Scene, { operation, path }: Operation): (() => void) => {
          const delay = simulated.delay({ operation, path, times: 1, ms: "forever" });
          setImmediate(() => controller.abort());
          return () => delay.end();
        };
        const limits = how === "timeout" ? { timeout: 10 } : { signal: controller.signal };
        const end = await stumble(make, at, hang, limits).catch((cause: unknown) => {
          throw new Error(`step ${at} (${steps[at - 1]?.operation} ${steps[at - 1]?.path})`, { cause });
        });
        expect(end.ok ? "ok" : end.error.type, `step ${at}`).toBe(how);
      }
    },
    60_000,
  );

  it.each(["device", "parent"] as const)(
    "ends in order when the %s vanishes at a step",
    async (what) => {
      const steps = await stepsOf(make);
      for (let at = 1; at <= steps.length; at++) {
        const vanish = (scene: Scene): undefined => {
          if (what === "device") scene.removeDevice();
          else void scene.unplug();
          return undefined;
        };
        const end = await stumble(make, at, vanish).catch((cause: unknown) => {
          throw new Error(`step ${at} (${steps[at - 1]?.operation} ${steps[at - 1]?.path})`, { cause });
        });
        const tag = end.ok ? "ok" : end.error.type;
        expect(["ok", "gone", "unsupported", "not-found", "rejected", "timeout"], `step ${at}`).toContain(
          tag,
        );
      }
    },
    60_000,
  );
});
