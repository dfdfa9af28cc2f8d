import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  apConfig,
  apDomainList,
  apMask,
  apMatrix,
  apNumber,
  apqn,
} from "../../../src/extensions/s390/index.js";
import type { Codec, Result } from "../../../src/index.js";
import { anyConfig, anyId, anyIds, smallMatrix } from "./ap-arbitraries.js";

const ZERO = "0".repeat(64);
const mask = (digits: string): string => `0x${digits.padEnd(64, "0")}`;
const decoded = <T>(codec: Codec<T>, raw: string): T => codec.decode(raw).getOrThrow();
const refusal = (codec: Codec<unknown>, raw: string): string | undefined => {
  const result: Result<unknown, string> = codec.decode(raw);
  return result.ok ? undefined : result.error;
};

// kernel-abi.md A5: adapters 5, 6, domains 4, 0xab, control domain 4
const A5 = { adapters: [5, 6], domains: [4, 0xab], controlDomains: [4] };
const A5_MATRIX = "05.0004\n05.00ab\n06.0004\n06.00ab\n";
const A5_CONFIG =
  "0x0600000000000000000000000000000000000000000000000000000000000000," +
  "0x0800000000000000000000000000000000000000001000000000000000000000," +
  "0x0800000000000000000000000000000000000000000000000000000000000000\n";

describe("apNumber", () => {
  it("is written in hexadecimal with 0x, always", () => {
    expect([0, 5, 8, 10, 0xab, 255].map((id) => apNumber.encode(id).getOrThrow())).toEqual([
      "0x0",
      "0x5",
      "0x8",
      "0xa",
      "0xab",
      "0xff",
    ]);
  });

  it("is read as the kernel reads it: hexadecimal, octal, decimal", () => {
    expect(["0xad", "0255", "173", "0", "010", "10\n"].map((raw) => decoded(apNumber, raw))).toEqual([
      173, 173, 173, 0, 8, 10,
    ]);
  });

  it.each(["", "-1", "256", "0x100", "08", "ab", "1.5", "0x", "1 2", "9".repeat(40)])("refuses %j", (raw) => {
    expect(refusal(apNumber, raw)).toBe("is not a number from 0 to 0xff");
  });

  it.each([-1, 256, 1.5, NaN, Infinity, -0.5])("does not write %d", (value) => {
    expect(apNumber.encode(value).ok).toBe(false);
  });
});

describe("apMask", () => {
  it.each([
    // Documentation/arch/s390/vfio-ap.rst
    [mask("7d"), [1, 2, 3, 4, 5, 7]],
    [mask("80"), [0]],
    ["0x41", [1, 7]],
    ["0xffff", Array.from({ length: 16 }, (_, id) => id)],
    ["0x40", [1]],
    // research/kernel-abi.md
    ["0x8", [0]],
    [mask(""), []],
    [`0x${"0".repeat(63)}1\n`, [255]],
    [`0x${"f".repeat(64)}`, Array.from({ length: 256 }, (_, id) => id)],
    ["7D", [1, 2, 3, 4, 5, 7]],
  ])("%s is %j: the leftmost bit is id 0", (raw, ids) => {
    expect(decoded(apMask, raw)).toEqual(ids);
  });

  it("is the one that the kernel's document sets, without its example's ids", () => {
    const freed = (ids: number[]): number[] =>
      Array.from({ length: 256 }, (_, id) => id).filter((id) => !ids.includes(id));
    expect(decoded(apMask, `0xf9${"f".repeat(62)}`)).toEqual(freed([5, 6]));
    expect(decoded(apMask, "0xf7fffffffffffffffeffffffffffffffffffffffffeffffffffffffffffffffe")).toEqual(
      freed([4, 0x47, 0xab, 0xff]),
    );
  });

  it.each(["", "0x", "x", "not supported\n", "+5,-6", `0x${"0".repeat(65)}`, "0x 8", "0xg"])(
    "refuses %j",
    (raw) => {
      expect(refusal(apMask, raw)).toMatch(/^is /);
    },
  );

  it("is always written with 64 digits", () => {
    expect(apMask.encode([]).getOrThrow()).toBe(`0x${ZERO}`);
    expect(apMask.encode([7, 1, 1]).getOrThrow()).toBe(mask("41"));
    fc.assert(fc.property(anyIds, (ids) => /^0x[0-9a-f]{64}$/.test(apMask.encode(ids).getOrThrow())));
  });
});

describe("apMatrix", () => {
  it.each([
    [A5_MATRIX, { adapters: [5, 6], domains: [4, 0xab] }],
    ["05.\n06.\n", { adapters: [5, 6], domains: [] }],
    [".0004\n.00ab\n", { adapters: [], domains: [4, 0xab] }],
    ["", { adapters: [], domains: [] }],
    ["05.00ff", { adapters: [5], domains: [0xff] }],
  ])("%j is %j", (raw, matrix) => {
    expect(decoded(apMatrix, raw)).toEqual(matrix);
    expect(apMatrix.encode(matrix).getOrThrow()).toBe(raw.trim());
  });

  it.each([
    "05.0004\n06.00ab\n", // no cross product
    "05.0004\n05.0004\n",
    "05.0004\n05.00ab\n06.0004\n06.0004\n",
    "05.0004\n06.\n",
    "05.\n.0004\n",
    ".\n",
    "5.4\n",
    "05.0100\n",
    "05.0004\n\n06.0004\n",
    "(null)\n",
  ])("refuses %j", (raw) => {
    expect(refusal(apMatrix, raw)).toMatch(/^(?:has|does)/);
  });

  it("refuses what the kernel may have cut off, rather than to understand a part", () => {
    const ids = (length: number): number[] => Array.from({ length }, (_, id) => id);
    const whole = (adapters: number, domains: number): string =>
      ids(adapters)
        .flatMap((a) => ids(domains).map((d) => `${hex(a, 2)}.${hex(d, 4)}\n`))
        .join("");
    expect(decoded(apMatrix, whole(7, 73)).domains).toHaveLength(73); // 511 queues
    expect(refusal(apMatrix, whole(2, 256).slice(0, 4095))).toMatch(/fills a page/);
    expect(apMatrix.encode({ adapters: ids(2), domains: ids(256) }).ok).toBe(false);
    expect(apMatrix.encode({ adapters: ids(256), domains: [] }).ok).toBe(true);
  });
});

describe("apDomainList", () => {
  it("has a line for each", () => {
    expect(decoded(apDomainList, "0004\n00ab\n")).toEqual([4, 0xab]);
    expect(decoded(apDomainList, "")).toEqual([]);
    expect(apDomainList.encode([0xab, 4]).getOrThrow()).toBe("0004\n00ab");
    expect(apDomainList.decode("0100\n").ok).toBe(false);
    expect(apDomainList.decode("4\n").ok).toBe(false);
  });
});

describe("apConfig", () => {
  it("is three masks", () => {
    expect(decoded(apConfig, A5_CONFIG)).toEqual(A5);
    expect(`${apConfig.encode(A5).getOrThrow()}\n`).toBe(A5_CONFIG);
    expect(decoded(apConfig, "0x06,0x08,0x8")).toEqual({
      adapters: [5, 6],
      domains: [4],
      controlDomains: [0],
    });
  });

  it.each(["", "0x06,0x08", "0x06,0x08,0x08,0x08", "0x06,,0x08", `0x${"0".repeat(65)},0x0,0x0`])(
    "refuses %j",
    (raw) => {
      expect(apConfig.decode(raw).ok).toBe(false);
    },
  );
});

describe("apqn", () => {
  it("is the name of a queue, in hexadecimal", () => {
    expect(decoded(apqn, "0a.0010\n")).toEqual({ adapter: 10, domain: 16 });
    expect(apqn.encode({ adapter: 10, domain: 16 }).getOrThrow()).toBe("0a.0010");
    expect(["05.", ".0004", "05.0100", "5.4", "card05"].some((raw) => apqn.decode(raw).ok)).toBe(false);
    expect(apqn.encode({ adapter: 256, domain: 0 }).ok).toBe(false);
  });
});

const CODECS = [
  ["apNumber", apNumber, anyId],
  ["apMask", apMask, anyIds],
  ["apMatrix", apMatrix, smallMatrix],
  ["apDomainList", apDomainList, anyIds],
  ["apConfig", apConfig, anyConfig],
  ["apqn", apqn, fc.record({ adapter: anyId, domain: anyId })],
] as unknown as readonly [string, Codec<unknown>, fc.Arbitrary<unknown>][];

describe.each(CODECS)("%s", (_name, codec, values) => {
  it("decodes what it encoded, frozen", () => {
    fc.assert(
      fc.property(values, fc.constantFrom("", "\n"), (value, newline) => {
        const text = codec.encode(value).getOrThrow();
        const back: unknown = codec.decode(`${text}${newline}`).getOrThrow();
        expect(back).toEqual(value);
        expect(Object.isFrozen(back)).toBe(true);
        if (typeof back === "object" && back !== null)
          expect(Object.values(back).every(Object.isFrozen)).toBe(true);
      }),
    );
  });

  it("takes any text for what it can write again, or says why not", () => {
    const nearly = fc
      .array(fc.constantFrom("05", ".", "0004", "00ab", "\n", ",", "0x", "f", "0", " "), { maxLength: 24 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary", maxLength: 300 }), nearly), (raw) => {
        const first: Result<unknown, string> = codec.decode(raw);
        if (!first.ok) expect(first.error).toMatch(/^(?:is|has|does|fills) /);
        else expect(codec.decode(codec.encode(first.value).getOrThrow()).getOrThrow()).toEqual(first.value);
      }),
      { numRuns: 2000 },
    );
  });

  it("says what it cannot write, whatever that is", () => {
    const wrong = fc.oneof(
      fc.constantFrom(256, -1, 0.5, NaN, "5"),
      fc.constant([5, 300]),
      fc.constant({ adapters: [5, 300], domains: [], controlDomains: [], adapter: 300, domain: 0 }),
      fc.constant({ adapters: [], domains: "4", controlDomains: [], adapter: 0, domain: "4" }),
      fc.constant({}),
    );
    fc.assert(
      fc.property(wrong, (value) => {
        expect(codec.encode(value).ok).toBe(false);
      }),
    );
  });
});

function hex(id: number, digits: number): string {
  return id.toString(16).padStart(digits, "0");
}
