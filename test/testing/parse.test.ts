import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseGuid } from "../../src/testing/kernel/guid.js";
import { kstrtoul } from "../../src/testing/kernel/kstrtoul.js";

describe("kstrtoul", () => {
  it.each([
    ["1", 1n],
    ["+1\n", 1n],
    ["0x1F", 31n],
    ["0X1f\n", 31n],
    ["+0x10", 16n],
    ["010", 8n],
    ["0", 0n],
    ["1\0rubbish", 1n],
    ["18446744073709551615", 2n ** 64n - 1n],
  ])("takes %j", (text, value) => {
    expect(kstrtoul(text)).toBe(value);
  });

  it.each([
    "",
    "\n",
    "08",
    "019",
    "0x",
    "0xg",
    "++1",
    "-0",
    "1 ",
    "0b1",
    "1e3",
    "1\n\n",
    "18446744073709551616",
  ])("refuses %j", (text) => {
    expect(() => kstrtoul(text)).toThrow("EINVAL");
  });

  it("takes every number in every base", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (value) => {
        expect(kstrtoul(value.toString())).toBe(value);
        expect(kstrtoul(`0x${value.toString(16)}\n`)).toBe(value);
        expect(kstrtoul(`0${value.toString(8)}`)).toBe(value);
      }),
    );
  });
});

describe("parseGuid", () => {
  it("takes any UUID in any case, and one byte more", () => {
    fc.assert(
      fc.property(
        fc.uuid({ version: [1, 4, 7] }),
        fc.string({ unit: "binary-ascii", minLength: 0, maxLength: 1 }),
        (uuid, more) => {
          expect(parseGuid(uuid.toUpperCase() + more)).toBe(uuid);
        },
      ),
    );
  });

  it("counts bytes, not characters", () => {
    expect(() => parseGuid("83b8f4f2-509f-382f-3c1e-e6bfe0fa1010é")).toThrow("EINVAL");
  });
});
