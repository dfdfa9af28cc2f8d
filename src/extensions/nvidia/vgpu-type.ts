import {
  type AsyncResult,
  type AttributeDescriptor,
  type AttributeReadError,
  DecodeError,
  type MdevType,
  MdevTypeExtension,
  type OperationOptions,
  type ReadableAttribute,
  readOnly,
  Result,
} from "../../index.js";
import { type VgpuDescription, vgpuDescription } from "./description.js";
import { parseVgpuTypeName, type VgpuTypeName } from "./type-name.js";

/** Whether the id of a type is one of NVIDIA's: `nvidia-222`. */
export function isVgpuType(id: string): boolean {
  return /^nvidia-[1-9][0-9]*$/.test(id);
}

/**
 * A type of vGPU: `mdev_supported_types/nvidia-<number>`, or on NVIDIA's own interface a row of
 * `<function>/nvidia/creatable_vgpu_types`.
 * Sources: NVIDIA/open-gpu-kernel-modules 525.53, `src/nvidia/arch/nvalloc/unix/src/os-hypervisor.c`; the rows as
 * harvester/pcidevices and OpenNebula/one read them. Not run on a card.
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { NvidiaVgpuType } from "vfio-mdev/nvidia";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
 * const gpu = await new MdevHost({ fs: simulated.fs }).parent("0000:3b:00.0").getOrThrow();
 * const type = await gpu.type("nvidia-156").getOrThrow();
 *
 * const vgpu = await type.as(NvidiaVgpuType).getOrThrow();
 * const name = await vgpu.name().getOrThrow();
 * const description = await vgpu.description.read().getOrThrow();
 * console.log(name?.product, name?.series, description?.maxInstances); // prints: P40 B 12
 * ```
 */
export class NvidiaVgpuType extends MdevTypeExtension {
  /** Descriptor of {@link NvidiaVgpuType.description}. */
  static readonly description: AttributeDescriptor<VgpuDescription, "ro"> = readOnly(
    "description",
    vgpuDescription,
  );

  /** Whether the type is one of NVIDIA's: its id is `nvidia-` and a number. */
  static fits(type: MdevType): boolean {
    return isVgpuType(type.id);
  }

  /**
   * Heads, framebuffer, resolution and how many fit on a GPU: the file `description`; `decode` where {@link vgpuDescription}
   * does not understand it. NVIDIA's own interface has none: `undefined` there.
   */
  readonly description: ReadableAttribute<VgpuDescription> = this.attribute(NvidiaVgpuType.description);

  /**
   * What the name tells: the file `name`, or the row of `creatable_vgpu_types`. `undefined` where it does not show; a
   * name outside of {@link parseVgpuTypeName}'s grammar is `decode`, and `type.name` has it as it is.
   */
  name(options?: OperationOptions): AsyncResult<VgpuTypeName | undefined, AttributeReadError> {
    return this.type.name.read(options).map((raw) => {
      const name = raw === undefined ? undefined : parseVgpuTypeName(raw);
      if (name === undefined || name.ok) return Result.ok(name?.value);
      const tried = `understand the name of ${this.type.id} on ${this.type.parent.id}`;
      const reason = `its text ${JSON.stringify(raw)} ${name.error}`;
      return Result.error(new DecodeError({ tried, reason, path: this.type.name.path, raw: raw ?? "" }));
    });
  }
}
