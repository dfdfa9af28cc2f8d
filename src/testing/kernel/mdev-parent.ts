import type {
  SimulatedCapacity,
  SimulatedModule,
  SimulatedParent,
  SimulatedParentOptions,
  SimulatedType,
} from "../definitions.js";
import { Errno } from "../errno.js";
import { atOnce } from "./at-once.js";
import { BusDevice } from "./bus-device.js";
import { addAttribute } from "./device-files.js";
import { parseGuid } from "./guid.js";
import type { Kernel } from "./kernel.js";
import type { Directory, LinkNode } from "./kernfs.js";
import { VFIO_MDEV } from "./mdev-bus.js";
import { MdevDevice } from "./mdev-device.js";
import { type CreateCommand, type MdevLayout, merged } from "./mdev-layout.js";

/** A registered parent: its folder, its types, its devices and what they share. */
export class MdevParent implements SimulatedParent {
  readonly options: SimulatedParentOptions;
  readonly layout: MdevLayout;
  readonly module: SimulatedModule;
  unregistering = false;
  readonly #kernel: Kernel;
  readonly #device: BusDevice;
  readonly #types: Directory;
  readonly #capacity: SimulatedCapacity;
  readonly #busLink: LinkNode | undefined;
  readonly #own = new Set<MdevDevice>();
  #creating = 0;
  readonly #whenCreated: (() => void)[] = [];
  #unplugged: Promise<void> | undefined;

  constructor(kernel: Kernel, options: SimulatedParentOptions, layout: MdevLayout = merged) {
    const { sysfs, bus, vfio, modules, release } = kernel;
    this.options = options;
    this.layout = layout;
    this.module = options.module ?? { name: options.deviceDriver };
    this.#kernel = kernel;
    this.#capacity = capacityOf(options.capacity ?? 1, release === "5.10" ? "ENOMEM" : "EUSERS");

    this.#device = new BusDevice(kernel, options);
    bus.load();
    vfio.load();
    if (release === "5.10") modules.load(this.module, "mdev");
    bus.addDriver(...this.#deviceDriver());

    this.#types = this.folder.directory("mdev_supported_types");
    for (const type of options.types) this.addType(type);
    const mdevBus = sysfs.ensure("class/mdev_bus");
    this.#busLink = mdevBus.get(this.id) ? undefined : mdevBus.link(this.id, this.folder); // a clash of names leaves it out
  }

  get id(): string {
    return this.#device.id;
  }

  get folder(): Directory {
    return this.#device.folder;
  }

  get path(): string {
    return this.folder.path;
  }

  get devices(): readonly string[] {
    return [...this.#own].map(({ uuid }) => uuid);
  }

  /** The types of the devices that count against what it has. */
  get counted(): readonly string[] {
    return [...this.#own].filter(({ counted }) => counted).map(({ typeId }) => typeId);
  }

  /** Whether unbinding a device gives back what it has. */
  get givesBackOnUnbind(): boolean {
    return this.#kernel.release !== "5.10" && this.#capacity.countedBy === "driver";
  }

  addType(type: SimulatedType): void {
    const { id } = type;
    if (this.#types.get(id)) throw new Error(`${this.id} has a type ${id} already`);
    const folder = this.#types.directory(id);
    const surroundings = { release: this.#kernel.release, available: () => this.#available(id) };
    const files = { ...this.layout.typeFiles(type, surroundings), ...type.attributes };
    for (const [file, attribute] of Object.entries(files)) addAttribute(folder, file, attribute);
    folder.file("create", 0o200, { write: (text) => this.#store(id, text) });
    if (!this.layout.lacks.has("devices")) folder.directory("devices");
  }

  removeType(typeId: string): void {
    const folder = this.typeFolder(typeId);
    if ([...this.#own].some((device) => device.typeId === typeId))
      throw new Error(`${typeId} still has devices`);
    folder.remove();
  }

  typeFolder(typeId: string): Directory {
    const folder = this.#types.get(typeId);
    if (folder?.kind !== "directory") throw new Error(`${this.id} has no type ${typeId}`);
    return folder;
  }

  create(typeId: string, uuid: string = this.#freeUuid(), given: Omit<CreateCommand, "uuid"> = {}): string {
    this.typeFolder(typeId);
    return atOnce(`${uuid} of type ${typeId} cannot be created`, () => {
      const device = this.#begin(typeId, { ...given, uuid: parseGuid(uuid) });
      try {
        device.makeNow();
      } catch (error) {
        void device.takeNow();
        throw error;
      }
      return device.uuid;
    });
  }

  remove(uuid: string): void {
    const device = this.find(uuid);
    if (!device) throw new Error(`${this.id} has no device ${uuid}`);
    if (!device.removable || device.isOpen)
      throw new Error(`${uuid} cannot be removed at once: it is open, half-made or half-removed`);
    atOnce(`${uuid} cannot be removed`, () => this.layout.refuseRemove?.(device));
    void device.takeNow();
  }

  /** The device of a UUID. */
  find(uuid: string): MdevDevice | undefined {
    return [...this.#own].find((each) => each.uuid === uuid.toLowerCase());
  }

  unplug(): Promise<void> {
    return (this.#unplugged ??= this.#unplug());
  }

  /** A driver that counts by itself decides only when the device is shown to it. */
  countByDriver(device: MdevDevice): void {
    if (device.counted) return;
    this.#admit(device.typeId);
    device.counted = true;
  }

  forget(device: MdevDevice): void {
    if (this.#own.delete(device)) this.#kernel.bus.devices.delete(device.uuid);
  }

  #available(typeId: string): number {
    return this.#capacity.available(typeId, this.counted);
  }

  #admit(typeId: string): void {
    const { full } = this.#capacity;
    if (full !== undefined && this.#available(typeId) < 1) throw new Errno(full);
  }

  /** `create`: a UUID, and what the layout takes besides. */
  async #store(typeId: string, text: string): Promise<void> {
    const device = this.#begin(typeId, this.layout.parse(text));
    this.#creating++;
    try {
      await device.make();
    } catch (error) {
      await device.takeNow();
      throw error;
    } finally {
      if (--this.#creating === 0) for (const resolve of this.#whenCreated.splice(0)) resolve();
    }
  }

  #begin(typeId: string, command: CreateCommand): MdevDevice {
    const { bus, release } = this.#kernel;
    const { uuid } = command;
    if (bus.devices.has(uuid)) throw new Errno("EEXIST");
    if (this.unregistering) throw new Errno("ENODEV");
    this.layout.refuseCreate?.(typeId, command);
    const countsNow = release === "5.10" || this.#capacity.countedBy === "core";
    if (countsNow) this.#admit(typeId);
    const device = new MdevDevice(this.#kernel, this, typeId, command);
    bus.devices.set(uuid, device);
    this.#own.add(device);
    device.counted = countsNow;
    return device;
  }

  async #unplug(): Promise<void> {
    const { bus, modules, release } = this.#kernel;
    this.unregistering = true;
    if (this.#creating > 0) await new Promise<void>((resolve) => this.#whenCreated.push(resolve));
    this.#busLink?.remove();
    for (const device of [...this.#own]) {
      const taken = device.takeNow();
      if (this.#own.has(device)) await taken;
    }
    this.#device.remove();
    bus.removeDriver(this.#deviceDriver()[0]);
    if (release === "5.10") modules.unload(this.module.name);
  }

  #deviceDriver(): [string, SimulatedModule] {
    if (this.#kernel.release === "5.10") return [VFIO_MDEV, { name: VFIO_MDEV, version: "0.1" }];
    return [this.options.deviceDriver, this.module];
  }

  #freeUuid(): string {
    const { devices } = this.#kernel.bus;
    let number = 1;
    const name = (): string => `00000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}`;
    while (devices.has(name())) number++;
    return name();
  }
}

function capacityOf(capacity: number | SimulatedCapacity, full: "EUSERS" | "ENOMEM"): SimulatedCapacity {
  if (typeof capacity !== "number") return capacity;
  return { countedBy: "core", full, available: (_typeId, existing) => capacity - existing.length };
}
