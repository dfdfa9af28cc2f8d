import type { SimulatedParent } from "../definitions.js";
import { Errno } from "../errno.js";
import type { Kernel } from "../kernel/kernel.js";
import { type MdevLayout, merged } from "../kernel/mdev-layout.js";
import { MdevParent } from "../kernel/mdev-parent.js";
import { AP_PARTS } from "./ap-assignment.js";
import { VfioAp } from "./ap-driver.js";
import { AP_IDS, ascending } from "./ap-text.js";

/** Options of {@link SimulatedHost.addMatrix}: the machine of the kernel's document, where nothing else is said. */
export interface MatrixOptions {
  /** Ids of the host's adapters; 5 and 6 by default. */
  readonly adapters?: readonly number[];
  /** Ids of the host's usage domains; 4, 0x47, 0xab and 0xff by default. */
  readonly domains?: readonly number[];
  /** Ids of the domains that the host may control; its usage domains by default. */
  readonly controlDomains?: readonly number[];
  /** The highest id of an adapter that the machine has; 255 by default. */
  readonly maxAdapterId?: number;
  /** The highest id of a domain that the machine has; 255 by default. */
  readonly maxDomainId?: number;
  /**
   * Adapters taken out of `apmask` and domains taken out of `aqmask`, so that vfio_ap gets their queues. None by default:
   * then the host's own drivers have all queues, as when Linux starts.
   */
  readonly freed?: {
    /** Ids of adapters. */
    readonly adapters?: readonly number[];
    /** Ids of domains. */
    readonly domains?: readonly number[];
  };
  /** Which vfio_ap it is. That of Linux 6.1 has neither `ap_config` nor `features`; `"6.12"` by default. */
  readonly driver?: "6.1" | "6.12";
}

/** What {@link SimulatedMatrix.assign} takes. */
export interface MatrixAssignment {
  /** Ids of adapters. */
  readonly adapters?: readonly number[];
  /** Ids of usage domains. */
  readonly domains?: readonly number[];
  /** Ids of control domains. */
  readonly controlDomains?: readonly number[];
}

/** The crypto adapters of a machine, and the driver that gives them to virtual machines. */
export interface SimulatedMatrix extends SimulatedParent {
  /** Assigns to a device at once, as another program would that got ahead. Throws where the kernel would refuse. */
  assign(uuid: string, assignment: MatrixAssignment): void;
  /** Gives the host one adapter more: its card and its queues appear, and so they do in guests that it is assigned to. */
  addAdapter(id: number): void;
  /** Takes an adapter from the host, and from a guest that has it. It stays assigned. */
  removeAdapter(id: number): void;
  /** Gives the host one usage domain more, on all its adapters. */
  addDomain(id: number): void;
  /** Takes a usage domain from the host. */
  removeDomain(id: number): void;
}

/** The kernel of s390x has no power management, and so no device has a folder `power`. */
const withoutPower: MdevLayout = { ...merged, lacks: new Set(["power"]) };

/**
 * `/sys/devices/vfio_ap/matrix` as in Linux 6.12, from the kernel's document and its source
 * (`Documentation/arch/s390/vfio-ap.rst`, `drivers/s390/crypto/{vfio_ap_ops,vfio_ap_drv,ap_bus}.c`). Not recorded: QEMU
 * emulates no such adapters.
 */
export class MatrixParent extends MdevParent implements SimulatedMatrix {
  readonly #driver: VfioAp;

  constructor(kernel: Kernel, options: MatrixOptions) {
    if (kernel.release === "5.10") throw new Error("the vfio_ap of kernel 5.10 is not simulated");
    if (kernel.sysfs.ensure("bus").get("ap")) throw new Error("a machine has one AP bus, and so one matrix");
    const {
      adapters = [5, 6],
      domains = [4, 0x47, 0xab, 0xff],
      freed = {},
      driver: version = "6.12",
    } = options;
    const { controlDomains = domains, maxAdapterId = AP_IDS - 1, maxDomainId = AP_IDS - 1 } = options;
    const highest = Math.max(maxAdapterId, maxDomainId);
    if ([...adapters, ...domains].some((id) => !isId(id, highest)))
      throw new Error(`an adapter or a domain has a number from 0 to ${highest} here`);
    const driver = new VfioAp(kernel, {
      adapters,
      domains,
      controlDomains,
      maxAdapterId,
      maxDomainId,
      freed,
    });
    super(kernel, driver.describe(version), withoutPower);
    this.folder.get("power")?.remove();
    this.#driver = driver;
  }

  assign(uuid: string, assignment: MatrixAssignment): void {
    const device = this.find(uuid);
    if (!device) throw new Error(`there is no device ${uuid}`);
    try {
      for (const part of AP_PARTS)
        for (const id of ascending(assignment[part] ?? [])) this.#driver.of(device).assign(part, id);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      throw new Error(`${uuid} cannot get that: ${error.errno}`, { cause: error });
    }
  }

  addAdapter(id: number): void {
    if (!isId(id) || this.#driver.bus.adapters.has(id)) throw new Error(`no adapter ${id} can come`);
    this.#driver.bus.addAdapter(id);
  }

  removeAdapter(id: number): void {
    if (!this.#driver.bus.adapters.has(id)) throw new Error(`there is no adapter ${id}`);
    this.#driver.bus.removeAdapter(id);
  }

  addDomain(id: number): void {
    if (!isId(id) || this.#driver.bus.domains.has(id)) throw new Error(`no domain ${id} can come`);
    this.#driver.bus.addDomain(id);
  }

  removeDomain(id: number): void {
    if (!this.#driver.bus.domains.has(id)) throw new Error(`there is no domain ${id}`);
    this.#driver.bus.removeDomain(id);
  }

  override async unplug(): Promise<void> {
    await super.unplug();
    this.#driver.bus.unloadVfioAp();
  }
}

function isId(id: number, highest: number = AP_IDS - 1): boolean {
  return Number.isInteger(id) && id >= 0 && id <= highest;
}
