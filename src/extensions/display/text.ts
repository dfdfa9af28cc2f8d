import { type MdevTypeInfo, Result } from "../../index.js";
import { gvtDescription } from "../intel/index.js";
import { parseVgpuTypeName, vgpuDescription } from "../nvidia/index.js";
import { resolution, videoMemory } from "../samples/index.js";
import { type DisplayFacts, merge, type PartialFacts } from "./facts.js";

/** The form that a driver gives to the descriptions of its types. */
interface Format {
  /** How the ids of the driver's types begin. */
  readonly driver: string;
  /** What tells a description of this form from one of a form to come. */
  readonly sign: RegExp;
  decode(raw: string): Result<PartialFacts, string>;
}

const FORMATS: readonly Format[] = [
  {
    driver: "nvidia-",
    sign: /(?:^|[,\s])(?:num_heads|frl_config|framebuffer|max_resolution|max_instance)=/,
    decode: (raw) => vgpuDescription.decode(raw),
  },
  {
    driver: "i915-",
    sign: /(?:^|[,\s])(?:low_gm_size|high_gm_size|fence|resolution|weight):/,
    // What it says of graphics memory is address space; a guest's pictures are in its own memory.
    decode: (raw) =>
      gvtDescription.decode(raw).map(({ resolution: maxResolution, others }) => ({ maxResolution, others })),
  },
  {
    driver: "mdpy-",
    sign: /^virtual display, .*framebuffer/,
    decode: (raw) => resolution.decode(raw).map((maxResolution) => ({ maxResolution })),
  },
  {
    driver: "mbochs-",
    sign: /^virtual display, .*video memory/,
    decode: (raw) => videoMemory.decode(raw).map((framebufferBytes) => ({ framebufferBytes })),
  },
];

/**
 * What a type says of itself in words, as {@link MdevTypeInfo} has it: its id, and the texts of its files `name` and
 * `description`.
 */
export type DisplayText = Pick<MdevTypeInfo, "id" | "name" | "description">;

/**
 * What a type's description tells of its displays, or where there is none, its name: a pure function, for types of a
 * snapshot. The names of NVIDIA's types tell the framebuffer. Of a driver that nobody knows, and of a description in a
 * form that its driver did not have before, nothing is known. A malformed number in a known form is an error: why, as a
 * clause about the description.
 *
 * Drivers are told by the ids of their types: `nvidia-`, `i915-` (GVT-g), `mdpy-`, `mbochs-`.
 *
 * @example
 * ```ts
 * import { displayFactsOf } from "vfio-mdev/display";
 *
 * const type = { id: "i915-GVTg_V5_4", name: "GVTg_V5_4", description: "fence: 4\nresolution: 1920x1200\n" };
 * const { maxResolution, heads } = displayFactsOf(type).getOrThrow();
 * console.log(maxResolution, heads); // prints: { width: 1920, height: 1200 } undefined
 * ```
 */
export function displayFactsOf({ id, name, description }: DisplayText): Result<DisplayFacts, string> {
  if (description === undefined) return Result.ok(merge([factsOfName(name)]));
  const format = FORMATS.find(({ driver, sign }) => id.startsWith(driver) && sign.test(description));
  if (format === undefined) return Result.ok(merge([{ description }]));
  const decoded = format.decode(description);
  return decoded.ok ? Result.ok(merge([{ description }, decoded.value])) : decoded;
}

function factsOfName(name: string | undefined): PartialFacts {
  const vgpu = name === undefined ? undefined : parseVgpuTypeName(name);
  // Another vendor's name can have the same form, but not the brand.
  return vgpu?.ok && vgpu.value.brand !== undefined ? { framebufferBytes: vgpu.value.framebufferBytes } : {};
}
