import {
  type AsyncResult,
  type AttributeDescriptor,
  type AttributeReadError,
  type Codec,
  integer,
  type MdevDevice,
  MdevDeviceExtension,
  type MdevType,
  MdevTypeExtension,
  type ReadableAttribute,
  readOnly,
  Result,
} from "../../index.js";
import { type GvtDescription, gvtDescription } from "./description.js";
import { type GvtTypeId, parseGvtTypeId } from "./type-id.js";

const PREFIX = "i915-GVTg_";

/**
 * The text of `intel_vgpu/vgpu_id` and `intel_vgpu/hw_id`: a whole decimal number from 0.
 * Source: Linux, `drivers/gpu/drm/i915/gvt/kvmgt.c`.
 */
export const gvtNumber: Codec<number> = {
  decode: (raw) => orRefuse(integer.decode(raw)),
  encode: (value) => (value < 0 ? Result.error("is below 0") : integer.encode(value)),
};

/**
 * A type of virtual GPU of GVT-g: `mdev_supported_types/i915-GVTg_V5_4`.
 * Source: Linux, `drivers/gpu/drm/i915/gvt/{kvmgt,vgpu}.c`.
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { GvtType } from "vfio-mdev/intel";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addParent({
 *   path: "devices/pci0000:00/0000:00:02.0",
 *   subsystem: "bus/pci",
 *   deviceDriver: "intel_vgpu_mdev",
 *   types: [{ id: "i915-GVTg_V5_4", description: "resolution: 1920x1200\nweight: 4\n" }],
 * });
 * const gpu = await new MdevHost({ fs: simulated.fs }).parent("0000:00:02.0").getOrThrow();
 * const type = await gpu.type("i915-GVTg_V5_4").getOrThrow();
 *
 * const gvt = await type.as(GvtType).getOrThrow();
 * const description = await gvt.description.read().getOrThrow();
 * console.log(`1/${gvt.parsedId?.divisor} of the GPU, weight ${description?.weight}`);
 * // prints: 1/4 of the GPU, weight 4
 * ```
 */
export class GvtType extends MdevTypeExtension {
  /** Descriptor of {@link GvtType.description}. */
  static readonly description: AttributeDescriptor<GvtDescription, "ro"> = readOnly(
    "description",
    gvtDescription,
  );

  /** Whether the type is GVT-g's: its id begins with `i915-GVTg_`. */
  static fits(type: MdevType): boolean {
    return type.id.startsWith(PREFIX);
  }

  /**
   * Address space, fences, resolution and weight: the file `description`; `decode` where {@link gvtDescription} does
   * not understand it.
   */
  readonly description: ReadableAttribute<GvtDescription> = this.attribute(GvtType.description);

  /** What its id tells; `undefined` where that is not of the known form. No I/O. */
  get parsedId(): GvtTypeId | undefined {
    const parsed = parseGvtTypeId(this.type.id);
    return parsed.ok ? parsed.value : undefined;
  }
}

/**
 * A virtual GPU of GVT-g: `<parent>/<uuid>/intel_vgpu/`.
 * Source: Linux, `drivers/gpu/drm/i915/gvt/kvmgt.c`.
 */
export class GvtDevice extends MdevDeviceExtension {
  /** Descriptor of {@link GvtDevice.vgpuId}. */
  static readonly vgpuId: AttributeDescriptor<number, "ro"> = readOnly("intel_vgpu/vgpu_id", gvtNumber);
  /** Descriptor of {@link GvtDevice.hwId}. */
  static readonly hwId: AttributeDescriptor<number, "ro"> = readOnly("intel_vgpu/hw_id", gvtNumber);

  /** Whether the device is GVT-g's: the id of its type begins with `i915-GVTg_`. */
  static fits(device: MdevDevice): AsyncResult<boolean, AttributeReadError> {
    return device.type().map((type) => type?.id.startsWith(PREFIX) === true);
  }

  /** Its number among the GPU's virtual ones, from 1: the file `intel_vgpu/vgpu_id`. Debugfs and traces use it. */
  readonly vgpuId: ReadableAttribute<number> = this.attribute(GvtDevice.vgpuId);

  /** The number of its hardware context: the file `intel_vgpu/hw_id`; `undefined` on kernels that no longer have it. */
  readonly hwId: ReadableAttribute<number> = this.attribute(GvtDevice.hwId);
}

function orRefuse(decoded: Result<number, string>): Result<number, string> {
  return decoded.ok && decoded.value < 0 ? Result.error("is below 0") : decoded;
}
