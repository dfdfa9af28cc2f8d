// @ts-check
/**
 * A driver that the library does not know, simulated: Huawei's `vascend`, which divides an Ascend NPU. The texts of its files
 * are those of its source (hicann/driver, `src/sdk_driver/vascend/dvt_sysfs.c`), the templates those of Huawei's
 * documentation for an NPU with 20 AI cores. How its types share the cores, what it refuses with, and the ids of types and
 * functions are made up.
 */

/** @type {readonly (readonly [template: string, cores: number, gigabytes: number, cpus: number])[]} */
const TEMPLATES = [
  ["vir05_1c_8g", 5, 8, 1],
  ["vir10_3c_16g", 10, 16, 3],
];

/** @returns {import("vfio-mdev/testing").SimulatedParentOptions} */
export function ascend(address = "0000:c1:00.0", allCores = 20) {
  const coresOf = (/** @type {string} */ id) =>
    TEMPLATES.find(([template]) => id === `vascend-${template}`)?.[1] ?? NaN;
  return {
    path: `devices/pci0000:c0/${address}`,
    subsystem: "bus/pci",
    driver: "vascend",
    deviceDriver: "vascend",
    types: TEMPLATES.map(([template, cores, gigabytes, cpus]) => ({
      id: `vascend-${template}`,
      name: template,
      description: `type name: ${template}\naicore num: ${cores}\nmemory size: ${gigabytes}GB\naicpu num: ${cpus}\nbar2 size: 256KB\n`,
    })),
    deviceAttributes: {
      "hw_vdavinci/vdavinci_id": { read: () => "1\n" },
      "hw_vdavinci/hw_id": { read: () => "Device [19e5:d802]\n" },
    },
    capacity: {
      countedBy: "driver",
      full: "ENOSPC",
      available: (id, existing) =>
        Math.floor((allCores - existing.reduce((sum, other) => sum + coresOf(other), 0)) / coresOf(id)),
    },
  };
}
