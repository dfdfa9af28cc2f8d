// Facts of types that exist, each written down from public material:
// [1] `mdevctl types` of a Tesla P100, driver 510 (read 2022)
// [2] /sys/class/mdev_bus of a Tesla M60, driver 510.47 (Red Hat, OpenShift Virtualization, 2022)
// [3] `mdevctl types` of a card unlocked as RTX A6000, driver 525.147
// [4] `mdevctl types` of a Tesla P40, sysfs of a P4
// [5] OpenStack charm nova-compute-nvidia-vgpu, README and tests: RTX 6000, V100, L40S
// [6] vgpuConfig.xml of driver 510.47.03, as tabled in public documentation
// [7] NVIDIA AI Enterprise, "NVIDIA vGPU (C-Series)": frame buffer in MB of each type
// [8] creatable_vgpu_types of L40S (harvester/pcidevices) and RTX 6000 Ada (OpenStack Nova's documentation)
// [9] `nvidia-smi vgpu` of an RTX Pro 6000 Blackwell, driver 580
// [10] the grammar's tests in NVIDIA/vgpu-device-manager
// [11] tests/snapshots of harvester/pcidevices: A16

import type { MigAttribute, VgpuSeries } from "../../../src/extensions/nvidia/index.js";

/** A description and what is in it. */
export interface Described {
  readonly name: string;
  readonly id: string;
  readonly heads: number;
  readonly frameRate: number;
  readonly mebibytes: number;
  readonly resolution: readonly [width: number, height: number];
  readonly instances: number;
}

type Row = readonly [string, string, number, number, number, number, number, number];

// name, type id, heads, frames a second, MiB, width, height, instances
const DESCRIBED: readonly Row[] = [
  ["GRID M60-0B", "nvidia-11", 2, 45, 512, 2560, 1600, 16], // [2]
  ["GRID M60-0Q", "nvidia-12", 2, 60, 512, 2560, 1600, 16], // [2]
  ["GRID M60-1A", "nvidia-13", 1, 60, 1024, 1280, 1024, 8], // [2]
  ["GRID M60-1B", "nvidia-14", 4, 45, 1024, 5120, 2880, 8], // [2]
  ["GRID M60-2Q", "nvidia-18", 4, 60, 2048, 5120, 2880, 4], // [2]
  ["GRID M60-8Q", "nvidia-22", 4, 60, 8192, 5120, 2880, 1], // [2]
  ["GRID M60-2B4", "nvidia-210", 4, 45, 2048, 5120, 2880, 4], // [2]
  ["GRID M60-1B4", "nvidia-238", 4, 45, 1024, 5120, 2880, 8], // [2]
  ["GRID M10-0Q", "nvidia-36", 2, 60, 512, 2560, 1600, 16], // a NixOS host's notes
  ["GRID P40-1Q", "nvidia-46", 4, 60, 1024, 5120, 2880, 24], // [4]
  ["GRID P40-2Q", "nvidia-47", 4, 60, 2048, 7680, 4320, 12], // a NixOS host's notes
  ["GRID P40-4Q", "nvidia-49", 4, 60, 4096, 7680, 4320, 6], // a NixOS host's notes
  ["GRID P40-2B", "nvidia-156", 4, 45, 2048, 5120, 2880, 12], // [4]
  ["GRID P40-4C", "nvidia-283", 1, 60, 4096, 4096, 2160, 6], // [4]
  ["GRID P4-2Q", "nvidia-64", 4, 60, 2048, 7680, 4320, 4], // [4]
  ["GRID P100-1Q", "nvidia-83", 4, 60, 1024, 5120, 2880, 16], // [1]
  ["GRID P100-16Q", "nvidia-87", 4, 60, 16384, 7680, 4320, 1], // [1]
  ["GRID P100-2A", "nvidia-89", 1, 60, 2048, 1280, 1024, 8], // [1]
  ["GRID P100-2B4", "nvidia-211", 4, 45, 2048, 5120, 2880, 8], // [1]
  ["GRID P100-8C", "nvidia-294", 1, 60, 8192, 4096, 2160, 2], // [1]
  ["GRID V100-4Q", "nvidia-107", 4, 60, 4096, 7680, 4320, 4], // [5]
  ["GRID RTX6000-3Q", "nvidia-258", 4, 60, 3072, 7680, 4320, 8], // [5]
  ["NVIDIA RTXA6000-1B", "nvidia-522", 4, 45, 1024, 5120, 2880, 32], // [3]
  ["NVIDIA RTXA6000-12Q", "nvidia-530", 4, 60, 12288, 7680, 4320, 4], // [3]
  ["NVIDIA RTXA6000-48A", "nvidia-543", 1, 60, 49152, 1280, 1024, 1], // [3]
  ["NVIDIA RTXA6000-6C", "nvidia-549", 1, 60, 6144, 4096, 2400, 8], // [3]
  ["NVIDIA L40S-1B", "nvidia-1145", 4, 45, 1024, 5120, 2880, 32], // [5]
];

export const DESCRIPTIONS: readonly Described[] = DESCRIBED.map(
  ([name, id, heads, frameRate, mebibytes, width, height, instances]) => ({
    name,
    id,
    heads,
    frameRate,
    mebibytes,
    resolution: [width, height],
    instances,
  }),
);

/** The text of a description, as the driver prints it. */
export function printed({
  heads,
  frameRate,
  mebibytes,
  resolution: [width, height],
  instances,
}: Described): string {
  return `num_heads=${heads}, frl_config=${frameRate}, framebuffer=${mebibytes}M, max_resolution=${width}x${height}, max_instance=${instances}\n`;
}

/** A type name, and what it says. */
export interface Named {
  readonly name: string;
  readonly product: string;
  readonly series: VgpuSeries;
  /** The framebuffer in MiB, as tables and cards tell it, not as the name does. */
  readonly mebibytes: number;
  readonly slices?: number;
  readonly attribute?: MigAttribute;
  readonly variant?: "4";
}

export const NAMES: readonly Named[] = [
  { name: "GRID M60-0B", product: "M60", series: "B", mebibytes: 512 }, // [2]
  { name: "GRID M60-0Q", product: "M60", series: "Q", mebibytes: 512 }, // [2]
  { name: "GRID M60-8A", product: "M60", series: "A", mebibytes: 8192 }, // [2]
  { name: "GRID M60-2B4", product: "M60", series: "B", mebibytes: 2048, variant: "4" }, // [2]
  { name: "GRID M6-0Q", product: "M6", series: "Q", mebibytes: 512 }, // [6]
  { name: "GRID M10-1A", product: "M10", series: "A", mebibytes: 1024 }, // [6]
  { name: "GRID P4-8C", product: "P4", series: "C", mebibytes: 8192 }, // [6]
  { name: "GRID P6-16Q", product: "P6", series: "Q", mebibytes: 16384 }, // [6]
  { name: "GRID P40-2B", product: "P40", series: "B", mebibytes: 2048 }, // [4]
  { name: "GRID P40-1B4", product: "P40", series: "B", mebibytes: 1024, variant: "4" }, // [6]
  { name: "GRID P40-24Q", product: "P40", series: "Q", mebibytes: 24576 }, // [6]
  { name: "GRID P100-16C", product: "P100", series: "C", mebibytes: 16384 }, // [1]
  { name: "GRID P100C-12A", product: "P100C", series: "A", mebibytes: 12288 }, // [6]
  { name: "GRID P100X-8Q", product: "P100X", series: "Q", mebibytes: 8192 }, // [6]
  { name: "GRID T4-1Q", product: "T4", series: "Q", mebibytes: 1024 }, // [6]
  { name: "GRID T4-2B4", product: "T4", series: "B", mebibytes: 2048, variant: "4" }, // [6]
  { name: "GRID V100-16Q", product: "V100", series: "Q", mebibytes: 16384 }, // [6]
  { name: "GRID V100D-8Q", product: "V100D", series: "Q", mebibytes: 8192 }, // [6]
  { name: "GRID V100DX-32A", product: "V100DX", series: "A", mebibytes: 32768 }, // [6]
  { name: "V100X-8C", product: "V100X", series: "C", mebibytes: 8192 }, // [7]
  { name: "GRID RTX6000-3A", product: "RTX6000", series: "A", mebibytes: 3072 }, // [6]
  { name: "GRID RTX6000P-6C", product: "RTX6000P", series: "C", mebibytes: 6144 }, // [6]
  { name: "GRID RTX8000-48Q", product: "RTX8000", series: "Q", mebibytes: 49152 }, // [6]
  { name: "GRID RTX8000P-16A", product: "RTX8000P", series: "A", mebibytes: 16384 }, // [6]
  { name: "NVIDIA RTXA6000-48C", product: "RTXA6000", series: "C", mebibytes: 49152 }, // [3]
  { name: "RTXA5500-12C", product: "RTXA5500", series: "C", mebibytes: 12288 }, // [7]
  { name: "NVIDIA A16-16C", product: "A16", series: "C", mebibytes: 16384 }, // [7] [11]
  { name: "NVIDIA A16-2Q", product: "A16", series: "Q", mebibytes: 2048 }, // nvidia-smi of a guest
  { name: "NVIDIA A10-24Q", product: "A10", series: "Q", mebibytes: 24576 }, // nvidia-smi of a guest
  { name: "A40-48C", product: "A40", series: "C", mebibytes: 49152 }, // [7]
  { name: "GRID A100-40C", product: "A100", series: "C", mebibytes: 40960 }, // [6]
  { name: "GRID A100-1-5C", product: "A100", series: "C", mebibytes: 5120, slices: 1 }, // [6]
  { name: "GRID A100-1-5CME", product: "A100", series: "C", mebibytes: 5120, slices: 1, attribute: "ME" }, // [6]
  { name: "GRID A100-7-40C", product: "A100", series: "C", mebibytes: 40960, slices: 7 }, // [6]
  { name: "GRID A100D-1-10CME", product: "A100D", series: "C", mebibytes: 10240, slices: 1, attribute: "ME" }, // [6]
  { name: "GRID A100DX-3-40C", product: "A100DX", series: "C", mebibytes: 40960, slices: 3 }, // [6]
  { name: "GRID A100X-2-10C", product: "A100X", series: "C", mebibytes: 10240, slices: 2 }, // [6]
  { name: "A30-2-12CME", product: "A30", series: "C", mebibytes: 12288, slices: 2, attribute: "ME" }, // [7]
  { name: "A800D-1-20C", product: "A800D", series: "C", mebibytes: 20480, slices: 1 }, // [7]
  { name: "A800DX-80C", product: "A800DX", series: "C", mebibytes: 81920 }, // [7]
  { name: "NVIDIA H100XM-80C", product: "H100XM", series: "C", mebibytes: 81920 }, // [7]
  { name: "H100XS-1-8CME", product: "H100XS", series: "C", mebibytes: 8192, slices: 1, attribute: "ME" }, // [7]
  { name: "H200-4-71C", product: "H200", series: "C", mebibytes: 72704, slices: 4 }, // [7]
  { name: "NVIDIA H200X-141C", product: "H200X", series: "C", mebibytes: 144384 }, // [7]
  { name: "H20-16C", product: "H20", series: "C", mebibytes: 16384 }, // [7]
  { name: "NVIDIA L40S-3B", product: "L40S", series: "B", mebibytes: 3072 }, // [8]
  { name: "NVIDIA L40S-48A", product: "L40S", series: "A", mebibytes: 49152 }, // [8]
  { name: "L4-6C", product: "L4", series: "C", mebibytes: 6144 }, // [7]
  { name: "L20-4C", product: "L20", series: "C", mebibytes: 4096 }, // [7]
  { name: "NVIDIA RTX6000-Ada-4Q", product: "RTX6000-Ada", series: "Q", mebibytes: 4096 }, // [8]
  { name: "NVIDIA RTX6000-Ada-48Q", product: "RTX6000-Ada", series: "Q", mebibytes: 49152 }, // [8]
  { name: "RTX 5880 Ada-24C", product: "RTX 5880 Ada", series: "C", mebibytes: 24576 }, // [7]
  {
    name: "NVIDIA RTX Pro 6000 Blackwell DC-48Q",
    product: "RTX Pro 6000 Blackwell DC",
    series: "Q",
    mebibytes: 49152,
  }, // [9]
  {
    name: "NVIDIA RTX Pro 6000 Blackwell DC-1-2Q",
    product: "RTX Pro 6000 Blackwell DC",
    series: "Q",
    mebibytes: 2048,
    slices: 1,
  }, // [9]
  {
    name: "NVIDIA RTX Pro 6000 Blackwell DC-4-96Q",
    product: "RTX Pro 6000 Blackwell DC",
    series: "Q",
    mebibytes: 98304,
    slices: 4,
  }, // [9]
];

/** Names with suffixes that only the grammar's source shows: what they have in memory is not tabled. [10] */
export const GRAMMAR_NAMES: readonly (readonly [name: string, slices: number, attribute: MigAttribute])[] = [
  ["A100-1-5CNOME", 1, "NOME"],
  ["A100-7-40CMEALL", 7, "MEALL"],
  ["DC-1-24CGFX", 1, "GFX"],
];

/** Names that round: 94 and 24 GB, and what NVIDIA's tables say in MiB. [7] */
export const ROUNDED_NAMES: readonly (readonly [name: string, mebibytes: number])[] = [
  ["H100L-94C", 96246],
  ["H100XL-7-94C", 96246],
  ["H800L-2-24C", 24672],
];
