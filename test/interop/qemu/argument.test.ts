import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  findQemuDevices,
  formatQemuDevice,
  hostDeviceId,
  parseQemuDevice,
  qemuDevice,
  type QemuDevice,
  type QemuDeviceOptions,
} from "../../../src/interop/qemu/index.js";

const ID = "c2177883-f1bb-47f0-914d-32a22e3a8804";

const maybe = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined });
const identifiers = fc.stringMatching(/^[A-Za-z][A-Za-z0-9._-]{0,12}$/);
const switches = fc.constantFrom("on" as const, "off" as const, "auto" as const);
const uint = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const options: fc.Arbitrary<QemuDeviceOptions> = fc.record({
  id: maybe(identifiers),
  bus: maybe(fc.stringMatching(/^[\w./-]{1,12}$/)),
  addr: maybe(fc.stringMatching(/^(0x)?[01]?[0-9a-f](\.[0-7])?$/)),
  display: maybe(fc.constantFrom("on" as const, "auto" as const)),
  bootindex: maybe(uint),
  iommufd: maybe(identifiers),
  enableMigration: maybe(switches),
  multifunction: maybe(fc.boolean()),
  sysfs: maybe(fc.stringMatching(/^\/[ -~]{0,12}$/)),
});
const devices: fc.Arbitrary<QemuDevice> = fc
  .tuple(options, fc.boolean(), maybe(uint), fc.constantFrom(ID, "0000:41:00.5"))
  .map(([chosen, ramfb, pixels, id]) => {
    const shown = chosen.display === undefined ? {} : { ramfb, xres: pixels, yres: pixels };
    return qemuDevice({ id }, { deviceApi: "vfio-pci" }, { ...chosen, ...shown }).getOrThrow();
  });

describe("parseQemuDevice", () => {
  it("understands every argument that formatQemuDevice writes, and the same as JSON", () => {
    fc.assert(
      fc.property(devices, (device) => {
        expect(parseQemuDevice(formatQemuDevice(device)).getOrThrow()).toEqual(device);
        expect(parseQemuDevice(JSON.stringify(device)).getOrThrow()).toEqual(device);
      }),
    );
  });

  it("never throws", () => {
    const hostile = fc.oneof(fc.string(), fc.json(), fc.stringMatching(/^vfio-pci[,=a-z{}"]*$/));
    fc.assert(fc.property(hostile, (text) => typeof parseQemuDevice(text).ok === "boolean"));
  });

  it.each<[string, Record<string, unknown>]>([
    [
      "vfio-pci-nohotplug,ramfb=yes,sysfsdev=/a,,b",
      { driver: "vfio-pci-nohotplug", ramfb: true, sysfsdev: "/a,b" },
    ],
    ["id=x,driver=vfio-ap", { driver: "vfio-ap", id: "x" }],
    ["vfio-pci,host=1:0.0,host=2:0.0", { driver: "vfio-pci", host: "2:0.0" }],
    ["vfio-pci,multifunction", { driver: "vfio-pci", multifunction: true }],
    ["vfio-pci,x-no-mmap=on,", { driver: "vfio-pci", "x-no-mmap": "on" }],
    ["vfio-pci,a=b=c", { driver: "vfio-pci", a: "b=c" }],
  ])("understands %s", (argument, device) => {
    expect(parseQemuDevice(argument).getOrThrow()).toEqual(device);
  });

  it.each([
    ["virtio-net-pci,id=net0", "it is no VFIO device"],
    ["", "it is no VFIO device"],
    ["vfio-pci,xres=wide", "its xres has a value that QEMU would refuse"],
    ["vfio-pci,ramfb=maybe", "its ramfb has a value that QEMU would refuse"],
    ["{", "it is not valid JSON"],
    ['{"driver":"vfio-pci","host":null}', "its host is neither text nor number nor boolean"],
    ["x".repeat(70_000), "it is longer than any that QEMU is given"],
  ])("refuses %.40j", (argument, reason) => {
    const parsed = parseQemuDevice(argument);
    expect(parsed.ok || parsed.error).toMatchObject({ type: "decode", raw: argument });
    expect(parsed.ok || parsed.error.message).toBe(`cannot understand an argument of -device: ${reason}.`);
  });

  it("keeps properties that are called like those of every object", () => {
    const parsed = parseQemuDevice("vfio-pci,__proto__=1,constructor=2").getOrThrow();
    expect(Object.entries(parsed)).toEqual([["driver", "vfio-pci"], ["__proto__", "1"], ["constructor", "2"]]); // prettier-ignore
  });
});

describe("findQemuDevices", () => {
  it("finds the VFIO devices of a process, in their order", () => {
    const json = `{"driver":"vfio-pci","sysfsdev":"/sys/bus/mdev/devices/${ID.toUpperCase()}/"}`;
    const cmdline = [
      "qemu",
      "-device",
      "usb-ehci",
      "-device",
      json,
      "--device",
      "vfio-pci,host=41:00.5",
      "-device",
    ];
    expect(findQemuDevices(cmdline).map(hostDeviceId)).toEqual([ID, "0000:41:00.5"]);
  });

  it("does not know the device behind an open file", () => {
    expect(findQemuDevices(["-device", "vfio-pci,fd=9"]).map(hostDeviceId)).toEqual([undefined]);
  });
});
