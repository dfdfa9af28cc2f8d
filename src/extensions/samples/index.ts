/**
 * Typed attributes of the mdev drivers that Linux ships as samples: mtty, mdpy and mbochs. Proven on real kernels.
 *
 * @packageDocumentation
 */
export { MbochsDevice, MbochsType, videoMemory } from "./mbochs.js";
export { MdpyDevice, MdpyType, resolution } from "./mdpy.js";
export { MttyDevice, MttyParent } from "./mtty.js";
