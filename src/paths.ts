import { posix } from "node:path";

/** Where a host's trees are mounted. */
export interface Roots {
  readonly sysfs: string;
  readonly dev: string;
}

/** The one place where paths of the kernel's trees are put together. */
export class Paths implements Roots {
  readonly sysfs: string;
  readonly dev: string;

  constructor({ sysfs, dev }: Roots) {
    this.sysfs = sysfs;
    this.dev = dev;
  }

  /** Links to all parents, by name. */
  get mdevClass(): string {
    return `${this.sysfs}/class/mdev_bus`;
  }

  /** The bus that all mediated devices are on. */
  get mdevBus(): string {
    return `${this.sysfs}/bus/mdev`;
  }

  /** Links to all mediated devices, by UUID. */
  get mdevDevices(): string {
    return `${this.mdevBus}/devices`;
  }

  /** The drivers of mediated devices, by name. */
  get mdevDrivers(): string {
    return `${this.mdevBus}/drivers`;
  }

  /** The link to a mediated device. */
  mdevDevice(uuid: string): string {
    return `${this.mdevDevices}/${uuid}`;
  }

  /** Links to all PCI functions that NVIDIA's driver drives. */
  get nvidiaDriver(): string {
    return `${this.sysfs}/bus/pci/drivers/nvidia`;
  }

  /** The VFIO container node. */
  get vfioContainer(): string {
    return `${this.dev}/vfio/vfio`;
  }

  /** The node of an IOMMU group. */
  vfioGroup(group: number): string {
    return `${this.dev}/vfio/${group}`;
  }

  /** The folder of the VFIO device nodes. */
  get vfioDevices(): string {
    return `${this.dev}/vfio/devices`;
  }

  /** The node of iommufd. */
  get iommufd(): string {
    return `${this.dev}/iommu`;
  }

  /** The path that a link of the kernel leads to; `undefined` where that is outside the sysfs root. */
  target(link: string, target: string): string | undefined {
    const path = posix.resolve(posix.dirname(link), target);
    return path.startsWith(`${this.sysfs}/`) ? path : undefined;
  }
}

/** The last component of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The path of the folder that something is in. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
