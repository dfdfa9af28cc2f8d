import { Errno } from "../errno.js";
import { BusDevice } from "../kernel/bus-device.js";
import type { Kernel } from "../kernel/kernel.js";
import type { LinkNode } from "../kernel/kernfs.js";
import { kstrtoul } from "../kernel/kstrtoul.js";
import { Framebuffer, type SharingMode } from "./framebuffer.js";
import { MdevFunction } from "./mdev-function.js";
import { pciFunction, type PciIdentity, virtualAddress } from "./pci-function.js";
import { VfioFunction } from "./vfio-function.js";
import { gpuInstanceId, placementId, type VgpuFile, vgpuParams } from "./vgpu-files.js";
import { L40S_TYPES, typeNumber, type VgpuType } from "./vgpu-types.js";
import type { VirtualFunction, VirtualFunctionOptions } from "./virtual-function.js";

const L40S_BYTES = 48 * 2 ** 30;

/** Options of {@link SimulatedHost.addNvidiaSriovGpu}: an L40S, where nothing else is said. */
export interface NvidiaSriovGpuOptions {
  /** The PCI address of its physical function: `0000:3b:00.0`. */
  readonly address: string;
  /** How many virtual functions it can have, the file `sriov_totalvfs`; 16 by default. */
  readonly functions?: number;
  /** How many of them there are at first, the file `sriov_numvfs`; all by default. */
  readonly enabled?: number;
  /**
   * How vGPUs are created: `"vfio"`, the driver's own files in the folder `nvidia` of each virtual function (Linux 6.8
   * and later; not on a simulated 5.10), or `"mdev"`, each of them a parent of mediated devices. `"vfio"` by default.
   */
  readonly interface?: "vfio" | "mdev";
  /** The types its driver knows, each with an id `nvidia-<number>`; by default some of an L40S. */
  readonly types?: readonly VgpuType[];
  /** Which vGPUs may share it: those with as much framebuffer each, or any that fit; `"homogeneous"` by default. */
  readonly mode?: SharingMode;
  /** The framebuffer that they share, in bytes; 48 GiB by default. */
  readonly framebufferBytes?: number;
  /** Whether `creatable_vgpu_types` begins with `ID    : vGPU Name`; true by default. */
  readonly header?: boolean;
  /** What `creatable_vgpu_types` says on a function that has a vGPU: the header alone (default), or nothing at all. */
  readonly listWhileSet?: "header" | "empty";
  /**
   * Which further files its driver has in the folder `nvidia`; none by default, as the first versions. With mediated
   * devices `vgpu_params` is there in any case.
   */
  readonly attributes?: readonly ("placement_id" | "gpu_instance_id" | "vgpu_params")[];
  /**
   * Whose errors `current_vgpu_type` has: `"closed"`, NVIDIA's own driver (EIO for whatever the GPU refuses, EPERM in
   * use, EPERM for a 0 where there is no vGPU), or `"open"`, the one that was proposed for Linux in 2025 (ENODEV unknown
   * type, EINVAL another size, ENOSPC full, EBUSY in use, a 0 is always obeyed). `"closed"` by default.
   */
  readonly driver?: "closed" | "open";
  /**
   * How a vGPU lingers on when its virtual machine has stopped: so many attempts to delete it, or all within so many
   * milliseconds, are refused with `errno`, EBUSY by default. By default it does not.
   */
  readonly afterStop?: {
    /** So many attempts. */
    readonly tries?: number;
    /** All attempts within so many milliseconds. */
    readonly ms?: number;
    /** With which error. */
    readonly errno?: "EBUSY" | "EPERM";
  };
  /** Its NUMA node; -1, the kernel's word for unknown, by default. */
  readonly numaNode?: number;
  /** PCI device id, four hexadecimal digits. */
  readonly device?: string;
  /** PCI subsystem device id, four hexadecimal digits. */
  readonly subsystemDevice?: string;
  /** PCI revision, two hexadecimal digits. */
  readonly revision?: string;
}

/** An SR-IOV GPU that was added: what its hardware or another program can do. */
export interface SimulatedSriovGpu {
  /** The PCI address of its physical function. */
  readonly id: string;
  /** The folder of its physical function: `/sys/devices/pci0000:3b/0000:3b:00.0`. */
  readonly path: string;
  /** The PCI addresses of the virtual functions that there are, in their order. */
  readonly functions: readonly string[];
  /** The id of the type that a virtual function has a vGPU of: `nvidia-1145`. */
  typeOf(address: string): string | undefined;
  /** How often a virtual function was reset. */
  resetsOf(address: string): number;
  /**
   * Creates a vGPU at once, as another program would that got ahead. Throws where the driver would refuse. Gives its
   * name: the function's address, or the UUID of the mediated device.
   */
  create(address: string, typeId: string, uuid?: string): string;
  /** Removes the vGPU of a virtual function at once, as another program would. Throws where the driver would refuse. */
  remove(address: string): void;
  /**
   * Takes the card away: its virtual functions, in order, each when no process has it open any more, and then the
   * physical one.
   */
  unplug(): Promise<void>;
}

/**
 * A board with SR-IOV (A16, L40S): a physical function that offers nothing by itself, and virtual functions that hold a
 * vGPU each and share its framebuffer. From public sources, not recorded.
 */
export class NvidiaSriovGpu implements SimulatedSriovGpu {
  readonly #kernel: Kernel;
  readonly #options: NvidiaSriovGpuOptions;
  readonly #types: readonly VgpuType[];
  readonly #total: number;
  readonly #framebuffer: Framebuffer;
  readonly #files: Readonly<Record<string, VgpuFile>>;
  readonly #physical: BusDevice;
  readonly #virtual = new Map<string, { readonly function_: VirtualFunction; readonly link: LinkNode }>();
  readonly #resets = new Map<string, number>();

  constructor(kernel: Kernel, options: NvidiaSriovGpuOptions) {
    const {
      types = L40S_TYPES,
      functions = 16,
      mode = "homogeneous",
      framebufferBytes = L40S_BYTES,
    } = options;
    for (const type of types) typeNumber(type);
    if (options.interface !== "mdev" && kernel.release === "5.10")
      throw new Error("kernel 5.10 has no vGPUs on VFIO: only mediated devices");
    const { enabled = functions } = options;
    if (enabled > functions) throw new Error(`it has no ${enabled} functions, but ${functions}`);
    this.#kernel = kernel;
    this.#options = options;
    this.#types = types;
    this.#total = functions;
    this.#framebuffer = new Framebuffer({ bytes: framebufferBytes, mode, types }, () => this.#holders());
    this.#files = this.#filesOf(options.attributes ?? []);
    const pci = pciFunction(this.#identity(options.address));
    const attributes = {
      ...pci.attributes,
      sriov_totalvfs: { read: () => `${functions}\n` },
      sriov_numvfs: { read: () => `${this.#virtual.size}\n`, write: (text: string) => this.#store(text) },
    };
    this.#physical = new BusDevice(kernel, { ...pci, attributes, driver: "nvidia" });
    this.#enable(enabled);
  }

  get id(): string {
    return this.#physical.id;
  }

  get path(): string {
    return this.#physical.folder.path;
  }

  get functions(): readonly string[] {
    return [...this.#virtual.keys()];
  }

  typeOf(address: string): string | undefined {
    return this.#find(address).typeId;
  }

  resetsOf(address: string): number {
    this.#find(address);
    return this.#resets.get(address) ?? 0;
  }

  create(address: string, typeId: string, uuid?: string): string {
    return this.#find(address).create(typeId, uuid);
  }

  remove(address: string): void {
    this.#find(address).remove();
  }

  async unplug(): Promise<void> {
    await this.#disable();
    if (this.#physical.folder.alive) this.#physical.remove();
  }

  /** `sriov_numvfs` (`drivers/pci/pci-sysfs.c`): how many virtual functions there are to be, all or none before. */
  async #store(text: string): Promise<void> {
    const number = Number(kstrtoul(text));
    if (number > 0xffff) throw new Errno("EINVAL");
    if (number > this.#total) throw new Errno("ERANGE");
    if (number === this.#virtual.size) return;
    const inUse = [...this.#virtual.values()].some(({ function_ }) => function_.typeId !== undefined);
    if (inUse || (number > 0 && this.#virtual.size > 0)) throw new Errno("EBUSY");
    if (number === 0) await this.#disable();
    else this.#enable(number);
  }

  #enable(number: number): void {
    for (let index = 0; index < number; index++) {
      const address = virtualAddress(this.id, index);
      const function_ = this.#makeFunction(address);
      const link = this.#physical.folder.link(`virtfn${index}`, function_.folder);
      this.#virtual.set(address, { function_, link });
    }
  }

  async #disable(): Promise<void> {
    for (const [address, { function_, link }] of [...this.#virtual]) {
      await function_.unplug();
      link.remove();
      this.#virtual.delete(address);
      this.#resets.delete(address);
    }
  }

  #makeFunction(address: string): VirtualFunction {
    const pci: VirtualFunctionOptions = {
      device: { ...pciFunction(this.#identity(address)), driver: "nvidia" },
      physical: this.#physical.folder,
      onReset: () => void this.#resets.set(address, (this.#resets.get(address) ?? 0) + 1),
    };
    const known = { types: this.#types, framebuffer: this.#framebuffer, files: this.#files };
    if (this.#options.interface === "mdev") return new MdevFunction(this.#kernel, pci, known);
    const { header = true, listWhileSet = "header", driver = "closed", afterStop = {} } = this.#options;
    return new VfioFunction(this.#kernel, pci, { ...known, header, listWhileSet, driver, afterStop });
  }

  #identity(address: string): PciIdentity {
    const { device = "26b9", subsystemDevice = "1851", revision = "a1", numaNode = -1 } = this.#options;
    const ids = { vendor: "10de", device, subsystemVendor: "10de", subsystemDevice, class: "030200" };
    return { address, ...ids, revision, numaNode };
  }

  #filesOf(names: NonNullable<NvidiaSriovGpuOptions["attributes"]>): Record<string, VgpuFile> {
    return {
      ...(names.includes("placement_id") ? { placement_id: placementId(this.#framebuffer) } : {}),
      ...(names.includes("gpu_instance_id") ? { gpu_instance_id: gpuInstanceId() } : {}),
      ...(names.includes("vgpu_params") ? { vgpu_params: vgpuParams() } : {}),
    };
  }

  #holders(): Map<string, VgpuType> {
    const holders = new Map<string, VgpuType>();
    for (const [address, { function_ }] of this.#virtual) {
      const type = this.#types.find(({ id }) => id === function_.typeId);
      if (type) holders.set(address, type);
    }
    return holders;
  }

  #find(address: string): VirtualFunction {
    const found = this.#virtual.get(address);
    if (!found) throw new Error(`${this.id} has no virtual function ${address}`);
    return found.function_;
  }
}
