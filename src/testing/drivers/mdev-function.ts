import type { SimulatedParentOptions } from "../definitions.js";
import type { Kernel } from "../kernel/kernel.js";
import type { Directory } from "../kernel/kernfs.js";
import { MdevParent } from "../kernel/mdev-parent.js";
import type { Framebuffer } from "./framebuffer.js";
import { type VgpuFile, vgpuParams } from "./vgpu-files.js";
import { describeVgpu, type VgpuType } from "./vgpu-types.js";
import { addVirtualFiles, type VirtualFunction, type VirtualFunctionOptions } from "./virtual-function.js";

/** What the driver of a card knows. */
export interface VirtualParentOptions {
  readonly types: readonly VgpuType[];
  readonly framebuffer: Framebuffer;
  /** Further files of the folder `nvidia` of each device. */
  readonly files: Readonly<Record<string, VgpuFile>>;
}

/** A virtual function that is a parent of mediated devices, of one at the most (kernels before 6.8). */
export class MdevFunction implements VirtualFunction {
  readonly #parent: MdevParent;

  constructor(kernel: Kernel, pci: VirtualFunctionOptions, options: VirtualParentOptions) {
    this.#parent = new MdevParent(kernel, { ...pci.device, ...describe(options) });
    addVirtualFiles(this.folder, pci);
  }

  get folder(): Directory {
    return this.#parent.folder;
  }

  get typeId(): string | undefined {
    return this.#parent.counted[0];
  }

  create(typeId: string, uuid?: string): string {
    return this.#parent.create(typeId, uuid);
  }

  remove(): void {
    const [uuid] = this.#parent.devices;
    if (uuid === undefined) throw new Error(`${this.#parent.id} has no vGPU`);
    this.#parent.remove(uuid);
  }

  async unplug(): Promise<void> {
    await this.#parent.unplug();
  }
}

function describe({
  types,
  framebuffer,
  files,
}: VirtualParentOptions): Omit<SimulatedParentOptions, "path" | "subsystem"> {
  const find = (id: string): VgpuType | undefined => types.find((type) => type.id === id);
  const creatable = (type: VgpuType | undefined): boolean =>
    type !== undefined && framebuffer.refusal(type) === undefined;
  return {
    driver: "nvidia",
    deviceDriver: "nvidia-vgpu-vfio",
    module: { name: "nvidia_vgpu_vfio" },
    types: types.map((type) => ({ id: type.id, name: type.name, description: describeVgpu(type) })),
    deviceAttributes: {
      "nvidia/vgpu_params": vgpuParams(),
      "nvidia/vm_name": { read: ({ vmName }) => `${vmName ?? ""}\n` },
      ...Object.fromEntries(Object.entries(files).map(([name, file]) => [`nvidia/${name}`, file])),
    },
    capacity: {
      countedBy: "driver",
      full: "EIO",
      available: (typeId, existing) => (existing.length === 0 && creatable(find(typeId)) ? 1 : 0),
    },
  };
}
