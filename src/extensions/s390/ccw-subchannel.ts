import {
  type AsyncResult,
  type AttributeDescriptor,
  type AttributeReadError,
  type Codec,
  type OperationOptions,
  type Parent,
  ParentExtension,
  type ReadableAttribute,
  readOnly,
  Result,
  sharedLimits,
} from "../../index.js";
import { type ChannelAddress, formatChannelAddress, parseChannelAddress } from "./ccw-address.js";
import {
  type ChannelPath,
  channelPathIds,
  type ChannelPathMasks,
  channelPathMasks,
  installedPaths,
} from "./ccw-paths.js";

/** The only type of vfio_ccw; it has room for one device. */
export const VFIO_CCW_TYPE = "vfio_ccw-io";

// The kernel's words for nothing.
const NO_DEVICE = "none";
const NO_OVERRIDE = "(null)";

/** `0.0.1111`, or `none`. */
const deviceBusId: Codec<ChannelAddress | undefined> = {
  decode: (raw) => (raw.trim() === NO_DEVICE ? Result.ok(undefined) : parseChannelAddress(raw)),
  encode: (address) => (address === undefined ? Result.ok(NO_DEVICE) : formatChannelAddress(address)),
};

/** `vfio_ccw`, or `(null)`. */
const driverOverride: Codec<string | undefined> = {
  decode: (raw) => {
    const driver = raw.trim();
    return Result.ok(driver === NO_OVERRIDE || driver === "" ? undefined : driver);
  },
  encode: (driver) => Result.ok(driver ?? NO_OVERRIDE),
};

/**
 * An I/O subchannel that the driver vfio_ccw has: `/sys/devices/css0/0.0.0313`. It offers one type, `vfio_ccw-io`, and
 * room for one device: that device is the channel device behind the subchannel, a DASD or a tape, whole.
 *
 * A subchannel becomes a parent when it is bound to vfio_ccw, and with that its channel device (`0.0.1111`) is gone from
 * the host. One that does QDIO (FCP, OSA, HiperSockets) never becomes one: binding it fails with ENODEV.
 * Source: Linux, `drivers/s390/cio/{css,vfio_ccw_drv}.c`, `Documentation/ABI/testing/sysfs-bus-css`. Recorded on Linux
 * 7.2, s390x, but for QDIO.
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { formatChannelAddress, SubchannelParent } from "vfio-mdev/s390";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addSubchannel({ id: "0.0.0313", device: "0.0.e1d2" });
 * const host = new MdevHost({ fs: simulated.fs });
 * const parent = await host.parent("0.0.0313").getOrThrow();
 * const subchannel = await parent.as(SubchannelParent).getOrThrow();
 * const address = await subchannel.channelDeviceAddress.read().getOrThrow();
 * if (address) console.log(formatChannelAddress(address).getOrThrow()); // prints: 0.0.e1d2
 * ```
 */
export class SubchannelParent extends ParentExtension {
  /** Descriptor of {@link SubchannelParent.channelDeviceAddress}. */
  static readonly channelDeviceAddress: AttributeDescriptor<ChannelAddress | undefined, "ro"> = readOnly(
    "dev_busid",
    deviceBusId,
  );
  /** Descriptor of {@link SubchannelParent.chpids}. */
  static readonly chpids: AttributeDescriptor<readonly number[], "ro"> = readOnly("chpids", channelPathIds);
  /** Descriptor of {@link SubchannelParent.pathMasks}. */
  static readonly pathMasks: AttributeDescriptor<ChannelPathMasks, "ro"> = readOnly(
    "pimpampom",
    channelPathMasks,
  );
  /** Descriptor of {@link SubchannelParent.driverOverride}. */
  static readonly driverOverride: AttributeDescriptor<string | undefined, "ro"> = readOnly(
    "driver_override",
    driverOverride,
  );

  /** Whether the parent is vfio_ccw's: it has the type `vfio_ccw-io`. */
  static fits(parent: Parent): AsyncResult<boolean, AttributeReadError> {
    return parent.types().map((types) => types.some(({ id }) => id === VFIO_CCW_TYPE));
  }

  /**
   * The address of the channel device behind the subchannel, as the host called it while it had it: the file `dev_busid`,
   * `0.0.1111`.
   * `undefined` where there is none (`none`), and where the kernel has no such file (before about 5.16, but stable
   * kernels took it over).
   */
  readonly channelDeviceAddress: ReadableAttribute<ChannelAddress | undefined> = this.attribute(
    SubchannelParent.channelDeviceAddress,
  );

  /**
   * The ids of its eight channel paths, 0 to 255: the file `chpids`, `00 4a 00 00 00 00 00 00`, in hexadecimal. The
   * kernel writes 00 for a path that is not installed, which can be an id too: {@link SubchannelParent.paths} tells
   * them apart.
   */
  readonly chpids: ReadableAttribute<readonly number[]> = this.attribute(SubchannelParent.chpids);

  /**
   * Which of its channel paths are installed, available and operational: the file `pimpampom`, `80 80 ff`. As the kernel
   * last heard, which need not be how it is now.
   */
  readonly pathMasks: ReadableAttribute<ChannelPathMasks> = this.attribute(SubchannelParent.pathMasks);

  /**
   * The only driver that may have the subchannel: the file `driver_override`; `undefined` where any may (`(null)`).
   * Where it is `vfio_ccw`, no other driver takes the subchannel when vfio_ccw lets it go.
   */
  readonly driverOverride: ReadableAttribute<string | undefined> = this.attribute(
    SubchannelParent.driverOverride,
  );

  /** Its installed channel paths: the files `chpids` and `pimpampom`; `undefined` where it lacks one of them. */
  paths(options?: OperationOptions): AsyncResult<readonly ChannelPath[] | undefined, AttributeReadError> {
    const within = sharedLimits(options);
    return this.chpids
      .read(within())
      .map((ids) =>
        this.pathMasks
          .read(within())
          .map((masks) =>
            ids === undefined || masks === undefined ? undefined : installedPaths(ids, masks),
          ),
      );
  }
}
