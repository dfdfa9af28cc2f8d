/**
 * Mediated devices in the words of Incus and LXD: the resources of a server, and the configuration of an instance.
 *
 * @packageDocumentation
 */
export { type IncusGpuDevice, incusGpuDevice } from "./gpu-device.js";
export {
  type IncusCard,
  incusCards,
  type IncusMdev,
  type IncusOffer,
  type IncusParent,
  parseIncusResources,
} from "./resources.js";
