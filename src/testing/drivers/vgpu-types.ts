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

/**
 * Some types of an L40S, as its driver lists them. Numbers and names are those of real hosts; heads, resolutions and how
 * many fit follow NVIDIA's pattern.
 */
export const L40S_TYPES: readonly VgpuType[] = [
  l40s("1145", "1B", 4, 45, 1024, "5120x2880", 32),
  l40s("1146", "2B", 4, 45, 2048, "5120x2880", 24),
  l40s("1147", "1Q", 4, 60, 1024, "5120x2880", 32),
  l40s("1148", "2Q", 4, 60, 2048, "7680x4320", 24),
  l40s("1149", "3Q", 4, 60, 3072, "7680x4320", 16),
  l40s("1150", "4Q", 4, 60, 4096, "7680x4320", 12),
  l40s("1151", "6Q", 4, 60, 6144, "7680x4320", 8),
  l40s("1152", "8Q", 4, 60, 8192, "7680x4320", 6),
  l40s("1153", "12Q", 4, 60, 12288, "7680x4320", 4),
  l40s("1154", "16Q", 4, 60, 16384, "7680x4320", 3),
  l40s("1155", "24Q", 4, 60, 24576, "7680x4320", 2),
  l40s("1156", "48Q", 4, 60, 49152, "7680x4320", 1),
];

type Columns = [
  heads: number,
  frameRate: number,
  framebuffer: number,
  resolution: string,
  maxInstance: number,
];

function p40(number: string, name: string, ...columns: Columns): VgpuType {
  return vgpuType(number, `GRID P40-${name}`, columns);
}

function l40s(number: string, name: string, ...columns: Columns): VgpuType {
  return vgpuType(number, `NVIDIA L40S-${name}`, columns);
}

function vgpuType(number: string, name: string, columns: Columns): VgpuType {
  const [heads, frameRate, framebuffer, resolution, maxInstance] = columns;
  return { id: `nvidia-${number}`, name, heads, frameRate, framebuffer, resolution, maxInstance };
}

/** The number in the id of a type: 1145 of `nvidia-1145`. */
export function typeNumber({ id }: VgpuType): number {
  const number = /^nvidia-([1-9][0-9]*)$/u.exec(id)?.[1];
  if (number === undefined) throw new Error(`${id} is no id of a type like nvidia-1145`);
  return Number(number);
}

/** The text of `description`. */
export function describeVgpu({ heads, frameRate, framebuffer, resolution, maxInstance }: VgpuType): string {
  return (
    `num_heads=${heads}, frl_config=${frameRate}, framebuffer=${framebuffer}M, ` +
    `max_resolution=${resolution}, max_instance=${maxInstance}\n`
  );
}
