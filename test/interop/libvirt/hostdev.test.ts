import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatHostdev,
  hostdev,
  type HostdevOptions,
  parseHostdevs,
} from "../../../src/interop/libvirt/index.js";

const ID = "53764d0e-85a0-42b4-af5c-2046b460b1dc";
const make = (deviceApi: string | undefined, options?: HostdevOptions, id = ID) =>
  hostdev({ id }, { deviceApi }, options);
const lines = (...parts: string[]) => `${parts.join("\n")}\n`;
const switches = fc.constantFrom("on" as const, "off" as const, undefined);
const pciAddress = fc.stringMatching(/^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/);
const maybe = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined });

describe("hostdev", () => {
  it("is the XML that libvirt documents", () => {
    expect(
      formatHostdev(make("vfio-pci", { display: "on", ramfb: "on", address: "0000:00:03.0" }).getOrThrow()),
    ).toBe(
      lines(
        '<hostdev mode="subsystem" type="mdev" managed="no" model="vfio-pci" display="on" ramfb="on">',
        "  <source>",
        `    <address uuid="${ID}"/>`,
        "  </source>",
        '  <address type="pci" domain="0x0000" bus="0x00" slot="0x03" function="0x0"/>',
        "</hostdev>",
      ),
    );
    expect(formatHostdev(make("vfio-ccw", { address: "FE.1.0008" }).getOrThrow())).toBe(
      lines(
        '<hostdev mode="subsystem" type="mdev" managed="no" model="vfio-ccw">',
        "  <source>",
        `    <address uuid="${ID}"/>`,
        "  </source>",
        '  <address type="ccw" cssid="0xfe" ssid="0x1" devno="0x0008"/>',
        "</hostdev>",
      ),
    );
    expect(formatHostdev(make("vfio-pci", {}, "0000:41:00.5").getOrThrow())).toBe(
      lines(
        '<hostdev mode="subsystem" type="pci" managed="no">',
        "  <source>",
        '    <address domain="0x0000" bus="0x41" slot="0x00" function="0x5"/>',
        "  </source>",
        "</hostdev>",
      ),
    );
  });

  it("comes back from its XML", () => {
    const devices = fc.oneof(
      fc.tuple(
        fc.uuid(),
        fc.record({ display: fc.constant("on" as const), ramfb: switches, address: maybe(pciAddress) }),
        fc.constant("vfio-pci"),
      ),
      fc.tuple(
        fc.uuid(),
        fc.record({ address: maybe(fc.stringMatching(/^fe\.[0-3]\.[0-9a-f]{4}$/)) }),
        fc.constant("vfio-ccw"),
      ),
      fc.tuple(fc.uuid(), fc.constant({}), fc.constant("vfio-ap")),
      fc.tuple(pciAddress, fc.record({ address: maybe(pciAddress) }), fc.constant("vfio-pci")),
    );
    fc.assert(
      fc.property(devices, ([id, options, api]) => {
        const device = make(api, options, id).getOrThrow();
        expect(parseHostdevs(formatHostdev(device)).getOrThrow()).toEqual([device]);
      }),
    );
  });

  it.each<[string | undefined, HostdevOptions, string, string, string]>([
    [undefined, {}, ID, "unsupported", "its type does not tell what it is"],
    ["vfio-platform", {}, ID, "unsupported", "libvirt has no model for mediated devices of vfio-platform"],
    ["vfio-ap", { display: "on" }, ID, "unsupported", "libvirt has no display for vfio-ap"],
    ["vfio-ccw", { ramfb: "off" }, ID, "unsupported", "libvirt has no ramfb for vfio-ccw"],
    ["vfio-ap", { address: "0000:00:03.0" }, ID, "unsupported", "libvirt has no address for vfio-ap"],
    [
      "vfio-pci",
      { display: "on" },
      "0000:41:00.5",
      "unsupported",
      "libvirt has no display for a PCI function",
    ],
    ["vfio-pci", { display: "auto" as "on" }, ID, "invalid-argument", "the display is not on or off"],
    ["vfio-pci", { ramfb: "on" }, ID, "invalid-argument", "ramfb takes a display that is on"],
    [
      "vfio-pci",
      { address: "fe.0.0001" },
      ID,
      "invalid-argument",
      "the address is none such as 0000:00:03.0",
    ],
    ["vfio-ccw", { address: "0.0.0001" }, ID, "invalid-argument", "the address is none such as fe.0.0001"],
    ["vfio-pci", {}, "mtty", "invalid-argument", "its id is neither a UUID nor a PCI address"],
    ["vfio-ccw", {}, "0000:41:00.5", "invalid-argument", "a PCI function is no vfio-ccw"],
  ])("refuses %s %j of %s", (api, options, id, type, reason) => {
    const made = make(api, options, id);
    expect(made.ok || made.error).toMatchObject({ type, message: expect.stringContaining(reason) as string });
  });
});

describe("parseHostdevs", () => {
  it("finds the devices of a domain, and leaves others out", () => {
    const domain = `<?xml version='1.0'?>
      <!-- a domain --><domain type='kvm'><name>vm</name><metadata><a:b xmlns:a='urn:a'><hostdev type='mdev'/></a:b></metadata><devices>
        <disk type='file'/>
        <hostdev mode='subsystem' type='usb'><source><vendor id='0x1'/></source></hostdev>
        <hostdev mode='subsystem' type='mdev' model='vfio-pci' display='off'>
          <source><address uuid='${ID.toUpperCase()}'/></source><alias name='hostdev0'/>
          <address type='pci' domain='0x0000' bus='0x06' slot='0x00' function='0x0'/></hostdev>
        <hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0' bus='65' slot='0' function='5'/></source></hostdev>
      </devices></domain>`;
    expect(parseHostdevs(domain).getOrThrow()).toEqual([
      {
        kind: "mdev",
        uuid: ID,
        model: "vfio-pci",
        display: "off",
        ramfb: undefined,
        address: "0000:06:00.0",
      },
      { kind: "pci", host: "0000:41:00.5", managed: true, address: undefined },
    ]);
    expect(parseHostdevs("<domain/>").getOrThrow()).toEqual([]);
  });

  const mdev = (inner: string) =>
    `<hostdev type="mdev" ${inner}><source><address uuid="${ID}"/></source></hostdev>`;
  it.each([
    ["<network/>", "it is none of a domain"],
    ["<hostdev type='mdev' model='vfio-pci'/>", "a mediated device has no UUID"],
    ["<hostdev type='pci'/>", "a PCI function has no address"],
    [mdev(""), "has no model that is known"],
    [mdev('model="vfio-pci" display="auto"'), "has a display or a ramfb that is not on or off"],
  ])("does not understand %s", (xml, reason) => {
    const parsed = parseHostdevs(xml);
    expect(parsed.ok || parsed.error).toMatchObject({ type: "decode", raw: xml });
    expect(parsed.ok || parsed.error.message).toContain(reason);
  });
});

describe("hostile XML", () => {
  const entities = `<!DOCTYPE domain [<!ENTITY a "${"x".repeat(1000)}"><!ENTITY b "&a;&a;">]><domain>&b;</domain>`;
  it.each([
    [entities, "it has a document type, which is not accepted"],
    [`<!doctype domain SYSTEM "file:///etc/passwd"><domain/>`, "it has a document type"],
    ["<domain>&a;</domain>", "it is not well-formed"],
    ["<domain><devices></domain>", "it is not well-formed"],
    ["<domain a='1' a='2'/>", "it is not well-formed"],
    ["<domain/><domain/>", "it is not well-formed"],
    ["<domain a=1/>", "it is not well-formed"],
    ["", "it is not well-formed"],
    ["<domain>\0</domain>", "it holds a character that XML cannot carry"],
    ["<a>".repeat(65), "it is deeper than 64 elements"],
    [`<!-- </a> -->${"<a b='/>'><!--</a>-->".repeat(65)}`, "it is deeper than 64 elements"],
    [`<a>${"<b/>".repeat(20_001)}</a>`, "it has more than 20000 elements"],
    [`<a>${" ".repeat(2 ** 20)}</a>`, "it is longer than 1048576 characters"],
  ])("%.60s is refused", (xml, reason) => {
    const parsed = parseHostdevs(xml);
    expect(parsed.ok || parsed.error.message).toContain(reason);
  });

  it.each([
    "<!--",
    "<![CDATA[",
    "<a",
    "<a ",
    '<a "',
    "<a b='",
    "<a b=''",
    "<?a ",
    "<",
    "</",
    "</a>",
    "&",
    "&lt;",
    "]]>",
    "<a b='&lt;'/>",
    "<a xmlns:a='a'/>",
    ">",
    "a='",
    "\n<",
  ])("a megabyte of %j takes no long time", (piece) => {
    const started = performance.now();
    const xml = `<domain>${piece}`.padEnd(2 ** 20 - 9, piece);
    expect(typeof parseHostdevs(xml).ok).toBe("boolean");
    expect(typeof parseHostdevs(`${xml}</domain>`).ok).toBe("boolean");
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it("never throws", () => {
    const pieces = fc.constantFrom("<a>", "</a>", "<a b='c'", "/>", "<!--", "-->", "<![CDATA[", "]]>", "&lt;", "&#x0;", "<?x", "?>", "x", '"', "<hostdev type='mdev'>", "</hostdev>"); // prettier-ignore
    fc.assert(
      fc.property(fc.array(pieces), (parts) => typeof parseHostdevs(parts.join("")).ok === "boolean"),
    );
  });
});
