/**
 * Displays of mediated devices, whatever the vendor: framebuffer, heads, resolution. Proven on real kernels for mdpy
 * and mbochs; for NVIDIA and GVT-g from public sources; the class-based layout of 2016 exists in simulation only.
 *
 * @packageDocumentation
 */
export { DisplayType } from "./display-type.js";
export type { DisplayFacts } from "./facts.js";
export { byteLength } from "./files.js";
export { type DisplayNeeds, meets } from "./needs.js";
export { displayFactsOf, type DisplayText } from "./text.js";
