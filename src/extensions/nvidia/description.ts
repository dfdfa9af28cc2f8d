import { type Codec, count, mebibytes, pairs, pixels, type Resolution } from "../../index.js";

/**
 * What NVIDIA's driver says of a type in its `description`: plain, frozen data; `undefined` where the text does not
 * have the key.
 */
export interface VgpuDescription {
  /** How many virtual display heads a vGPU has: `num_heads`. */
  readonly heads: number | undefined;
  /** The limit of the frame rate, in frames a second: `frl_config`. A device can be freed of it (`vgpu_params`). */
  readonly frameRateLimit: number | undefined;
  /** Framebuffer, in bytes: `framebuffer`, of which the driver prints MiB. */
  readonly framebufferBytes: number | undefined;
  /** The largest resolution of one head, in pixels: `max_resolution`. */
  readonly maxResolution: Resolution | undefined;
  /** How many vGPUs of the type fit on one GPU that has no others: `max_instance`. */
  readonly maxInstances: number | undefined;
  /** The pairs with other keys, as they stand in the text. */
  readonly others: Readonly<Record<string, string>>;
}

/**
 * The text of NVIDIA's file `description`:
 * `num_heads=4, frl_config=45, framebuffer=2048M, max_resolution=5120x2880, max_instance=12`.
 *
 * A key that is missing gives `undefined`. A number that is malformed, a key that comes twice and a part that is no
 * pair are reasons not to understand the text: no number is ever guessed. The values of unknown keys are kept.
 * Source: NVIDIA/open-gpu-kernel-modules 525.53, `src/nvidia/arch/nvalloc/unix/src/os-hypervisor.c`.
 *
 * @example
 * ```ts
 * import { vgpuDescription } from "vfio-mdev/nvidia";
 *
 * const raw = "num_heads=4, frl_config=45, framebuffer=2048M, max_resolution=5120x2880, max_instance=12\n";
 * const { framebufferBytes, maxInstances } = vgpuDescription.decode(raw).getOrThrow();
 * console.log(framebufferBytes, maxInstances); // prints: 2147483648 12
 * ```
 */
export const vgpuDescription: Codec<VgpuDescription> = pairs<Omit<VgpuDescription, "others">>(
  {
    heads: count("num_heads"),
    frameRateLimit: count("frl_config"),
    framebufferBytes: mebibytes("framebuffer", "M"),
    maxResolution: pixels("max_resolution"),
    maxInstances: count("max_instance"),
  },
  { between: /[,\n]/, joint: ", ", sign: "=" },
);
