import {
  type AsyncResult,
  type ExtensionError,
  type MdevDevice,
  MdevDeviceExtension,
  type OperationOptions,
  type QueryError,
} from "../../index.js";
import { SubchannelParent, VFIO_CCW_TYPE } from "./ccw-subchannel.js";

/**
 * A channel device for a virtual machine, made by vfio_ccw. It has no attributes of its own: what can be told of it, its
 * subchannel tells.
 * Source: Linux, `drivers/s390/cio/vfio_ccw_ops.c`. Recorded on Linux 7.2, s390x.
 */
export class VfioCcwDevice extends MdevDeviceExtension {
  /** Whether the device is vfio_ccw's: of type `vfio_ccw-io`. */
  static fits(device: MdevDevice): AsyncResult<boolean, QueryError> {
    return device.type().map((type) => type?.id === VFIO_CCW_TYPE);
  }

  /** The subchannel that it stands for: its parent. `gone` where the subchannel was taken from vfio_ccw. */
  subchannel(options?: OperationOptions): AsyncResult<SubchannelParent, ExtensionError> {
    return this.device.parent(options).map((parent) => parent.as(SubchannelParent));
  }
}
