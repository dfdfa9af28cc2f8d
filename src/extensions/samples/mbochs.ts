import {
  type AsyncResult,
  type AttributeDescriptor,
  type AttributeReadError,
  type Codec,
  type MdevDevice,
  MdevDeviceExtension,
  type MdevType,
  MdevTypeExtension,
  type ReadableAttribute,
  readOnly,
  Result,
} from "../../index.js";
import { isOfDriver } from "./driver.js";

const MIB = 2 ** 20;

/**
 * `4 MB`, alone or inside a sentence such as mbochs' description, as bytes: the driver's MB are 2^20 of them. Written alone.
 * Source: Linux, `samples/vfio-mdev/mbochs.c`.
 */
export const videoMemory: Codec<number> = {
  decode: (raw) => {
    const size = /\b([0-9]{1,9}) MB\b/.exec(raw)?.[1];
    return size === undefined ? Result.error("holds no size such as 4 MB") : Result.ok(Number(size) * MIB);
  },
  encode: (bytes) =>
    Number.isInteger(bytes / MIB) && bytes >= 0 && bytes < 1e9 * MIB
      ? Result.ok(`${bytes / MIB} MB`)
      : Result.error("is not a whole number of MiB in bytes"),
};

/**
 * A type of the kernel's sample driver mbochs, a virtual graphics card: `mdev_supported_types/mbochs-small`, `mbochs-medium`,
 * `mbochs-large`.
 * Source: Linux, `samples/vfio-mdev/mbochs.c`. Recorded on Linux 5.10 to 7.2, x86_64.
 */
export class MbochsType extends MdevTypeExtension {
  /** Descriptor of {@link MbochsType.memory}. */
  static readonly memory: AttributeDescriptor<number, "ro"> = readOnly("description", videoMemory);

  /** Whether the type is mbochs': its id begins with `mbochs-`. */
  static fits(type: MdevType): boolean {
    return type.id.startsWith("mbochs-");
  }

  /** Its video memory in bytes, from the file `description`: `virtual display, 4 MB video memory`. */
  readonly memory: ReadableAttribute<number> = this.attribute(MbochsType.memory);
}

/**
 * A virtual graphics card made by mbochs: `<parent>/<uuid>/vendor/`.
 * Source: Linux, `samples/vfio-mdev/mbochs.c`. Recorded on Linux 5.10 to 7.2, x86_64.
 */
export class MbochsDevice extends MdevDeviceExtension {
  /** Descriptor of {@link MbochsDevice.memory}. */
  static readonly memory: AttributeDescriptor<number, "ro"> = readOnly("vendor/memory", videoMemory);

  /** Whether the device is mbochs': the id of its type begins with `mbochs-`. */
  static fits(device: MdevDevice): AsyncResult<boolean, AttributeReadError> {
    return isOfDriver(device, "mbochs");
  }

  /** Its video memory in bytes: the file `vendor/memory`, `4 MB`. */
  readonly memory: ReadableAttribute<number> = this.attribute(MbochsDevice.memory);
}
