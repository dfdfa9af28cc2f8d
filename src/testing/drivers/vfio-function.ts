import { Errno, type ErrnoName } from "../errno.js";
import { atOnce } from "../kernel/at-once.js";
import { BusDevice } from "../kernel/bus-device.js";
import { addAttribute } from "../kernel/device-files.js";
import type { Kernel } from "../kernel/kernel.js";
import type { Directory } from "../kernel/kernfs.js";
import { kstrtol } from "../kernel/kstrtoul.js";
import { type Openable, Usage } from "../kernel/usage.js";
import type { VfioGroup } from "../kernel/vfio.js";
import type { Framebuffer } from "./framebuffer.js";
import type { Vgpu, VgpuFile } from "./vgpu-files.js";
import { type VgpuType, typeNumber } from "./vgpu-types.js";
import { addVirtualFiles, type VirtualFunction, type VirtualFunctionOptions } from "./virtual-function.js";

const MODULE = "nvidia_vgpu_vfio";
const HEADER = "ID    : vGPU Name\n";

/** How the driver of a card answers. */
export interface VendorVfioOptions {
  readonly types: readonly VgpuType[];
  readonly framebuffer: Framebuffer;
  readonly header: boolean;
  readonly listWhileSet: "header" | "empty";
  readonly driver: "closed" | "open";
  readonly afterStop: { readonly tries?: number; readonly ms?: number; readonly errno?: "EBUSY" | "EPERM" };
  /** Further files of its folder `nvidia`. */
  readonly files: Readonly<Record<string, VgpuFile>>;
}

/**
 * A virtual function with NVIDIA's own files instead of mediated devices: `nvidia/creatable_vgpu_types` and
 * `nvidia/current_vgpu_type` (`vgpu-vfio-pci-core.c`, as published with driver 535).
 */
export class VfioFunction implements VirtualFunction, Openable {
  readonly usage: Usage;
  readonly moduleName: string = MODULE;
  readonly group: VfioGroup | undefined;
  readonly #kernel: Kernel;
  readonly #device: BusDevice;
  readonly #options: VendorVfioOptions;
  readonly #takeVfioDevice: () => void;
  #vgpu: (Vgpu & { readonly type: VgpuType }) | undefined;
  #leaving = { tries: 0, until: 0 };
  #unplugged = false;

  constructor(kernel: Kernel, pci: VirtualFunctionOptions, options: VendorVfioOptions) {
    const { vfio, modules, functions } = kernel;
    this.#kernel = kernel;
    this.#options = options;
    this.#device = new BusDevice(kernel, pci.device);
    const { id, folder, group } = this.#device;
    addVirtualFiles(folder, pci);
    modules.load({ name: MODULE });
    vfio.load();
    this.usage = new Usage(kernel, this, () => this.#stopped());
    this.group = group && vfio.addNode(group);
    this.#takeVfioDevice = vfio.addVfioDevice(folder);
    functions.set(id, this);
    addAttribute(folder, "nvidia/creatable_vgpu_types", { read: () => this.#list() });
    addAttribute(folder, "nvidia/current_vgpu_type", {
      read: () => `${this.#vgpu ? typeNumber(this.#vgpu.type) : 0}\n`,
      write: (text) => this.#store(text),
    });
    for (const [name, { mode, read, write }] of Object.entries(options.files)) {
      addAttribute(folder, `nvidia/${name}`, {
        mode,
        read: () => read(this.#existing),
        write: (text) => write(this.#existing, text),
      });
    }
  }

  get id(): string {
    return this.#device.id;
  }

  get folder(): Directory {
    return this.#device.folder;
  }

  get typeId(): string | undefined {
    return this.#vgpu?.type.id;
  }

  get unopenable(): string | undefined {
    return this.#vgpu ? undefined : "ENODEV, it has no vGPU";
  }

  create(typeId: string): string {
    const type = this.#options.types.find(({ id }) => id === typeId);
    if (!type) throw new Error(`${this.id} knows no type ${typeId}`);
    atOnce(`${typeId} cannot be created on ${this.id}`, () => this.#set(typeNumber(type)));
    return this.id;
  }

  remove(): void {
    atOnce(`the vGPU of ${this.id} cannot be removed`, () => this.#delete());
  }

  async unplug(): Promise<void> {
    while (this.usage.isOpen) await this.usage.closed();
    if (this.#unplugged) return;
    this.#unplugged = true;
    this.#vgpu = undefined;
    this.#kernel.functions.delete(this.id);
    this.#takeVfioDevice();
    this.usage.forgetGroup();
    this.group?.remove();
    this.#device.remove();
    this.#kernel.modules.unload(MODULE);
  }

  get #existing(): Vgpu {
    if (!this.#vgpu) throw new Errno("ENXIO");
    return this.#vgpu;
  }

  #list(): string {
    const { types, framebuffer, header, listWhileSet } = this.#options;
    if (this.#vgpu && listWhileSet === "empty") return "";
    const creatable = this.#vgpu ? [] : types.filter((type) => framebuffer.refusal(type) === undefined);
    const rows = creatable.map((type) => `${String(typeNumber(type)).padEnd(5)} : ${type.name}\n`);
    return (header ? HEADER : "") + rows.join("");
  }

  /** `current_vgpu_type`: the number of a type, or 0. */
  #store(text: string): void {
    const number = Number(kstrtol(text));
    if (number === 0) this.#delete();
    else this.#set(number);
  }

  #set(number: number): void {
    const { types, framebuffer } = this.#options;
    if (this.#vgpu) throw new Errno(this.#either("EPERM", this.usage.isOpen ? "EBUSY" : "EPERM"));
    const type = types.find((each) => typeNumber(each) === number);
    // what NVIDIA's own driver is refused with by the GPU's firmware, it does not pass on
    if (!type) throw new Errno(this.#either("EIO", "ENODEV"));
    const refusal = framebuffer.refusal(type);
    if (refusal) throw new Errno(this.#either("EIO", refusal === "full" ? "ENOSPC" : "EINVAL"));
    const { id, usage } = this;
    this.#vgpu = {
      type,
      parentId: id,
      get isOpen() {
        return usage.isOpen;
      },
    };
    this.#leaving = { tries: 0, until: 0 };
  }

  #delete(): void {
    if (!this.#vgpu) {
      if (this.#options.driver === "closed") throw new Errno("EPERM");
      return;
    }
    if (this.usage.isOpen) throw new Errno(this.#either("EPERM", "EBUSY"));
    if (this.#leaving.tries-- > 0 || Date.now() < this.#leaving.until)
      throw new Errno(this.#options.afterStop.errno ?? "EBUSY");
    this.#vgpu = undefined;
  }

  #stopped(): void {
    const { tries = 0, ms = 0 } = this.#options.afterStop;
    this.#leaving = { tries, until: Date.now() + ms };
  }

  #either(closed: ErrnoName, open: ErrnoName): ErrnoName {
    return this.#options.driver === "closed" ? closed : open;
  }
}
