/**
 * Intel GVT-g (KVMGT): its types and devices. From the sources of Linux; not run on a card.
 *
 * @packageDocumentation
 */
export { type GvtDescription, gvtDescription } from "./description.js";
export { GvtDevice, GvtType, gvtNumber } from "./gvt.js";
export { type GvtTypeId, parseGvtTypeId } from "./type-id.js";
