import type { InventoryParent } from "../inventory/inventory.js";

/** Which parents are meant: those that all that is given holds for. What a parent does not tell never fits. */
export interface ParentSelector {
  /** Its id: `0000:3b:00.0`, `mtty`; or one of several. */
  readonly id?: string | readonly string[] | undefined;
  /** The id of its card, the PCI address of the physical function: or one of several. */
  readonly card?: string | readonly string[] | undefined;
  /** The PCI vendor id, 16 bits: 0x10de. */
  readonly vendor?: number | undefined;
  /** The PCI device id, 16 bits. */
  readonly device?: number | undefined;
  /** The PCI vendor id of the board, 16 bits. */
  readonly subsystemVendor?: number | undefined;
  /** The PCI id of the board, 16 bits. */
  readonly subsystemDevice?: number | undefined;
  /** The NUMA node that it is near to, from 0. */
  readonly numaNode?: number | undefined;
  /** A question of one's own. Of the same parent it has always the same answer. */
  readonly where?: ((parent: InventoryParent) => boolean) | undefined;
}

const FACTS = ["vendor", "device", "subsystemVendor", "subsystemDevice", "numaNode"] as const;

/**
 * Whether a selector means a parent: a pure function.
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { inventoryOf, meansParent, planningFacts } from "vfio-mdev/planning";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addNvidiaGpu({ address: "0000:3b:00.0", numaNode: 0 });
 * simulated.addNvidiaGpu({ address: "0000:af:00.0", numaNode: 1 });
 * const host = new MdevHost({ fs: simulated.fs });
 * const { cards } = inventoryOf(await host.snapshot({ include: planningFacts }).getOrThrow());
 * const parents = cards.flatMap((card) => card.parents);
 * const near = parents.filter((parent) => meansParent({ vendor: 0x10de, numaNode: 1 }, parent));
 * console.log(near.map(({ id }) => id)); // prints: [ '0000:af:00.0' ]
 * ```
 */
export function meansParent(
  selector: ParentSelector | readonly ParentSelector[],
  parent: InventoryParent,
): boolean {
  if (isList(selector)) return selector.some((one) => meansParent(one, parent));
  const { id, card, where } = selector;
  if (id !== undefined && !isAmong(id, parent.id)) return false;
  if (card !== undefined && !isAmong(card, parent.card)) return false;
  if (FACTS.some((fact) => selector[fact] !== undefined && selector[fact] !== parent[fact])) return false;
  return where === undefined || where(parent);
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

function isAmong(wanted: string | readonly string[], id: string): boolean {
  return typeof wanted === "string" ? wanted === id : wanted.includes(id);
}
