/** The name of a vGPU type without what makes no difference. */
export function foldVgpuName(name: string): string {
  const words = name.trim().toLowerCase();
  return words.replace(/[\s_]+/g, " ").replace(/^(?:grid|nvidia) /, "");
}

/**
 * Whether two texts are the name of one vGPU type, as {@link findVgpuType} takes them: capitals, the first word `GRID` or
 * `NVIDIA`, and `_` for a blank make no difference; all else does.
 * Sources, for how names are spelled: NVIDIA/go-nvlib, `pkg/nvmdev`, which takes the last word; KubeVirt, which writes `_`.
 *
 * @example
 * ```ts
 * import { sameVgpuName } from "vfio-mdev/nvidia";
 *
 * console.log(sameVgpuName("GRID P40-2B", "grid_p40-2b"), sameVgpuName("P40-2B", "P40-2B4")); // prints: true false
 * ```
 */
export function sameVgpuName(a: string, b: string): boolean {
  return foldVgpuName(a) === foldVgpuName(b);
}
