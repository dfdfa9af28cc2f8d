import {
  type AsyncResult,
  type Attribute,
  type AttributeDescriptor,
  type AttributeReadError,
  type MdevDevice,
  MdevDeviceExtension,
  type ReadableAttribute,
  readOnly,
  readWrite,
  text,
} from "../../index.js";
import { vgpuNumber } from "./vgpu-number.js";
import { type VgpuParams, vgpuParams } from "./vgpu-params.js";
import { isVgpuType } from "./vgpu-type.js";

const NONE = { ENXIO: { is: "gone", because: "there is no vGPU any more" } } as const;
const IN_USE = {
  is: "busy",
  because: "a virtual machine uses the vGPU",
  hint: "Set it before the machine starts.",
} as const;
const NO_PLACE = {
  is: "rejected",
  because: "the GPU has no such place for a vGPU of this type, or it is taken",
} as const;

/**
 * A vGPU of NVIDIA's driver: a mediated device, `<parent>/<uuid>/nvidia/`, or on its own interface a virtual function,
 * `<function>/nvidia/`. A file that the driver's version does not have reads as `undefined`, and to write it is
 * `unsupported`. Where the vGPU is no longer there, both are `gone` (ENXIO).
 *
 * Sources: NVIDIA's `nvidia-vgpu-vfio.c` as public copies have it; NVIDIA/open-gpu-kernel-modules, `kernel_vgpu_mgr.c`;
 * gentlemanautomaton/machina, `mdevfs`. Not run on a card.
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { NvidiaVgpuDevice } from "vfio-mdev/nvidia";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
 * const gpu = await new MdevHost({ fs: simulated.fs }).parent("0000:3b:00.0").getOrThrow();
 * const type = await gpu.type("nvidia-156").getOrThrow();
 * const device = await type
 *   .create({ attributes: [NvidiaVgpuDevice.vgpuParams.to({ frame_rate_limiter: 0 })] })
 *   .getOrThrow();
 *
 * const vgpu = await device.as(NvidiaVgpuDevice).getOrThrow();
 * const params = await vgpu.vgpuParams.read().getOrThrow();
 * await vgpu.vgpuParams.write({ ...params, disable_vnc: 1 }).getOrThrow();
 * console.log(await vgpu.vgpuParams.readRaw().getOrThrow()); // prints: frame_rate_limiter=0,disable_vnc=1
 * // prints:
 * ```
 */
export class NvidiaVgpuDevice extends MdevDeviceExtension {
  /** Descriptor of {@link NvidiaVgpuDevice.vgpuParams}. */
  static readonly vgpuParams: AttributeDescriptor<VgpuParams, "rw"> = readWrite(
    "nvidia/vgpu_params",
    vgpuParams,
    {
      readErrnos: NONE,
      writeErrnos: {
        ...NONE,
        EPERM: IN_USE,
        E2BIG: { is: "rejected", because: "it is longer than the driver takes" },
      },
    },
  );
  /** Descriptor of {@link NvidiaVgpuDevice.vmName}. */
  static readonly vmName: AttributeDescriptor<string, "ro"> = readOnly("nvidia/vm_name", text, {
    readErrnos: NONE,
  });
  /** Descriptor of {@link NvidiaVgpuDevice.placementId}. */
  static readonly placementId: AttributeDescriptor<number | undefined, "rw"> = readWrite(
    "nvidia/placement_id",
    vgpuNumber,
    { readErrnos: NONE, writeErrnos: { ...NONE, EPERM: IN_USE, EINVAL: NO_PLACE } },
  );
  /** Descriptor of {@link NvidiaVgpuDevice.gpuInstanceId}. */
  static readonly gpuInstanceId: AttributeDescriptor<number | undefined, "rw"> = readWrite(
    "nvidia/gpu_instance_id",
    vgpuNumber,
    { readErrnos: NONE, writeErrnos: { ...NONE, EPERM: IN_USE, EINVAL: NO_PLACE } },
  );

  /** Whether the device is a vGPU of NVIDIA's driver: the id of its type is `nvidia-` and a number. */
  static fits(device: MdevDevice): AsyncResult<boolean, AttributeReadError> {
    return device.type().map((type) => type !== undefined && isVgpuType(type.id));
  }

  /**
   * Whether a virtual machine uses it: its name is in the file `nvidia/vm_name`. `false` where the driver has no such
   * file.
   */
  static inUse(device: MdevDevice): AsyncResult<boolean, AttributeReadError> {
    return device
      .attribute(NvidiaVgpuDevice.vmName)
      .read()
      .map((name) => name !== undefined && name !== "");
  }

  /**
   * The parameters that its plugin reads when the virtual machine starts: the file `nvidia/vgpu_params`.
   *
   * A write replaces all of them: to change one, read, and write `{ ...params, disable_vnc: 1 }`. `{}` clears. Writing
   * while the virtual machine runs is `busy` (EPERM), and more than 1024 bytes are `invalid-argument`, or `rejected` (E2BIG)
   * with `writeRaw`. What is read is what was written, which is no proof that the plugin understood it.
   */
  readonly vgpuParams: Attribute<VgpuParams> = this.attribute(NvidiaVgpuDevice.vgpuParams);

  /**
   * The name of the virtual machine that uses it: the file `nvidia/vm_name`. `""` while none does, which tells whether
   * it is in use; `undefined` where the driver has no such file, which does not.
   */
  readonly vmName: ReadableAttribute<string> = this.attribute(NvidiaVgpuDevice.vmName);

  /**
   * Where in the framebuffer it is, or in that of its GPU instance, by the number of the place: the file
   * `nvidia/placement_id` of later drivers. `undefined` where there is no such file, and where it says `Not Applicable`;
   * `exists()` tells which. The driver takes the first place that is free; another one can be written before the virtual
   * machine starts (`busy`, EPERM, from then on). One that is taken or does not exist is `rejected` (EINVAL). No
   * writing was seen: these two errnos are assumed.
   */
  readonly placementId: Attribute<number | undefined> = this.attribute(NvidiaVgpuDevice.placementId);

  /**
   * The number of the GPU instance of a divided GPU (MIG) that it runs on: the file `nvidia/gpu_instance_id` of later
   * drivers. `undefined`, and the errors of writing, as with {@link NvidiaVgpuDevice.placementId}. The driver chooses one;
   * whether another one can be written depends on its version.
   */
  readonly gpuInstanceId: Attribute<number | undefined> = this.attribute(NvidiaVgpuDevice.gpuInstanceId);
}
