import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ChannelAddress,
  compareChannelAddresses,
  formatChannelAddress,
  parseChannelAddress,
} from "../../../src/extensions/s390/index.js";

const address: fc.Arbitrary<ChannelAddress> = fc.record({
  cssid: fc.integer({ min: 0, max: 0xff }),
  ssid: fc.integer({ min: 0, max: 3 }),
  number: fc.integer({ min: 0, max: 0xffff }),
});
const format = (of: ChannelAddress): string => formatChannelAddress(of).getOrThrow();
const parse = (text: string): ChannelAddress => parseChannelAddress(text).getOrThrow();

describe("channel addresses", () => {
  it.each([
    ["0.0.0000", { cssid: 0, ssid: 0, number: 0 }],
    ["0.0.0313", { cssid: 0, ssid: 0, number: 0x313 }],
    ["0.3.ffff", { cssid: 0, ssid: 3, number: 0xffff }],
    ["fe.1.e1d2", { cssid: 0xfe, ssid: 1, number: 0xe1d2 }],
  ])("%s", (text, value) => {
    expect(parse(text)).toEqual(value);
    expect(format(value)).toBe(text);
  });

  it("are read in any case, and with a newline", () => {
    expect(parse("FE.0.0AB1\n")).toEqual({ cssid: 0xfe, ssid: 0, number: 0xab1 });
    expect(format(parse("0.1.0AB1"))).toBe("0.1.0ab1");
    expect(format(parse("00.0.0001"))).toBe("0.0.0001");
  });

  it.each([
    "",
    "none",
    "0313",
    "0x0313",
    "0.0.313",
    "0.0.00313",
    "0.4.0313",
    "100.0.0313",
    "0.0.031g",
    "0.0.0313.0",
    "0 0 0313",
    "0000:3b:00.0",
  ])("refuse %j", (text) => {
    expect(parseChannelAddress(text).ok).toBe(false);
  });

  it.each([
    { cssid: 256, ssid: 0, number: 0 },
    { cssid: 0, ssid: 4, number: 0 },
    { cssid: 0, ssid: 0, number: 65536 },
    { cssid: -1, ssid: 0, number: 0 },
    { cssid: 0, ssid: 0.5, number: 0 },
    { cssid: 0, ssid: 0, number: NaN },
  ])("have no bus id where a part is none: %j", (value) => {
    const formatted = formatChannelAddress(value);
    expect(formatted.ok).toBe(false);
    expect(formatted.error).toMatch(/^has a (cssid|ssid|number) that is no whole number/);
  });

  it("survive being written and read", () => {
    fc.assert(
      fc.property(address, (value) => {
        expect(parse(format(value))).toEqual(value);
      }),
    );
  });

  it("never throw at any text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(typeof parseChannelAddress(text).ok).toBe("boolean");
      }),
    );
  });

  it("have a natural order: that of their parts as numbers", () => {
    const ordered = ["0.0.0003", "0.0.0010", "0.0.000a", "0.1.0000", "2.0.0000", "fe.0.0000", "10.0.0000"];
    expect(ordered.map(parse).sort(compareChannelAddresses).map(format)).toEqual([
      "0.0.0003",
      "0.0.000a",
      "0.0.0010",
      "0.1.0000",
      "2.0.0000",
      "10.0.0000",
      "fe.0.0000",
    ]);
    fc.assert(
      fc.property(address, address, (a, b) => {
        const sign = Math.sign(compareChannelAddresses(a, b));
        expect(sign + Math.sign(compareChannelAddresses(b, a))).toBe(0);
        expect(sign === 0).toBe(format(a) === format(b));
      }),
    );
  });
});
