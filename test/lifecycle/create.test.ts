import { afterEach, describe, expect, it, vi } from "vitest";
import {
  type AnyMdevError,
  type AttributeInput,
  type CreateOptions,
  integer,
  MdevHost,
  type MdevType,
  Result,
  text,
  writeOnly,
} from "../../src/index.js";
import type { Codec, MdevErrorType } from "../../src/index.js";
import {
  Errno,
  type ErrnoName,
  type SimulatedCapacity,
  SimulatedHost,
  type SimulatedParent,
} from "../../src/testing/index.js";
import { fails, ok } from "../contract/expect.js";
import { Meddler } from "../support/meddler.js";
import { makeSerialWorld, makeWorld, MTTY, MTTY_1, OTHER_UUID, UUID } from "../support/world.js";

const DEVICE = `${MTTY}/${UUID}`;

interface FanWorld {
  readonly simulated: SimulatedHost;
  readonly fan: SimulatedParent;
  readonly host: MdevHost;
  readonly type: MdevType;
  /** What the devices' attributes were told, in this order. */
  readonly told: string[];
}

/** A made-up parent whose devices have attributes that take what they are told, and one that refuses. */
async function makeFanWorld(capacity: number | SimulatedCapacity = 4, existing = 0): Promise<FanWorld> {
  const simulated = new SimulatedHost();
  const told: string[] = [];
  const fan = simulated.addParent({
    path: "devices/platform/fan.0",
    subsystem: "bus/platform",
    deviceDriver: "fan_mdev",
    types: [{ id: "fan-slow" }],
    capacity,
    deviceAttributes: {
      speed: { write: (_device, content) => void told.push(`speed=${content}`) },
      "vendor/colour": {
        read: () => "red\n",
        write: (_device, content) => void told.push(`colour=${content}`),
      },
      refuses: {
        write: () => {
          throw new Errno("EINVAL");
        },
      },
    },
  });
  for (let count = 0; count < existing; count++) fan.create("fan-slow");
  const host = new MdevHost({ fs: simulated.fs });
  const type = await ok(host.parent("fan.0").map((parent) => parent.type("fan-slow")));
  return { simulated, fan, host, type, told };
}

const SPEED = writeOnly("speed", integer);

afterEach(() => {
  vi.useRealTimers();
});

describe("attributes", () => {
  it("are written in their order, one write each, before the device is handed out", async () => {
    const { simulated, type, told } = await makeFanWorld();
    const attributes: AttributeInput[] = [
      SPEED.to(3),
      ["vendor/colour", "green"],
      ["vendor/colour", "blue\n"],
      SPEED.to(-4),
    ];
    const device = await ok(type.create({ uuid: UUID, attributes }));
    expect(told).toEqual(["speed=3\n", "colour=green", "colour=blue\n", "speed=-4\n"]);
    const writes = simulated.operations.filter(({ operation }) => operation.startsWith("write"));
    expect(
      writes.map(({ operation, path, text: content }) => [
        operation,
        path.slice(device.parent.length),
        content,
      ]),
    ).toHaveLength(5);
    expect(writes[0]).toMatchObject({ operation: "writeFile", text: `${UUID}\n` });
  });

  it("are all checked before anything is made", async () => {
    const { simulated, type } = await makeFanWorld();
    const before = simulated.operations.length;
    const bad: readonly AttributeInput[] = [
      ["speed", ""],
      ["speed", "1\n2"],
      ["speed", "1\0"],
      ["speed", "\ud800"],
      ["speed", "x".repeat(4097)],
      ["speed", "ä".repeat(2049)],
      ["../../fan.1/speed", "1"],
      ["/sys/power/state", "mem"],
      SPEED.to(0.5),
    ];
    for (const input of bad) {
      const error = await fails(type.create({ attributes: [SPEED.to(1), input] }), "invalid-argument");
      expect(error.message).toMatch(/^cannot create a device of type fan-slow on fan\.0: /u);
    }
    expect(simulated.operations).toHaveLength(before);
  });

  it("may have newlines inside where their descriptor says so", async () => {
    const { type, told } = await makeFanWorld();
    await ok(type.create({ attributes: [writeOnly("speed", text, { multiline: true }).to("1\n2")] }));
    expect(told).toEqual(["speed=1\n2\n"]);
    await fails(type.create({ attributes: [writeOnly("speed", text).to("1\n2")] }), "invalid-argument");
  });

  it("have errnos of their own where their descriptor says so", async () => {
    const { simulated, type, host } = await makeFanWorld();
    const because = "the fan is stuck";
    const stuck = writeOnly("speed", integer, {
      writeErrnos: { EINVAL: { is: "conflict", because, hint: "Unstick it." } },
    });
    simulated.failNext({ path: /speed$/u, operation: "writeFile", errno: "EINVAL" });
    const error = await fails(type.create({ uuid: UUID, attributes: [stuck.to(1)] }), "conflict");
    expect(error).toMatchObject({ errno: "EINVAL", hint: "Unstick it." });
    expect(error.message).toContain(because);
    expect(await ok(host.devices())).toEqual([]);
  });
});

describe("what the kernel's refusal means", () => {
  type Row = readonly [errno: ErrnoName, withNoneLeft: MdevErrorType, withSomeLeft: MdevErrorType];
  it.each<Row>([
    ["ENOSPC", "no-instances", "no-instances"],
    ["EUSERS", "no-instances", "no-instances"],
    ["ENOMEM", "no-instances", "no-instances"],
    ["EIO", "no-instances", "rejected"],
    ["EPERM", "no-instances", "permission"],
    ["EINVAL", "rejected", "rejected"],
    ["EAGAIN", "busy", "busy"],
    ["EBUSY", "busy", "busy"],
    ["ENODEV", "gone", "gone"],
    ["ENOENT", "gone", "gone"],
    ["EACCES", "permission", "permission"],
    ["EROFS", "permission", "permission"],
    ["ETIMEDOUT", "io", "io"],
  ])("%s: %s where none is left, %s where some are", async (errno, none, some) => {
    for (const [existing, type, available] of [
      [4, none, 0],
      [1, some, 3],
    ] as const) {
      const world = await makeFanWorld(4, existing);
      const path = `${world.fan.path}/mdev_supported_types/fan-slow/create`;
      world.simulated.failNext({ path, operation: "writeFile", errno });
      const error = await fails(world.type.create({ uuid: UUID }), type);
      expect(error).toMatchObject({ errno, path });
      expect(error.cause).toMatchObject({ errno: expect.any(Number) as unknown });
      if (error.type === "no-instances") expect(error.available).toBe(available);
      expect(await ok(world.host.devices())).toHaveLength(existing);
    }
  });

  it("does not depend on how Node spells EUSERS", async () => {
    const { simulated } = await makeFanWorld();
    const spellings = [
      { errno: -87, code: "Unknown system error -87", syscall: "write" },
      { errno: -87, code: "UNKNOWN", syscall: "write" },
      { errno: -87 },
      { code: "EUSERS" },
    ];
    for (const facts of spellings) {
      const meddler = new Meddler(simulated.fs);
      const type = await ok(
        new MdevHost({ fs: meddler.fs }).parent("fan.0").map((parent) => parent.type("fan-slow")),
      );
      const cause = Object.assign(new Error("users"), facts);
      meddler.meddle(({ name, honest }) => (name === "writeFile" ? Promise.reject(cause) : honest()));
      const error = await fails(type.create(), "no-instances");
      expect(error).toMatchObject({ errno: "EUSERS", available: 4, cause });
    }
  });

  it("is explained below zero, and where nothing says how many are left", async () => {
    for (const [available, shown] of [
      ["-36\n", -36],
      ["ivdcm\n", undefined],
      ["", undefined],
    ] as const) {
      const simulated = new SimulatedHost();
      simulated.addParent({
        path: "devices/platform/odd.0",
        subsystem: "bus/platform",
        deviceDriver: "odd",
        types: [{ id: "odd-1", attributes: { available_instances: { read: () => available } } }],
        capacity: 0,
      });
      const type = await ok(
        new MdevHost({ fs: simulated.fs }).parent("odd.0").map((parent) => parent.type("odd-1")),
      );
      const error = await fails(type.create(), "no-instances");
      expect(error.available).toBe(shown);
      expect(error.errno).toBe("EUSERS");
      if (shown !== undefined) expect(error.message).toContain(`available_instances says ${shown}`);
    }
  });

  it("is told although what explains it cannot be read", async () => {
    const { simulated, type } = await makeFanWorld(1, 1);
    simulated.failNext({ path: /available_instances$/u, errno: "EIO" });
    expect((await fails(type.create(), "no-instances")).available).toBeUndefined();
  });

  it("never comes of what available_instances says alone: it is a hint", async () => {
    const { type } = await makeFanWorld({ countedBy: "core", full: undefined, available: () => -5 });
    expect(await ok(type.availableInstances.read())).toBe(-5);
    await ok(type.create());
  });
});

describe("a UUID that is in use", () => {
  it("is refused wherever it is, and whenever somebody else was faster", async () => {
    const world = await makeFanWorld();
    const mdpy = world.simulated.addMdpy();
    const before = world.simulated.operations.length;
    await ok(world.type.create());
    const calls = world.simulated.operations.length - before;
    for (let at = 1; at <= calls; at++) {
      let call = 0;
      const stop = world.simulated.onOperation(({ operation }) => {
        call += 1;
        if (call === at || (call < at && operation === "writeFile")) {
          if (!mdpy.devices.includes(UUID) && !world.fan.devices.includes(UUID)) mdpy.create("mdpy-hd", UUID);
        }
      });
      const error = await fails(world.type.create({ uuid: UUID }), "already-exists");
      stop();
      expect(error.existing).toBe(`${mdpy.path}/${UUID}`);
      expect(error.message).toContain(`${mdpy.path}/${UUID}`);
      expect(mdpy.devices).toContain(UUID);
      mdpy.remove(UUID);
    }
  });

  it("is refused although it cannot be seen where", async () => {
    for (const whileWriting of [false, true]) {
      const { simulated, type } = await makeFanWorld();
      const mdpy = simulated.addMdpy();
      if (!whileWriting) mdpy.create("mdpy-hd", UUID);
      const stop = simulated.onOperation(({ operation }) => {
        if (operation === "writeFile" && mdpy.devices.length === 0) mdpy.create("mdpy-hd", UUID);
      });
      simulated.failNext({ path: `${mdpy.path}/${UUID}/mdev_type`, errno: "EIO" });
      const error = await fails(type.create({ uuid: UUID }), "already-exists");
      stop();
      expect(error.existing).toBeUndefined();
    }
  });

  it("is never removed when it is somebody else's, not even after giving up", async () => {
    const { simulated, type, host } = await makeFanWorld();
    const mdpy = simulated.addMdpy();
    const delay = simulated.delay({ operation: "writeFile", path: /\/create$/u, ms: "forever" });
    const controller = new AbortController();
    const creation = type.create({ uuid: UUID, signal: controller.signal });
    await expect.poll(() => simulated.operations.at(-1)?.operation).toBe("writeFile");
    controller.abort();
    await fails(creation, "aborted");
    mdpy.create("mdpy-hd", UUID);
    delay.end();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect((await ok(host.devices())).map(({ id }) => id)).toEqual([UUID]);
    expect(simulated.operations.filter(({ operation }) => operation === "writeDetached")).toEqual([]);
  });
});

describe("all of it or nothing", () => {
  it("removes the device when an attribute is refused, and says which and why", async () => {
    const { simulated, type, host, told } = await makeFanWorld();
    const error = await fails(
      type.create({ uuid: UUID, attributes: [SPEED.to(1), ["refuses", "x"], SPEED.to(2)] }),
      "rejected",
    );
    expect(error.errno).toBe("EINVAL");
    expect(error.path).toBe(`/sys/devices/platform/fan.0/${UUID}/refuses`);
    expect(error.message).toContain("with its attribute refuses (2 of 3)");
    expect(told).toEqual(["speed=1\n"]);
    expect(await ok(host.devices())).toEqual([]);
    expect(simulated.operations.filter(({ operation }) => operation === "writeDetached")).toHaveLength(1);
  });

  it.each(["EIO", "EACCES", "EMFILE"] as const)(
    "leaves nothing behind when it cannot look at what was made: %s",
    async (errno) => {
      const { simulated, type, host } = await makeSerialWorld();
      simulated.failNext({ path: DEVICE, operation: "lstat", errno });
      const result = await type.create({ uuid: UUID });
      const left = (await ok(host.devices())).map(({ id }) => id);
      // Either it is there and handed out, or it is neither.
      expect(left).toEqual(result.ok ? [UUID] : []);
    },
  );

  it("tells when the kernel took the write and made nothing", async () => {
    const { simulated } = await makeSerialWorld();
    const meddler = new Meddler(simulated.fs);
    const type = await ok(
      new MdevHost({ fs: meddler.fs }).parent("mtty").map((parent) => parent.type("mtty-1")),
    );
    meddler.meddle(({ name, honest }) => (name === "writeFile" ? Promise.resolve() : honest()));
    expect((await fails(type.create({ uuid: UUID }), "gone")).path).toBe(DEVICE);
  });

  it("says what is left behind when the undo fails too", async () => {
    for (const errno of ["EIO", "EACCES", "EBUSY"] as const) {
      const { simulated, type, host } = await makeFanWorld();
      simulated.failNext({ path: /\/remove$/u, operation: "writeFile", errno });
      const error = await fails(
        type.create({ uuid: UUID, attributes: [["refuses", "x"]] }),
        "rollback-failed",
      );
      expect(error.failure).toMatchObject({ type: "rejected", errno: "EINVAL" });
      expect(error.undoFailure).toMatchObject({ errno });
      expect(error.cause).toBe(error.failure);
      expect(error.leftBehind).toBe(`/sys/devices/platform/fan.0/${UUID}`);
      expect(error.path).toBe(error.leftBehind);
      expect((await ok(host.devices())).map(({ path }) => path)).toEqual([error.leftBehind]);
    }
  });

  it("counts a device that somebody else removed meanwhile as undone", async () => {
    const { simulated, fan, type } = await makeFanWorld();
    simulated.onOperation(({ path }) => {
      if (path.endsWith("/refuses") && fan.devices.includes(UUID)) fan.remove(UUID);
    });
    const error = await fails(type.create({ uuid: UUID, attributes: [["refuses", "x"]] }), "gone");
    expect(error.path).toContain(UUID);
  });

  it("answers in the caller's time although the undo hangs", async () => {
    const { simulated, type } = await makeFanWorld();
    const delay = simulated.delay({ operation: "writeDetached", ms: "forever" });
    const creation = type.create({ uuid: UUID, attributes: [["refuses", "x"]], timeout: 50 });
    const late = new Promise<"late">((resolve) => setTimeout(() => resolve("late"), 1_000));
    const answer = await Promise.race([creation, late]);
    delay.end();
    expect((await creation).ok).toBe(false);
    expect(answer).not.toBe("late");
  });

  it.each(["an attribute", "the look at what was made"])(
    "says what is pending when the undo hangs after %s",
    async (step) => {
      const { simulated, type } = await makeFanWorld();
      const delay = simulated.delay({ operation: "writeDetached", ms: "forever" });
      if (step !== "an attribute") {
        const stop = simulated.onOperation(({ operation, path }) => {
          if (operation !== "writeFile" || !path.endsWith("/create")) return;
          stop();
          simulated.failNext({ operation: "lstat", path: `${type.parent.path}/${UUID}`, errno: "EIO" });
        });
      }
      const creation = type.create({ uuid: UUID, attributes: [["refuses", "x"]], timeout: 50 });
      expect((await fails(creation, "timeout")).pending).toContain("it is removed again");
      await new Promise((resolve) => setTimeout(resolve, 30));
      const removals = simulated.operations.filter(({ operation }) => operation === "writeDetached");
      expect(removals).toHaveLength(1); // one undo is enough
      delay.end();
    },
  );
});

describe("giving up", () => {
  const OPTIONS = {
    uuid: UUID,
    attributes: [
      ["nvidia/vgpu_params", "a=1\n"],
      ["nvidia/vgpu_params", "b=1\n"],
    ],
  } satisfies CreateOptions;

  async function countCalls(): Promise<{ readonly all: number; readonly write: number }> {
    const { simulated, gpu, type } = await makeWorld();
    gpu.remove(UUID);
    const before = simulated.operations.length;
    await ok(type.create(OPTIONS));
    const calls = simulated.operations.slice(before);
    return {
      all: calls.length,
      write: calls.findIndex(({ path }) => path.endsWith("/create") && path.includes("types")) + 1,
    };
  }

  it.each(["timeout", "aborted"] as const)(
    "leaves no device behind, whichever call hangs: %s",
    async (how) => {
      const { all } = await countCalls();
      expect(all).toBeGreaterThan(8);
      for (let hanging = 1; hanging <= all; hanging++) {
        const { simulated, gpu, type, host } = await makeWorld();
        gpu.remove(UUID);
        const delays: { end(): void }[] = [];
        const controller = new AbortController();
        let call = 0;
        const progress = { created: false };
        const stop = simulated.onOperation(({ operation, path }) => {
          call += 1;
          if (operation === "writeFile" && path.endsWith("/create")) progress.created = true;
          if (call !== hanging) return;
          delays.push(simulated.delay({ operation, path, times: 1, ms: "forever" }));
          setImmediate(() => controller.abort(new Error("enough")));
        });
        const limits = how === "timeout" ? { timeout: 3 } : { signal: controller.signal };
        const error = await fails(type.create({ ...OPTIONS, ...limits }), how);
        expect(error.pending, `call ${hanging}`).toBe(
          progress.created
            ? `If the kernel made ${UUID}, or still makes it, it is removed again.`
            : undefined,
        );
        if (error.pending !== undefined) expect(error.message).toContain(error.pending);
        stop();
        for (const delay of delays) delay.end();
        await expect.poll(async () => (await ok(host.devices())).length).toBe(0);
        await new Promise((resolve) => setImmediate(resolve));
        expect(gpu.devices, `call ${hanging}`).toEqual([]);
      }
    },
  );

  it("waits for its own creation before it undoes it, however long that takes", async () => {
    const { simulated, mtty, type, host } = await makeSerialWorld();
    const pause = simulated.pauseCreate({ before: "active" });
    const creation = type.create({ uuid: UUID, timeout: 5 });
    await pause.reached;
    await fails(creation, "timeout");
    await new Promise((resolve) => setTimeout(resolve, 20));
    // A removal now would leave it there for good.
    expect(simulated.operations.filter(({ operation }) => operation === "writeDetached")).toEqual([]);
    expect(mtty.devices).toEqual([UUID]);
    pause.resume();
    await expect.poll(() => mtty.devices).toEqual([]);
    expect(await ok(host.devices())).toEqual([]);
    expect(await ok(type.availableInstances.read())).toBe(24);
  });

  it("undoes nothing that was never made", async () => {
    const { simulated, type, host } = await makeSerialWorld();
    const delay = simulated.delay({ operation: "writeFile", path: `${MTTY_1}/create`, ms: "forever" });
    simulated.failNext({ operation: "writeFile", path: `${MTTY_1}/create`, errno: "EINVAL" });
    await fails(type.create({ uuid: UUID, timeout: 5 }), "timeout");
    delay.end();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(simulated.operations.filter(({ operation }) => operation === "writeDetached")).toEqual([]);
    expect(await ok(host.devices())).toEqual([]);
  });
});

describe("an encoder that a stranger wrote", () => {
  const angry: Codec<number> = {
    decode: () => Result.ok(1),
    encode: () => Result.error("is not to its liking"),
  };

  it("refuses a value with its own words", async () => {
    const { type, host } = await makeFanWorld();
    const error: AnyMdevError = await fails(
      type.create({ uuid: OTHER_UUID, attributes: [writeOnly("speed", angry).to(1)] }),
      "invalid-argument",
    );
    expect(error.message).toContain('the value for "speed" is not to its liking');
    expect(await ok(host.devices())).toEqual([]);
  });
});
