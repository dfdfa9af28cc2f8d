import type { SimulatedParentOptions } from "../definitions.js";
import { pciFunction } from "./pci-function.js";
import { vgpuParams } from "./vgpu-files.js";
import { describeVgpu, P40_TYPES, type VgpuType } from "./vgpu-types.js";

/** Options of {@link SimulatedHost.addNvidiaGpu}: a Tesla P40, where nothing else is said. */
export interface NvidiaGpuOptions {
  /** Its PCI address: `0000:3b:00.0`. */
  readonly address: string;
  /** The types its driver offers; by default some of a Tesla P40. */
  readonly types?: readonly VgpuType[];
  /**
   * What may share the GPU after the first create: only the same type, or (drivers since about 535) all types with as
   * much framebuffer. `"type"` by default.
   */
  readonly shares?: "type" | "framebuffer";
  /** Its NUMA node; -1, the kernel's word for unknown, by default. */
  readonly numaNode?: number;
  /** PCI device id, four hexadecimal digits. */
  readonly device?: string;
  /** PCI subsystem device id, four hexadecimal digits. */
  readonly subsystemDevice?: string;
  /** PCI revision, two hexadecimal digits. */
  readonly revision?: string;
}

/**
 * A board without SR-IOV (M60, P40, V100, T4): its PCI function is the parent, and all its vGPUs are of one kind
 * (NVIDIA/open-gpu-kernel-modules 525, `os-hypervisor.c`).
 */
export function nvidiaGpu(options: NvidiaGpuOptions): SimulatedParentOptions {
  const types = options.types ?? P40_TYPES;
  const find = (id: string): VgpuType | undefined => types.find((type) => type.id === id);
  const kind = (id: string): unknown => (options.shares === "framebuffer" ? find(id)?.framebuffer : id);
  const function_ = pciFunction({
    address: options.address,
    vendor: "10de",
    device: options.device ?? "1b38",
    subsystemVendor: "10de",
    subsystemDevice: options.subsystemDevice ?? "11d9",
    class: "030200",
    revision: options.revision ?? "a1",
    numaNode: options.numaNode ?? -1,
  });
  return {
    ...function_,
    driver: "nvidia",
    deviceDriver: "nvidia-vgpu-vfio",
    module: { name: "nvidia_vgpu_vfio" },
    types: types.map((type) => ({ id: type.id, name: type.name, description: describeVgpu(type) })),
    deviceAttributes: {
      "nvidia/vgpu_params": vgpuParams(),
      "nvidia/vm_name": { read: ({ vmName }) => `${vmName ?? ""}\n` },
    },
    capacity: {
      countedBy: "driver",
      full: "EIO",
      available: (typeId, existing) =>
        existing.some((other) => kind(other) !== kind(typeId))
          ? 0
          : (find(typeId)?.maxInstance ?? 0) - existing.length,
    },
  };
}
