import { describe, expect, it } from "vitest";
import { findApConflicts, readApHost } from "../../../src/extensions/s390/index.js";
import { type FileSystem, MdevHost } from "../../../src/index.js";
import { SimulatedHost } from "../../../src/testing/index.js";
import { errorOf, machine } from "./ap-machine.js";

const APMASK = "/sys/bus/ap/apmask";

describe("the host's side of the AP bus", () => {
  it("is what the host has for itself", async () => {
    const { simulated } = machine({ adapters: [4, 5], maxAdapterId: 63, maxDomainId: 84, domains: [4] });
    const facts = await readApHost(new MdevHost({ fs: simulated.fs })).getOrThrow();
    expect(facts).toMatchObject({ maxAdapterId: 63, maxDomainId: 84 });
    expect([facts.apmask.length, facts.aqmask.length]).toEqual([254, 256]);
    expect([facts, facts.apmask, facts.aqmask].every(Object.isFrozen)).toBe(true);
    const { conflicts, adaptersTooHigh } = findApConflicts(
      { adapters: [4, 5, 200], domains: [4] },
      { devices: {}, host: facts },
    );
    expect(conflicts.map(({ queues }) => String(queues))).toEqual(["04.0004, c8.0004"]);
    expect(adaptersTooHigh).toEqual([200]);
  });

  it("is where sysfs is", async () => {
    const simulated = new SimulatedHost({ sysfs: "/mnt/sys" });
    simulated.addMatrix();
    for (const sysfs of ["/mnt/sys", "/mnt/sys/"])
      expect((await readApHost(new MdevHost({ fs: simulated.fs, sysfs })).getOrThrow()).apmask).toHaveLength(
        256,
      );
  });

  it("is unsupported on a machine without it", async () => {
    const error = errorOf(await readApHost(new MdevHost({ fs: new SimulatedHost().fs })));
    expect(error).toMatchObject({ type: "unsupported", missing: APMASK, path: APMASK });
  });

  it.each([
    ["EACCES", "permission"],
    ["EIO", "io"],
    ["EINTR", "io"],
  ] as const)("%s is %s", async (errno, type) => {
    const { simulated } = machine();
    simulated.failNext({ path: "/sys/bus/ap/ap_max_domain_id", errno });
    expect(errorOf(await readApHost(new MdevHost({ fs: simulated.fs })))).toMatchObject({ type, errno });
  });

  it("is not guessed from a text that nobody understands, nor from a file system that does what it likes", async () => {
    const { simulated } = machine();
    const says = (text: unknown): FileSystem => ({
      ...simulated.fs,
      readFile: () => Promise.resolve(text as string),
    });
    expect(errorOf(await readApHost(new MdevHost({ fs: says("not supported\n") })))).toMatchObject({
      type: "decode",
      raw: "not supported\n",
      path: APMASK,
    });
    expect(errorOf(await readApHost(new MdevHost({ fs: says(undefined) }))).type).toBe("io");
    const throws: FileSystem = {
      ...simulated.fs,
      readFile: () => {
        throw new Error("no");
      },
    };
    expect(errorOf(await readApHost(new MdevHost({ fs: throws }))).type).toBe("io");
  });

  it("obeys the caller's limits", async () => {
    const { simulated } = machine();
    simulated.delay({ path: APMASK, ms: "forever" });
    expect(errorOf(await readApHost(new MdevHost({ fs: simulated.fs }), { timeout: 5 })).type).toBe(
      "timeout",
    );
    const controller = new AbortController();
    const reading = readApHost(new MdevHost({ fs: simulated.fs }), { signal: controller.signal });
    controller.abort();
    expect(errorOf(await reading).type).toBe("aborted");
    expect(
      errorOf(await readApHost(new MdevHost({ fs: simulated.fs }), { signal: AbortSignal.abort() })).type,
    ).toBe("aborted");
  });
});
