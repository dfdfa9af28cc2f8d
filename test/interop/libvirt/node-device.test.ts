import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MdevHost } from "../../../src/index.js";
import {
  formatMdevNodeDevice,
  formatParentNodeDevice,
  mdevNodeDevice,
  mdevNodeDeviceName,
  newMdevNodeDevice,
  type NodeDeviceAttribute,
  parentNodeDevice,
  parentNodeDeviceName,
  parseMdevNodeDevice,
  parseNodeDeviceName,
  parseParentNodeDevice,
} from "../../../src/interop/libvirt/index.js";
import { SimulatedHost } from "../../../src/testing/index.js";

const ID = "b2107403-110c-45b0-af87-32cc91597b8a";
const lines = (...parts: string[]) => `${parts.join("\n")}\n`;

const xmlText = fc.string({
  unit: fc.constantFrom("a", "<", ">", "&", '"', "'", " ", "\t", "\n", "é", "]]>", "ü😀"),
});
const attributes: fc.Arbitrary<NodeDeviceAttribute[]> = fc.array(
  fc.tuple(fc.constantFrom("assign_adapter", "assign_domain", "nvidia/vgpu_params"), xmlText),
);
const parents = fc.oneof(
  fc.constantFrom("matrix", "mtty", "0.1.0ab1"),
  fc.stringMatching(/^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/),
);
const uuids = fc.uuid();

describe("the names of node devices", () => {
  it.each([
    ["0000:3b:00.0", "pci_0000_3b_00_0"],
    ["10000:3b:1f.7", "pci_10000_3b_1f_7"],
    ["0.0.0052", "css_0_0_0052"],
    ["matrix", "ap_matrix"],
    ["mtty", "mtty_mtty"],
  ])("%s is %s, both ways", (id, name) => {
    expect(parentNodeDeviceName({ id }).getOrThrow()).toBe(name);
    expect(parseNodeDeviceName(name).getOrThrow()).toEqual({ kind: "parent", parent: id });
  });

  it("are understood for every device of every parent", () => {
    fc.assert(
      fc.property(uuids, parents, (uuid, parent) => {
        const name = mdevNodeDeviceName(uuid, parent);
        expect(name).toMatch(/^[a-z0-9_]+$/);
        expect(parseNodeDeviceName(name).getOrThrow()).toEqual({ kind: "mdev", uuid, parent });
        expect(parseNodeDeviceName(mdevNodeDeviceName(uuid)).getOrThrow()).toEqual({
          kind: "mdev",
          uuid,
          parent: undefined,
        });
      }),
    );
  });

  it("does not guess a parent from signs that are lost", () => {
    const parsed = parseNodeDeviceName(`${mdevNodeDeviceName(ID)}_hisi_zip_0`).getOrThrow();
    expect(parsed).toEqual({ kind: "mdev", uuid: ID, parent: undefined });
  });

  it.each([
    "computer",
    "net_eth0",
    "mdev_1",
    "pci_0_0_0",
    "css_0000_3b_00_0",
    "mtty_matrix",
    "matrix",
    "",
    "pci_matrix",
  ])("does not understand %j", (name) => {
    const parsed = parseNodeDeviceName(name);
    expect(parsed.ok || parsed.error.type).toBe("invalid-argument");
  });

  it("knows no name for parents that libvirt has no node device for", () => {
    const named = parentNodeDeviceName({ id: "mdpy" });
    expect(named.ok || named.error).toMatchObject({ type: "unsupported", missing: "mdpy" });
  });
});

describe("a mediated device", () => {
  it("is what libvirt shows of it", () => {
    const device = mdevNodeDevice({
      id: ID,
      path: `/sys/devices/pci0000:40/0000:40:03.1/0000:41:00.0/${ID}`,
      parent: "0000:41:00.0",
      type: "nvidia-442",
      driver: "vfio_mdev",
      iommuGroup: 57,
    }).getOrThrow();
    const xml = formatMdevNodeDevice(device);
    expect(xml).toBe(
      lines(
        "<device>",
        "  <name>mdev_b2107403_110c_45b0_af87_32cc91597b8a_0000_41_00_0</name>",
        `  <path>/sys/devices/pci0000:40/0000:40:03.1/0000:41:00.0/${ID}</path>`,
        "  <parent>pci_0000_41_00_0</parent>",
        "  <driver>",
        "    <name>vfio_mdev</name>",
        "  </driver>",
        '  <capability type="mdev">',
        '    <type id="nvidia-442"/>',
        `    <uuid>${ID}</uuid>`,
        "    <parent_addr>0000:41:00.0</parent_addr>",
        '    <iommuGroup number="57"/>',
        "  </capability>",
        "</device>",
      ),
    );
    expect(parseMdevNodeDevice(xml).getOrThrow()).toEqual(device);
  });

  it("to be is little more than parent, type and attributes in their order", () => {
    const device = newMdevNodeDevice(
      { id: "vfio_ap-passthrough", parent: "matrix" },
      { attributes: [["assign_adapter", "5"], ["assign_domain", "0xab"], ["assign_adapter", "6"]] }, // prettier-ignore
    ).getOrThrow();
    expect(formatMdevNodeDevice(device)).toBe(
      lines(
        "<device>",
        "  <name>new device</name>",
        "  <parent>ap_matrix</parent>",
        '  <capability type="mdev">',
        '    <type id="vfio_ap-passthrough"/>',
        '    <attr name="assign_adapter" value="5"/>',
        '    <attr name="assign_domain" value="0xab"/>',
        '    <attr name="assign_adapter" value="6"/>',
        "  </capability>",
        "</device>",
      ),
    );
  });

  it("comes back from its XML, whatever its attributes hold", () => {
    fc.assert(
      fc.property(uuids, parents, attributes, xmlText, (uuid, parent, settings, type) => {
        fc.pre(type !== "");
        const device = newMdevNodeDevice({ id: type, parent }, { uuid, attributes: settings }).getOrThrow();
        expect(parseMdevNodeDevice(formatMdevNodeDevice(device)).getOrThrow()).toEqual(device);
      }),
    );
  });

  it("of an old libvirt has its UUID in its name", () => {
    const path = `<path>/sys/devices/pci0000:00/0000:00:02.0/0000:06:00.0/${ID}</path>`;
    const xml = `<device><name>mdev_${ID.replaceAll("-", "_")}</name>${path}<parent>pci_0000_06_00_0</parent>
      <capability type='mdev'><type id='nvidia-11'/><iommuGroup number='12'/></capability></device>`;
    expect(parseMdevNodeDevice(xml).getOrThrow()).toMatchObject({
      uuid: ID,
      type: "nvidia-11",
      iommuGroup: 12,
    });
  });

  it("that is defined and not there has no IOMMU group, whatever libvirt says", () => {
    const xml = `<device><name>${mdevNodeDeviceName(ID, "mtty")}</name><parent>mtty_mtty</parent>
      <capability type='mdev'><type id='mtty-1'/><uuid>${ID}</uuid><iommuGroup number='0'/></capability></device>`;
    expect(parseMdevNodeDevice(xml).getOrThrow()).toMatchObject({ path: undefined, iommuGroup: undefined });
  });

  it.each([
    ["mdpy", "/sys/devices/virtual/mdpy/mdpy", "computer"],
    ["hisi_zip-0", "/sys/devices/pci0000:74/0000:75:00.0/uacce/hisi_zip-0", "pci_0000_75_00_0"],
  ])("of %s is below the next node device", (parent, folder, name) => {
    const device = { id: ID, path: `${folder}/${ID}`, parent, type: "a", driver: "vfio_mdev", iommuGroup: 1 };
    expect(mdevNodeDevice(device).getOrThrow()).toMatchObject({
      name: mdevNodeDeviceName(ID, parent),
      parent: name,
      parentAddress: parent,
    });
  });

  it.each<[() => { ok: boolean; error?: unknown }, string, string]>([
    [() => newMdevNodeDevice({ id: "mdpy-hd", parent: "mdpy" }), "unsupported", "libvirt knows PCI devices"],
    [
      () => newMdevNodeDevice({ id: "a", parent: "mtty" }, { uuid: "1" }),
      "invalid-argument",
      "the UUID is none",
    ],
    [() => newMdevNodeDevice({ id: "a\0", parent: "mtty" }), "invalid-argument", "a name holds a character"],
    [
      () => newMdevNodeDevice({ id: "a", parent: "mtty" }, { attributes: [["a", "\u0001"]] }),
      "invalid-argument",
      "the value of a holds a character that XML cannot carry",
    ],
    [
      () => newMdevNodeDevice({ id: "a", parent: "mtty" }, { attributes: [["../../x", ""]] }),
      "invalid-argument",
      '"../../x" is no name of an attribute',
    ],
    [
      () =>
        mdevNodeDevice({
          id: "0000:41:00.5",
          path: "/",
          parent: "0000:41:00.5",
          type: "nvidia-1",
          driver: undefined,
          iommuGroup: 1,
        }),
      "invalid-argument",
      "it has no UUID",
    ],
    [
      () =>
        mdevNodeDevice({
          id: ID,
          path: "/",
          parent: "mtty",
          type: undefined,
          driver: undefined,
          iommuGroup: 1,
        }),
      "invalid-argument",
      "its type does not show",
    ],
  ])("is refused: %#", (make, type, reason) => {
    expect(make()).toMatchObject({
      ok: false,
      error: { type, message: expect.stringContaining(reason) as string },
    });
  });

  const inside = (capability: string) =>
    `<device><name>x</name><parent>mtty_mtty</parent><capability type="mdev">${capability}</capability></device>`;
  it.each([
    ["<device/>", "it is none of a mediated device"],
    ["<network><capability type='mdev'/></network>", "it is none of a mediated device"],
    [inside(""), "it has no type"],
    ["<device><capability type='mdev'><type id='a'/></capability></device>", "it has no parent"],
    [inside("<type id='a'/><uuid>1</uuid>"), "its UUID is none"],
    [inside("<type id='a'/><iommuGroup number='x'/>"), "its IOMMU group is no number"],
    [inside("<type id='a'/><attr name='a'/>"), "it has an attribute without name or value"],
  ])("is not understood: %s", (xml, reason) => {
    const parsed = parseMdevNodeDevice(xml);
    expect(parsed.ok || parsed.error).toMatchObject({ type: "decode", raw: xml });
    expect(parsed.ok || parsed.error.message).toContain(reason);
  });
});

describe("a parent", () => {
  it("is shown with its types, for every kind that libvirt has, and comes back", async () => {
    const simulated = new SimulatedHost();
    simulated.addMtty();
    simulated.addMatrix();
    simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
    simulated.addNvidiaSriovGpu({ address: "0000:41:00.0", interface: "mdev" });
    simulated.addSubchannel({ id: "0.0.0052", driver: "vfio_ccw" });
    const host = new MdevHost({ fs: simulated.fs });
    const names: string[] = [];
    for (const parent of await host.parents().getOrThrow()) {
      const types = await Promise.all(
        (await parent.types().getOrThrow()).map((type) => type.read().getOrThrow()),
      );
      const info = await parent.read().getOrThrow();
      const device = parentNodeDevice(info, types).getOrThrow();
      names.push(device.name);
      expect(device.types.length).toBeGreaterThan(0);
      const { pci } = device;
      const parsed = parseParentNodeDevice(formatParentNodeDevice(device)).getOrThrow();
      const untold = { subsystemVendor: undefined, subsystemDevice: undefined, revision: undefined };
      expect(parsed).toEqual({ ...device, pci: pci && { ...pci, ...untold } });
    }
    expect(names).toEqual(
      expect.arrayContaining(["pci_0000_3b_00_0", "css_0_0_0052", "ap_matrix", "mtty_mtty"]),
    );
  });

  const mtty = {
    id: "mtty",
    path: "/sys/devices/virtual/mtty/mtty",
    driver: undefined,
    pci: undefined,
    numaNode: undefined,
  };
  const type = { id: "mtty-1", name: "Single <port> serial", deviceApi: "vfio-pci", availableInstances: -12 };

  it("leaves types out that libvirt could not read, and never shows fewer than none", () => {
    const untold = { ...type, id: "mtty-2", deviceApi: undefined };
    const other = { ...type, id: "mtty-3", deviceApi: "vfio-platform" };
    const uncounted = { ...type, id: "mtty-4", availableInstances: undefined };
    const device = parentNodeDevice(mtty, [type, untold, other, uncounted]).getOrThrow();
    expect(formatParentNodeDevice(device)).toBe(
      lines(
        "<device>",
        "  <name>mtty_mtty</name>",
        "  <path>/sys/devices/virtual/mtty/mtty</path>",
        "  <parent>computer</parent>",
        '  <capability type="mdev_types">',
        '    <capability type="mdev_types">',
        '      <type id="mtty-1">',
        "        <name>Single &lt;port&gt; serial</name>",
        "        <deviceAPI>vfio-pci</deviceAPI>",
        "        <availableInstances>0</availableInstances>",
        "      </type>",
        "    </capability>",
        "  </capability>",
        "</device>",
      ),
    );
  });

  it("of PCI is below another, and needs its ids", () => {
    const path = "/sys/devices/pci0000:3a/0000:3a:00.0/0000:3b:00.0";
    const gpu = { id: "0000:3b:00.0", path, driver: "nvidia", numaNode: 1 };
    const unread = parentNodeDevice({ ...gpu, pci: undefined }, []);
    expect(unread.ok || unread.error.message).toContain("its PCI ids do not show");
    const facts = {
      address: gpu.id,
      subsystemVendor: undefined,
      subsystemDevice: undefined,
      revision: undefined,
    };
    const pci = { ...facts, vendor: 0x10de, device: 0x1eb8, class: 0x030200, sriov: undefined };
    const xml = formatParentNodeDevice(parentNodeDevice({ ...gpu, pci }, []).getOrThrow());
    expect(xml).toContain("<parent>pci_0000_3a_00_0</parent>");
    expect(xml).toContain('<product id="0x1eb8"/>');
    expect(xml).toContain("<class>0x030200</class>");
    expect(xml).not.toContain("mdev_types");
  });

  const pciDevice = (inner: string) =>
    `<device><name>x</name><capability type="pci">${inner}</capability></device>`;
  const bus = "<domain>0</domain><bus>6</bus><slot>0</slot><function>0</function>";
  it.each([
    ["<device><name>x</name><capability type='net'/></device>", "it is none of a parent"],
    [pciDevice(""), "its address is none"],
    [pciDevice("<domain>0</domain><bus>300</bus><slot>0</slot>"), "its address is none"],
    [pciDevice(`${bus}<capability type="mdev_types"><type/></capability>`), "it has a type without id"],
    [
      pciDevice(
        `${bus}<capability type="mdev_types"><type id="a"><availableInstances>x</availableInstances></type></capability>`,
      ),
      'the type "a" has no number of available instances',
    ],
  ])("is not understood: %s", (xml, reason) => {
    const parsed = parseParentNodeDevice(xml);
    expect(parsed.ok || parsed.error.message).toContain(reason);
  });

  it("without types is understood, with what libvirt says beside", () => {
    const parsed = parseParentNodeDevice(
      pciDevice(
        `${bus}<product id="0x13f2">GM204GL [Tesla M60]</product><vendor id="0x10de">NVIDIA Corporation</vendor><numa node="1"/>`,
      ),
    ).getOrThrow();
    expect(parsed).toMatchObject({
      id: "0000:06:00.0",
      types: [],
      numaNode: 1,
      pci: { vendor: 0x10de, device: 0x13f2 },
    });
  });
});
