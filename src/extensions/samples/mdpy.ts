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
  type Resolution,
  Result,
} from "../../index.js";
import { isOfDriver } from "./driver.js";

/**
 * `1920x1080`, alone or inside a sentence such as mdpy's description, in pixels. Written alone.
 * Source: Linux, `samples/vfio-mdev/mdpy.c`.
 */
export const resolution: Codec<Resolution> = {
  decode: (raw) => {
    const [, width, height] = /\b([0-9]{1,9})x([0-9]{1,9})\b/.exec(raw) ?? [];
    return width === undefined || height === undefined
      ? Result.error("holds no resolution such as 1920x1080")
      : Result.ok({ width: Number(width), height: Number(height) });
  },
  encode: ({ width, height }) => {
    const sizes = [width, height].every((size) => Number.isInteger(size) && size >= 0 && size < 1e9);
    return sizes ? Result.ok(`${width}x${height}`) : Result.error("is not a size in whole pixels");
  },
};

/**
 * A type of the kernel's sample driver mdpy, a virtual display: `mdev_supported_types/mdpy-vga`, `mdpy-xga`, `mdpy-hd`.
 * Source: Linux, `samples/vfio-mdev/mdpy.c`. Recorded on Linux 5.10 to 7.2, x86_64.
 */
export class MdpyType extends MdevTypeExtension {
  /** Descriptor of {@link MdpyType.resolution}. */
  static readonly resolution: AttributeDescriptor<Resolution, "ro"> = readOnly("description", resolution);

  /** Whether the type is mdpy's: its id begins with `mdpy-`. */
  static fits(type: MdevType): boolean {
    return type.id.startsWith("mdpy-");
  }

  /** The size of its display in pixels, from the file `description`: `virtual display, 1920x1080 framebuffer`. */
  readonly resolution: ReadableAttribute<Resolution> = this.attribute(MdpyType.resolution);
}

/**
 * A virtual display made by mdpy: `<parent>/<uuid>/vendor/`.
 * Source: Linux, `samples/vfio-mdev/mdpy.c`. Recorded on Linux 5.10 to 7.2, x86_64.
 */
export class MdpyDevice extends MdevDeviceExtension {
  /** Descriptor of {@link MdpyDevice.resolution}. */
  static readonly resolution: AttributeDescriptor<Resolution, "ro"> = readOnly(
    "vendor/resolution",
    resolution,
  );

  /** Whether the device is mdpy's: the id of its type begins with `mdpy-`. */
  static fits(device: MdevDevice): AsyncResult<boolean, AttributeReadError> {
    return isOfDriver(device, "mdpy");
  }

  /** The size of its display in pixels: the file `vendor/resolution`, `1920x1080`. */
  readonly resolution: ReadableAttribute<Resolution> = this.attribute(MdpyDevice.resolution);
}
