import type { SimulatedDevice } from "../definitions.js";
import { Errno } from "../errno.js";
import { line } from "../kernel/device-files.js";
import { cString, kstrtol } from "../kernel/kstrtoul.js";
import type { Framebuffer } from "./framebuffer.js";

const MAX_PARAMS = 1024;

/** A vGPU as the files of its driver know it: one object for as long as it exists. Its parent is its PCI function. */
export type Vgpu = Pick<SimulatedDevice, "parentId" | "isOpen">;

/** A file of a vGPU. */
export interface VgpuFile {
  readonly mode: number;
  readonly read: (vgpu: Vgpu) => string;
  readonly write: (vgpu: Vgpu, text: string) => void;
}

/** `vgpu_params`: what its plugin will read when a virtual machine starts. */
export function vgpuParams(): VgpuFile {
  const params = new WeakMap<Vgpu, string>();
  return {
    mode: 0o644,
    read: (vgpu) => `${params.get(vgpu) ?? ""}\n`,
    write: (vgpu, text) => {
      if (new TextEncoder().encode(text).length > MAX_PARAMS) throw new Errno("E2BIG");
      if (vgpu.isOpen) throw new Errno("EPERM");
      // the driver copies with snprintf(…, count, …), which loses the last byte of the write
      params.set(vgpu, cString(text.slice(0, -1)));
    },
  };
}

/** `placement_id`: where in the framebuffer it is. Who may write it when is made up. */
export function placementId(framebuffer: Framebuffer): VgpuFile {
  return {
    mode: 0o644,
    read: ({ parentId }) => `${framebuffer.placementOf(parentId)}\n`,
    write: ({ parentId, isOpen }, text) => {
      const placement = Number(kstrtol(text));
      if (isOpen) throw new Errno("EPERM");
      if (!framebuffer.move(parentId, placement)) throw new Errno("EINVAL");
    },
  };
}

/** `gpu_instance_id`: which part of a divided GPU (MIG) it is to run on. Its text and its rules are made up. */
export function gpuInstanceId(): VgpuFile {
  const instances = new WeakMap<Vgpu, string>();
  return {
    mode: 0o644,
    read: (vgpu) => `${instances.get(vgpu) ?? "Not Applicable"}\n`,
    write: (vgpu, text) => {
      if (kstrtol(text) < 0n) throw new Errno("EINVAL");
      if (vgpu.isOpen) throw new Errno("EPERM");
      instances.set(vgpu, line(text));
    },
  };
}
