import { BusDevice } from "../kernel/bus-device.js";
import type { Kernel } from "../kernel/kernel.js";
import type { LinkNode } from "../kernel/kernfs.js";
import { teslaM60 } from "./tesla-m60.js";

/**
 * The interfaces before September 2016, by their code: A of spring, B of August (versions 6 and 7 of the patches), C of
 * a fork of Intel's.
 */
export type DraftGeneration = "A" | "B" | "C";

/** Options of {@link SimulatedHost.addDraft}: a Tesla M60, where nothing else is said. */
export interface DraftOptions {
  /** Which interface. */
  readonly generation: DraftGeneration;
  /** Its PCI address; `0000:86:00.0` by default. */
  readonly address?: string;
  /** The exact text of `mdev_supported_types`; by default the table of the proposal of August 2016. */
  readonly text?: string;
  /** Whether it has a link in `/sys/class/mdev_bus`, as by a later core; true by default, though none of them had. */
  readonly listed?: boolean;
}

/** A parent with an interface before September 2016 that was added. */
export interface SimulatedDraft {
  /** Its name: its PCI address. */
  readonly id: string;
  /** Its folder: `/sys/devices/pci0000:86/0000:86:00.0`. */
  readonly path: string;
  /** Takes it away. */
  unplug(): void;
}

/** The files in `/sys/class/mdev` that start and stop the devices of a virtual machine. */
const CLASS_FILES: Readonly<Record<DraftGeneration, readonly string[]>> = {
  A: ["mdev_start", "mdev_shutdown"],
  B: ["mdev_start", "mdev_stop"],
  C: [],
};

const M60_TABLE = `# vgpu_type_id, vgpu_type, max_instance, num_heads, frl_config, framebuffer, max_resolution
11      ,"GRID M60-0B",      16,       2,      45,     512M,    2560x1600
12      ,"GRID M60-0Q",      16,       2,      60,     512M,    2560x1600
13      ,"GRID M60-1B",       8,       2,      45,    1024M,    2560x1600
`;

/** A parent whose types are one text file. It is there to be recognised: nothing that is written to it does anything (EIO). */
export class DraftParent implements SimulatedDraft {
  readonly #device: BusDevice;
  readonly #busLink: LinkNode | undefined;

  constructor(
    kernel: Kernel,
    { generation, address = "0000:86:00.0", text = M60_TABLE, listed = true }: DraftOptions,
  ) {
    const { sysfs } = kernel;
    const pci = teslaM60(address);
    const attributes = { ...pci.attributes, mdev_supported_types: { read: () => text } };
    this.#device = new BusDevice(kernel, { ...pci, attributes, driver: "nvidia" });
    for (const name of ["mdev_create", "mdev_destroy"]) this.#device.folder.file(name, 0o200, {});
    for (const name of CLASS_FILES[generation]) {
      const folder = sysfs.ensure("class/mdev");
      if (!folder.get(name)) folder.file(name, 0o200, {});
    }
    const mdevBus = listed ? sysfs.ensure("class/mdev_bus") : undefined;
    this.#busLink = mdevBus?.get(this.id) ? undefined : mdevBus?.link(this.id, this.#device.folder);
  }

  get id(): string {
    return this.#device.id;
  }

  get path(): string {
    return this.#device.folder.path;
  }

  unplug(): void {
    this.#busLink?.remove();
    if (this.#device.folder.alive) this.#device.remove();
  }
}
