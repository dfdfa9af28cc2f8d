import { beforeAll, describe, expect, it } from "vitest";
import {
  deviceAdd,
  formatQemuDevice,
  qemuDevice,
  type QemuDevice,
  type QemuDeviceOptions,
} from "../../../src/interop/qemu/index.js";
import { Programs } from "./programs.js";

const ID = "53764d0e-85a0-42b4-af5c-2046b460b1dc";
const BINARY: Record<string, string> = {
  "vfio-pci": "qemu-system-x86_64",
  "vfio-ccw": "qemu-system-s390x",
  "vfio-ap": "qemu-system-s390x",
};
const MACHINE = ["-display", "none", "-nodefaults", "-S", "-accel", "tcg"];
/** What QEMU says when it took every property and looked for the device. */
const LOOKED = /no such host device|Host device '.*' not found/;

interface Taken {
  readonly api: string;
  readonly id: string;
  readonly options: QemuDeviceOptions;
  /** Debian's suite that has it first. */
  readonly since?: string;
}

const taken: readonly Taken[] = [
  { api: "vfio-pci", id: ID, options: {} },
  {
    api: "vfio-pci",
    id: ID,
    options: {
      id: "vgpu-0.a_b",
      bus: "pci.0",
      addr: "0x1f.7",
      display: "auto",
      bootindex: 0,
      multifunction: true,
    },
  },
  { api: "vfio-pci", id: ID, options: { display: "on", xres: 1920, yres: 1080, addr: "3" } },
  { api: "vfio-pci", id: ID, options: { display: "on", ramfb: true, addr: "3.1", multifunction: false } },
  { api: "vfio-pci", id: ID, options: { sysfs: "/a,b=c" } },
  { api: "vfio-pci", id: "0000:41:00.5", options: { display: "off" } },
  { api: "vfio-pci", id: "0000:41:00.5", options: { enableMigration: "on" }, since: "trixie" },
  { api: "vfio-ccw", id: ID, options: {} },
  { api: "vfio-ccw", id: ID, options: { id: "hostdev0", devno: "FE.0.00aB", bootindex: 1 } },
  { api: "vfio-ccw", id: ID, options: { devno: "0.3.ffff" } },
];

/** What this library refuses; QEMU is given it by hand. */
const refused: readonly (readonly [api: string, properties: string])[] = [
  ["vfio-pci", "id=0a"],
  ["vfio-pci", "addr=0x20"],
  ["vfio-pci", "addr=3.8"],
  ["vfio-pci", "display=yes"],
  ["vfio-pci", "ramfb=on"],
  ["vfio-pci", "xres=-1"],
  ["vfio-pci", "xres=4294967296"],
  ["vfio-pci", "bootindex=2147483648"],
  ["vfio-pci", "devno=fe.0.0000"],
  ["vfio-ccw", "devno=fe.4.0000"],
  ["vfio-ccw", "devno=fe.0.000"],
  ["vfio-ccw", "display=on"],
  ["vfio-ccw", "addr=0x3"],
];

describe.each(["bookworm", "trixie"])("QEMU of Debian %s", (suite) => {
  let programs: Programs;
  beforeAll(() => {
    programs = new Programs(suite);
  });
  const start = (api: string, argument: string) =>
    programs.run([`/usr/bin/${BINARY[api] ?? ""}`, ...MACHINE, "-device", argument]).output;
  const here = taken.filter(({ since }) => since === undefined || since === suite);

  it.each(here)("takes $api $id $options, in both forms", ({ api, id, options }) => {
    const device = qemuDevice({ id }, { deviceApi: api }, options).getOrThrow();
    for (const argument of [formatQemuDevice(device), JSON.stringify(device)])
      expect(start(api, argument)).toMatch(LOOKED);
  });

  it.each(refused)("refuses %s with %s, as this library does", (api, properties) => {
    const output = start(api, `${api},sysfsdev=/sys/bus/mdev/devices/${ID},${properties}`);
    expect(output).toMatch(/^qemu-system-/);
    expect(output).not.toMatch(LOOKED);
  });

  it("has every property that this library writes", () => {
    const all: QemuDeviceOptions = { id: "a", iommufd: "a" };
    const pci: QemuDeviceOptions = { ...all, addr: "3", display: "on", ramfb: true, xres: 1, yres: 1, bootindex: 1, multifunction: true, enableMigration: "on" }; // prettier-ignore
    const devices: QemuDevice[] = [
      qemuDevice({ id: ID }, { deviceApi: "vfio-pci" }, pci).getOrThrow(),
      qemuDevice({ id: "0000:41:00.5" }, { deviceApi: "vfio-pci" }).getOrThrow(),
      qemuDevice(
        { id: ID },
        { deviceApi: "vfio-ccw" },
        { ...all, devno: "fe.0.0000", bootindex: 1 },
      ).getOrThrow(),
      qemuDevice({ id: ID }, { deviceApi: "vfio-ap" }, all).getOrThrow(),
    ];
    const late = suite === "bookworm" ? ["iommufd", "enable-migration"] : []; // QEMU 8.2 and 8.1
    for (const { driver, ...properties } of devices) {
      const binary = BINARY[driver.replace("-nohotplug", "")] ?? "";
      const { output } = programs.run([`/usr/bin/${binary}`, "-device", `${driver},help`]);
      // The help of `vfio-pci-nohotplug` leaves out what it has from `vfio-pci`.
      const more = driver.startsWith("vfio-pci")
        ? programs.run([`/usr/bin/${binary}`, "-device", "vfio-pci,help"]).output
        : "";
      for (const name of Object.keys(properties).filter(
        (property) => property !== "id" && !late.includes(property),
      ))
        expect(output + more).toContain(`  ${name}=`);
    }
  });

  it("plugs in over QMP what deviceAdd says, and refuses ramfb", () => {
    const command = deviceAdd(
      qemuDevice(
        { id: ID },
        { deviceApi: "vfio-pci" },
        { id: "vgpu0", display: "on", xres: 800 },
      ).getOrThrow(),
    ).getOrThrow();
    const cold = {
      ...command,
      arguments: { ...command.arguments, driver: "vfio-pci-nohotplug", ramfb: true },
    };
    const session = [{ execute: "qmp_capabilities" }, command, cold, { execute: "quit" }];
    const input = session.map((line) => JSON.stringify(line)).join("\n");
    const { output } = programs.run(["/usr/bin/qemu-system-x86_64", ...MACHINE, "-qmp", "stdio"], { input });
    const errors = [...output.matchAll(/"desc": "([^"]*)"/g)].map(([, description]) => description);
    expect(errors).toHaveLength(2);
    expect(errors[0]).toMatch(LOOKED);
    expect(errors[1]).toMatch(/pluggable device type|does not support hotplugging/);
  });
});
