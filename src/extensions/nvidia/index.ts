/**
 * NVIDIA vGPU: what its driver's descriptions and type names say. From public sources; not run on a card.
 *
 * @packageDocumentation
 */
export { type VgpuDescription, vgpuDescription } from "./description.js";
export {
  type MigAttribute,
  type MigSlice,
  parseVgpuTypeName,
  type VgpuSeries,
  type VgpuTypeName,
} from "./type-name.js";
