import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { vgpuDescription, type VgpuDescription } from "../../../src/extensions/nvidia/index.js";
import { DESCRIPTIONS, printed } from "./catalogue.js";

const MIB = 2 ** 20;
const KNOWN = ["num_heads", "frl_config", "framebuffer", "max_resolution", "max_instance"];
const { decode, encode } = vgpuDescription;

const count = fc.integer({ min: 0, max: 999_999_999_999_999 });
const pixels = fc.integer({ min: 0, max: 999_999_999 });
const maybe = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(values, { nil: undefined });
const key = fc.stringMatching(/^[a-z_][a-z_0-9 ]{0,10}[a-z]$/).filter((name) => !KNOWN.includes(name));
const facts: fc.Arbitrary<VgpuDescription> = fc.record({
  heads: maybe(count),
  frameRateLimit: maybe(count),
  framebufferBytes: maybe(fc.integer({ min: 0, max: 999_999_999 }).map((size) => size * MIB)),
  maxResolution: maybe(fc.record({ width: pixels, height: pixels })),
  maxInstances: maybe(count),
  others: fc.dictionary(
    fc.oneof(key, fc.constantFrom("__proto__", "constructor")),
    fc.stringMatching(/^[a-z0-9=:.]{0,10}$/),
    { noNullPrototype: true },
  ),
});

describe("vgpuDescription", () => {
  it.each(DESCRIPTIONS)("understands that of $name, and writes it again", (described) => {
    const raw = printed(described);
    const decoded = decode(raw).getOrThrow();
    const [width, height] = described.resolution;
    expect(decoded).toEqual({
      heads: described.heads,
      frameRateLimit: described.frameRate,
      framebufferBytes: described.mebibytes * MIB,
      maxResolution: { width, height },
      maxInstances: described.instances,
      others: {},
    });
    expect(`${encode(decoded).getOrThrow()}\n`).toBe(raw);
  });

  it("knows enough descriptions that exist", () => {
    expect(new Set(DESCRIPTIONS.map(printed)).size).toBeGreaterThanOrEqual(15);
  });

  it("leaves out what is missing, and keeps what it does not know", () => {
    expect(decode("framebuffer=1024M, class=NVS, license=GRID=2.0,\n").getOrThrow()).toEqual({
      heads: undefined,
      frameRateLimit: undefined,
      framebufferBytes: 1024 * MIB,
      maxResolution: undefined,
      maxInstances: undefined,
      others: { class: "NVS", license: "GRID=2.0" },
    });
    expect(encode(decode("").getOrThrow()).getOrThrow()).toBe("");
  });

  it.each([
    ["num_heads=four", "has no num_heads such as 4"],
    ["num_heads=", "has no num_heads such as 4"],
    ["num_heads=-1", "has no num_heads such as 4"],
    ["num_heads=4.5", "has no num_heads such as 4"],
    ["frl_config=0x2d", "has no frl_config such as 4"],
    ["framebuffer=2048", "has no framebuffer such as 2048M"],
    ["framebuffer=2G", "has no framebuffer such as 2048M"],
    ["framebuffer=2048MB", "has no framebuffer such as 2048M"],
    ["framebuffer=M", "has no framebuffer such as 2048M"],
    ["max_resolution=5120", "has no max_resolution such as 1920x1200"],
    ["max_resolution=5120x2880x24", "has no max_resolution such as 1920x1200"],
    ["max_instance=1e3", "has no max_instance such as 4"],
    ["max_instance=9999999999999999", "has no max_instance such as 4"],
    ["num_heads=4, num_heads=4", 'holds "num_heads" twice'],
    ["num_heads=4, class=A, class=B", 'holds "class" twice'],
    ["num_heads=4 max_instance=2", "has no num_heads such as 4"],
    ["virtual display, 4 MB video memory", 'holds "virtual display", which is no pair'],
    ["=4", 'holds "=4", which is no pair'],
    ["x".repeat(99), `holds "${"x".repeat(40)}…", which is no pair`],
  ])("refuses %j", (raw, reason) => {
    const decoded = decode(raw);
    expect(!decoded.ok && decoded.error).toBe(reason);
  });

  it.each([
    [{ heads: -1 }, "has a heads that cannot be written such as 4"],
    [{ heads: NaN }, "has a heads that cannot be written such as 4"],
    [{ framebufferBytes: MIB + 1 }, "has a framebufferBytes that cannot be written such as 2048M"],
    [
      { maxResolution: { width: 1.5, height: 1 } },
      "has a maxResolution that cannot be written such as 1920x1200",
    ],
    [{ others: { "a=b": "1" } }, 'has an unknown pair "a=b" that cannot be written'],
    [{ others: { "": "1" } }, 'has an unknown pair "" that cannot be written'],
    [{ others: { a: "1,b=2" } }, 'has an unknown pair "a" that cannot be written'],
    [{ others: { a: "1\nb" } }, 'has an unknown pair "a" that cannot be written'],
    [{ others: { a: " 1" } }, 'has an unknown pair "a" that cannot be written'],
    [{ others: { num_heads: "2" } }, 'has an unknown pair "num_heads" that cannot be written'],
  ])("does not write %j", (wrong, reason) => {
    const encoded = encode({ ...decode("num_heads=4").getOrThrow(), ...wrong });
    expect(!encoded.ok && encoded.error).toBe(reason);
  });

  it("decodes what it encoded", () => {
    fc.assert(
      fc.property(facts, fc.constantFrom("", "\n"), (value, newline) => {
        const decoded = decode(`${encode(value).getOrThrow()}${newline}`).getOrThrow();
        expect(decoded).toEqual(value);
        expect(Object.entries(decoded.others)).toEqual(Object.entries(value.others));
        expect([decoded, decoded.others, decoded.maxResolution].every(Object.isFrozen)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("takes any text for facts that it can write again, or says why not", () => {
    const nearly = fc
      .array(
        fc.tuple(
          fc.constantFrom(...KNOWN, "a", " b"),
          fc.constantFrom("=", " = ", ":"),
          fc.constantFrom("4", "4M", "4x4", "", " 4 "),
        ),
      )
      .map((parts) => parts.map((part) => part.join("")).join(", "));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary", maxLength: 200 }), nearly), (raw) => {
        const decoded = decode(raw);
        if (!decoded.ok) expect(decoded.error).toMatch(/^(?:holds|has) /);
        else expect(decode(encode(decoded.value).getOrThrow()).getOrThrow()).toEqual(decoded.value);
      }),
      { numRuns: 1000 },
    );
  });
});
