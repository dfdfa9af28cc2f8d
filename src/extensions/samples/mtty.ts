import {
  type AsyncResult,
  type AttributeDescriptor,
  type AttributeReadError,
  type MdevDevice,
  MdevDeviceExtension,
  type Parent,
  ParentExtension,
  type ReadableAttribute,
  readOnly,
  text,
} from "../../index.js";
import { isOfDriver } from "./driver.js";

/**
 * The parent of the kernel's sample driver mtty, a virtual serial card: `/sys/devices/virtual/mtty/mtty`.
 * Source: Linux, `samples/vfio-mdev/mtty.c`. Recorded on Linux 5.10 to 7.2, x86_64, and 6.12 and 7.2, s390x.
 */
export class MttyParent extends ParentExtension {
  /** Descriptor of {@link MttyParent.sampleMttyDev}. */
  static readonly sampleMttyDev: AttributeDescriptor<string, "ro"> = readOnly(
    "mtty_dev/sample_mtty_dev",
    text,
  );

  /** Whether the parent is mtty's: its id is `mtty`. */
  static fits(parent: Parent): boolean {
    return parent.id === "mtty";
  }

  /**
   * The file `mtty_dev/sample_mtty_dev`: `This is phy device`. Linux 5.18 was the last to have it: `undefined` since
   * then.
   */
  readonly sampleMttyDev: ReadableAttribute<string> = this.attribute(MttyParent.sampleMttyDev);
}

/**
 * A virtual serial card made by mtty, with one port (`mtty-1`) or two (`mtty-2`): `<parent>/<uuid>/vendor/`.
 * Source: Linux, `samples/vfio-mdev/mtty.c`. Recorded on Linux 5.10 to 7.2, x86_64, and 6.12 and 7.2, s390x.
 */
export class MttyDevice extends MdevDeviceExtension {
  /** Descriptor of {@link MttyDevice.sampleMdevDev}. */
  static readonly sampleMdevDev: AttributeDescriptor<string, "ro"> = readOnly("vendor/sample_mdev_dev", text);

  /** Whether the device is mtty's: the id of its type begins with `mtty-`. */
  static fits(device: MdevDevice): AsyncResult<boolean, AttributeReadError> {
    return isOfDriver(device, "mtty");
  }

  /** A sentence with its UUID: the file `vendor/sample_mdev_dev`, `This is MDEV 83b8f4f2-…`. */
  readonly sampleMdevDev: ReadableAttribute<string> = this.attribute(MttyDevice.sampleMdevDev);
}
