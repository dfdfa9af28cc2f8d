import { Errno } from "../errno.js";
import type { ApBus } from "./ap-bus.js";
import { type ApSet, parseHexMask, showMask } from "./ap-text.js";

/** The parts of an assignment, in the order of `ap_config`. */
export const AP_PARTS = ["adapters", "domains", "controlDomains"] as const;

/** One of them. */
export type ApPart = (typeof AP_PARTS)[number];

/** What is assigned. */
export type ApParts = Readonly<Record<ApPart, ApSet>>;

/** What the driver knows besides of the machine. */
export interface ApSurroundings {
  readonly bus: ApBus;
  readonly highest: Readonly<Record<ApPart, number>>;
  /** Whether another device has any of these queues. */
  readonly isShared: (adapters: ApSet, domains: ApSet) => boolean;
}

/** What is assigned to one mediated device, and what its guest gets of it (`struct ap_matrix_mdev`). */
export class ApAssignment {
  parts: ApParts = { adapters: new Set(), domains: new Set(), controlDomains: new Set() };
  /** What the guest has or will have: not worked out anew each time, but changed as the driver changes it. */
  guest: { readonly adapters: Set<number>; readonly domains: Set<number> } = {
    adapters: new Set(),
    domains: new Set(),
  };
  readonly #surroundings: ApSurroundings;

  constructor(surroundings: ApSurroundings) {
    this.#surroundings = surroundings;
  }

  has(adapter: number, domain: number): boolean {
    return this.parts.adapters.has(adapter) && this.parts.domains.has(domain);
  }

  /** Whether its guest has a queue. */
  passes(adapter: number, domain: number): boolean {
    return this.guest.adapters.has(adapter) && this.guest.domains.has(domain);
  }

  /** Whether it has a queue of these. */
  overlaps(adapters: ApSet, domains: ApSet): boolean {
    return intersect(this.parts.adapters, adapters) && intersect(this.parts.domains, domains);
  }

  assign(part: ApPart, id: number): void {
    if (id > this.#surroundings.highest[part]) throw new Errno("ENODEV");
    if (this.parts[part].has(id)) return;
    const changed = { ...this.parts, [part]: new Set([...this.parts[part], id]) };
    if (part !== "controlDomains") this.#validate(changed);
    this.parts = changed;
    if (part !== "controlDomains") this.filter();
  }

  unassign(part: ApPart, id: number): void {
    if (id > this.#surroundings.highest[part]) throw new Errno("ENODEV");
    this.parts = { ...this.parts, [part]: new Set([...this.parts[part]].filter((each) => each !== id)) };
    if (part !== "controlDomains") this.guest[part].delete(id);
  }

  /** `ap_config_show`. */
  show(): string {
    return `${AP_PARTS.map((part) => showMask(this.parts[part])).join(",")}\n`;
  }

  /** `ap_config_store`: looks at the conflicts first, and at the highest numbers after them. */
  store(text: string): void {
    const [adapters, domains, controlDomains] = text.split(/[,\n]/u);
    if (adapters === undefined || domains === undefined || controlDomains === undefined)
      throw new Errno("EINVAL");
    const parts = {
      adapters: parseHexMask(adapters),
      domains: parseHexMask(domains),
      controlDomains: parseHexMask(controlDomains),
    };
    this.#validate(parts);
    if (AP_PARTS.some((part) => [...parts[part]].some((id) => id > this.#surroundings.highest[part])))
      throw new Errno("ENODEV");
    this.parts = parts;
    this.filter();
  }

  /** `vfio_ap_mdev_filter_matrix`: an adapter of which one queue is not bound to vfio_ap is not passed on at all. */
  filter(): void {
    const { bus } = this.#surroundings;
    const domains = new Set([...this.parts.domains].filter((id) => bus.domains.has(id)));
    const adapters = new Set(
      [...this.parts.adapters].filter(
        (id) => bus.adapters.has(id) && [...domains].every((domain) => bus.isBound(id, domain)),
      ),
    );
    this.guest = { adapters, domains };
  }

  #validate(parts: ApParts): void {
    const { bus, isShared } = this.#surroundings;
    const { apmask, aqmask } = bus.masks;
    if (intersect(parts.adapters, apmask) && intersect(parts.domains, aqmask))
      throw new Errno("EADDRNOTAVAIL");
    if (isShared(parts.adapters, parts.domains)) throw new Errno("EADDRINUSE");
  }
}

function intersect(one: ApSet, other: ApSet): boolean {
  return [...one].some((id) => other.has(id));
}
