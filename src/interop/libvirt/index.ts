/**
 * Mediated devices in the words of libvirt: node devices, their names, and devices of a domain, as XML and back. Needs the
 * package `@xmldom/xmldom` beside this one.
 *
 * XML with a document type, or with more than 2^20 characters, 20000 elements or 64 levels, is refused: `decode`.
 *
 * @packageDocumentation
 */
export {
  formatHostdev,
  type Hostdev,
  hostdev,
  type HostdevError,
  type HostdevModel,
  type HostdevOptions,
  type MdevHostdev,
  parseHostdevs,
  type PciHostdev,
} from "./hostdev.js";
export {
  formatMdevNodeDevice,
  type MdevNodeDevice,
  mdevNodeDevice,
  type MdevNodeDeviceOptions,
  newMdevNodeDevice,
  type NodeDeviceAttribute,
  type NodeDeviceError,
  parseMdevNodeDevice,
} from "./mdev-node-device.js";
export {
  mdevNodeDeviceName,
  type NodeDeviceName,
  parentNodeDeviceName,
  parseNodeDeviceName,
} from "./node-device-name.js";
export {
  formatParentNodeDevice,
  type NodeDeviceType,
  type ParentNodeDevice,
  parentNodeDevice,
  parseParentNodeDevice,
} from "./parent-node-device.js";
