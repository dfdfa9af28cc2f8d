import type { InventoryCard, InventoryParent } from "../inventory/inventory.js";

/**
 * Which types may share a card. `"one-type"`: one alone; `"one-size"`: those with as much framebuffer, as NVIDIA's drivers
 * have it (homogeneous); `"mixed"`: any (heterogeneous). `"auto"`: one size on a card of NVIDIA's,
 * unless it has several already, and any types on others.
 */
export type CardRule = "auto" | "one-type" | "one-size" | "mixed";

/** A card that a device could be put on. */
export interface PlacementCandidate {
  /** The card. */
  readonly card: InventoryCard;
  /** The parent on it that would have the device. */
  readonly parent: InventoryParent;
  /** The id of the type that it would be of. */
  readonly type: string;
  /** How many devices the card has or will have, whoever's. */
  readonly devices: number;
}

/** How one of several cards is chosen. */
export interface Placement {
  /**
   * `"compact"`: fill the card with the most devices first; `"separate"`: the one with the fewest; `"grouped"`: as
   * `"compact"`, and all devices of one entry on one card. Of equals the first. `"compact"` by default.
   */
  readonly strategy?: "compact" | "separate" | "grouped" | undefined;
  /** Cards near this NUMA node come before all others. */
  readonly numaNode?: number | undefined;
  /** A score of one's own, higher is better: it decides before the strategy does, after the NUMA node. Of the same candidate always the same. */
  readonly score?: ((candidate: PlacementCandidate) => number) | undefined;
}
