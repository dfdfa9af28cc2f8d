import { Result } from "../../index.js";

/** What the id of a GVT-g type tells: plain, frozen data. */
export interface GvtTypeId {
  /**
   * GVT-g's own count of generations: the `5` of `i915-GVTg_V5_4`. 4 is Broadwell, 5 all that came after. Any number to
   * 99 is read.
   */
  readonly generation: number;
  /**
   * How many of the type one GPU is meant for: the `4` of `i915-GVTg_V5_4`. The driver has 1, 2, 4 and 8, and gives
   * each a weight of 16 divided by it. How many fit is another number: `available_instances`.
   */
  readonly divisor: number;
}

/**
 * Understands the id of a GVT-g type, or its name, which is the same without the driver: `i915-GVTg_V5_4`, `GVTg_V5_4`.
 * Otherwise why not, as a clause.
 * Source: Linux, `drivers/gpu/drm/i915/gvt/vgpu.c`, `intel_gvt_init_vgpu_types`.
 *
 * @example
 * ```ts
 * import { parseGvtTypeId } from "vfio-mdev/intel";
 *
 * console.log(parseGvtTypeId("i915-GVTg_V5_4").getOrThrow()); // prints: { generation: 5, divisor: 4 }
 * ```
 */
export function parseGvtTypeId(id: string): Result<GvtTypeId, string> {
  const [, generation, divisor] = /^(?:i915-)?GVTg_V([1-9][0-9]?)_([1-9][0-9]?)$/.exec(id.trim()) ?? [];
  if (generation === undefined) return Result.error("is no id of a GVT-g type such as i915-GVTg_V5_4");
  return Result.ok(Object.freeze({ generation: Number(generation), divisor: Number(divisor) }));
}
