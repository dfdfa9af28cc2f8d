/**
 * NVIDIA vGPU: its types, its devices and its cards, with mediated devices and on NVIDIA's own interface. From public
 * sources; not run on a card.
 *
 * @packageDocumentation
 */
export { type VgpuDescription, vgpuDescription } from "./description.js";
export { sameVgpuName } from "./folded-name.js";
export { NvidiaCard, type VgpuCapacity } from "./nvidia-card.js";
export { findVgpuType } from "./offers.js";
export {
  type MigAttribute,
  type MigSlice,
  parseVgpuTypeName,
  type VgpuSeries,
  type VgpuTypeName,
} from "./type-name.js";
export { NvidiaVgpuDevice } from "./vgpu-device.js";
export { vgpuNumber } from "./vgpu-number.js";
export { type VgpuParams, vgpuParams } from "./vgpu-params.js";
export { NvidiaVgpuType } from "./vgpu-type.js";
export type { UsedVgpu, VgpuUsage } from "./vgpu-usage.js";
