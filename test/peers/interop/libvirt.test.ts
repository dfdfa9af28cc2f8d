import { beforeAll, describe, expect, it } from "vitest";
import { type MdevDeviceInfo, MdevHost } from "../../../src/index.js";
import {
  formatHostdev,
  formatMdevNodeDevice,
  formatParentNodeDevice,
  hostdev,
  type HostdevOptions,
  mdevNodeDevice,
  newMdevNodeDevice,
  parentNodeDevice,
  parseHostdevs,
} from "../../../src/interop/libvirt/index.js";
import { findQemuDevices, qemuDevice, type QemuDevice } from "../../../src/interop/qemu/index.js";
import { SimulatedHost } from "../../../src/testing/index.js";
import { Programs } from "./programs.js";

const ID = "53764d0e-85a0-42b4-af5c-2046b460b1dc";
const SCHEMAS = "/usr/share/libvirt/schemas";

/** The XML of all that a host has, with a name for each. */
async function nodeDevices(): Promise<[name: string, xml: string][]> {
  const simulated = new SimulatedHost();
  simulated.addMatrix();
  simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
  simulated.addNvidiaSriovGpu({ address: "0000:41:00.0", interface: "mdev" });
  simulated.addSubchannel({ id: "0.0.0052", driver: "vfio_ccw" });
  const host = new MdevHost({ fs: simulated.fs });
  const found: [string, string][] = [];
  for (const parent of await host.parents().getOrThrow()) {
    const handles = await parent.types().getOrThrow();
    const types = await Promise.all(handles.map((type) => type.read().getOrThrow()));
    const described = parentNodeDevice(await parent.read().getOrThrow(), types).getOrThrow();
    found.push([described.name, formatParentNodeDevice(described)]);
    const [type] = types;
    if (type === undefined) continue;
    const attributes = [["a/b", "<1> & \"2\""], ["c", ""], ["a/b", "3"]] as const; // prettier-ignore
    for (const uuid of [ID, undefined])
      found.push([
        `a new ${type.id}`,
        formatMdevNodeDevice(newMdevNodeDevice(type, { uuid, attributes }).getOrThrow()),
      ]);
    const info: MdevDeviceInfo | undefined = await (await handles[0]?.create())?.map((device) => device.read()).getOrNull() ?? undefined; // prettier-ignore
    if (info !== undefined)
      found.push([`a ${type.id}`, formatMdevNodeDevice(mdevNodeDevice(info).getOrThrow())]);
  }
  return found;
}

function domain(arch: "x86_64" | "s390x", devices: string): string {
  const machine = arch === "x86_64" ? "pc" : "s390-ccw-virtio";
  return `<domain type="qemu"><name>vm</name><memory unit="MiB">64</memory><vcpu>1</vcpu>
    <os><type arch="${arch}" machine="${machine}">hvm</type></os>
    <devices><emulator>/usr/bin/qemu-system-${arch}</emulator>
    ${arch === "x86_64" ? '<graphics type="vnc" autoport="yes"/>' : ""}${devices}</devices></domain>`;
}

const devices: readonly (readonly [
  arch: "x86_64" | "s390x",
  api: string,
  id: string,
  options: HostdevOptions,
])[] = [
  ["x86_64", "vfio-pci", ID, {}],
  ["x86_64", "vfio-pci", ID, { display: "on" }],
  ["x86_64", "vfio-pci", ID, { display: "on", ramfb: "on", address: "0000:00:1e.0" }],
  ["x86_64", "vfio-pci", ID, { display: "off", ramfb: "off" }],
  ["x86_64", "vfio-pci", "0000:41:00.5", { address: "0000:00:07.0" }],
  ["s390x", "vfio-ccw", ID, {}],
  ["s390x", "vfio-ccw", ID, { address: "fe.1.00ab" }],
  ["s390x", "vfio-ap", ID, {}],
];

describe.each(["bookworm", "trixie"])("libvirt of Debian %s", (suite) => {
  let programs: Programs;
  beforeAll(() => {
    programs = new Programs(suite);
  });
  const validate = (schema: string, xml: string) =>
    programs.run([
      "/usr/bin/xmllint",
      "--noout",
      "--relaxng",
      `${SCHEMAS}/${schema}.rng`,
      programs.write("a.xml", xml),
    ]);

  it("has a schema that every node device obeys", async () => {
    const all = await nodeDevices();
    expect(all.length).toBeGreaterThan(12);
    for (const [name, xml] of all)
      expect(validate("nodedev", xml), `${name}\n${xml}`).toEqual({
        output: "/tmp/a.xml validates\n",
        status: 0,
      });
  });

  it("has a schema that refuses what is none", () => {
    expect(validate("nodedev", "<device><name>x</name><capability type='mdev'/></device>").status).not.toBe(
      0,
    );
  });

  it.each(devices)("has a schema that a domain with %s %s %s %j obeys", (arch, api, id, options) => {
    const xml = domain(arch, formatHostdev(hostdev({ id }, { deviceApi: api }, options).getOrThrow()));
    expect(validate("domain", xml)).toEqual({ output: "/tmp/a.xml validates\n", status: 0 });
  });

  it.each(devices.filter(([arch]) => arch === "x86_64"))(
    "defines a domain with %s %s %s %j, and shows the same device",
    (arch, api, id, options) => {
      const device = hostdev({ id }, { deviceApi: api }, options).getOrThrow();
      const file = programs.write("a.xml", domain(arch, formatHostdev(device)));
      const { output } = programs.run([
        "/usr/bin/virsh",
        "-q",
        "-c",
        "test:///default",
        `define ${file}; dumpxml vm`,
      ]);
      const xml = output.slice(output.indexOf("<domain"));
      const [shown] = parseHostdevs(xml).getOrThrow();
      expect(shown).toEqual(device.address === undefined ? { ...device, address: shown?.address } : device);
    },
  );

  // libvirt's QEMU driver refuses PCI functions where the host has no IOMMU.
  it.each(devices.filter(([, , id]) => id === ID))(
    "makes of %s %s %s %j the argument that vfio-mdev/qemu makes",
    (arch, api, id, options) => {
      const made = hostdev({ id }, { deviceApi: api }, options).getOrThrow();
      const file = programs.write("a.xml", domain(arch, formatHostdev(made)));
      const { output } = programs.run([
        ...["/usr/bin/virsh", "-q", "-c", "qemu:///embed?root=/tmp/libvirt"],
        ...["domxml-to-native", "qemu-argv", file],
      ]);
      const argv = output.split(/\s+/).map((word) => word.replace(/^'(.*)'$/, "$1"));
      const [theirs, ...others] = findQemuDevices(argv);
      expect(others).toEqual([]);
      const { display = api === "vfio-pci" ? "off" : undefined, ramfb } = options; // libvirt writes QEMU's default
      const { id: name, bus, addr, devno }: Partial<QemuDevice> = theirs ?? {};
      const ours = qemuDevice({ id }, { deviceApi: api }, {
      id: name,
      bus: bus as string | undefined,
      addr: addr as string | undefined,
      devno: devno as string | undefined,
      display,
      ramfb: ramfb === undefined ? undefined : ramfb === "on",
    }); // prettier-ignore
      expect(theirs, output).toEqual(ours.getOrThrow());
      if (options.address?.startsWith("fe")) expect(devno).toBe(options.address);
    },
  );
});
