import type { Kernel } from "./kernel.js";
import type { LinkNode } from "./kernfs.js";
import type { VfioGroup } from "./vfio.js";

/** Options of {@link SimulatedHost.open}. */
export interface OpenOptions {
  /** The number of the process, which may hold further devices; by default a new one. */
  readonly pid?: number;
  /** `"group"` opens `/dev/vfio/<group>` alone, which does not hold up a removal; `"device"` by default. */
  readonly what?: "device" | "group";
  /** The name of the virtual machine, for drivers that show it. */
  readonly vmName?: string;
}

/** A process that has a device open. */
export interface Holder {
  /** Its number: `/proc/<pid>/fd` has the links. */
  readonly pid: number;
  /** Closes the device; a removal that waits for it goes on. Once it is closed, nothing happens. */
  readonly close: () => void;
}

/** What a process can open through VFIO: a mediated device, or a PCI function. */
export interface Openable {
  /** What it is called. */
  readonly id: string;
  readonly group: VfioGroup | undefined;
  /** Why it cannot be opened now, though its group may be; `undefined`: it can. */
  readonly unopenable: string | undefined;
  /** The module that whoever has it open keeps. */
  readonly moduleName: string;
}

/** Who has a device open. */
export class Usage {
  readonly #kernel: Kernel;
  readonly #device: Openable;
  readonly #onClose: () => void;
  readonly #whenClosed: (() => void)[] = [];
  #open: { readonly vmName: string | undefined } | undefined;
  #groupLink: LinkNode | undefined;

  constructor(kernel: Kernel, device: Openable, onClose: () => void = () => undefined) {
    this.#kernel = kernel;
    this.#device = device;
    this.#onClose = onClose;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  get vmName(): string | undefined {
    return this.#open?.vmName;
  }

  /** Fulfilled when whoever has it open now has closed it. */
  closed(): Promise<void> {
    return new Promise((resolve) => void this.#whenClosed.push(resolve));
  }

  open({ pid, what = "device", vmName }: OpenOptions): Holder {
    const { processes, dev, modules } = this.#kernel;
    const { group, id, unopenable, moduleName } = this.#device;
    if (!group || (what === "device" && unopenable !== undefined))
      throw new Error(`${id} cannot be opened: ${unopenable ?? "it has no IOMMU group"}`);
    if (group.held) throw new Error(`${id} cannot be opened: a process has /dev/vfio/${group.number} open`);
    const targets = [group.node.path, `${dev.path}/vfio/vfio`, "anon_inode:[vfio-device]"];
    const process = processes.open(what === "device" ? targets : targets.slice(0, 1), pid);
    group.held = true;
    this.#groupLink = process.links[0];
    if (what === "device") {
      this.#open = { vmName };
      modules.refer(moduleName, 1);
    }
    let closed = false;
    const close = (): void => {
      if (closed) return;
      closed = true;
      group.held = false;
      process.close();
      if (what !== "device") return;
      this.#open = undefined;
      modules.refer(moduleName, -1);
      this.#onClose();
      for (const resolve of this.#whenClosed.splice(0)) resolve();
    };
    return { pid: process.pid, close };
  }

  /** The group's node goes while a process still has it open. */
  forgetGroup(): void {
    if (this.#groupLink?.alive) this.#groupLink.target += " (deleted)";
    this.#groupLink = undefined;
  }
}
