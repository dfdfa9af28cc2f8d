import type { ErrnoName } from "./errno.js";

/** Which kernel is simulated: what differs between the two is in the documentation of {@link SimulatedHost}. */
export type KernelRelease = "5.10" | "6.1";

/** A file of a parent or of a type. */
export interface SimulatedAttribute {
  /** Permission bits; by default 0444, 0200 or 0644, after what can be read and written. */
  readonly mode?: number;
  /** The text, asked for on every read. Throw an {@link Errno} to refuse. */
  readonly read?: () => string;
  /** Takes one write: at most 4096 bytes. Throw an {@link Errno} to refuse. */
  readonly write?: (text: string) => void | Promise<void>;
}

/** A file of every device of a parent. */
export interface SimulatedDeviceAttribute {
  /** Permission bits; by default 0444, 0200 or 0644, after what can be read and written. */
  readonly mode?: number;
  /** The text, asked for on every read. Throw an {@link Errno} to refuse. */
  readonly read?: (device: SimulatedDevice) => string;
  /** Takes one write: at most 4096 bytes. Throw an {@link Errno} to refuse. */
  readonly write?: (device: SimulatedDevice, text: string) => void | Promise<void>;
}

/** What a driver's handlers know of a device. One object for as long as the device exists: a key for a `WeakMap`. */
export interface SimulatedDevice {
  /** Its UUID, in lower case. */
  readonly uuid: string;
  /** The name of its type's folder. */
  readonly typeId: string;
  /** The name of its parent. */
  readonly parentId: string;
  /** Whether a process has it open. */
  readonly isOpen: boolean;
  /** The virtual machine that was named when it was opened. */
  readonly vmName: string | undefined;
}

/** One supported type: a folder in `mdev_supported_types`. */
export interface SimulatedType {
  /** The folder's name, with the driver's prefix: `mtty-1`. */
  readonly id: string;
  /** The text of `name`, without its newline. Left out: the folder's name on 6.1, no such file on 5.10. */
  readonly name?: string;
  /** The exact text of `description`, its newline included. Left out: no such file. */
  readonly description?: string;
  /** The text of `device_api`, without its newline; `vfio-pci` by default. */
  readonly deviceApi?: string;
  /** Further files, or other contents for the usual ones (`available_instances` that reads `ivdcm`). */
  readonly attributes?: Readonly<Record<string, SimulatedAttribute>>;
}

/** How a parent's types share what it has. */
export interface SimulatedCapacity {
  /**
   * Who counts, which shows on 6.1 only. `"core"`: refused before anything shows, and given back when the device is
   * gone. `"driver"`: the device shows for a moment before it is refused, and unbinding it gives back what it has.
   */
  readonly countedBy: "core" | "driver";
  /** What a create is refused with when nothing is left; `undefined`: it never is (mtty on 5.10). */
  readonly full: ErrnoName | undefined;
  /** How many more devices of a type `available_instances` says can be made, given the types of those that exist. May be negative. */
  readonly available: (typeId: string, existing: readonly string[]) => number;
}

/** A kernel module: a folder in `/sys/module`. */
export interface SimulatedModule {
  /** Its name. */
  readonly name: string;
  /** The text of its `version` file, without the newline. Left out: no such file. */
  readonly version?: string;
  /** The files in its `parameters` folder, without their newlines. */
  readonly parameters?: Readonly<Record<string, string>>;
}

/** A parent device and its driver: what {@link SimulatedHost.addParent} needs to know. */
export interface SimulatedParentOptions {
  /** Its folder, from the sysfs root: `devices/virtual/mtty/mtty`. The last part is its name. */
  readonly path: string;
  /** The bus or class it belongs to: `bus/pci`, `class/mtty`. */
  readonly subsystem: string;
  /** The driver it is bound to. Left out: it has no `driver` link, as the kernel's samples. */
  readonly driver?: string;
  /** The driver of its mediated devices. On 5.10 they are all driven by `vfio_mdev`. */
  readonly deviceDriver: string;
  /** The module of that driver; by default one of the same name. */
  readonly module?: SimulatedModule;
  /** Lines of its `uevent` file, besides `DRIVER=`. */
  readonly uevent?: readonly string[];
  /** Whether it is in an IOMMU group of its own, as a PCI function is. */
  readonly iommuGroup?: boolean;
  /** Further files of its folder; a name may hold a folder: `mtty_dev/sample_mtty_dev`. */
  readonly attributes?: Readonly<Record<string, SimulatedAttribute>>;
  /** What it supports. */
  readonly types: readonly SimulatedType[];
  /** Files of each device; a name may hold a folder: `vendor/resolution`. */
  readonly deviceAttributes?: Readonly<Record<string, SimulatedDeviceAttribute>>;
  /**
   * What its types share. A number: so many devices, of any type, counted by the mdev core (EUSERS; ENOMEM on 5.10).
   * By default 1.
   */
  readonly capacity?: number | SimulatedCapacity;
}

/** A parent that was added: what its hardware or its driver can do besides answering the file system. */
export interface SimulatedParent {
  /** Its name: `mtty`, `0000:3b:00.0`. */
  readonly id: string;
  /** Its folder: `/sys/devices/virtual/mtty/mtty`. */
  readonly path: string;
  /** The UUIDs of its devices, half-made and half-removed ones too, in the order of their creation. */
  readonly devices: readonly string[];
  /** Lets a type appear. */
  addType(type: SimulatedType): void;
  /** Lets a type vanish. It may have no devices. */
  removeType(typeId: string): void;
  /**
   * Creates a device at once, as another program would that got ahead. Throws where the kernel would refuse.
   * Gives the UUID, in lower case; one is made up where none is given.
   */
  create(typeId: string, uuid?: string): string;
  /** Removes a device at once, as another program would. Throws where the kernel would refuse or block. */
  remove(uuid: string): void;
  /**
   * Takes the parent away: first its link in `/sys/class/mdev_bus`, then its devices, then all the rest, and with the
   * last parent of a driver the driver and its module. All of it has happened on return, but for what waits:
   * a device that is open keeps the rest there until it is closed, and so does a create that is under way.
   */
  unplug(): Promise<void>;
}
