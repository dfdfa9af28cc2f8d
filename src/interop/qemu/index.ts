/**
 * Mediated devices in the words of QEMU: arguments of `-device`, commands of QMP, and back.
 *
 * @packageDocumentation
 */
export { findQemuDevices, formatQemuDevice, hostDeviceId, parseQemuDevice } from "./argument.js";
export { deviceAdd, deviceDel, type QmpCommand } from "./monitor.js";
export type { OnOffAuto } from "./property.js";
export {
  type QemuDevice,
  qemuDevice,
  type QemuDeviceError,
  type QemuDeviceOptions,
  type QemuDriver,
} from "./qemu-device.js";
