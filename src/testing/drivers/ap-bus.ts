import { Errno } from "../errno.js";
import { addAttribute, addConstant, addSilentUevent } from "../kernel/device-files.js";
import type { Kernel } from "../kernel/kernel.js";
import { ApDevice, ApQueue, cardName } from "./ap-queue.js";
import { AP_IDS, type ApSet, ascending, parseMaskChange, queueName, showMask } from "./ap-text.js";

/** What the AP bus asks the driver vfio_ap. */
export interface VfioApQueues {
  /** Whether a mediated device has any queue of these. */
  inUse(adapters: ApSet, domains: ApSet): boolean;
  /** What the file `status` of a queue says. */
  status(queue: ApQueue): string;
  /** The host has an adapter or a domain more; its queues are there. */
  gained(part: "adapters" | "domains", id: number): void;
  /** The host has an adapter or a domain less; its queues are still there. */
  lost(part: "adapters" | "domains", id: number): void;
}

/** What the machine's firmware gave to this host. */
export interface ApHardware {
  readonly adapters: readonly number[];
  readonly domains: readonly number[];
  readonly controlDomains: readonly number[];
  readonly maxAdapterId: number;
  readonly maxDomainId: number;
  /** What is taken out of the masks from the beginning. */
  readonly freed: { readonly adapters?: readonly number[]; readonly domains?: readonly number[] };
}

/** `/sys/bus/ap`: cards, queues, and the masks that say which queues are for the host's own drivers. */
export class ApBus {
  readonly adapters: Set<number> = new Set<number>();
  readonly domains: Set<number> = new Set<number>();
  /** Adapters and domains whose queues, where both are in, are for the host's own drivers: at first all. */
  readonly masks: { apmask: ApSet; aqmask: ApSet };
  readonly #kernel: Kernel;
  readonly #driver: VfioApQueues;
  readonly #cards = new Map<number, ApDevice>();
  readonly #queues = new Map<string, ApQueue>();
  #vfioAp = true;

  constructor(kernel: Kernel, hardware: ApHardware, driver: VfioApQueues) {
    const { maxAdapterId, maxDomainId, controlDomains, freed } = hardware;
    this.masks = { apmask: allBut(freed.adapters), aqmask: allBut(freed.domains) };
    this.#kernel = kernel;
    this.#driver = driver;
    const bus = kernel.sysfs.ensure("bus/ap");
    bus.directory("devices");
    for (const name of ["cex4card", "cex4queue", "vfio_ap"]) bus.ensure(`drivers/${name}`);
    addSilentUevent(bus);
    for (const name of ["apmask", "aqmask"] as const) {
      addAttribute(bus, name, {
        read: () => `${showMask(this.masks[name])}\n`,
        write: (text) => this.#store(name, text),
      });
    }
    addConstant(bus, "ap_max_adapter_id", `${maxAdapterId}\n`);
    addConstant(bus, "ap_max_domain_id", `${maxDomainId}\n`);
    addConstant(bus, "ap_control_domain_mask", `${showMask(new Set(controlDomains))}\n`);
    addAttribute(bus, "ap_usage_domain_mask", { read: () => `${showMask(this.domains)}\n` });
    addAttribute(bus, "ap_adapter_mask", { read: () => `${showMask(this.adapters)}\n` });
    for (const domain of hardware.domains) this.addDomain(domain);
    for (const adapter of hardware.adapters) this.addAdapter(adapter);
  }

  /** Whether vfio_ap has a queue. */
  isBound(adapter: number, domain: number): boolean {
    return this.#queues.get(queueName(adapter, domain))?.driver === "vfio_ap";
  }

  /** Whether a queue is for the host's own drivers. */
  isReserved(adapter: number, domain: number): boolean {
    return this.masks.apmask.has(adapter) && this.masks.aqmask.has(domain);
  }

  addAdapter(adapter: number): void {
    const card = new ApDevice(this.#kernel, cardName(adapter));
    card.bind("cex4card");
    this.#cards.set(adapter, card);
    this.adapters.add(adapter);
    for (const domain of ascending(this.domains)) this.#addQueue(adapter, domain);
    this.#driver.gained("adapters", adapter);
  }

  removeAdapter(adapter: number): void {
    this.adapters.delete(adapter);
    this.#driver.lost("adapters", adapter);
    for (const domain of this.domains) this.#removeQueue(adapter, domain);
    this.#cards.get(adapter)?.remove();
    this.#cards.delete(adapter);
  }

  addDomain(domain: number): void {
    this.domains.add(domain);
    for (const adapter of ascending(this.adapters)) this.#addQueue(adapter, domain);
    this.#driver.gained("domains", domain);
  }

  removeDomain(domain: number): void {
    this.domains.delete(domain);
    this.#driver.lost("domains", domain);
    for (const adapter of this.adapters) this.#removeQueue(adapter, domain);
  }

  /** Module vfio_ap goes. */
  unloadVfioAp(): void {
    if (!this.#vfioAp) return;
    this.#vfioAp = false;
    this.#revise();
    this.#kernel.sysfs.ensure("bus/ap/drivers/vfio_ap").remove();
  }

  /** `ap_bus_revise_bindings`: each queue to the driver that may have it. None that is assigned can change hands so. */
  #revise(): void {
    for (const queue of this.#queues.values()) this.#bind(queue);
  }

  /** `apmask_store`, `aqmask_store`: refused where a queue would be taken from a mediated device. */
  #store(name: "apmask" | "aqmask", text: string): void {
    const mask = parseMaskChange(text, this.masks[name]);
    const added = new Set([...mask].filter((id) => !this.masks[name].has(id)));
    const { apmask, aqmask } = this.masks;
    if (name === "apmask" ? this.#driver.inUse(added, aqmask) : this.#driver.inUse(apmask, added))
      throw new Errno("EBUSY");
    this.masks[name] = mask;
    this.#revise();
  }

  #addQueue(adapter: number, domain: number): void {
    const queue = new ApQueue(this.#kernel, adapter, domain, (each) => this.#driver.status(each));
    this.#queues.set(queueName(adapter, domain), queue);
    this.#bind(queue);
  }

  #removeQueue(adapter: number, domain: number): void {
    const name = queueName(adapter, domain);
    const queue = this.#queues.get(name);
    if (!queue) return;
    queue.remove();
    this.#queues.delete(name);
  }

  #bind(queue: ApQueue): void {
    const free = this.#vfioAp ? "vfio_ap" : undefined;
    const driver = this.isReserved(queue.adapter, queue.domain) ? "cex4queue" : free;
    if (driver !== queue.driver) queue.bind(driver);
  }
}

function allBut(ids: readonly number[] = []): Set<number> {
  return new Set(Array.from({ length: AP_IDS }, (_, id) => id).filter((id) => !ids.includes(id)));
}
