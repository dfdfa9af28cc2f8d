import type { KernelRelease } from "../definitions.js";
import { Errno } from "../errno.js";
import { addConstant, addPower, addUevent } from "./device-files.js";
import { Ida } from "./ida.js";
import type { CharacterNode, Directory, KernfsNode } from "./kernfs.js";

const MAJOR = 245;

/** An IOMMU group: `/sys/kernel/iommu_groups/<number>`. */
export interface IommuGroup {
  readonly number: number;
  readonly folder: Directory;
  readonly remove: () => void;
}

/** A `/dev/vfio/<group>` and its IOMMU group. */
export interface VfioGroup extends IommuGroup {
  readonly node: CharacterNode;
  /** Whether a process has it open: nobody else can then. */
  held: boolean;
}

/** IOMMU groups, `/sys/class/vfio`, `/sys/class/vfio-dev` and `/dev/vfio`. */
export class Vfio {
  readonly #sysfs: Directory;
  readonly #dev: Directory;
  readonly #release: KernelRelease;
  readonly #groups = new Ida();
  readonly #minors = new Ida();
  readonly #devices = new Ida();

  constructor(sysfs: Directory, dev: Directory, release: KernelRelease) {
    this.#sysfs = sysfs;
    this.#dev = dev;
    this.#release = release;
  }

  /** Module `vfio` is loaded: once. */
  load(): void {
    this.#sysfs.ensure("class/vfio");
    if (this.#release !== "5.10") this.#sysfs.ensure("class/vfio-dev");
    const nodes = this.#dev.ensure("vfio");
    if (!nodes.get("vfio")) nodes.character("vfio", 0o666);
  }

  /** An IOMMU group with one member. */
  addIommuGroup(member: Directory, type: string, regions: string): IommuGroup {
    const number = this.#groups.take();
    const folder = this.#sysfs.ensure("kernel/iommu_groups").directory(String(number));
    folder.directory("devices").link(member.name, member);
    addConstant(folder, "reserved_regions", regions);
    folder.file("type", this.#release === "5.10" ? 0o444 : 0o644, { read: () => `${type}\n` });
    const remove = (): void => {
      if (!folder.alive) return;
      folder.remove();
      this.#groups.free(number);
    };
    return { number, folder, remove };
  }

  /** The group of a mediated device: nothing in it does DMA of its own, so it has no IOMMU. */
  addGroup(member: Directory): VfioGroup {
    const group = this.addIommuGroup(member, "unknown", "");
    if (this.#release !== "5.10") addConstant(group.folder, "name", "vfio-noiommu\n");
    return this.addNode(group, hasPower(member));
  }

  /** `/dev/vfio/<group>` of an IOMMU group, for as long as that is there. */
  addNode({ number, folder, remove }: IommuGroup, power = true): VfioGroup {
    const name = String(number);
    const minor = this.#minors.take();
    const device = this.#sysfs.ensure("devices/virtual/vfio").directory(name);
    addConstant(device, "dev", `${MAJOR}:${minor}\n`);
    if (power) addPower(device);
    device.link("subsystem", this.#sysfs.ensure("class/vfio"));
    addUevent(device, () => `MAJOR=${MAJOR}\nMINOR=${minor}\nDEVNAME=vfio/${name}\n`);
    const link = this.#sysfs.ensure("class/vfio").link(name, device);
    const node = this.#dev.ensure("vfio").character(name, 0o600, () => {
      if (group.held) throw new Errno("EBUSY");
    });
    const group: VfioGroup = {
      number,
      folder,
      node,
      held: false,
      remove: () => {
        if (!folder.alive) return;
        remove();
        for (const each of [link, node, device] satisfies KernfsNode[]) each.remove();
        this.#minors.free(minor);
        device.parent?.prune(this.#sysfs.ensure("devices/virtual"));
      },
    };
    return group;
  }

  /** `vfio-dev/vfioM` of a mediated device; gives what takes it away again. */
  addVfioDevice(member: Directory): () => void {
    const number = this.#devices.take();
    const name = `vfio${number}`;
    const outer = member.directory("vfio-dev");
    const device = outer.directory(name);
    const classFolder = this.#sysfs.ensure("class/vfio-dev");
    device.link("device", member);
    if (hasPower(member)) addPower(device);
    device.link("subsystem", classFolder);
    addUevent(device, () => "");
    const link = classFolder.link(name, device);
    return () => {
      if (!link.alive) return;
      link.remove();
      outer.remove();
      this.#devices.free(number);
    };
  }
}

// A kernel without power management (s390x) makes the folder for no device.
function hasPower(device: Directory): boolean {
  return device.get("power") !== undefined;
}
