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
} from "../../index.js";
import { type ApConflictReport, findApConflicts, type ApClaims } from "./ap-conflicts.js";
import { type ApHoldings, readApHoldings } from "./ap-holdings.js";
import type { ApMatrix } from "./ap-matrix.js";

/** What {@link VfioApParent.conflicts} takes. */
export interface ApConflictOptions extends OperationOptions {
  /** The UUID of the device that the matrix is for, which is in nobody's way; none: it is not made yet. */
  readonly except?: string | undefined;
  /** The host's side of the AP bus, as {@link readApHost} reads it; where it is left out, the report says nothing of it. */
  readonly host?: ApClaims["host"];
}

/** What stands in the way of a matrix, and whose matrix could not be read. */
export interface ApParentConflictReport extends ApConflictReport {
  /** The UUIDs of other devices that do not show theirs, as {@link ApHoldings.unknown} has them. */
  readonly unknown: readonly string[];
}

const words: Codec<readonly string[]> = {
  decode: (raw) => Result.ok(Object.freeze(raw.split(/\s+/).filter((word) => word !== ""))),
  encode: (list) => Result.ok(list.join(" ")),
};

/**
 * The parent of vfio-ap's devices: `/sys/devices/vfio_ap/matrix`, of which a machine has one.
 * Source: Linux, `drivers/s390/crypto/vfio_ap_drv.c`.
 */
export class VfioApParent extends ParentExtension {
  /** Descriptor of {@link VfioApParent.features}. */
  static readonly features: AttributeDescriptor<readonly string[], "ro"> = readOnly("features", words);

  /** Whether the parent is vfio-ap's: its folder is `devices/vfio_ap/matrix`. */
  static fits(parent: Parent): boolean {
    return parent.path.endsWith("/devices/vfio_ap/matrix");
  }

  /**
   * What the driver can do, in its own words: the file `features`, `guest_matrix hotplug ap_config` on Linux 6.12.
   * `undefined` on kernels before it came, such as 6.1.
   */
  readonly features: ReadableAttribute<readonly string[]> = this.attribute(VfioApParent.features);

  /**
   * What is assigned to each of its devices, as {@link VfioApDevice.config} reads it. One that vanishes meanwhile is
   * left out; the first that cannot be read otherwise is the error.
   */
  holdings(options?: OperationOptions): AsyncResult<ApHoldings, AttributeReadError> {
    return readApHoldings(this.parent, options);
  }

  /**
   * Who owns which queues of a wanted matrix, before the kernel is asked for them: {@link findApConflicts} of what
   * {@link VfioApParent.holdings} reads, whose errors it has.
   */
  conflicts(
    wanted: ApMatrix,
    { except, host, ...limits }: ApConflictOptions = {},
  ): AsyncResult<ApParentConflictReport, AttributeReadError> {
    const isOther = (id: string): boolean => id !== except?.toLowerCase();
    return this.holdings(limits).map(({ configs, unknown }) => {
      const devices = Object.fromEntries(Object.entries(configs).filter(([id]) => isOther(id)));
      const report = findApConflicts(wanted, { devices, host });
      return Object.freeze({ ...report, unknown: Object.freeze(unknown.filter(isOther)) });
    });
  }
}
