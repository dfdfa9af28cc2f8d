import { describe, expect, it } from "vitest";
import { MdevHost } from "../../../src/index.js";
import {
  deviceAdd,
  deviceDel,
  formatQemuDevice,
  hostDeviceId,
  qemuDevice,
  type QemuDeviceOptions,
} from "../../../src/interop/qemu/index.js";
import { SimulatedHost } from "../../../src/testing/index.js";

const ID = "c2177883-f1bb-47f0-914d-32a22e3a8804";
const SYSFSDEV = `/sys/bus/mdev/devices/${ID}`;
const make = (deviceApi: string | undefined, options?: QemuDeviceOptions, id = ID) =>
  qemuDevice({ id }, { deviceApi }, options);

describe("qemuDevice", () => {
  it.each<[string, string, QemuDeviceOptions, string]>([
    ["vfio-pci", ID, {}, `vfio-pci,sysfsdev=${SYSFSDEV}`],
    [
      "vfio-pci",
      ID,
      { id: "hostdev0", display: "on", bus: "pci.0", addr: "4" },
      `vfio-pci,id=hostdev0,sysfsdev=${SYSFSDEV},display=on,bus=pci.0,addr=0x4`,
    ],
    [
      "vfio-pci",
      ID,
      { display: "on", ramfb: true, xres: 1920, yres: 1080 },
      `vfio-pci-nohotplug,sysfsdev=${SYSFSDEV},display=on,ramfb=on,xres=1920,yres=1080`,
    ],
    ["vfio-pci", ID, { ramfb: false, addr: "1F.7" }, `vfio-pci,sysfsdev=${SYSFSDEV},addr=0x1f.0x7`],
    ["vfio-pci", ID, { iommufd: "iommufd0" }, `vfio-pci,sysfsdev=${SYSFSDEV},iommufd=iommufd0`],
    ["vfio-pci", ID, { sysfs: "/a,b" }, `vfio-pci,sysfsdev=/a,,b/bus/mdev/devices/${ID}`],
    [
      "vfio-pci",
      "0000:41:00.5",
      { enableMigration: "on", multifunction: true, bootindex: 1 },
      "vfio-pci,host=0000:41:00.5,enable-migration=on,bootindex=1,multifunction=on",
    ],
    ["vfio-ccw", ID, { devno: "FE.0.00AB" }, `vfio-ccw,sysfsdev=${SYSFSDEV},devno=fe.0.00ab`],
    ["vfio-ap", ID, { id: "hostdev0" }, `vfio-ap,id=hostdev0,sysfsdev=${SYSFSDEV}`],
  ])("%s %s %j", (api, id, options, argument) => {
    const device = make(api, options, id).getOrThrow();
    expect(formatQemuDevice(device)).toBe(argument);
    expect(hostDeviceId(device)).toBe(id);
    expect(Object.isFrozen(device)).toBe(true);
  });

  it("takes a UUID in upper case", () => {
    expect(make("vfio-pci", {}, ID.toUpperCase()).getOrThrow().sysfsdev).toBe(SYSFSDEV);
  });

  it.each<[string | undefined, QemuDeviceOptions, string, string]>([
    ["vfio-pci", { id: "0a" }, "invalid-argument", 'the id is not made of letters, digits, "-", "." and "_"'],
    ["vfio-pci", { id: "a,b=c" }, "invalid-argument", "the id is not made of"],
    ["vfio-pci", { iommufd: "" }, "invalid-argument", "the iommufd is not made of"],
    ["vfio-pci", { bus: "pci.0,x=y" }, "invalid-argument", "the bus is no name of a bus"],
    ["vfio-pci", { addr: "0x20" }, "invalid-argument", "the addr is no slot from 0 to 1f"],
    ["vfio-pci", { addr: "3.8" }, "invalid-argument", "the addr is no slot from 0 to 1f"],
    ["vfio-pci", { addr: "" }, "invalid-argument", "the addr is no slot from 0 to 1f"],
    ["vfio-pci", { display: "yes" as "on" }, "invalid-argument", "the display is not on, off or auto"],
    ["vfio-pci", { ramfb: "on" as unknown as boolean }, "invalid-argument", "the ramfb is not true or false"],
    ["vfio-pci", { display: "on", xres: -1 }, "invalid-argument", "the xres is no number of pixels"],
    ["vfio-pci", { display: "on", yres: 1.5 }, "invalid-argument", "the yres is no number of pixels"],
    ["vfio-pci", { bootindex: 2 ** 31 }, "invalid-argument", "the bootindex is no whole number from 0 on"],
    ["vfio-pci", { ramfb: true }, "invalid-argument", "ramfb, xres and yres take a display that is on"],
    ["vfio-pci", { xres: 1, display: "off" }, "invalid-argument", "ramfb, xres and yres take a display"],
    ["vfio-pci", { sysfs: "sys" }, "invalid-argument", "the sysfs root is no absolute path"],
    ["vfio-ccw", { devno: "fe.4.0000" }, "invalid-argument", "the devno is none such as fe.0.0001"],
    ["vfio-ccw", { devno: "fe.0.000" }, "invalid-argument", "the devno is none such as fe.0.0001"],
    ["vfio-pci", { devno: "fe.0.0000" }, "unsupported", "QEMU's vfio-pci has no such option as devno"],
    ["vfio-ccw", { display: "on" }, "unsupported", "QEMU's vfio-ccw has no such option as display"],
    ["vfio-ap", { addr: "0x3" }, "unsupported", "QEMU's vfio-ap has no such option as addr"],
    ["vfio-ap", { bootindex: 0 }, "unsupported", "QEMU's vfio-ap has no such option as bootindex"],
    ["vfio-pci", { nonsense: 1 } as QemuDeviceOptions, "unsupported", "has no such option as nonsense"],
    ["vfio-platform", {}, "unsupported", "QEMU has no device for mediated devices of vfio-platform"],
    ["constructor", {}, "unsupported", "QEMU has no device for mediated devices of constructor"],
    [undefined, {}, "unsupported", "its type does not tell what it is to a virtual machine"],
  ])("refuses %s %j: %s", (api, options, type, reason) => {
    const made = make(api, options);
    expect(made.ok || made.error).toMatchObject({ type, message: expect.stringContaining(reason) as string });
  });

  it.each([
    ["mtty", "vfio-pci", "its id is neither a UUID nor a PCI address"],
    ["../../../x", "vfio-pci", "its id is neither a UUID nor a PCI address"],
    ["0000:41:20.5", "vfio-pci", "its id is neither a UUID nor a PCI address"],
    ["0000:41:00.5", "vfio-ap", "a PCI function is no vfio-ap"],
  ])("refuses %s as %s", (id, api, reason) => {
    const made = make(api, {}, id);
    expect(made.ok || made.error).toMatchObject({ type: "invalid-argument" });
    expect(made.ok || made.error.message).toContain(reason);
  });

  it("takes what a host says of its devices", async () => {
    const simulated = new SimulatedHost();
    simulated.addMtty();
    simulated.addNvidiaSriovGpu({ address: "0000:41:00.0", interface: "vfio" });
    const host = new MdevHost({ fs: simulated.fs });
    const found: unknown[] = [];
    for (const [parentId, typeId] of [
      ["mtty", "mtty-2"],
      ["0000:41:00.4", undefined],
    ] as const) {
      const parent = await host.parent(parentId).getOrThrow();
      const types = await parent.types().getOrThrow();
      const type = types.find(({ id }) => id === typeId) ?? types[0];
      const device = await type?.create(typeId === undefined ? {} : { uuid: ID }).getOrThrow();
      const [info, facts] = [await device?.read().getOrThrow(), await type?.read().getOrThrow()];
      if (info !== undefined && facts !== undefined) found.push(qemuDevice(info, facts).getOrThrow());
    }
    expect(found).toEqual([
      { driver: "vfio-pci", sysfsdev: SYSFSDEV },
      { driver: "vfio-pci", host: "0000:41:00.4" },
    ]);
  });
});

describe("the monitor", () => {
  it("plugs in and out", () => {
    const device = make("vfio-pci", { id: "vgpu0", display: "on" }).getOrThrow();
    expect(deviceAdd(device).getOrThrow()).toEqual({
      execute: "device_add",
      arguments: { driver: "vfio-pci", id: "vgpu0", sysfsdev: SYSFSDEV, display: "on" },
    });
    expect(deviceDel("vgpu0")).toEqual({ execute: "device_del", arguments: { id: "vgpu0" } });
  });

  it("does not plug in what has ramfb", () => {
    const added = deviceAdd(make("vfio-pci", { id: "vgpu0", display: "on", ramfb: true }).getOrThrow());
    expect(added.ok || added.error.message).toBe(
      "cannot plug in vgpu0: QEMU cannot plug in a device with ramfb. Leave ramfb out.",
    );
  });
});
