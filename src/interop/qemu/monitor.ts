import { Result, UnsupportedError } from "../../index.js";
import type { QemuDevice } from "./qemu-device.js";

/**
 * A command of QEMU's monitor, as its JSON has it.
 *
 * @typeParam A - its arguments
 */
export interface QmpCommand<A> {
  /** Its name: `device_add`. */
  readonly execute: string;
  /** What it is given. */
  readonly arguments: A;
}

/**
 * The QMP command that plugs a device into a running virtual machine. `unsupported` for one with `ramfb`, which can only be there
 * from the start. Source: QEMU, `qapi/qdev.json`.
 */
export function deviceAdd(device: QemuDevice): Result<QmpCommand<QemuDevice>, UnsupportedError> {
  if (device.driver !== "vfio-pci-nohotplug")
    return Result.ok(Object.freeze({ execute: "device_add", arguments: device }));
  const tried = `plug in ${device.id ?? "a device"}`;
  const reason = "QEMU cannot plug in a device with ramfb";
  return Result.error(new UnsupportedError({ tried, reason, missing: "hotplug", hint: "Leave ramfb out." }));
}

/**
 * The QMP command that unplugs a device. The guest has to let go of it first: remove the mediated device after QMP's event
 * `DEVICE_DELETED` for this id. Source: QEMU, `qapi/qdev.json`.
 */
export function deviceDel(id: string): QmpCommand<Readonly<Record<"id", string>>> {
  return Object.freeze({ execute: "device_del", arguments: Object.freeze({ id }) });
}
