import type { InventoryParent } from "../inventory/inventory.js";

/**
 * What the types of one parent share, as its `available_instances` tell: drivers count in units of their own (ports, MiB), of
 * which the smallest type takes the fewest. From so many of each type that would fit, each alone, follow the units of all: the
 * fewest that say the same.
 */
export class ParentRoom {
  readonly #available = new Map<string, number | undefined>();
  readonly #units: number;
  readonly #freed: number;
  readonly #taken = new Map<string, number>();
  #used = 0;

  /** @param freed - the types of the devices that go from here */
  constructor({ types, devices }: InventoryParent, freed: readonly (string | undefined)[]) {
    for (const { id, availableInstances, maxInstances } of types) {
      const untold = maxInstances === undefined ? undefined : maxInstances - devices.length;
      this.#available.set(id, availableInstances ?? untold);
    }
    this.#units = Math.max(0, ...[...this.#available.values()].map((count) => count ?? 0));
    this.#freed = freed.reduce((sum, type) => sum + this.#cost(type ?? ""), 0);
  }

  /** Whether one more fits; `"unknown"`: the driver does not tell how many do. */
  fits(type: string): boolean | "unknown" {
    if (!this.#available.has(type)) return false;
    const available = this.#available.get(type);
    if (available === undefined) return "unknown";
    if (this.#freed > 0) return this.#used + this.#cost(type) <= this.#units + this.#freed;
    if ((this.#taken.get(type) ?? 0) >= available) return false;
    return this.#used === 0 || this.#used + this.#cost(type) <= this.#units;
  }

  /** Takes one, or gives one back. */
  take(type: string, by: 1 | -1): void {
    this.#taken.set(type, (this.#taken.get(type) ?? 0) + by);
    this.#used += by * this.#cost(type);
  }

  #cost(type: string): number {
    const available = Math.max(0, this.#available.get(type) ?? 0);
    const whole = Math.floor(this.#units / (available + 1)) + 1;
    return Math.floor(this.#units / whole) < available ? this.#units / available : whole;
  }
}
