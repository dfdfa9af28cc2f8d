import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concernsMdev, UeventReader } from "../../src/events/uevent-reader.js";

const BANNER = "monitor will print the received events for:\nKERNEL - the kernel uevent\n\n";
const UUID = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

/** An event as udevadm prints it. */
function printed(properties: Readonly<Record<string, string>>): string {
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`);
  return `KERNEL[8.474884] add      /devices/virtual/mtty/mtty/${UUID} (mdev)\n${lines.join("")}\n`;
}

/** A text in pieces, cut anywhere. */
function cut(text: string, at: readonly number[]): string[] {
  const places = [...new Set(at.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
  return [...places, text.length].map((end, index) => text.slice(places[index - 1] ?? 0, end));
}

const word = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,15}$/u);
// A value of the kernel's has no end of line in it.
const value = fc.string({ unit: "grapheme", maxLength: 40 }).filter((text) => !/[\n]/u.test(text));
const event = fc.dictionary(word, value, { minKeys: 1, maxKeys: 6, noNullPrototype: true });

describe("the reader of what udevadm prints", () => {
  it("gives the same records however the text is cut", () => {
    fc.assert(
      fc.property(fc.array(event), fc.array(fc.nat()), (events, at) => {
        const text = BANNER + events.map(printed).join("");
        const reader = new UeventReader();
        const [banner, ...records] = cut(text, at).flatMap((piece) => reader.read(piece));
        expect(banner?.size).toBe(0);
        expect(records.map((record) => Object.fromEntries(record))).toEqual(events);
      }),
    );
  });

  it("takes any text without throwing, and finds a record behind any junk that ends with an empty line", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.array(fc.nat()), (junk, at) => {
        const reader = new UeventReader();
        const text = `${junk}\n\n${printed({ ACTION: "add", SUBSYSTEM: "mdev" })}`;
        const records = cut(text, at).flatMap((piece) => reader.read(piece));
        expect(Object.fromEntries(records.at(-1) ?? [])).toEqual({ ACTION: "add", SUBSYSTEM: "mdev" });
      }),
    );
  });

  it("keeps no more than so much of a text without an end, and says that it lost some", () => {
    const reader = new UeventReader();
    const lost = Array.from({ length: 1000 }, () => reader.read("x".repeat(1000))).flat();
    expect(lost.length).toBeGreaterThan(10);
    expect(lost.every(concernsMdev)).toBe(true);
    expect(
      reader
        .read(`\n\n${printed({ ACTION: "add" })}`)
        .at(-1)
        ?.get("ACTION"),
    ).toBe("add");
  });
});

describe("what concerns mediated devices", () => {
  const concerns = (properties: Readonly<Record<string, string>>): boolean => {
    const [record] = new UeventReader().read(printed(properties));
    return record !== undefined && concernsMdev(record);
  };

  it.each([
    ["a device", { ACTION: "add", SUBSYSTEM: "mdev" }],
    ["a group's node", { ACTION: "add", SUBSYSTEM: "vfio" }],
    ["a device's node", { ACTION: "remove", SUBSYSTEM: "vfio-dev" }],
    ["a parent", { ACTION: "change", SUBSYSTEM: "mtty", MDEV_STATE: "registered" }],
    ["a subchannel", { ACTION: "change", SUBSYSTEM: "css", DRIVER: "vfio_ccw", MDEV_STATE: "unregistered" }],
    ["a PCI function", { ACTION: "bind", SUBSYSTEM: "pci", DRIVER: "nvidia" }],
    ["a record that lost its subsystem", { ACTION: "add", DEVPATH: "/devices" }],
  ])("%s does", (_what, properties) => {
    expect(concerns(properties)).toBe(true);
  });

  it.each([
    ["a disk", { ACTION: "change", SUBSYSTEM: "block", DEVNAME: "/dev/sda" }],
    ["a network device named mdev", { ACTION: "add", SUBSYSTEM: "net", INTERFACE: "mdev" }],
    ["a parent of a driver that says nothing", { ACTION: "change", SUBSYSTEM: "css" }],
  ])("%s does not", (_what, properties) => {
    expect(concerns(properties)).toBe(false);
  });
});
