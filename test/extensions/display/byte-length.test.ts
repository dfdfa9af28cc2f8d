import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byteLength } from "../../../src/extensions/display/index.js";

const { decode, encode } = byteLength;

describe("byteLength", () => {
  it.each([
    [0, "0"],
    [1, "1"],
    [1023, "1023"],
    [1024, "1K"],
    [1536, "1536"],
    [512 * 2 ** 20, "512M"],
    [2 ** 31, "2G"],
    [1.5 * 2 ** 30, "1536M"],
  ])("writes %j as %j", (bytes, text) => {
    expect(encode(bytes).getOrThrow()).toBe(text);
  });

  it.each([-1, 0.5, NaN, Infinity, 2 ** 53])("does not write %j", (bytes) => {
    const encoded = encode(bytes);
    expect(!encoded.ok && encoded.error).toBe("is not a whole number of bytes");
  });

  it("decodes what it encoded", () => {
    const sizes = fc.tuple(fc.nat({ max: 2 ** 22 }), fc.constantFrom(1, 2 ** 10, 2 ** 20, 2 ** 30));
    const bytes = fc.oneof(
      fc.maxSafeNat(),
      sizes.map(([size, unit]) => size * unit),
    );
    fc.assert(
      fc.property(bytes, fc.constantFrom("", "\n"), (value, newline) => {
        expect(decode(`${encode(value).getOrThrow()}${newline}`).getOrThrow()).toBe(value);
      }),
    );
  });

  it("takes any text for a safe number or says why not", () => {
    const nearly = fc.stringMatching(/^-?[0-9]{0,18} ?[KMGB]{0,2}$/);
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), nearly), (text) => {
        const decoded = decode(text);
        if (decoded.ok) expect(Number.isSafeInteger(decoded.value)).toBe(true);
        else expect(decoded.error).toBe("is no size such as 512M");
      }),
      { numRuns: 500 },
    );
  });
});
