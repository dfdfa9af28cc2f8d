/** A type of vGPU, by the columns of its `description`. */
export interface VgpuType {
  /** `nvidia-156`. */
  readonly id: string;
  /** `GRID P40-2B`. */
  readonly name: string;
  /** Virtual display heads. */
  readonly heads: number;
  /** Frame-rate limit, in frames a second. */
  readonly frameRate: number;
  /** Framebuffer, in MiB. */
  readonly framebuffer: number;
  /** Largest resolution of a head: `5120x2880`. */
  readonly resolution: string;
  /** How many fit on one GPU. */
  readonly maxInstance: number;
}

/** Some types of a Tesla P40, as its driver lists them. */
export const P40_TYPES: readonly VgpuType[] = [
  p40("46", "1Q", 4, 60, 1024, "5120x2880", 24),
  p40("47", "2Q", 4, 60, 2048, "7680x4320", 12),
  p40("48", "3Q", 4, 60, 3072, "7680x4320", 8),
  p40("62", "1B", 4, 45, 1024, "5120x2880", 24),
  p40("156", "2B", 4, 45, 2048, "5120x2880", 12),
  p40("283", "4C", 1, 60, 4096, "4096x2160", 6),
];

function p40(
  number: string,
  name: string,
  heads: number,
  frameRate: number,
  framebuffer: number,
  resolution: string,
  maxInstance: number,
): VgpuType {
  return {
    id: `nvidia-${number}`,
    name: `GRID P40-${name}`,
    heads,
    frameRate,
    framebuffer,
    resolution,
    maxInstance,
  };
}

/** The text of `description`. */
export function describeVgpu({ heads, frameRate, framebuffer, resolution, maxInstance }: VgpuType): string {
  return (
    `num_heads=${heads}, frl_config=${frameRate}, framebuffer=${framebuffer}M, ` +
    `max_resolution=${resolution}, max_instance=${maxInstance}\n`
  );
}
