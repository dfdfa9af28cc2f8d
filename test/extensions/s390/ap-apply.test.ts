import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyMatrix, VfioApDevice, type WantedApConfig } from "../../../src/extensions/s390/index.js";
import { type FileSystem, MdevHost } from "../../../src/index.js";
import { tinyConfig } from "./ap-arbitraries.js";
import { errorOf, machine, PARENT, TYPE, uuid } from "./ap-machine.js";

const BOTH = ["6.12", "6.1"] as const;
const SMALL = { adapters: [0, 1, 2], domains: [0, 1, 2], freed: { adapters: [0, 1, 2] } };
const BEFORE = { adapters: [0, 1], domains: [0], controlDomains: [1] };
const WANTED = { adapters: [1, 2], domains: [1, 2], controlDomains: [0] };
// what each step of it is, without ap_config
const STEPS = [
  "unassign_adapter 0x0",
  "unassign_domain 0x0",
  "unassign_control_domain 0x1",
  "assign_adapter 0x2",
  "assign_domain 0x1",
  "assign_domain 0x2",
  "assign_control_domain 0x0",
];
const UNDO = STEPS.map((step) => (step.startsWith("un") ? step.slice(2) : `un${step}`)).reverse();

describe.each(BOTH)("a matrix that is applied, on Linux %s", (driver) => {
  const isNew = driver === "6.12";

  it("is exactly what was wanted, with the fewest writes", async () => {
    const { add, writes } = machine({ ...SMALL, driver });
    const device = await add(uuid(1), BEFORE);
    const outcome = await applyMatrix(device, WANTED).getOrThrow();
    expect(outcome).toMatchObject({ before: BEFORE, after: WANTED });
    expect(writes()).toEqual(isNew ? [expect.stringMatching(/^ap_config 0x6/)] : STEPS);
    expect(outcome.writes).toHaveLength(isNew ? 1 : STEPS.length);
    expect(await device.config().getOrThrow()).toEqual(WANTED);
    expect((await applyMatrix(device, WANTED).getOrThrow()).writes).toEqual([]);
    expect(writes()).toEqual([]);
  });

  it("leaves control domains alone that nothing is said of", async () => {
    const { add } = machine({ ...SMALL, driver });
    const device = await add(uuid(1), BEFORE);
    await applyMatrix(device, { adapters: [], domains: [2] }).getOrThrow();
    expect(await device.config().getOrThrow()).toEqual({ adapters: [], domains: [2], controlDomains: [1] });
  });

  it("comes from any configuration to any other", async () => {
    await fc.assert(
      fc.asyncProperty(tinyConfig, tinyConfig, async (from, to) => {
        const { add } = machine({ ...SMALL, driver });
        const device = await add(uuid(1), from);
        const { before, after } = await applyMatrix(device, to).getOrThrow();
        expect([before, after, await device.config().getOrThrow()]).toEqual([from, to, to]);
      }),
      { numRuns: 50 },
    );
  });

  it("never gets in the way of others on its way", async () => {
    // 5.4 → 6.7 would collide with 6.4, were the new adapter assigned before the old domain goes
    const { add } = machine({ domains: [4, 7], driver });
    await add(uuid(2), { adapters: [6], domains: [4] });
    const device = await add(uuid(1), { adapters: [5], domains: [4] });
    await applyMatrix(device, { adapters: [6], domains: [7] }).getOrThrow();
    expect(await device.matrix.readRaw().getOrThrow()).toBe("06.0007\n");
  });

  it("that somebody else has changes nothing, and says so", async () => {
    const { add } = machine({ ...SMALL, driver });
    await add(uuid(2), { adapters: [2], domains: [2] });
    const device = await add(uuid(1), BEFORE);
    const error = errorOf(await applyMatrix(device, WANTED));
    expect(error).toMatchObject({ type: "conflict", errno: "EADDRINUSE" });
    expect(await device.config().getOrThrow()).toEqual(BEFORE);
  });

  it("that the host reserves changes nothing, and says so", async () => {
    const { add } = machine({ ...SMALL, freed: { adapters: [0, 1] }, driver });
    const device = await add(uuid(1), BEFORE);
    expect(errorOf(await applyMatrix(device, WANTED))).toMatchObject({
      type: "conflict",
      errno: "EADDRNOTAVAIL",
    });
    expect(await device.config().getOrThrow()).toEqual(BEFORE);
  });

  it("above the machine's maximum is rejected", async () => {
    const { add } = machine({ ...SMALL, freed: { adapters: [0, 1, 2, 3] }, maxAdapterId: 2, driver });
    const device = await add(uuid(1), BEFORE);
    const error = errorOf(await applyMatrix(device, { adapters: [0, 3], domains: [1] }));
    expect(error).toMatchObject({ type: "rejected", errno: "ENODEV" });
    expect(await device.config().getOrThrow()).toEqual(BEFORE);
  });

  it("that is none is refused before any I/O", async () => {
    const { add, simulated } = machine({ ...SMALL, driver });
    const device = await add(uuid(1));
    const calls = simulated.operations.length;
    const wrong = [
      { adapters: [256], domains: [] },
      { adapters: [1] },
      null,
      { ...WANTED, controlDomains: "1" },
    ];
    for (const wanted of wrong)
      expect(errorOf(await applyMatrix(device, wanted as WantedApConfig)).type).toBe("invalid-argument");
    expect(simulated.operations).toHaveLength(calls);
  });

  it("of a device that is gone, is gone", async () => {
    const { add, hardware } = machine({ ...SMALL, driver });
    const device = await add(uuid(1), BEFORE);
    hardware.remove(uuid(1));
    expect(errorOf(await applyMatrix(device, WANTED)).type).toBe("gone");
  });

  it("ends when the caller's limit strikes, and says what may still happen", async () => {
    const { add, simulated } = machine({ ...SMALL, driver });
    const device = await add(uuid(1), BEFORE);
    const path = `${PARENT}/${uuid(1)}/${isNew ? "ap_config" : "assign_domain"}`;
    simulated.delay({ path, operation: "writeFile", ms: 30, times: 1 });
    const error = errorOf(await applyMatrix(device, WANTED, { timeout: 15 }));
    expect(error.type === "timeout" && error.pending).toMatch(/may still take effect/);
    if (!isNew) expect(await device.config().getOrThrow()).toEqual(BEFORE);
    expect(errorOf(await applyMatrix(device, WANTED, { signal: AbortSignal.abort() })).type).toBe("aborted");
  });
});

describe("the undo without ap_config", () => {
  it.each(STEPS.map((step, index) => [index, step] as const))("after step %d, %s", async (index) => {
    const { add, simulated, writes } = machine({ ...SMALL, driver: "6.1" });
    const device = await add(uuid(1), BEFORE);
    const file = `${PARENT}/${uuid(1)}/${STEPS[index]?.split(" ")[0] ?? ""}`;
    const end = simulated.onOperation(({ path, text }) => {
      if (path !== file || text?.trim() !== STEPS[index]?.split(" ")[1]) return;
      end();
      simulated.failNext({ path: file, operation: "writeFile", errno: "EBUSY" });
    });
    const error = errorOf(await applyMatrix(device, WANTED));
    expect(error).toMatchObject({ type: "busy", errno: "EBUSY" });
    expect(await device.config().getOrThrow()).toEqual(BEFORE);
    expect(writes()).toEqual([...STEPS.slice(0, index + 1), ...UNDO.slice(STEPS.length - index)]);
  });

  it.each(STEPS.slice(1).map((_, index) => index + 1))(
    "that fails too keeps both errors, after step %d",
    async (index) => {
      const { add, simulated } = machine({ ...SMALL, driver: "6.1" });
      const device = await add(uuid(1), BEFORE);
      let write = 0;
      simulated.onOperation(({ path, text }) => {
        if (text === undefined) return;
        if (write === index) simulated.failNext({ path, errno: "EADDRINUSE" });
        if (write === index + 1) simulated.failNext({ path, errno: "EIO" });
        write++;
      });
      const error = errorOf(await applyMatrix(device, WANTED));
      expect(error).toMatchObject({
        type: "rollback-failed",
        leftBehind: `${PARENT}/${uuid(1)}`,
        failure: { errno: "EADDRINUSE" },
        undoFailure: { type: "io", errno: "EIO" },
      });
      expect(error.message).toMatch(/EADDRINUSE.*EIO/);
      // the other steps are taken back all the same
      const now = await device.config().getOrThrow();
      const size = ({ adapters, domains, controlDomains }: typeof now): number =>
        adapters.length + domains.length + controlDomains.length;
      expect(Math.abs(size(now) - size(BEFORE))).toBe(1);
    },
  );

  it("is not needed where the device is gone", async () => {
    const { add, simulated, hardware } = machine({ ...SMALL, driver: "6.1" });
    const device = await add(uuid(1), BEFORE);
    simulated.onOperation(({ path }) => {
      if (path.endsWith("/assign_adapter") && hardware.devices.length > 0) hardware.remove(uuid(1));
    });
    expect(errorOf(await applyMatrix(device, WANTED)).type).toBe("gone");
  });

  it("takes back what was wanted when the end cannot be seen", async () => {
    const { add, simulated } = machine({ ...SMALL, driver: "6.1" });
    const device = await add(uuid(1), BEFORE);
    const end = simulated.onOperation(({ path }) => {
      if (!path.endsWith("/assign_control_domain")) return;
      end();
      simulated.failNext({ path: `${PARENT}/${uuid(1)}/matrix`, operation: "readFile", errno: "EIO" });
    });
    expect(errorOf(await applyMatrix(device, WANTED)).type).toBe("io");
    expect(await device.config().getOrThrow()).toEqual(BEFORE);
  });
});

describe("the undo of ap_config", () => {
  const ended = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60));

  it("is nothing where the kernel refused: it changed nothing", async () => {
    const { add, simulated, writes } = machine(SMALL);
    const device = await add(uuid(1), BEFORE);
    simulated.failNext({ path: device.apConfig.path ?? "", operation: "writeFile", errno: "EBUSY" });
    expect(errorOf(await applyMatrix(device, WANTED)).type).toBe("busy");
    expect(writes()).toHaveLength(1);
  });

  it("leaves alone what somebody else wrote since then", async () => {
    const { add, simulated, hardware, writes } = machine(SMALL);
    const device = await add(uuid(1), BEFORE);
    simulated.delay({ path: device.apConfig.path ?? "", operation: "writeFile", ms: 40, times: 1 });
    const applying = applyMatrix(device, WANTED, { timeout: 10 });
    await new Promise((resolve) => setTimeout(resolve, 2));
    hardware.assign(uuid(1), { domains: [2] });
    expect(errorOf(await applying).type).toBe("timeout");
    expect(writes()).toHaveLength(1);
    await ended();
  });
});

describe("a write that the kernel obeyed, and whose answer came too late", () => {
  it.each(BOTH)("is taken back with the others, on Linux %s", async (driver) => {
    const { simulated, hardware } = machine({ ...SMALL, driver });
    hardware.assign(hardware.create(TYPE, uuid(1)), BEFORE);
    let mute = true;
    const writeFile: FileSystem["writeFile"] = async (path, text, options) => {
      await simulated.fs.writeFile(path, text, options);
      if (!mute || !/\/(?:ap_config|assign_domain)$/.test(path)) return;
      mute = false;
      await new Promise(() => undefined);
    };
    const host = new MdevHost({ fs: { ...simulated.fs, writeFile } });
    const device = await (await host.device(uuid(1)).getOrThrow()).as(VfioApDevice).getOrThrow();
    const error = errorOf(await applyMatrix(device, WANTED, { timeout: 20 }));
    expect(error.type).toBe("timeout");
    expect(await device.config().getOrThrow()).toEqual(BEFORE);
  });

  it("is left behind with both errors where nobody can see whether the kernel obeyed", async () => {
    const { add, simulated } = machine(SMALL);
    const device = await add(uuid(1), BEFORE);
    const path = device.apConfig.path ?? "";
    simulated.delay({ path, operation: "writeFile", ms: 40, times: 1 });
    const end = simulated.onOperation(({ operation }) => {
      if (operation === "writeFile") simulated.failNext({ path, operation: "readFile", errno: "EIO" });
    });
    const error = errorOf(await applyMatrix(device, WANTED, { timeout: 10 }));
    end();
    expect(error).toMatchObject({
      type: "rollback-failed",
      failure: { type: "timeout" },
      undoFailure: { errno: "EIO" },
    });
  });
});

describe("two at the same time", () => {
  it("on one device: one whole configuration with ap_config", async () => {
    const { add } = machine(SMALL);
    const device = await add(uuid(1));
    const other = { ...BEFORE, controlDomains: [0] };
    const results = await Promise.all([applyMatrix(device, WANTED), applyMatrix(device, other)]);
    expect(results.every(({ ok }) => ok)).toBe(true);
    expect([WANTED, other]).toContainEqual(await device.config().getOrThrow());
  });

  it("on one device without it: a mixture is seen, and is success for nobody", async () => {
    const { add } = machine({ ...SMALL, driver: "6.1" });
    const device = await add(uuid(1));
    const results = await Promise.all([
      applyMatrix(device, { adapters: [0], domains: [0] }),
      applyMatrix(device, { adapters: [1], domains: [1] }),
    ]);
    expect(results.map((result) => errorOf(result).type)).toEqual(["conflict", "conflict"]);
    expect(await device.config().getOrThrow()).toEqual({ adapters: [], domains: [], controlDomains: [] });
  });

  it.each(BOTH)("on two devices: never both the same queue, on Linux %s", async (driver) => {
    await fc.assert(
      fc.asyncProperty(tinyConfig, tinyConfig, async (one, other) => {
        const { add } = machine({ ...SMALL, driver });
        const [a, b] = [await add(uuid(1)), await add(uuid(2))];
        const results = await Promise.all([applyMatrix(a, one), applyMatrix(b, other)]);
        const clash =
          one.adapters.some((id) => other.adapters.includes(id)) &&
          one.domains.some((id) => other.domains.includes(id));
        expect(results.filter(({ ok }) => !ok).length).toBeGreaterThanOrEqual(clash ? 1 : 0);
        if (!clash) expect(results.every(({ ok }) => ok)).toBe(true);
        const empty = { adapters: [], domains: [], controlDomains: [] };
        expect(await a.config().getOrThrow()).toEqual(results[0].ok ? one : empty);
        expect(await b.config().getOrThrow()).toEqual(results[1].ok ? other : empty);
      }),
      { numRuns: 50 },
    );
  });
});
