import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Codec, hexadecimal, integer, text } from "../../src/index.js";
import { resolution, videoMemory } from "../../src/extensions/samples/index.js";

const MIB = 2 ** 20;
const pixels = fc.integer({ min: 0, max: 999_999_999 });

interface Case {
  readonly codec: Codec<unknown>;
  readonly values: fc.Arbitrary<unknown>;
  /** Texts that are nearly right. */
  readonly texts: fc.Arbitrary<string>;
}

const digits = fc.stringMatching(/^[+-]?(0x)?[0-9a-fA-F]{0,25} ?$/u);
// A codec is a pair of functions of one type; here it only meets its own values.
const anyCodec = <T>(codec: Codec<T>): Codec<unknown> => codec;

const CASES: Readonly<Record<string, Case>> = {
  text: {
    codec: anyCodec(text),
    values: fc.string({ unit: "binary" }).map((value) => value.trimEnd()),
    texts: fc.string(),
  },
  integer: { codec: anyCodec(integer), values: fc.maxSafeInteger(), texts: digits },
  hexadecimal: { codec: anyCodec(hexadecimal), values: fc.maxSafeNat(), texts: digits },
  resolution: {
    codec: anyCodec(resolution),
    values: fc.record({ width: pixels, height: pixels }),
    texts: fc.stringMatching(/^[a-z ]{0,4}[0-9]{0,11}x[0-9]{0,11}[a-z ]{0,4}$/u),
  },
  videoMemory: {
    codec: anyCodec(videoMemory),
    values: fc.nat({ max: 999_999_999 }).map((megabytes) => megabytes * MIB),
    texts: fc.stringMatching(/^[a-z ,]{0,4}[0-9]{0,12} ?[MG]B[a-z ]{0,4}$/u),
  },
};

describe.each(Object.entries(CASES))("%s", (_name, { codec, values, texts }) => {
  it("decodes what it encoded", () => {
    fc.assert(
      fc.property(values, fc.constantFrom("", "\n"), (value, newline) => {
        const encoded = codec.encode(value);
        expect(encoded.ok).toBe(true);
        const decoded = codec.decode(`${encoded.getOrThrow()}${newline}`);
        expect(decoded.ok && decoded.value).toEqual(value);
      }),
      { numRuns: 300 },
    );
  });

  it("takes any text for a value or says why not", () => {
    const any = fc.oneof(
      fc.string({ unit: "binary", maxLength: 200 }),
      texts,
      fc.constantFrom(
        "",
        "\n",
        "\0",
        "NaN",
        "Infinity",
        "-",
        "+",
        "0x",
        "1e3",
        "1.5",
        "ivdcm\n",
        "-36\n",
        "٣",
        "9".repeat(400),
      ),
    );
    fc.assert(
      fc.property(any, (raw) => {
        const decoded = codec.decode(raw);
        if (decoded.ok) {
          const again = codec.encode(decoded.value);
          // As JSON: -0 is 0.
          if (again.ok)
            expect(JSON.stringify(codec.decode(again.value).getOrThrow())).toBe(
              JSON.stringify(decoded.value),
            );
        } else {
          expect(decoded.error).toMatch(/^[a-z].*[^.\n]$/u);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("integer", () => {
  it.each([
    ["24\n", 24],
    ["-36\n", -36],
    ["+7", 7],
    [" 0 \n", 0],
    ["0010\n", 10],
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
  ])("reads %j", (raw, value) => {
    expect(integer.decode(raw).getOrThrow()).toBe(value);
  });

  it.each(["", "\n", "ivdcm\n", "0x10", "1.0", "1e3", "1 2", "9007199254740992", "--1", "NaN", "Infinity"])(
    "does not read %j",
    (raw) => {
      expect(integer.decode(raw).ok).toBe(false);
    },
  );

  it("writes only what can be read again exactly", () => {
    for (const value of [1.5, NaN, Infinity, -Infinity, 2 ** 53, "5", null, undefined, 5n]) {
      expect(integer.encode(value as number).ok, String(value)).toBe(false);
    }
  });
});

describe("hexadecimal", () => {
  it.each([
    ["0x10de\n", 0x10de],
    ["10DE", 0x10de],
    ["0X0a", 10],
    ["0x030000\n", 0x030000],
  ])("reads %j", (raw, value) => {
    expect(hexadecimal.decode(raw).getOrThrow()).toBe(value);
  });

  it.each(["", "0x", "-1", "0x-1", "xyz", "0x1 0x2", "0x20000000000000"])("does not read %j", (raw) => {
    expect(hexadecimal.decode(raw).ok).toBe(false);
  });

  it("writes no fraction and nothing below 0", () => {
    for (const value of [-1, 1.5, NaN, 2 ** 53])
      expect(hexadecimal.encode(value).ok, String(value)).toBe(false);
  });
});

describe("text", () => {
  it("keeps what is before its end, and an empty text as a value", () => {
    expect(text.decode("a\n b\n\n").getOrThrow()).toBe("a\n b");
    expect(text.decode("").getOrThrow()).toBe("");
    expect(text.decode("\n").getOrThrow()).toBe("");
    expect(text.decode(" no newline").getOrThrow()).toBe(" no newline");
  });
});

describe("resolution and videoMemory", () => {
  it("find their value inside a sentence", () => {
    expect(resolution.decode("virtual display, 1920x1080 framebuffer\n").getOrThrow()).toEqual({
      width: 1920,
      height: 1080,
    });
    expect(videoMemory.decode("virtual display, 64 MB video memory\n").getOrThrow()).toBe(64 * MIB);
    for (const raw of ["", "big", "1920 x 1080", "x", "1920x"])
      expect(resolution.decode(raw).ok, raw).toBe(false);
    for (const raw of ["", "64MB", "64 GB", "MB", "64 MBit"])
      expect(videoMemory.decode(raw).ok, raw).toBe(false);
  });

  it("do not write what they would not read", () => {
    for (const bad of [-1, 1.5, NaN, 1e9]) {
      expect(resolution.encode({ width: bad, height: 1 }).ok, String(bad)).toBe(false);
      expect(resolution.encode({ width: 1, height: bad }).ok, String(bad)).toBe(false);
    }
    for (const bytes of [-MIB, 1, MIB / 2, NaN, Infinity, 1e9 * MIB])
      expect(videoMemory.encode(bytes).ok, String(bytes)).toBe(false);
  });
});
