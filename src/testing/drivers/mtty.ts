import type { KernelRelease, SimulatedParentOptions } from "../definitions.js";

const PORTS = 24;
const PORTS_OF: Readonly<Record<string, number>> = { "mtty-1": 1, "mtty-2": 2 };

/** `mtty`: serial ports, 24 for both types together (samples/vfio-mdev/mtty.c). */
export function mtty(release: KernelRelease): SimulatedParentOptions {
  const old = release === "5.10";
  const portsOf = (typeId: string): number => PORTS_OF[typeId] ?? 1;
  return {
    path: "devices/virtual/mtty/mtty",
    subsystem: "class/mtty",
    deviceDriver: "mtty",
    module: { name: "mtty", version: "0.1" },
    ...(old ? { attributes: { "mtty_dev/sample_mtty_dev": { read: () => "This is phy device\n" } } } : {}),
    types: [
      { id: "mtty-1", name: "Single port serial" },
      { id: "mtty-2", name: "Dual port serial" },
    ],
    deviceAttributes: { "vendor/sample_mdev_dev": { read: ({ uuid }) => `This is MDEV ${uuid}\n` } },
    capacity: {
      countedBy: "driver",
      full: old ? undefined : "ENOSPC", // the old one checks nothing, and counts below 0
      available: (typeId, existing) => {
        const used = existing.reduce((sum, each) => sum + portsOf(each), 0);
        return Math.trunc((PORTS - used) / portsOf(typeId));
      },
    },
  };
}
