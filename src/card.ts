import type { Parent } from "./parent.js";

/**
 * One physical card: the parents that share what it has. With SR-IOV these are functions of one physical function, which
 * need not be a parent itself; any other parent is a card of its own. By the links `physfn` and `virtfn<N>`: source: Linux,
 * `Documentation/ABI/testing/sysfs-bus-pci`.
 */
export interface Card {
  /** The name of the physical function, or of the one parent: `0000:41:00.0`. */
  readonly id: string;
  /** The folder of that: `/sys/devices/...`. */
  readonly path: string;
  /** Its parents, in natural order. */
  readonly parents: readonly Parent[];
}
