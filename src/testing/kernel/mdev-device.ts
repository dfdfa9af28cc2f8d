import type { SimulatedDevice } from "../definitions.js";
import { Errno } from "../errno.js";
import { addAttribute, addPower, addUevent } from "./device-files.js";
import type { Kernel } from "./kernel.js";
import { type Directory, type FileNode, type LinkNode, steps } from "./kernfs.js";
import { kstrtoul } from "./kstrtoul.js";
import { VFIO_MDEV } from "./mdev-bus.js";
import type { CreateCommand } from "./mdev-layout.js";
import type { MdevParent } from "./mdev-parent.js";
import { CREATE_STAGES, REMOVE_STAGES, UNBIND_STAGES, WAITS_BEFORE } from "./mdev-stages.js";
import type { CreateStage, RemoveStage } from "./pauses.js";
import { Usage } from "./usage.js";
import type { VfioGroup } from "./vfio.js";

/** One mediated device, from the first step of its creation to the last of its removal. */
export class MdevDevice implements SimulatedDevice {
  readonly uuid: string;
  readonly typeId: string;
  readonly parent: MdevParent;
  /** What it was created with. */
  readonly given: CreateCommand;
  readonly usage: Usage;
  /** The driver it is bound to. */
  driver: string | undefined;
  group: VfioGroup | undefined;
  /** Whether it counts against what its parent has. */
  counted = false;
  readonly #kernel: Kernel;
  readonly #folder: Directory;
  #active = false;
  #remove: FileNode | undefined;
  #takeVfioDevice: () => void = () => undefined;
  /** Links elsewhere in the tree that point here. */
  readonly #links = new Map<"bus" | "driver" | "devices", LinkNode>();

  constructor(kernel: Kernel, parent: MdevParent, typeId: string, given: CreateCommand) {
    this.#kernel = kernel;
    this.parent = parent;
    this.typeId = typeId;
    this.given = given;
    this.uuid = given.uuid;
    this.usage = new Usage(kernel, this);
    this.#folder = parent.folder.directory(given.uuid);
  }

  get id(): string {
    return this.uuid;
  }

  get moduleName(): string {
    return this.parent.module.name;
  }

  get parentId(): string {
    return this.parent.id;
  }

  get isOpen(): boolean {
    return this.usage.isOpen;
  }

  get vmName(): string | undefined {
    return this.usage.vmName;
  }

  /** Whether the bus knows it by its name. */
  get onBus(): boolean {
    return this.#links.get("bus")?.alive === true;
  }

  /** Why it cannot be opened. */
  get unopenable(): string | undefined {
    return this.group && this.onBus ? undefined : "it is not bound to a driver";
  }

  /** Whether a write to `remove` would be obeyed: not while it is made or removed, and not once one was refused. */
  get removable(): boolean {
    return this.#active && this.#remove?.alive !== false;
  }

  get #stages(): readonly CreateStage[] {
    const { lacks } = this.parent.layout;
    return CREATE_STAGES[this.#kernel.release].filter((stage) => !lacks.has(stage));
  }

  /** Makes all of it, with a turn for others before each stage. */
  async make(): Promise<void> {
    for (const stage of this.#stages) {
      await this.#kernel.pauses.pass("create", stage, this.uuid);
      this.#make(stage);
    }
  }

  /** Makes all of it at once. */
  makeNow(): void {
    for (const stage of this.#stages) this.#make(stage);
  }

  /** Takes all of it away at once, or as much as goes until somebody closes it. Harmless where nothing is left. */
  async takeNow(): Promise<void> {
    this.#remove?.remove();
    this.#active = false;
    for (const stage of REMOVE_STAGES[this.#kernel.release]) {
      if (stage === WAITS_BEFORE[this.#kernel.release] && this.isOpen) await this.usage.closed();
      this.#take(stage);
    }
  }

  /** Unbinds it from its driver; waits while it is open. */
  async unbind(): Promise<void> {
    for (const stage of UNBIND_STAGES[this.#kernel.release]) await this.#takeInTurn(stage);
  }

  /** Binds it to its driver, by hand. */
  bind(): void {
    this.#attach(VFIO_MDEV);
    this.#make("iommu_group");
  }

  /** Removes it. The file that asked for it goes first, and does not come back when that was too early. */
  async remove(): Promise<void> {
    this.parent.layout.refuseRemove?.(this);
    this.#remove?.remove();
    if (!this.#active) throw new Errno("EAGAIN");
    if (this.parent.unregistering) throw new Errno("ENODEV");
    this.#active = false;
    for (const stage of REMOVE_STAGES[this.#kernel.release]) await this.#takeInTurn(stage);
  }

  /** `remove`: a number that is not 0. */
  async #store(text: string): Promise<void> {
    if (kstrtoul(text) !== 0n) await this.remove();
  }

  async #takeInTurn(stage: RemoveStage): Promise<void> {
    await this.#kernel.pauses.pass("remove", stage, this.uuid);
    if (stage === WAITS_BEFORE[this.#kernel.release] && this.isOpen) await this.usage.closed();
    this.#take(stage);
  }

  #make(stage: CreateStage): void {
    const { sysfs, bus, vfio, release } = this.#kernel;
    const folder = this.#folder;
    switch (stage) {
      case "uevent":
        addUevent(folder, () => (this.driver === undefined ? "" : `DRIVER=${this.driver}\n`));
        return;
      case "remove":
        this.#remove = folder.file(this.parent.layout.removeFile, 0o200, {
          write: (text) => this.#store(text),
        });
        return;
      case "bus":
        folder.link("subsystem", sysfs.ensure("bus/mdev"));
        this.#links.set("bus", sysfs.ensure("bus/mdev/devices").link(this.uuid, folder));
        return;
      case "power":
        addPower(folder);
        return;
      case "driver":
        // on 5.10 the bus probes, unless it was told not to; later the core attaches the driver itself
        if (release !== "5.10") this.#attach(this.parent.options.deviceDriver);
        else if (bus.autoprobe) this.#attach(VFIO_MDEV);
        return;
      case "iommu_group":
        if (this.driver === undefined) return;
        if (release !== "5.10") this.parent.countByDriver(this);
        this.group = vfio.addGroup(folder);
        folder.link("iommu_group", this.group.folder);
        return;
      case "vfio-dev":
        if (this.driver !== undefined) this.#takeVfioDevice = vfio.addVfioDevice(folder);
        return;
      case "vendor":
        if (this.driver === undefined && release !== "5.10") return;
        for (const [path, { mode, read, write }] of Object.entries(
          this.parent.options.deviceAttributes ?? {},
        ))
          addAttribute(folder, path, {
            ...(mode === undefined ? {} : { mode }),
            ...(read ? { read: () => read(this) } : {}),
            ...(write ? { write: (text: string) => write(this, text) } : {}),
          });
        return;
      case "devices":
        this.#links.set(
          "devices",
          this.parent.typeFolder(this.typeId).ensure("devices").link(this.uuid, folder),
        );
        return;
      case "mdev_type":
        folder.link(this.parent.layout.typeLink, this.parent.typeFolder(this.typeId));
        return;
      case "active":
        this.#active = true;
        return;
    }
  }

  #attach(name: string): void {
    const driver = this.#kernel.bus.driver(name);
    if (!driver) return;
    this.driver = name;
    this.#folder.link("driver", driver.folder);
    this.#links.set("driver", driver.folder.link(this.uuid, this.#folder));
  }

  #take(stage: RemoveStage): void {
    const folder = this.#folder;
    switch (stage) {
      case "bus":
        folder.get("subsystem")?.remove();
        this.#links.get("bus")?.remove();
        return;
      case "driver":
        this.driver = undefined;
        folder.get("driver")?.remove();
        this.#links.get("driver")?.remove();
        return;
      case "vendor":
        for (const path of Object.keys(this.parent.options.deviceAttributes ?? {}))
          folder.get(steps(path)[0] ?? "")?.remove();
        return;
      case "vfio-dev":
        this.#takeVfioDevice();
        return;
      case "iommu_group":
        folder.get("iommu_group")?.remove();
        this.group?.remove();
        this.usage.forgetGroup();
        this.group = undefined;
        if (this.parent.givesBackOnUnbind) this.counted = false;
        return;
      case "devices":
        this.#links.get("devices")?.remove();
        return;
      case "mdev_type":
        folder.get(this.parent.layout.typeLink)?.remove();
        return;
      case "folder":
        if (folder.alive) folder.remove();
        this.counted = false;
        this.parent.forget(this);
        return;
      default:
        folder.get(stage)?.remove();
    }
  }
}
