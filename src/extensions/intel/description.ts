import { type Codec, count, mebibytes, pairs, pixels, type Resolution } from "../../index.js";

/** What GVT-g says of a type in its `description`: plain, frozen data; `undefined` where the text does not have the key. */
export interface GvtDescription {
  /** Graphics address space that the processor reaches too, in bytes: `low_gm_size`. It is space, not memory. */
  readonly lowGmBytes: number | undefined;
  /** Graphics address space that only the GPU reaches, in bytes: `high_gm_size`. It is space, not memory. */
  readonly highGmBytes: number | undefined;
  /** How many fence registers a device has: `fence`. */
  readonly fences: number | undefined;
  /** The resolution of the virtual monitor, in pixels: `resolution`. */
  readonly resolution: Resolution | undefined;
  /** Its share of the GPU's time in relation to that of others, from 1 to 16, twice as much for 8 as for 4: `weight`. */
  readonly weight: number | undefined;
  /** The lines with other keys, as they stand in the text. */
  readonly others: Readonly<Record<string, string>>;
}

const lines: Codec<GvtDescription> = pairs<Omit<GvtDescription, "others">>(
  {
    lowGmBytes: mebibytes("low_gm_size", "MB"),
    highGmBytes: mebibytes("high_gm_size", "MB"),
    fences: count("fence"),
    resolution: pixels("resolution"),
    weight: count("weight"),
  },
  { between: /\n|, /, joint: "\n", sign: ": " },
);

/**
 * The text of GVT-g's file `description`, in lines, or joined by `, ` as mdevctl shows it:
 * `low_gm_size: 128MB`, `high_gm_size: 512MB`, `fence: 4`, `resolution: 1920x1200`, `weight: 4`.
 *
 * A key that is missing gives `undefined`, and so does an empty resolution, the driver's word for one that it has no
 * name for. A number that is malformed, a key that comes twice and a part that is no pair are reasons not to understand
 * the text: no number is ever guessed. The values of unknown keys (`aggregation`, of kernels with the patches of 2018)
 * are kept. Written in lines.
 * Source: Linux, `drivers/gpu/drm/i915/gvt/kvmgt.c` and `display.h`.
 */
export const gvtDescription: Codec<GvtDescription> = {
  decode: (raw) => lines.decode(raw.replace(/(^|\n|, )resolution: ?(?=\n|, |$)/, "$1")),
  encode: lines.encode,
};
