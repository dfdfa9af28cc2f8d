import type { Kernel } from "./kernel.js";
import type { LinkNode } from "./kernfs.js";
import type { MdevDevice } from "./mdev-device.js";

/** Options of {@link SimulatedHost.open}. */
export interface OpenOptions {
  /** The process, which may hold further devices; by default a new one. */
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

/** Who has a device open. */
export class Usage {
  readonly #kernel: Kernel;
  readonly #device: MdevDevice;
  readonly #whenClosed: (() => void)[] = [];
  #open: { readonly vmName: string | undefined } | undefined;
  #groupLink: LinkNode | undefined;

  constructor(kernel: Kernel, device: MdevDevice) {
    this.#kernel = kernel;
    this.#device = device;
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
    const { group, uuid } = this.#device;
    if (!group || !this.#device.onBus)
      throw new Error(`${uuid} cannot be opened: it is not bound to a driver`);
    if (group.held) throw new Error(`${uuid} cannot be opened: a process has /dev/vfio/${group.number} open`);
    const targets = [group.node.path, `${dev.path}/vfio/vfio`, "anon_inode:[vfio-device]"];
    const process = processes.open(what === "device" ? targets : targets.slice(0, 1), pid);
    group.held = true;
    this.#groupLink = process.links[0];
    if (what === "device") {
      this.#open = { vmName };
      modules.refer(this.#device.parent.module.name, 1);
    }
    let closed = false;
    const close = (): void => {
      if (closed) return;
      closed = true;
      group.held = false;
      process.close();
      if (what !== "device") return;
      this.#open = undefined;
      modules.refer(this.#device.parent.module.name, -1);
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
