import type {
  SimulatedCapacity,
  SimulatedModule,
  SimulatedParent,
  SimulatedParentOptions,
  SimulatedType,
} from "../definitions.js";
import { Errno } from "../errno.js";
import { addAttribute, addConstant, addPower, addUevent } from "./device-files.js";
import { parseGuid } from "./guid.js";
import type { Kernel } from "./kernel.js";
import { type Directory, type LinkNode, steps } from "./kernfs.js";
import { VFIO_MDEV } from "./mdev-bus.js";
import { MdevDevice } from "./mdev-device.js";
import { joinSubsystem } from "./subsystem.js";

/** A registered parent: its folder, its types, its devices and what they share. */
export class MdevParent implements SimulatedParent {
  readonly id: string;
  readonly options: SimulatedParentOptions;
  readonly module: SimulatedModule;
  readonly folder: Directory;
  unregistering = false;
  readonly #kernel: Kernel;
  readonly #types: Directory;
  readonly #capacity: SimulatedCapacity;
  readonly #busLink: LinkNode | undefined;
  readonly #leaveSubsystem: () => void;
  readonly #own = new Set<MdevDevice>();
  #creating = 0;
  readonly #whenCreated: (() => void)[] = [];
  #unplugged: Promise<void> | undefined;

  constructor(kernel: Kernel, options: SimulatedParentOptions) {
    const { sysfs, bus, vfio, modules, release } = kernel;
    const id = steps(options.path).at(-1);
    if (id === undefined) throw new Error("a parent needs a path: devices/virtual/mtty/mtty");
    this.id = id;
    this.options = options;
    this.module = options.module ?? { name: options.deviceDriver };
    this.#kernel = kernel;
    this.#capacity = capacityOf(options.capacity ?? 1, release === "5.10" ? "ENOMEM" : "EUSERS");

    this.folder = sysfs.ensure(steps(options.path).slice(0, -1).join("/")).directory(id);
    bus.load();
    vfio.load();
    if (release === "5.10") modules.load(this.module, "mdev");
    bus.addDriver(...this.#deviceDriver());

    const { folder } = this;
    addUevent(folder, () =>
      [...(options.driver === undefined ? [] : [`DRIVER=${options.driver}`]), ...(options.uevent ?? [])]
        .map((line) => `${line}\n`)
        .join(""),
    );
    addPower(folder);
    this.#leaveSubsystem = joinSubsystem(kernel, folder, options);
    for (const [path, attribute] of Object.entries(options.attributes ?? {}))
      addAttribute(folder, path, attribute);
    this.#types = folder.directory("mdev_supported_types");
    for (const type of options.types) this.addType(type);
    const mdevBus = sysfs.ensure("class/mdev_bus");
    this.#busLink = mdevBus.get(id) ? undefined : mdevBus.link(id, folder); // a clash of names leaves it out
  }

  get path(): string {
    return this.folder.path;
  }

  get devices(): readonly string[] {
    return [...this.#own].map(({ uuid }) => uuid);
  }

  /** Whether unbinding a device gives back what it has. */
  get givesBackOnUnbind(): boolean {
    return this.#kernel.release !== "5.10" && this.#capacity.countedBy === "driver";
  }

  addType({ id, name, description, deviceApi, attributes }: SimulatedType): void {
    if (this.#types.get(id)) throw new Error(`${this.id} has a type ${id} already`);
    const folder = this.#types.directory(id);
    const shown = name ?? (this.#kernel.release === "5.10" ? undefined : id);
    const own = attributes ?? {};
    if (!("available_instances" in own))
      folder.file("available_instances", 0o444, { read: () => `${this.#available(id)}\n` });
    if (!("device_api" in own)) addConstant(folder, "device_api", `${deviceApi ?? "vfio-pci"}\n`);
    if (!("name" in own) && shown !== undefined) addConstant(folder, "name", `${shown}\n`);
    if (!("description" in own) && description !== undefined) addConstant(folder, "description", description);
    folder.file("create", 0o200, { write: (text) => this.#store(id, text) });
    folder.directory("devices");
    for (const [file, attribute] of Object.entries(own)) addAttribute(folder, file, attribute);
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

  create(typeId: string, uuid: string = this.#freeUuid()): string {
    this.typeFolder(typeId);
    let device: MdevDevice | undefined;
    try {
      device = this.#begin(typeId, parseGuid(uuid));
      device.makeNow();
      return device.uuid;
    } catch (error) {
      void device?.takeNow();
      if (!(error instanceof Errno)) throw error;
      throw new Error(`${uuid} of type ${typeId} cannot be created: ${error.errno}`, { cause: error });
    }
  }

  remove(uuid: string): void {
    const device = [...this.#own].find((each) => each.uuid === uuid.toLowerCase());
    if (!device) throw new Error(`${this.id} has no device ${uuid}`);
    if (!device.removable || device.isOpen)
      throw new Error(`${uuid} cannot be removed at once: it is open, half-made or half-removed`);
    void device.takeNow();
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
    const existing = [...this.#own].filter(({ counted }) => counted).map((device) => device.typeId);
    return this.#capacity.available(typeId, existing);
  }

  #admit(typeId: string): void {
    const { full } = this.#capacity;
    if (full !== undefined && this.#available(typeId) < 1) throw new Errno(full);
  }

  /** `create`: a UUID. */
  async #store(typeId: string, text: string): Promise<void> {
    const device = this.#begin(typeId, parseGuid(text));
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

  #begin(typeId: string, uuid: string): MdevDevice {
    const { bus, release } = this.#kernel;
    if (bus.devices.has(uuid)) throw new Errno("EEXIST");
    if (this.unregistering) throw new Errno("ENODEV");
    const countsNow = release === "5.10" || this.#capacity.countedBy === "core";
    if (countsNow) this.#admit(typeId);
    const device = new MdevDevice(this.#kernel, this, typeId, uuid);
    bus.devices.set(uuid, device);
    this.#own.add(device);
    device.counted = countsNow;
    return device;
  }

  async #unplug(): Promise<void> {
    const { sysfs, bus, modules, release } = this.#kernel;
    this.unregistering = true;
    if (this.#creating > 0) await new Promise<void>((resolve) => this.#whenCreated.push(resolve));
    this.#busLink?.remove();
    for (const device of [...this.#own]) {
      const taken = device.takeNow();
      if (this.#own.has(device)) await taken;
    }
    this.#leaveSubsystem();
    this.folder.remove();
    this.folder.parent?.prune(
      sysfs.ensure(this.options.path.startsWith("devices/virtual/") ? "devices/virtual" : "devices"),
    );
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
