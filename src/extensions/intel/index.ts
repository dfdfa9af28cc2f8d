/**
 * Intel GVT-g (KVMGT): what its descriptions say. From the sources of Linux; not run on a card.
 *
 * @packageDocumentation
 */
export { type GvtDescription, gvtDescription } from "./description.js";
