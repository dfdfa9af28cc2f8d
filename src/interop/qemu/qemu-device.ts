import {
  InvalidArgumentError,
  type MdevDeviceInfo,
  type MdevTypeInfo,
  Result,
  UnsupportedError,
} from "../../index.js";
import { formatAddr, formatDevno, isIdentifier, isUint32, type OnOffAuto } from "./property.js";

/**
 * QEMU's devices for what the kernel calls `device_api`. `vfio-pci-nohotplug` is the one that can have `ramfb`.
 * Source: QEMU, `hw/vfio/{pci,ccw,ap}.c`.
 */
export type QemuDriver = "vfio-pci" | "vfio-pci-nohotplug" | "vfio-ccw" | "vfio-ap";

/**
 * A device of a virtual machine, in QEMU's own words: plain, frozen data. As JSON it is the argument of `-device` and
 * what QMP's `device_add` takes; {@link formatQemuDevice} writes the other form.
 * Source: QEMU, `hw/vfio/{pci,ccw,ap}.c`, whose properties these are.
 */
export interface QemuDevice {
  /** What QEMU makes of it. */
  readonly driver: QemuDriver;
  /** By what QMP calls it; left out: by nothing. */
  readonly id?: string;
  /** The folder of a mediated device: `/sys/bus/mdev/devices/<uuid>`. */
  readonly sysfsdev?: string;
  /** The PCI address of a function, `0000:41:00.5`: a vGPU of NVIDIA's vendor interface. */
  readonly host?: string;
  /** Any other property. */
  readonly [property: string]: string | number | boolean | undefined;
}

/** How a virtual machine gets a device. A property that is not given is left to QEMU. */
export interface QemuDeviceOptions {
  /** By what QMP calls it: letters, digits, `-`, `.` and `_`, a letter first. Without one it cannot be unplugged. */
  readonly id?: string | undefined;
  /** The bus of the virtual machine that it is plugged into: `pcie.0`. */
  readonly bus?: string | undefined;
  /** Of `vfio-pci`: slot, 0 to 1f, and function, 0 to 7, on that bus, hexadecimal: `0x3`, `3.1`. */
  readonly addr?: string | undefined;
  /** Of `vfio-ccw`: its bus id in the virtual machine, hexadecimal: `fe.0.0001`. */
  readonly devno?: string | undefined;
  /** Of `vfio-pci`: whether QEMU shows its display. QEMU's own default is `off`. */
  readonly display?: OnOffAuto | undefined;
  /** Of `vfio-pci`, with a display: a framebuffer to boot with. It cannot be plugged in later then. */
  readonly ramfb?: boolean | undefined;
  /** Of `vfio-pci`, with a display: the width that it offers in its EDID, in pixels, a `uint32`. */
  readonly xres?: number | undefined;
  /** Of `vfio-pci`, with a display: the height that it offers in its EDID, in pixels, a `uint32`. */
  readonly yres?: number | undefined;
  /** Of `vfio-pci` and `vfio-ccw`: its place in the order of what to boot from, from 0 on: the lowest comes first. */
  readonly bootindex?: number | undefined;
  /** The id of an `iommufd` object, which opens it through `/dev/vfio/devices/`. QEMU 8.2 and later. */
  readonly iommufd?: string | undefined;
  /**
   * Of `vfio-pci`: whether the virtual machine can be migrated with it: the property `enable-migration`, which QEMU has
   * since 8.1.
   */
  readonly enableMigration?: OnOffAuto | undefined;
  /** Of `vfio-pci`: whether other functions share its slot. */
  readonly multifunction?: boolean | undefined;
  /** Where QEMU finds sysfs; `/sys` if not given. */
  readonly sysfs?: string | undefined;
}

/** What {@link qemuDevice} can end in: `invalid-argument` or `unsupported`. */
export type QemuDeviceError = InvalidArgumentError | UnsupportedError;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const PCI_ADDRESS = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/;

type Option = keyof QemuDeviceOptions;
const COMMON: readonly Option[] = ["id", "bus", "iommufd", "sysfs"];
const PCI: readonly Option[] = [
  ...COMMON,
  "addr",
  "display",
  "ramfb",
  "xres",
  "yres",
  "bootindex",
  "enableMigration",
  "multifunction",
];
/** Which options QEMU's devices have. Source: QEMU, `hw/vfio/{pci,ccw,ap}.c`. */
const OPTIONS: ReadonlyMap<string, readonly Option[]> = new Map([
  ["vfio-pci", PCI],
  ["vfio-ccw", [...COMMON, "devno", "bootindex"]],
  ["vfio-ap", COMMON],
]);

/**
 * The device of a virtual machine that a mediated device becomes. What it is to the machine is its type's `device_api`,
 * never a guess at the type's name. A vGPU of NVIDIA's vendor interface becomes the PCI function that it is.
 *
 * `invalid-argument` is a value that QEMU would refuse. `unsupported` is an option that this device of QEMU does not have,
 * and a `device_api` that is unknown or that QEMU has no device for. Nothing is read: whether the device exists, and whether
 * it has a display, shows when QEMU starts.
 * Source: QEMU, `hw/vfio/`.
 *
 * @param device - what `MdevDevice.read()` or a snapshot says of the device
 * @param type - what `MdevType.read()` or a snapshot says of its type
 *
 * @example
 * ```ts
 * import { formatQemuDevice, qemuDevice } from "vfio-mdev/qemu";
 *
 * const device = qemuDevice(
 *   { id: "c2177883-f1bb-47f0-914d-32a22e3a8804" },
 *   { deviceApi: "vfio-pci" },
 *   { id: "vgpu0", display: "on" },
 * ).getOrThrow();
 * console.log(formatQemuDevice(device));
 * // prints: vfio-pci,id=vgpu0,sysfsdev=/sys/bus/mdev/devices/c2177883-f1bb-47f0-914d-32a22e3a8804,display=on
 * ```
 */
export function qemuDevice(
  device: Pick<MdevDeviceInfo, "id">,
  type: Pick<MdevTypeInfo, "deviceApi">,
  options: QemuDeviceOptions = {},
): Result<QemuDevice, QemuDeviceError> {
  const tried = `give ${device.id} to QEMU`;
  const invalid = (reason: string): Result<never, InvalidArgumentError> =>
    Result.error(new InvalidArgumentError({ tried, reason }));
  const unsupported = (missing: string, reason: string, hint?: string): Result<never, UnsupportedError> =>
    Result.error(new UnsupportedError({ tried, reason, missing, hint }));

  const id = device.id.toLowerCase();
  const isFunction = PCI_ADDRESS.test(id);
  if (!isFunction && !UUID.test(id)) return invalid("its id is neither a UUID nor a PCI address");
  const api = type.deviceApi;
  if (api === undefined)
    return unsupported(
      "device_api",
      "its type does not tell what it is to a virtual machine",
      "Give the type as { deviceApi: … }, where you know.",
    );
  const known = OPTIONS.get(api);
  if (known === undefined) return unsupported(api, `QEMU has no device for mediated devices of ${api}`);
  if (isFunction && api !== "vfio-pci") return invalid(`a PCI function is no ${api}`);
  for (const [name, value] of Object.entries(options) as [Option, unknown][]) {
    if (value !== undefined && !known.includes(name))
      return unsupported(name, `QEMU's ${api} has no such option as ${name}`);
  }

  const fault = optionsFault(options);
  if (fault !== undefined) return invalid(fault);
  const { sysfs = "/sys", ramfb } = options;
  const properties = {
    driver: ramfb === true ? "vfio-pci-nohotplug" : api,
    id: options.id,
    ...(isFunction ? { host: id } : { sysfsdev: `${sysfs}/bus/mdev/devices/${id}` }),
    iommufd: options.iommufd,
    display: options.display,
    ramfb: ramfb === true ? true : undefined,
    xres: options.xres,
    yres: options.yres,
    "enable-migration": options.enableMigration,
    bootindex: options.bootindex,
    bus: options.bus,
    addr: options.addr === undefined ? undefined : formatAddr(options.addr),
    multifunction: options.multifunction,
    devno: options.devno === undefined ? undefined : formatDevno(options.devno),
  };
  const given = Object.entries(properties).filter(([, value]) => value !== undefined);
  return Result.ok(Object.freeze(Object.fromEntries(given)) as QemuDevice); // `driver` is always among them
}

/** Why QEMU would refuse the options, as a clause. */
function optionsFault(options: QemuDeviceOptions): string | undefined {
  const { id, iommufd, bus, addr, devno, display, ramfb, xres, yres, bootindex, enableMigration } = options;
  for (const [name, value] of Object.entries({ id, iommufd })) {
    if (value !== undefined && !isIdentifier(value))
      return `the ${name} is not made of letters, digits, "-", "." and "_", with a letter first`;
  }
  if (bus !== undefined && !/^[\w./-]+$/.test(bus)) return "the bus is no name of a bus";
  if (addr !== undefined && formatAddr(addr) === undefined)
    return "the addr is no slot from 0 to 1f with an optional function from 0 to 7, such as 0x3 or 3.1";
  if (devno !== undefined && formatDevno(devno) === undefined) return "the devno is none such as fe.0.0001";
  for (const [name, value] of Object.entries({ display, enableMigration })) {
    if (value !== undefined && !["on", "off", "auto"].includes(value))
      return `the ${name} is not on, off or auto`;
  }
  for (const [name, value] of Object.entries({ ramfb, multifunction: options.multifunction })) {
    if (value !== undefined && typeof value !== "boolean") return `the ${name} is not true or false`;
  }
  for (const [name, value] of Object.entries({ xres, yres })) {
    if (value !== undefined && !isUint32(value)) return `the ${name} is no number of pixels`;
  }
  if (bootindex !== undefined && !(isUint32(bootindex) && bootindex < 2 ** 31))
    return "the bootindex is no whole number from 0 on";
  const needsDisplay = ramfb === true || (xres ?? 0) > 0 || (yres ?? 0) > 0;
  if (needsDisplay && (display === undefined || display === "off"))
    return "ramfb, xres and yres take a display that is on";
  if (!/^\/[^\p{Cc}]*$/u.test(options.sysfs ?? "/sys")) return "the sysfs root is no absolute path";
  return undefined;
}
