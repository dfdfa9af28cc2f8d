import type { KernelRelease, SimulatedParentOptions } from "../definitions.js";

const MEGABYTES: Readonly<Record<string, number>> = {
  "mbochs-small": 4,
  "mbochs-medium": 16,
  "mbochs-large": 64,
};

/** Options of {@link SimulatedHost.addMbochs}. */
export interface MbochsOptions {
  /** The video memory that all displays share, in MiB; 256 by default, as the module's parameter `count`. */
  readonly megabytes?: number;
}

/** `mbochs`: displays that share video memory (samples/vfio-mdev/mbochs.c). */
export function mbochs(release: KernelRelease, { megabytes = 256 }: MbochsOptions): SimulatedParentOptions {
  const megabytesOf = (typeId: string): number => MEGABYTES[typeId] ?? 1;
  return {
    path: "devices/virtual/mbochs/mbochs",
    subsystem: "class/mbochs",
    deviceDriver: "mbochs",
    module: { name: "mbochs", parameters: { count: String(megabytes) } },
    types: Object.entries(MEGABYTES).map(([id, size]) => ({
      id,
      name: id,
      description: `virtual display, ${size} MB video memory\n`,
    })),
    deviceAttributes: { "vendor/memory": { read: ({ typeId }) => `${megabytesOf(typeId)} MB\n` } },
    capacity: {
      countedBy: "driver",
      full: release === "5.10" ? "ENOMEM" : "ENOSPC",
      available: (typeId, existing) => {
        const used = existing.reduce((sum, each) => sum + megabytesOf(each), 0);
        return Math.trunc((megabytes - used) / megabytesOf(typeId));
      },
    },
  };
}
