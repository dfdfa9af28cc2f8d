import { posix } from "node:path";
import type { Recorder } from "./recorder.js";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const PCI_ADDRESS = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/i;
const NOTHING = (): boolean => false;
const ALL = (): boolean => true;

/** The links of the kernel to what can be a parent, or to what belongs to one. */
const PARENTS = "/sys/class/mdev_bus";
const DEVICES = "/sys/bus/mdev/devices";
const FUNCTIONS = "/sys/bus/pci/drivers/nvidia";

/**
 * The files of a parent that are read. Not all of them: reading some of a PCI function's (`resource<N>`, `rom`) asks the
 * hardware, and `config` is no text.
 */
const TEXTS = [
  ...["uevent", "modalias", "numa_node"],
  ...["vendor", "device", "subsystem_vendor", "subsystem_device", "class", "revision"],
  ...["sriov_totalvfs", "sriov_numvfs", "sriov_offset", "sriov_stride", "sriov_vf_device"],
  ...["chpids", "pimpampom", "dev_busid", "driver_override", "type"], // of a subchannel
  "features", // of vfio-ap's matrix
  ...["mdev_supported_types", "mdev_create", "mdev_destroy"], // of the interfaces of 2016
];

/** The folders of a parent that are its driver's, beside those of its devices. */
const FOLDERS: ReadonlySet<string> = new Set(["mdev_supported_types", "nvidia", "vfio-dev"]);

/** Goes through all that the library reads of a host, whatever drivers and layouts it has. */
export class Survey {
  readonly #recorder: Recorder;
  /** Names of files below a parent that are read, too. */
  readonly #attributes: readonly string[];
  readonly #texts: ReadonlySet<string>;
  /** Folders of parents, and of functions that belong to them; those that were found meanwhile are at the end. */
  readonly #parents = new Set<string>();
  readonly #groups = new Set<string>();
  readonly #drivers = new Set<string>();

  constructor(recorder: Recorder, attributes: readonly string[]) {
    this.#recorder = recorder;
    this.#attributes = attributes;
    this.#texts = new Set(TEXTS);
  }

  async take(): Promise<void> {
    await this.#buses();
    for (const { target } of await this.#links(PARENTS)) this.#parents.add(target);
    for (const { target } of await this.#links(DEVICES)) this.#parents.add(posix.dirname(target));
    for (const { name, target } of await this.#links(FUNCTIONS))
      if (PCI_ADDRESS.test(name)) this.#parents.add(target);
    for (const parent of this.#parents) await this.#parent(parent);
    for (const group of this.#groups) await this.#recorder.listDeep(group, 1);
    for (const driver of this.#drivers) await this.#driver(driver);
  }

  /** What belongs to no parent. */
  async #buses(): Promise<void> {
    await this.#recorder.listDeep("/sys/bus/mdev", 2);
    await this.#recorder.list("/sys/bus/css/drivers/vfio_ccw", NOTHING);
    await this.#recorder.list("/sys/bus/ap", ALL);
    await this.#recorder.list("/sys/bus/ap/devices", NOTHING);
    await this.#recorder.listDeep("/sys/bus/ap/drivers", 1);
    await this.#recorder.list("/sys/class/mdev", NOTHING); // of the drafts of 2016
    await this.#recorder.listDeep("/dev/vfio", 1);
    await this.#recorder.look("/dev/iommu");
  }

  async #parent(path: string): Promise<void> {
    const names = await this.#recorder.list(path, (name) => this.#texts.has(name));
    for (const name of names) {
      if (FOLDERS.has(name)) await this.#recorder.listDeep(`${path}/${name}`, 2);
      else if (UUID.test(name)) await this.#device(`${path}/${name}`);
      else if (/^(?:physfn|virtfn[0-9]+)$/.test(name)) this.#follow(`${path}/${name}`, this.#parents);
    }
    for (const name of this.#attributes) await this.#recorder.look(`${path}/${name}`, { read: true });
    this.#neighbours(path);
  }

  async #device(path: string): Promise<void> {
    await this.#recorder.listDeep(path, 3);
    this.#neighbours(path);
  }

  /** What a device's links lead to. */
  #neighbours(path: string): void {
    this.#follow(`${path}/iommu_group`, this.#groups);
    this.#follow(`${path}/driver`, this.#drivers);
  }

  /** Which version of which module a driver is from. */
  async #driver(path: string): Promise<void> {
    await this.#recorder.look(path);
    await this.#recorder.look(`${path}/module`);
    const module = this.#target(`${path}/module`);
    if (module === undefined) return;
    for (const name of ["version", "srcversion"])
      await this.#recorder.look(`${module}/${name}`, { read: true });
  }

  /** The links in a folder that stay in sysfs, and where they lead. */
  async #links(folder: string): Promise<{ readonly name: string; readonly target: string }[]> {
    const names = await this.#recorder.list(folder, NOTHING);
    return names.flatMap((name) => {
      const target = this.#target(`${folder}/${name}`);
      return target === undefined ? [] : [{ name, target }];
    });
  }

  #follow(link: string, into: Set<string>): void {
    const target = this.#target(link);
    if (target !== undefined) into.add(target);
  }

  /** Where a link leads that was recorded; `undefined` where that is outside of sysfs. */
  #target(link: string): string | undefined {
    const entry = this.#recorder.entries.get(link);
    if (entry?.kind !== "link") return undefined;
    const path = posix.resolve(posix.dirname(link), entry.target);
    return path.startsWith("/sys/") ? path : undefined;
  }
}
