import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gvtDescription, type GvtDescription } from "../../../src/extensions/intel/index.js";

const MIB = 2 ** 20;
const KNOWN = ["low_gm_size", "high_gm_size", "fence", "resolution", "weight"];
const { decode, encode } = gvtDescription;

// Linux, drivers/gpu/drm/i915/gvt/vgpu.c: type, low and high in MiB, fences, resolution, weight
const TYPES = [
  ["i915-GVTg_V5_8", 64, 384, 4, 1024, 768, 2],
  ["i915-GVTg_V5_4", 128, 512, 4, 1920, 1200, 4],
  ["i915-GVTg_V5_2", 256, 1024, 4, 1920, 1200, 8],
  ["i915-GVTg_V5_1", 512, 2048, 4, 1920, 1200, 16],
] as const;

const count = fc.integer({ min: 0, max: 999_999_999_999_999 });
const bytes = fc.integer({ min: 0, max: 999_999_999 }).map((size) => size * MIB);
const pixels = fc.integer({ min: 0, max: 999_999_999 });
const maybe = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(values, { nil: undefined });
const facts: fc.Arbitrary<GvtDescription> = fc.record({
  lowGmBytes: maybe(bytes),
  highGmBytes: maybe(bytes),
  fences: maybe(count),
  resolution: maybe(fc.record({ width: pixels, height: pixels })),
  weight: maybe(count),
  others: fc.dictionary(
    fc.stringMatching(/^[a-z_][a-z_0-9 ]{0,10}[a-z]$/).filter((name) => !KNOWN.includes(name)),
    fc.stringMatching(/^[a-z0-9=:.,]{0,10}$/),
    { noNullPrototype: true },
  ),
});

describe("gvtDescription", () => {
  describe.each(TYPES)("of %s", (_id, low, high, fences, width, height, weight) => {
    const lines = [
      `low_gm_size: ${low}MB`,
      `high_gm_size: ${high}MB`,
      `fence: ${fences}`,
      `resolution: ${width}x${height}`,
      `weight: ${weight}`,
    ];
    const expected = {
      lowGmBytes: low * MIB,
      highGmBytes: high * MIB,
      fences,
      resolution: { width, height },
      weight,
      others: {},
    };

    it("is understood, and written again", () => {
      const decoded = decode(`${lines.join("\n")}\n`).getOrThrow();
      expect(decoded).toEqual(expected);
      expect(encode(decoded).getOrThrow()).toBe(lines.join("\n"));
    });

    it("is understood in one line, as mdevctl shows it", () => {
      expect(decode(lines.join(", ")).getOrThrow()).toEqual(expected);
    });
  });

  it("leaves out what is missing, and keeps what it does not know", () => {
    const decoded = decode("low_gm_size: 128MB\nweight: 4\naggregation: yes\n").getOrThrow();
    expect(decoded).toEqual({
      lowGmBytes: 128 * MIB,
      highGmBytes: undefined,
      fences: undefined,
      resolution: undefined,
      weight: 4,
      others: { aggregation: "yes" },
    });
  });

  it.each(["fence: 4\nresolution: \nweight: 4\n", "fence: 4, resolution: , weight: 4", "resolution:"])(
    "takes the empty resolution in %j for none",
    (raw) => {
      expect(decode(raw).getOrThrow()).toMatchObject({ resolution: undefined, others: {} });
    },
  );

  it.each([
    ["low_gm_size: 128M", "has no low_gm_size such as 2048MB"],
    ["high_gm_size: 512", "has no high_gm_size such as 2048MB"],
    ["high_gm_size: ", "has no high_gm_size such as 2048MB"],
    ["fence: four", "has no fence such as 4"],
    ["fence: -1", "has no fence such as 4"],
    ["resolution: 1920", "has no resolution such as 1920x1200"],
    ["weight: 4\nweight: 4", 'holds "weight" twice'],
    ["fence", 'holds "fence", which is no pair'],
    ["fence=4", 'holds "fence=4", which is no pair'],
  ])("refuses %j", (raw, reason) => {
    const decoded = decode(raw);
    expect(!decoded.ok && decoded.error).toBe(reason);
  });

  it.each([
    [{ lowGmBytes: 1 }, "has a lowGmBytes that cannot be written such as 2048MB"],
    [{ fences: 0.5 }, "has a fences that cannot be written such as 4"],
    [{ others: { "a:b": "1" } }, 'has an unknown pair "a:b" that cannot be written'],
    [{ others: { a: "1, b" } }, 'has an unknown pair "a" that cannot be written'],
    [{ others: { weight: "1" } }, 'has an unknown pair "weight" that cannot be written'],
  ])("does not write %j", (wrong, reason) => {
    const encoded = encode({ ...decode("fence: 4").getOrThrow(), ...wrong });
    expect(!encoded.ok && encoded.error).toBe(reason);
  });

  it("decodes what it encoded", () => {
    fc.assert(
      fc.property(facts, fc.constantFrom("", "\n"), (value, newline) => {
        const decoded = decode(`${encode(value).getOrThrow()}${newline}`).getOrThrow();
        expect(decoded).toEqual(value);
        expect([decoded, decoded.others, decoded.resolution].every(Object.isFrozen)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("takes any text for facts that it can write again, or says why not", () => {
    const nearly = fc
      .array(
        fc.tuple(
          fc.constantFrom(...KNOWN, "a", " b"),
          fc.constantFrom(":", ": ", "="),
          fc.constantFrom("4", "4MB", "4x4", "", ", 4"),
        ),
      )
      .map((parts) => parts.map((part) => part.join("")).join("\n"));
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
