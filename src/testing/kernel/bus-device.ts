import type { SimulatedParentOptions } from "../definitions.js";
import { addAttribute, addPower, addUevent } from "./device-files.js";
import type { Kernel } from "./kernel.js";
import { type Directory, type KernfsNode, steps } from "./kernfs.js";
import type { IommuGroup } from "./vfio.js";

const MSI = "0x00000000fee00000 0x00000000feefffff msi\n";

/** What a device is by itself, whatever its driver makes of it. */
export type BusDeviceOptions = Pick<
  SimulatedParentOptions,
  "path" | "subsystem" | "driver" | "uevent" | "iommuGroup" | "attributes"
>;

/**
 * A device in the tree: its folder, and the links between it and its bus or class, its driver and its IOMMU group. It
 * need not be a parent of mediated devices.
 */
export class BusDevice {
  readonly id: string;
  readonly folder: Directory;
  readonly group: IommuGroup | undefined;
  readonly #kernel: Kernel;
  readonly #options: BusDeviceOptions;
  /** Links elsewhere in the tree that point here. */
  readonly #links: KernfsNode[];

  constructor(kernel: Kernel, options: BusDeviceOptions) {
    const { sysfs, vfio } = kernel;
    const { path, subsystem, driver, uevent = [], iommuGroup, attributes = {} } = options;
    const id = steps(path).at(-1);
    if (id === undefined) throw new Error("a device needs a path: devices/virtual/mtty/mtty");
    this.id = id;
    this.#kernel = kernel;
    this.#options = options;
    const folder = sysfs.ensure(steps(path).slice(0, -1).join("/")).directory(id);
    this.folder = folder;
    const lines = [...(driver === undefined ? [] : [`DRIVER=${driver}`]), ...uevent];
    addUevent(folder, () => lines.map((line) => `${line}\n`).join(""));
    addPower(folder);
    const home = sysfs.ensure(subsystem);
    this.#links = [(isBus(subsystem) ? home.ensure("devices") : home).link(id, folder)];
    folder.link("subsystem", home);
    if (driver !== undefined) {
      const drivers = home.ensure(`drivers/${driver}`);
      this.#links.push(drivers.link(id, folder));
      folder.link("driver", drivers);
    }
    this.group = iommuGroup ? vfio.addIommuGroup(folder, "DMA", MSI) : undefined;
    if (this.group) folder.link("iommu_group", this.group.folder);
    for (const [file, attribute] of Object.entries(attributes)) addAttribute(folder, file, attribute);
  }

  /** Takes it out of the tree. A class or a driver goes with its last member, a bus stays. */
  remove(): void {
    const { sysfs } = this.#kernel;
    const { path, subsystem } = this.#options;
    for (const link of this.#links) link.remove();
    const home = sysfs.ensure(subsystem);
    for (const link of this.#links) if (link.parent?.parent?.name === "drivers") link.parent.prune(home);
    if (!isBus(subsystem)) home.prune(sysfs.ensure("class"));
    this.group?.remove();
    this.folder.remove();
    this.folder.parent?.prune(
      sysfs.ensure(path.startsWith("devices/virtual/") ? "devices/virtual" : "devices"),
    );
  }
}

function isBus(subsystem: string): boolean {
  return subsystem.startsWith("bus/");
}
