import { describe, expect, it } from "vitest";
import { type MdevDevice, MdevHost } from "../../src/index.js";
import { Errno, SimulatedHost } from "../../src/testing/index.js";
import { fails, ok } from "../contract/expect.js";
import { UUID } from "../support/world.js";

interface LampWorld {
  readonly simulated: SimulatedHost;
  readonly device: MdevDevice;
  readonly remove: () => void;
  readonly values: Map<string, string>;
}

/** A device with two values that can be read and written, one that can only be written, and one that takes none but `on`. */
async function makeLampWorld(): Promise<LampWorld> {
  const simulated = new SimulatedHost();
  const values = new Map([
    ["colour", "red\n"],
    ["level", ""],
    ["mode", "on\n"],
  ]);
  const value = (name: string, taken = /./su) => ({
    read: () => values.get(name) ?? "",
    write: (_device: unknown, text: string) => {
      if (!taken.test(text)) throw new Errno("EINVAL");
      values.set(name, text);
    },
  });
  const lamp = simulated.addParent({
    path: "devices/platform/lamp.0",
    subsystem: "bus/platform",
    deviceDriver: "lamp_mdev",
    types: [{ id: "lamp-small" }],
    capacity: 2,
    deviceAttributes: {
      colour: value("colour"),
      "vendor/level": value("level"),
      mode: value("mode", /^on\n?$/u),
      blink: { write: () => void values.set("blink", "done") },
    },
  });
  lamp.create("lamp-small", UUID);
  const device = await ok(new MdevHost({ fs: simulated.fs }).device(UUID));
  return { simulated, device, values, remove: () => lamp.remove(UUID) };
}

const COLOUR = ["colour", "green\n"] as const;
const LEVEL = ["vendor/level", "7\n"] as const;
const REFUSED = ["mode", "off\n"] as const;

describe("several attributes", () => {
  it("are written in their order, one write each", async () => {
    const { simulated, device, values } = await makeLampWorld();
    await ok(device.setAttributes([COLOUR, LEVEL, ["colour", "blue"]]));
    expect([...values]).toEqual([
      ["colour", "blue"],
      ["level", "7\n"],
      ["mode", "on\n"],
    ]);
    expect(simulated.operations.flatMap(({ text }) => text ?? [])).toEqual(["green\n", "7\n", "blue"]);
  });

  it("are set back when one is refused, the last one first; the error says which, and what came before it", async () => {
    const { simulated, device, values } = await makeLampWorld();
    const error = await fails(device.setAttributes([COLOUR, LEVEL, ["colour", "blue"], REFUSED]), "rejected");
    expect(error.message).toContain("with its attribute mode (4 of 4)");
    expect(error.progress).toEqual({ failed: "mode", written: ["colour", "vendor/level", "colour"] });
    expect(values.get("colour")).toBe("red\n");
    // What was empty gets a newline: a write of nothing would not reach the driver.
    expect(values.get("level")).toBe("\n");
    expect(simulated.operations.flatMap(({ text }) => text ?? []).slice(-2)).toEqual(["red\n", "\n"]);
  });

  it("say what cannot be set back because nobody can read it", async () => {
    const { device, values } = await makeLampWorld();
    const error = await fails(device.setAttributes([COLOUR, ["blink", "1"], REFUSED]), "rollback-failed");
    expect(error.failure).toMatchObject({ type: "rejected", errno: "EINVAL" });
    expect(error.undoFailure).toMatchObject({ type: "unsupported", missing: "reading blink" });
    expect(error.progress).toEqual({ failed: "mode", written: ["colour", "blink"] });
    expect(values.get("colour")).toBe("red\n"); // the rest is set back all the same
  });

  it("say when setting back fails", async () => {
    const { simulated, device } = await makeLampWorld();
    simulated.onOperation(({ text }) => {
      if (text === "off\n") simulated.failNext({ path: /colour$/u, operation: "writeFile", errno: "EIO" });
    });
    const error = await fails(device.setAttributes([COLOUR, REFUSED]), "rollback-failed");
    expect(error.undoFailure).toMatchObject({ type: "io", errno: "EIO" });
    expect(error.leftBehind).toBe(device.path);
  });

  it("are refused before any I/O when one of them cannot be", async () => {
    const { simulated, device } = await makeLampWorld();
    const before = simulated.operations.length;
    for (const wrong of [
      [COLOUR, ["../remove", "1"]],
      [["colour", ""]],
      "colour",
      [COLOUR, undefined],
      undefined,
    ]) {
      await fails(device.setAttributes(wrong as never), "invalid-argument");
    }
    expect(simulated.operations).toHaveLength(before);
  });

  it("are set back behind the caller's back when the limit strikes, once the write has returned", async () => {
    const { simulated, device, values } = await makeLampWorld();
    const delay = simulated.delay({ operation: "writeFile", path: /level$/u, times: 1, ms: "forever" });
    const error = await fails(device.setAttributes([COLOUR, LEVEL], { timeout: 20 }), "timeout");
    expect(error.pending).toContain("set back");
    expect(error.progress).toEqual({ failed: "vendor/level", written: ["colour"] });
    expect(values.get("colour")).toBe("green\n");
    delay.end();
    await expect.poll(() => values.get("colour")).toBe("red\n");
    expect(values.get("level")).toBe("\n");
  });

  it("are not touched where the kernel refused what was under way when the limit struck", async () => {
    const { simulated, device, values } = await makeLampWorld();
    const delay = simulated.delay({ operation: "writeFile", path: /level$/u, times: 1, ms: "forever" });
    simulated.failNext({ operation: "writeFile", path: /level$/u, errno: "EIO" });
    await fails(device.setAttributes([COLOUR, LEVEL], { timeout: 20 }), "timeout");
    delay.end();
    await expect.poll(() => values.get("colour")).toBe("red\n");
    expect(values.get("level")).toBe("");
    expect(simulated.operations.flatMap(({ text }) => text ?? [])).toEqual(["green\n", "7\n", "red\n"]);
  });

  it("are set back in the opposite order", async () => {
    const { simulated, device } = await makeLampWorld();
    await fails(device.setAttributes([LEVEL, COLOUR, REFUSED]), "rejected");
    expect(simulated.operations.flatMap(({ text }) => text ?? []).slice(-2)).toEqual(["red\n", "\n"]);
  });

  it("go with their device", async () => {
    const { simulated, device, remove } = await makeLampWorld();
    const stop = simulated.onOperation(({ text }) => {
      if (text !== LEVEL[1]) return;
      stop();
      remove();
    });
    await fails(device.setAttributes([COLOUR, LEVEL]), "gone");
  });

  it("can be none", async () => {
    const { device } = await makeLampWorld();
    await ok(device.setAttributes([]));
  });
});
