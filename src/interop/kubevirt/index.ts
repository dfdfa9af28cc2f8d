/**
 * Mediated devices in the words of KubeVirt: names of resources, and the environment of a pod.
 *
 * @packageDocumentation
 */
export { podDevices, type PodDevices, podVariable } from "./environment.js";
export {
  kubevirtTypeName,
  type PermittedDeviceOptions,
  permittedMediatedDevice,
  type PermittedMediatedDevice,
} from "./resource-name.js";
