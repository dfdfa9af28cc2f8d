import type { KernelRelease } from "../definitions.js";
import { Changes } from "./changes.js";
import { Directory } from "./kernfs.js";
import { MdevBus } from "./mdev-bus.js";
import { Modules } from "./modules.js";
import { Pauses } from "./pauses.js";
import { Processes } from "./processes.js";
import type { Usage } from "./usage.js";
import { Vfio } from "./vfio.js";

/** Where the trees are mounted, and which kernel makes them. */
export interface KernelOptions {
  readonly release: KernelRelease;
  readonly sysfs: string;
  readonly dev: string;
  readonly proc: string;
}

/** What the parts of the simulated kernel share. */
export class Kernel {
  readonly release: KernelRelease;
  readonly changes: Changes = new Changes();
  readonly root: Directory = Directory.root(() => this.changes.tell());
  readonly sysfs: Directory;
  readonly dev: Directory;
  readonly proc: Directory;
  readonly modules: Modules;
  readonly vfio: Vfio;
  readonly bus: MdevBus;
  readonly processes: Processes;
  readonly pauses: Pauses = new Pauses();
  /** The PCI functions that can be opened as they are, by address. */
  readonly functions: Map<string, { readonly usage: Usage }> = new Map<string, { readonly usage: Usage }>();

  constructor({ release, sysfs, dev, proc }: KernelOptions) {
    this.release = release;
    this.sysfs = this.root.ensure(sysfs);
    this.sysfs.permissions = 0o555;
    this.dev = this.root.ensure(dev);
    this.proc = this.root.ensure(proc);
    this.proc.permissions = 0o555;
    for (const folder of ["bus", "class", "devices/virtual", "kernel/iommu_groups", "module"])
      this.sysfs.ensure(folder);
    this.modules = new Modules(this.sysfs.ensure("module"));
    this.vfio = new Vfio(this.sysfs, this.dev, release);
    this.bus = new MdevBus(this);
    this.processes = new Processes(this.proc);
  }
}
