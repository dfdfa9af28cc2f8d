import { DecodeError, Result } from "../../index.js";
import type { QemuDevice } from "./qemu-device.js";

type Value = string | number | boolean;

const DRIVERS: ReadonlySet<unknown> = new Set(["vfio-pci", "vfio-pci-nohotplug", "vfio-ccw", "vfio-ap"]);
const BOOLEANS: ReadonlySet<string> = new Set(["ramfb", "multifunction"]);
const NUMBERS: ReadonlySet<string> = new Set(["xres", "yres", "bootindex"]);
const TRUE: ReadonlySet<string> = new Set(["on", "yes", "true", "y"]);
const FALSE: ReadonlySet<string> = new Set(["off", "no", "false", "n"]);
const LENGTH_MAX = 65_536;

/**
 * The argument of `-device` in QEMU's own form: `vfio-pci,id=vgpu0,sysfsdev=…`. A comma in a value is doubled, and a
 * boolean is `on` or `off`. The JSON form, which QEMU takes since 6.2, is `JSON.stringify(device)`.
 * Source: QEMU, `util/qemu-option.c`.
 */
export function formatQemuDevice(device: QemuDevice): string {
  const { driver, ...properties } = device;
  const pairs = Object.entries(properties).filter(([, value]) => value !== undefined);
  return [driver, ...pairs.map(([name, value]) => `${name}=${textOf(value ?? "")}`)].join(",");
}

/**
 * Understands the argument of `-device` for one of the VFIO devices, in either form. Of a property that comes twice,
 * the last one counts, as for QEMU. Properties that this library does not know are kept, as text. `decode`: it is of
 * another device, malformed, longer than 65536 characters, or has a number or a switch that is none.
 * Source: QEMU, `util/qemu-option.c`.
 */
export function parseQemuDevice(argument: string): Result<QemuDevice, DecodeError> {
  const refuse = (reason: string): Result<never, DecodeError> =>
    Result.error(new DecodeError({ tried: "understand an argument of -device", reason, raw: argument }));
  if (argument.length > LENGTH_MAX) return refuse("it is longer than any that QEMU is given");
  const properties = argument.startsWith("{") ? fromJson(argument) : fromPairs(argument);
  if (typeof properties === "string") return refuse(properties);
  const driver = properties.get("driver");
  if (!DRIVERS.has(driver)) return refuse("it is no VFIO device");
  // The driver comes first, wherever the argument has it.
  return Result.ok(Object.freeze(Object.fromEntries([["driver", driver], ...properties])) as QemuDevice);
}

/**
 * The VFIO devices among the arguments of a QEMU process, such as those in `/proc/<pid>/cmdline`. Other devices are left
 * out, and those that were plugged in later are not there.
 *
 * @example
 * ```ts
 * import { findQemuDevices, hostDeviceId } from "vfio-mdev/qemu";
 *
 * const cmdline = "qemu-system-x86_64\0-m\x00512\0-device\0vfio-pci,host=41:00.5\0";
 * for (const device of findQemuDevices(cmdline.split("\0"))) console.log(hostDeviceId(device)); // prints: 0000:41:00.5
 * ```
 */
export function findQemuDevices(argv: readonly string[]): readonly QemuDevice[] {
  const found: QemuDevice[] = [];
  for (const [index, argument] of argv.entries()) {
    if (argument !== "-device" && argument !== "--device") continue;
    const parsed = parseQemuDevice(argv[index + 1] ?? "");
    if (parsed.ok) found.push(parsed.value);
  }
  return Object.freeze(found);
}

/**
 * The id of the device of the host that a device of a virtual machine is, from its `sysfsdev` or else its `host`: its
 * UUID or its PCI address, as `MdevDevice.id` has it. QEMU takes an address without its domain for one of domain 0.
 * `undefined` where neither shows: a device that was handed over as an open file.
 */
export function hostDeviceId(device: QemuDevice): string | undefined {
  const { sysfsdev, host } = device;
  if (sysfsdev !== undefined) return sysfsdev.replace(/\/+$/, "").split("/").at(-1)?.toLowerCase();
  if (host === undefined) return undefined;
  return (/^[^:]*:[^:]*$/.test(host) ? `0000:${host}` : host).toLowerCase();
}

function textOf(value: Value): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  return String(value).replaceAll(",", ",,");
}

/** Properties of the form `a=1,b=2`, where `,,` is a comma; or why there are none, as a clause. */
function fromPairs(text: string): Map<string, Value> | string {
  const properties = new Map<string, Value>();
  for (const [index, part] of splitAtCommas(text).entries()) {
    const at = part.indexOf("=");
    if (at === -1 && index > 0) {
      if (part !== "") properties.set(part, typed(part, "on") ?? "on"); // QEMU's short form of a switch
      continue;
    }
    const name = at === -1 ? "driver" : part.slice(0, at);
    const value = typed(name, part.slice(at + 1));
    if (value === undefined) return `its ${name} has a value that QEMU would refuse`;
    properties.set(name, value);
  }
  return properties;
}

/** Splits at commas, but not at doubled ones, which stand for one. */
function splitAtCommas(text: string): string[] {
  return (text.match(/(?:[^,]|,,)+|^$/g) ?? []).map((part) => part.replaceAll(",,", ","));
}

function typed(name: string, text: string): Value | undefined {
  if (BOOLEANS.has(name)) return TRUE.has(text) ? true : FALSE.has(text) ? false : undefined;
  if (NUMBERS.has(name)) return /^[0-9]{1,10}$/.test(text) ? Number(text) : undefined;
  return text;
}

function fromJson(text: string): Map<string, Value> | string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return "it is not valid JSON";
  }
  const properties = new Map<string, Value>();
  for (const [name, value] of Object.entries(parsed as Record<string, unknown>)) {
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean")
      return `its ${name} is neither text nor number nor boolean`;
    properties.set(name, value);
  }
  return properties;
}
