import { type Codec, Result } from "../../index.js";
import type { ApMatrix } from "./ap-matrix.js";
import { AP_IDS, isApId } from "./ap-numbers.js";

/**
 * One AP queue: an adapter and a domain, which together are its number (APQN). Plain, frozen data.
 * Source: Linux, `Documentation/arch/s390/vfio-ap.rst`, "AP Architectural Overview".
 */
export interface Apqn {
  /** Id of the adapter (APID), 0 to 255. */
  readonly adapter: number;
  /** Id of the domain (APQI), 0 to 255. */
  readonly domain: number;
}

/**
 * The name of a queue: `05.00ab`, as its folder in `/sys/bus/ap/devices` is called. Both numbers are hexadecimal.
 * Source: Linux, `drivers/s390/crypto/ap_bus.c`.
 */
export const apqn: Codec<Apqn> = {
  decode: (raw) => {
    const [, adapter = "", domain = ""] = /^([0-9a-f]{2})\.00([0-9a-f]{2})$/i.exec(raw.trim()) ?? [];
    if (domain === "") return Result.error("is no name of a queue such as 05.00ab");
    return Result.ok(
      Object.freeze({ adapter: Number.parseInt(adapter, 16), domain: Number.parseInt(domain, 16) }),
    );
  },
  encode: ({ adapter, domain }) =>
    isApId(adapter) && isApId(domain)
      ? Result.ok(nameOf(adapter, domain))
      : Result.error("has an adapter or a domain that is no whole number from 0 to 255"),
};

/**
 * A set of AP queues that never changes: what several devices have together is seldom a matrix. Ascending by adapter,
 * then by domain; in JSON a list of names. Ids that are not from 0 to 255 are left out.
 * Source: Linux, `Documentation/arch/s390/vfio-ap.rst`, for what a queue is.
 *
 * @example
 * ```ts
 * import { ApQueueSet } from "vfio-mdev/s390";
 *
 * const guest1 = ApQueueSet.of({ adapters: [5, 6], domains: [4, 0xab] });
 * const guest2 = ApQueueSet.of({ adapters: [5], domains: [0x47, 0xab] });
 * console.log(guest1.overlaps(guest2)); // prints: true
 * console.log(String(guest1.intersection(guest2))); // prints: 05.00ab
 * console.log(guest1.union(guest2).size); // prints: 5
 * ```
 */
export class ApQueueSet implements Iterable<Apqn> {
  /** For each adapter its domains: bit n is domain n. No row is 0. */
  readonly #rows: ReadonlyMap<number, bigint>;

  private constructor(rows: Iterable<readonly [adapter: number, domains: bigint]>) {
    this.#rows = new Map([...rows].filter(([, domains]) => domains !== 0n).sort(([a], [b]) => a - b));
    Object.freeze(this);
  }

  /** All queues of a matrix: each adapter with each domain. None where it lacks one or the other. */
  static of({ adapters, domains }: ApMatrix): ApQueueSet {
    const row = domains.filter(isApId).reduce((bits, domain) => bits | (1n << BigInt(domain)), 0n);
    return new ApQueueSet(adapters.filter(isApId).map((adapter) => [adapter, row] as const));
  }

  /** The set of these queues. */
  static from(queues: Iterable<Apqn>): ApQueueSet {
    const rows = new Map<number, bigint>();
    for (const { adapter, domain } of queues) {
      if (isApId(adapter) && isApId(domain))
        rows.set(adapter, (rows.get(adapter) ?? 0n) | (1n << BigInt(domain)));
    }
    return new ApQueueSet(rows);
  }

  /** How many queues there are in it. */
  get size(): number {
    let size = 0;
    for (const row of this.#rows.values()) size += row.toString(2).replaceAll("0", "").length;
    return size;
  }

  /** Whether a queue is in it. */
  has({ adapter, domain }: Apqn): boolean {
    return isApId(domain) && ((this.#row(adapter) >> BigInt(domain)) & 1n) === 1n;
  }

  /** The queues that are in one or the other. */
  union(other: ApQueueSet): ApQueueSet {
    return this.#with(other, (mine, theirs) => mine | theirs);
  }

  /** The queues that are in both. */
  intersection(other: ApQueueSet): ApQueueSet {
    return this.#with(other, (mine, theirs) => mine & theirs);
  }

  /** The queues of this set that are not in the other. */
  difference(other: ApQueueSet): ApQueueSet {
    return this.#with(other, (mine, theirs) => mine & ~theirs);
  }

  /** Whether any queue is in both. */
  overlaps(other: ApQueueSet): boolean {
    return [...this.#rows].some(([adapter, row]) => (row & other.#row(adapter)) !== 0n);
  }

  /** Whether both hold the same queues. */
  equals(other: ApQueueSet): boolean {
    const same = [...this.#rows].every(([adapter, row]) => row === other.#row(adapter));
    return same && this.#rows.size === other.#rows.size;
  }

  /** The queues, in order. */
  *[Symbol.iterator](): Generator<Apqn, void> {
    for (const [adapter, row] of this.#rows) {
      for (let domain = 0; domain < AP_IDS; domain++) {
        if (((row >> BigInt(domain)) & 1n) === 1n) yield Object.freeze({ adapter, domain });
      }
    }
  }

  /** The names of the queues, in order: `["05.0004", "05.00ab"]`. */
  toJSON(): string[] {
    return Array.from(this, ({ adapter, domain }) => nameOf(adapter, domain));
  }

  /** The names of the queues, with `, ` between: `05.0004, 05.00ab`. */
  toString(): string {
    return this.toJSON().join(", ");
  }

  #row(adapter: number): bigint {
    return this.#rows.get(adapter) ?? 0n;
  }

  #with(other: ApQueueSet, combine: (mine: bigint, theirs: bigint) => bigint): ApQueueSet {
    const adapters = new Set([...this.#rows.keys(), ...other.#rows.keys()]);
    return new ApQueueSet(
      [...adapters].map((adapter) => [adapter, combine(this.#row(adapter), other.#row(adapter))] as const),
    );
  }
}

function nameOf(adapter: number, domain: number): string {
  return `${adapter.toString(16).padStart(2, "0")}.${domain.toString(16).padStart(4, "0")}`;
}
