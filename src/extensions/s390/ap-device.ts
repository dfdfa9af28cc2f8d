import {
  type AsyncResult,
  type Attribute,
  type AttributeDescriptor,
  type AttributeReadError,
  type MdevDevice,
  MdevDeviceExtension,
  type OperationOptions,
  type ReadableAttribute,
  readOnly,
  readWrite,
  type WritableAttribute,
  writeOnly,
} from "../../index.js";
import { apConfig, type ApConfig } from "./ap-config.js";
import { ASSIGN_ERRNOS, CONFIG_ERRNOS, NUMBER_ERRNOS } from "./ap-errnos.js";
import { readApConfig } from "./ap-holdings.js";
import { apDomainList, apMatrix, type ApMatrix } from "./ap-matrix.js";
import { apNumber } from "./ap-numbers.js";
import { adapterOwners, configOwners, domainOwners } from "./ap-owners.js";

/** The type of all devices of vfio-ap. */
const TYPE = "vfio_ap-passthrough";
const NUMBER = { writeErrnos: NUMBER_ERRNOS };

/**
 * A device of IBM's vfio-ap, `/sys/devices/vfio_ap/matrix/<uuid>/`: crypto adapters and domains for one virtual machine. The
 * machine gets the queue of each adapter with each domain. Adapters and domains are ids from 0 to 255.
 *
 * To assign what is assigned, and to unassign what is not, succeeds. A refused write changes nothing. Since Linux 6.0
 * all of it works while a virtual machine runs.
 *
 * A write is `conflict` where a queue that it would give is another device's (EADDRINUSE) or the host's
 * (EADDRNOTAVAIL), `busy` while the masks of the AP bus are changed, and before Linux 6.0 while a virtual machine runs
 * (EBUSY, EAGAIN), `rejected` for a number above the machine's highest (ENODEV), and `invalid-argument` for one that is
 * no id. To unassign, and to assign a control domain, is never `conflict`.
 * Source: Linux, `Documentation/arch/s390/vfio-ap.rst`, `drivers/s390/crypto/vfio_ap_ops.c`.
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { VfioApDevice } from "vfio-mdev/s390";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addMatrix({ adapters: [5, 6], domains: [4, 0xab], freed: { adapters: [5, 6] } });
 * const matrix = await new MdevHost({ fs: simulated.fs }).parent("matrix").getOrThrow();
 * const type = await matrix.type("vfio_ap-passthrough").getOrThrow();
 * const device = await type
 *   .create({ attributes: [VfioApDevice.assignAdapter.to(5), VfioApDevice.assignDomain.to(0xab)] })
 *   .getOrThrow();
 * const crypto = await device.as(VfioApDevice).getOrThrow();
 * const raw = await crypto.matrix.readRaw().getOrThrow();
 * console.log(raw?.trim()); // prints: 05.00ab
 * ```
 */
export class VfioApDevice extends MdevDeviceExtension {
  /** Descriptor of {@link VfioApDevice.assignAdapter}. */
  static readonly assignAdapter: AttributeDescriptor<number, "wo"> = writeOnly("assign_adapter", apNumber, {
    writeErrnos: ASSIGN_ERRNOS,
    ownersOf: adapterOwners,
  });
  /** Descriptor of {@link VfioApDevice.unassignAdapter}. */
  static readonly unassignAdapter: AttributeDescriptor<number, "wo"> = writeOnly(
    "unassign_adapter",
    apNumber,
    NUMBER,
  );
  /** Descriptor of {@link VfioApDevice.assignDomain}. */
  static readonly assignDomain: AttributeDescriptor<number, "wo"> = writeOnly("assign_domain", apNumber, {
    writeErrnos: ASSIGN_ERRNOS,
    ownersOf: domainOwners,
  });
  /** Descriptor of {@link VfioApDevice.unassignDomain}. */
  static readonly unassignDomain: AttributeDescriptor<number, "wo"> = writeOnly(
    "unassign_domain",
    apNumber,
    NUMBER,
  );
  /** Descriptor of {@link VfioApDevice.assignControlDomain}. */
  static readonly assignControlDomain: AttributeDescriptor<number, "wo"> = writeOnly(
    "assign_control_domain",
    apNumber,
    NUMBER,
  );
  /** Descriptor of {@link VfioApDevice.unassignControlDomain}. */
  static readonly unassignControlDomain: AttributeDescriptor<number, "wo"> = writeOnly(
    "unassign_control_domain",
    apNumber,
    NUMBER,
  );
  /** Descriptor of {@link VfioApDevice.matrix}. */
  static readonly matrix: AttributeDescriptor<ApMatrix, "ro"> = readOnly("matrix", apMatrix);
  /** Descriptor of {@link VfioApDevice.guestMatrix}. */
  static readonly guestMatrix: AttributeDescriptor<ApMatrix, "ro"> = readOnly("guest_matrix", apMatrix);
  /** Descriptor of {@link VfioApDevice.controlDomains}. */
  static readonly controlDomains: AttributeDescriptor<readonly number[], "ro"> = readOnly(
    "control_domains",
    apDomainList,
  );
  /** Descriptor of {@link VfioApDevice.apConfig}. */
  static readonly apConfig: AttributeDescriptor<ApConfig, "rw"> = readWrite("ap_config", apConfig, {
    writeErrnos: CONFIG_ERRNOS,
    ownersOf: configOwners,
  });

  /** Whether the device is vfio-ap's: of type `vfio_ap-passthrough`. */
  static fits(device: MdevDevice): AsyncResult<boolean, AttributeReadError> {
    return device.type().map((type) => type?.id === TYPE);
  }

  /** Assigns an adapter by its id: the file `assign_adapter`. The queues with all domains that are assigned must be free. */
  readonly assignAdapter: WritableAttribute<number> = this.attribute(VfioApDevice.assignAdapter);
  /** Takes an adapter away by its id: the file `unassign_adapter`. */
  readonly unassignAdapter: WritableAttribute<number> = this.attribute(VfioApDevice.unassignAdapter);
  /** Assigns a usage domain by its id: the file `assign_domain`. The queues with all adapters that are assigned must be free. */
  readonly assignDomain: WritableAttribute<number> = this.attribute(VfioApDevice.assignDomain);
  /** Takes a usage domain away by its id: the file `unassign_domain`. */
  readonly unassignDomain: WritableAttribute<number> = this.attribute(VfioApDevice.unassignDomain);
  /** Assigns a control domain by its id: the file `assign_control_domain`. Several devices may have the same. */
  readonly assignControlDomain: WritableAttribute<number> = this.attribute(VfioApDevice.assignControlDomain);
  /** Takes a control domain away by its id: the file `unassign_control_domain`. */
  readonly unassignControlDomain: WritableAttribute<number> = this.attribute(
    VfioApDevice.unassignControlDomain,
  );
  /**
   * The adapters and domains that are assigned: the file `matrix`. From 512 queues on it is `decode`;
   * {@link VfioApDevice.config} need not be.
   */
  readonly matrix: ReadableAttribute<ApMatrix> = this.attribute(VfioApDevice.matrix);
  /**
   * What its virtual machine has or will have: the file `guest_matrix` (Linux 6.0; `undefined` before). Without the
   * adapters and domains that the host does not have, and without any adapter of which one queue is not bound to
   * `vfio_ap`.
   */
  readonly guestMatrix: ReadableAttribute<ApMatrix> = this.attribute(VfioApDevice.guestMatrix);
  /** The ids of the control domains that are assigned: the file `control_domains`. */
  readonly controlDomains: ReadableAttribute<readonly number[]> = this.attribute(VfioApDevice.controlDomains);
  /**
   * All that is assigned: the file `ap_config` (Linux 6.10; `undefined` before, and to write it `unsupported`). A write
   * changes all of it, or nothing.
   */
  readonly apConfig: Attribute<ApConfig> = this.attribute(VfioApDevice.apConfig);

  /**
   * All that is assigned: from `ap_config`, or where the kernel has no such file from `matrix` and `control_domains`.
   * `unsupported` where those are not there, as while the device is just being made or removed.
   */
  config(options?: OperationOptions): AsyncResult<ApConfig, AttributeReadError> {
    return readApConfig(this.device, options);
  }
}
