import type { SimulatedDevice, SimulatedDeviceAttribute, SimulatedParentOptions } from "../definitions.js";
import type { Kernel } from "../kernel/kernel.js";
import type { MdevDevice } from "../kernel/mdev-device.js";
import { ApAssignment, type ApPart } from "./ap-assignment.js";
import { ApBus, type ApHardware, type VfioApQueues } from "./ap-bus.js";
import type { ApQueue } from "./ap-queue.js";
import { type ApSet, parseApNumber, showDomains, showMatrix } from "./ap-text.js";

const FILES = { adapters: "adapter", domains: "domain", controlDomains: "control_domain" } as const;

/** The driver vfio_ap: what is assigned to which device. */
export class VfioAp implements VfioApQueues {
  readonly bus: ApBus;
  readonly #kernel: Kernel;
  readonly #highest: Readonly<Record<ApPart, number>>;
  readonly #assignments = new WeakMap<SimulatedDevice, ApAssignment>();

  constructor(kernel: Kernel, hardware: ApHardware) {
    const { maxAdapterId, maxDomainId } = hardware;
    this.#kernel = kernel;
    this.#highest = { adapters: maxAdapterId, domains: maxDomainId, controlDomains: maxDomainId };
    this.bus = new ApBus(kernel, hardware, this);
  }

  /** What is assigned to a device: at first nothing. */
  of(device: SimulatedDevice): ApAssignment {
    const there = this.#assignments.get(device);
    if (there) return there;
    const isShared = (adapters: ApSet, domains: ApSet): boolean =>
      this.#holders().some(([other, each]) => other !== device && each.overlaps(adapters, domains));
    const assignment = new ApAssignment({ bus: this.bus, highest: this.#highest, isShared });
    this.#assignments.set(device, assignment);
    return assignment;
  }

  /** The parent and its devices, with the files of Linux 6.1 or those of 6.12. */
  describe(version: "6.1" | "6.12"): SimulatedParentOptions {
    const isNew = version === "6.12";
    const files: Record<string, SimulatedDeviceAttribute> = {
      matrix: { read: (device) => showMatrix(this.of(device).parts.adapters, this.of(device).parts.domains) },
      guest_matrix: {
        read: (device) => showMatrix(this.of(device).guest.adapters, this.of(device).guest.domains),
      },
      control_domains: { read: (device) => showDomains(this.of(device).parts.controlDomains) },
    };
    for (const [part, name] of Object.entries(FILES) as [ApPart, string][]) {
      files[`assign_${name}`] = {
        write: (device, text) => this.of(device).assign(part, parseApNumber(text)),
      };
      files[`unassign_${name}`] = {
        write: (device, text) => this.of(device).unassign(part, parseApNumber(text)),
      };
    }
    if (isNew) {
      files["ap_config"] = {
        read: (device) => this.of(device).show(),
        write: (device, text) => this.of(device).store(text),
      };
    }
    return {
      path: "devices/vfio_ap/matrix",
      subsystem: "bus/matrix",
      driver: "vfio_ap",
      deviceDriver: "vfio_ap_mdev",
      module: { name: "vfio_ap" },
      attributes: isNew ? { features: { read: () => "guest_matrix hotplug ap_config\n" } } : {},
      types: [{ id: "vfio_ap-passthrough", name: "VFIO AP Passthrough Device", deviceApi: "vfio-ap" }],
      deviceAttributes: files,
      capacity: 65536,
    };
  }

  inUse(adapters: ApSet, domains: ApSet): boolean {
    return this.#holders().some(([, assignment]) => assignment.overlaps(adapters, domains));
  }

  status({ adapter, domain }: ApQueue): string {
    const [device, assignment] = this.#holders().find(([, each]) => each.has(adapter, domain)) ?? [];
    if (!device || !assignment) return "unassigned";
    return device.isOpen && assignment.passes(adapter, domain) ? "in use" : "assigned";
  }

  gained(part: "adapters" | "domains", id: number): void {
    for (const [, assignment] of this.#holders()) if (assignment.parts[part].has(id)) assignment.filter();
  }

  lost(part: "adapters" | "domains", id: number): void {
    for (const [, assignment] of this.#holders()) assignment.guest[part].delete(id);
  }

  /** From its probe to the end of its removal, which waits while it is open, a device has what is assigned to it. */
  #holders(): (readonly [MdevDevice, ApAssignment])[] {
    return [...this.#kernel.bus.devices.values()].flatMap((device) => {
      const assignment = this.#assignments.get(device);
      return assignment && device.group ? [[device, assignment] as const] : [];
    });
  }
}
