import type { DeviceSnapshot, HostSnapshot, LayoutName, ParentSnapshot, TypeSnapshot } from "../../index.js";

/**
 * What the PCI bus says of a parent, or of a card, by the files that {@link ParentFacts} names; `undefined` where it is on another
 * bus, or was not included.
 */
export interface HardwareFacts {
  /** The NUMA node that it is near to, from 0; `undefined` also where the kernel knows none. */
  readonly numaNode: number | undefined;
  /** The PCI vendor id, 16 bits: 0x10de. */
  readonly vendor: number | undefined;
  /** The PCI device id, 16 bits. */
  readonly device: number | undefined;
  /** The PCI vendor id of the board, 16 bits. */
  readonly subsystemVendor: number | undefined;
  /** The PCI id of the board, 16 bits. */
  readonly subsystemDevice: number | undefined;
}

/** One parent with its devices. */
export interface InventoryParent extends HardwareFacts {
  /** Its id: `0000:41:00.4`. */
  readonly id: string;
  /** Its folder. */
  readonly path: string;
  /** The layout of its files. */
  readonly layout: LayoutName;
  /** The id of its card. */
  readonly card: string;
  /** Its types, as the snapshot has them. */
  readonly types: readonly TypeSnapshot[];
  /** Its devices. */
  readonly devices: readonly DeviceSnapshot[];
}

/** One card: the parents that share what it has. Its facts are those of its first parent. */
export interface InventoryCard extends HardwareFacts {
  /** The PCI address of the physical function; where there is none, the id of the one parent. */
  readonly id: string;
  /** Its parents, in natural order. */
  readonly parents: readonly InventoryParent[];
}

/** A host's parents and devices by the cards that they are on. Frozen, plain data. */
export interface Inventory {
  /** All cards, in the order of their first parents. */
  readonly cards: readonly InventoryCard[];
}

/**
 * Sorts what a snapshot has by cards: a pure function. The snapshot should include {@link planningFacts}.
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { inventoryOf, planningFacts } from "vfio-mdev/planning";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addNvidiaSriovGpu({ address: "0000:41:00.0", numaNode: 1 });
 * const host = new MdevHost({ fs: simulated.fs });
 * const { cards } = inventoryOf(await host.snapshot({ include: planningFacts }).getOrThrow());
 * for (const { id, numaNode, parents } of cards) console.log(id, numaNode, parents.length); // prints: 0000:41:00.0 1 16
 * ```
 */
export function inventoryOf(snapshot: HostSnapshot): Inventory {
  const devices = new Map<string, DeviceSnapshot[]>();
  for (const device of snapshot.devices) {
    const siblings = devices.get(device.parentPath);
    if (siblings === undefined) devices.set(device.parentPath, [device]);
    else siblings.push(device);
  }
  const cards = new Map<string, { readonly id: string; readonly parents: InventoryParent[] }>();
  for (const parent of snapshot.parents) {
    const { id, key } = cardOf(parent);
    const entry = inventoryParent(parent, id, devices.get(parent.path) ?? []);
    const card = cards.get(key);
    if (card === undefined) cards.set(key, { id, parents: [entry] });
    else card.parents.push(entry);
  }
  return Object.freeze({ cards: Object.freeze(Array.from(cards.values(), inventoryCard)) });
}

/** Two parents that are no PCI functions can have the same name: their folders tell them apart. */
function cardOf({ id, path, attributes }: ParentSnapshot): { readonly id: string; readonly key: string } {
  const physical = attributes["physicalFunction"];
  if (typeof physical === "string") return { id: physical, key: physical };
  return { id, key: numberOf(attributes["vendor"]) === undefined ? path : id };
}

function inventoryParent(
  { id, path, layout, types, attributes }: ParentSnapshot,
  card: string,
  devices: readonly DeviceSnapshot[],
): InventoryParent {
  return Object.freeze({
    id,
    path,
    layout,
    card,
    types,
    devices: Object.freeze(devices),
    numaNode: numberOf(attributes["numaNode"]),
    vendor: numberOf(attributes["vendor"]),
    device: numberOf(attributes["device"]),
    subsystemVendor: numberOf(attributes["subsystemVendor"]),
    subsystemDevice: numberOf(attributes["subsystemDevice"]),
  });
}

function inventoryCard({
  id,
  parents,
}: {
  readonly id: string;
  readonly parents: readonly InventoryParent[];
}): InventoryCard {
  const [first] = parents;
  return Object.freeze({
    id,
    parents: Object.freeze(parents),
    numaNode: first?.numaNode,
    vendor: first?.vendor,
    device: first?.device,
    subsystemVendor: first?.subsystemVendor,
    subsystemDevice: first?.subsystemDevice,
  });
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
