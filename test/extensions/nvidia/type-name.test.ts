import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseVgpuTypeName } from "../../../src/extensions/nvidia/index.js";
import { GRAMMAR_NAMES, NAMES, ROUNDED_NAMES } from "./catalogue.js";

const MIB = 2 ** 20;

describe("parseVgpuTypeName", () => {
  it.each(NAMES)("understands $name", ({ name, product, series, mebibytes, slices, attribute, variant }) => {
    expect(parseVgpuTypeName(name).getOrThrow()).toEqual({
      brand: /^(?:GRID|NVIDIA)(?= )/.exec(name)?.[0],
      product,
      series,
      mig: slices === undefined ? undefined : { slices, attribute },
      gigabytes: mebibytes === 512 ? 0 : mebibytes / 1024,
      framebufferBytes: mebibytes * MIB,
      variant,
    });
  });

  it("knows enough names that exist", () => {
    expect(new Set(NAMES.map(({ name }) => name)).size).toBe(NAMES.length);
    expect(NAMES.length).toBeGreaterThanOrEqual(40);
  });

  it.each(GRAMMAR_NAMES)("understands the suffix of %s", (name, slices, attribute) => {
    expect(parseVgpuTypeName(name).getOrThrow().mig).toEqual({ slices, attribute });
  });

  it.each(ROUNDED_NAMES)("does not take the size of %s from its name", (name, mebibytes) => {
    const { gigabytes, framebufferBytes } = parseVgpuTypeName(name).getOrThrow();
    expect(gigabytes * 1024).not.toBe(mebibytes);
    expect(framebufferBytes).toBeUndefined();
  });

  it("takes the newline of the file", () => {
    expect(parseVgpuTypeName("GRID P40-2B\n").getOrThrow().product).toBe("P40");
  });

  it.each([
    "",
    "GRID",
    "NVIDIA ",
    "GRID P40",
    "GRID P40-2D",
    "GRID P40-02B",
    "GRID P40-B",
    "GRID P40-2b",
    "GRID P40-2Q4",
    "GRID P40-2B8",
    "GRID P40-2BME",
    "GRID A100-8x-5C",
    "GRID A100-1-5CXX",
    "GRID A100-1-5Cme",
    "GRID A100-1-5B4",
    "A100 -1-5C",
    "A100-1- 5C",
    "GRID  P40-2B",
    "H100-80", // as NVIDIA's table misprints it
    "GeForce RTX T10-8",
    "Single port serial",
    "I/O subchannel (Non-QDIO)",
    "GVTg_V5_4",
  ])("says why it does not understand %j", (name) => {
    const parsed = parseVgpuTypeName(name);
    expect(!parsed.ok && parsed.error).toBe("is no name of a vGPU type such as GRID P40-2B");
  });

  it("is frozen", () => {
    const name = parseVgpuTypeName("GRID A100-1-5C").getOrThrow();
    expect([name, name.mig].every(Object.isFrozen)).toBe(true);
  });

  it("puts names that follow the grammar back together", () => {
    const word = fc.stringMatching(/^[A-Z][A-Za-z0-9]{0,6}$/);
    const next = fc.oneof(
      word.map((text) => ` ${text}`),
      fc.stringMatching(/^-[A-Z][a-z]{0,6}$/),
    );
    const names = fc.record({
      brand: fc.constantFrom("GRID ", "NVIDIA ", ""),
      product: fc
        .tuple(word, fc.array(next, { maxLength: 3 }))
        .map(([first, rest]) => first + rest.join(""))
        .filter((product) => !/^(?:GRID|NVIDIA)\b/.test(product)),
      slices: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
      gigabytes: fc.integer({ min: 0, max: 9999 }),
      series: fc.constantFrom("A", "B", "C", "Q"),
    });
    fc.assert(
      fc.property(names, ({ brand, product, slices, gigabytes, series }) => {
        const slice = slices === undefined ? "" : `-${slices}`;
        const parsed = parseVgpuTypeName(`${brand}${product}${slice}-${gigabytes}${series}`).getOrThrow();
        expect(parsed).toMatchObject({ product, gigabytes, series });
        expect(parsed.brand ?? "").toBe(brand.trim());
        expect(parsed.mig?.slices).toBe(slices);
      }),
      { numRuns: 500 },
    );
  });

  it("never throws, and never takes long", () => {
    const texts = fc.oneof(
      fc.string({ unit: "binary", maxLength: 200 }),
      fc.stringMatching(/^(GRID |NVIDIA )?[A-Z0-9 -]{0,60}[ABCQ4MENO]{0,9}$/),
      fc.integer({ min: 1, max: 4096 }).map((length) => "A-1".repeat(length)),
    );
    const started = performance.now();
    fc.assert(
      fc.property(texts, (text) => {
        expect(typeof parseVgpuTypeName(text).ok).toBe("boolean");
      }),
      { numRuns: 500 },
    );
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
