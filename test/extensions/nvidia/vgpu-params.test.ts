import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { vgpuNumber, type VgpuParams, vgpuParams } from "../../../src/extensions/nvidia/index.js";

const KNOWN = [
  "frame_rate_limiter",
  "disable_vnc",
  "enable_uvm",
  "enable_debugging",
  "enable_profiling",
  "intervaltime",
  "vgaintervaltime",
  "loglevel",
  "address64",
  "override_bar1_size",
  "direct_gpu_timer_access",
];
const { decode, encode } = vgpuParams;

const known = fc.tuple(fc.constantFrom(...KNOWN), fc.maxSafeInteger());
const unknown = fc.tuple(
  fc
    .oneof(
      fc.stringMatching(/^[A-Za-z_][!-+\--<>-~]{0,12}$/),
      fc.constantFrom("__proto__", "constructor", "toString"),
    )
    .filter((key) => !KNOWN.includes(key)),
  fc.stringMatching(/^[!-+\--~]{0,12}$/),
);
const maps: fc.Arbitrary<VgpuParams> = fc
  .uniqueArray(fc.oneof(known, unknown), { selector: ([key]) => key, maxLength: 20 })
  .map((pairs) => Object.fromEntries<string | number>(pairs));

describe("vgpuParams", () => {
  it.each<[string, readonly (readonly [string, string | number])[]]>([
    ["\n", []],
    [" \n", []],
    [",\n", []],
    ["frame_rate_limiter=0\n", [["frame_rate_limiter", 0]]],
    [" disable_vnc = 1 , enable_uvm=0 \n", [["disable_vnc", 1], ["enable_uvm", 0]]], // prettier-ignore
    ["loglevel=0x1F,address64=017,intervaltime=-5000", [["loglevel", 31], ["address64", 15], ["intervaltime", -5000]]], // prettier-ignore
    ["loglevel=-0,address64=00", [["loglevel", 0], ["address64", 0]]], // prettier-ignore
    ["zeta=0x10,alpha=,a.b[0]=c=d", [["zeta", "0x10"], ["alpha", ""], ["a.b[0]", "c=d"]]], // prettier-ignore
    ["__proto__=1", [["__proto__", "1"]]],
  ])("understands %j, in its order", (raw, pairs) => {
    const params = decode(raw).getOrThrow();
    expect(Object.entries(params)).toEqual(pairs);
    expect(Object.isFrozen(params)).toBe(true);
  });

  it.each([
    ["frame_rate_limiter", 'holds "frame_rate_limiter", which is no pair such as frame_rate_limiter=0'],
    ["=1", 'holds "=1", which is no pair such as frame_rate_limiter=0'],
    ["7=1", 'holds "7=1", which is no pair such as frame_rate_limiter=0'],
    ["é=1", 'holds "é=1", which is no pair such as frame_rate_limiter=0'],
    ["key=é", 'holds "key=é", which is no pair such as frame_rate_limiter=0'],
    ["a=1,a=2", 'holds "a" twice'],
    ["disable_vnc=yes", 'has no number for disable_vnc, but "yes"'],
    ["disable_vnc=", 'has no number for disable_vnc, but ""'],
    ["disable_vnc=08", 'has no number for disable_vnc, but "08"'],
    ["disable_vnc=0x", 'has no number for disable_vnc, but "0x"'],
    ["disable_vnc=1.5", 'has no number for disable_vnc, but "1.5"'],
    ["disable_vnc=1e3", 'has no number for disable_vnc, but "1e3"'],
    ["disable_vnc=99999999999999999999", 'has no number for disable_vnc, but "99999999999999999999"'],
  ])("says why it does not understand %j", (raw, reason) => {
    const decoded = decode(raw);
    expect(!decoded.ok && decoded.error).toBe(reason);
  });

  it.each<[VgpuParams, string]>([
    [{}, " "],
    [{ frame_rate_limiter: undefined }, " "],
    [{ frame_rate_limiter: 0 }, "frame_rate_limiter=0"],
    [{ zeta: "fast", disable_vnc: 1, alpha: undefined, beta: 7 }, "zeta=fast,disable_vnc=1,beta=7"],
  ])("writes %j as %j", (params, text) => {
    expect(encode(params).getOrThrow()).toBe(text);
  });

  it.each<[unknown, string]>([
    [{ frame_rate_limiter: 0.5 }, 'has a frame_rate_limiter that cannot be written: "0.5"'],
    [{ frame_rate_limiter: NaN }, 'has a frame_rate_limiter that cannot be written: "NaN"'],
    [{ frame_rate_limiter: "0" }, 'has a frame_rate_limiter that cannot be written: "0"'],
    [{ other: "a b" }, 'has a other that cannot be written: "a b"'],
    [{ other: "a,b=1" }, 'has a other that cannot be written: "a,b=1"'],
    [{ other: "a\nb" }, 'has a other that cannot be written: "a\\nb"'],
    [{ other: true }, 'has a other that cannot be written: "true"'],
    [{ "a b": "1" }, 'has a key "a b" that cannot be written'],
    [{ "a=b": "1" }, 'has a key "a=b" that cannot be written'],
    [{ "": "1" }, 'has a key "" that cannot be written'],
    [{ 7: "1" }, 'has a key "7" that cannot be written'],
    [[["frame_rate_limiter", 0]], 'has a key "0" that cannot be written'],
    [null, "is no map"],
    ["frame_rate_limiter=0", "is no map"],
  ])("does not write %j", (params, reason) => {
    const encoded = encode(params as VgpuParams);
    expect(!encoded.ok && encoded.error).toBe(reason);
  });

  it("counts the newline among the driver's 1024 bytes", () => {
    expect(encode({ a: "x".repeat(1021) }).getOrThrow()).toHaveLength(1023);
    const encoded = encode({ a: "x".repeat(1022) });
    expect(!encoded.ok && encoded.error).toBe("is longer than the driver's 1024 bytes");
  });

  it("decodes what it encoded", () => {
    fc.assert(
      fc.property(maps, fc.constantFrom("", "\n", " \n"), (params, end) => {
        const decoded = decode(`${encode(params).getOrThrow()}${end}`).getOrThrow();
        expect(Object.entries(decoded)).toEqual(Object.entries(params));
      }),
      { numRuns: 1000 },
    );
  });

  it("takes any text for a map that it can write again, or says why not", () => {
    const nearly = fc
      .array(
        fc.tuple(
          fc.constantFrom(...KNOWN, "a", " b", "", "7"),
          fc.constantFrom("=", " = ", ""),
          fc.constantFrom("4", "0x4", "04", "fast", "", "=", "1,"),
        ),
        { maxLength: 6 },
      )
      .map((parts) => parts.map((part) => part.join("")).join(","));
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

describe("vgpuNumber", () => {
  it.each([
    ["0\n", 0],
    ["12", 12],
    ["Not Applicable\n", undefined],
    ["not applicable", undefined],
  ])("understands %j", (raw, value) => {
    expect(vgpuNumber.decode(raw).getOrThrow()).toBe(value);
  });

  it.each(["", "\n", "-1", "N/A", "1.5", "9999999999"])("says why it does not understand %j", (raw) => {
    const decoded = vgpuNumber.decode(raw);
    expect(!decoded.ok && decoded.error).toBe("is neither a whole number from 0 nor `Not Applicable`");
  });

  it.each([undefined, -1, 0.5, NaN, 1e9])("does not write %j", (value) => {
    const encoded = vgpuNumber.encode(value);
    expect(!encoded.ok && encoded.error).toBe("is not a whole number from 0");
  });

  it("decodes what it encoded", () => {
    fc.assert(
      fc.property(fc.nat({ max: 999_999_999 }), (value) => {
        expect(vgpuNumber.decode(`${vgpuNumber.encode(value).getOrThrow()}\n`).getOrThrow()).toBe(value);
      }),
    );
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (raw) => {
        expect(typeof vgpuNumber.decode(raw).ok).toBe("boolean");
      }),
    );
  });
});
