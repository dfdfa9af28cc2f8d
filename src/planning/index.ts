/**
 * Which devices a host is to have: selectors of types and parents, places for devices, and plans that lead from what is
 * to what is wanted.
 *
 * @packageDocumentation
 */
export { type ParentFacts, planningFacts } from "./facts.js";
export {
  type HardwareFacts,
  type Inventory,
  type InventoryCard,
  inventoryOf,
  type InventoryParent,
} from "./inventory.js";
export { meansParent, type ParentSelector } from "./parent-selector.js";
export type { CardRule, Placement, PlacementCandidate } from "./placement.js";
export {
  AmbiguousTypeError,
  selectType,
  type TypeSelector,
  type TypeWords,
  type VgpuSelector,
} from "./type-selector.js";
export type { WantedDevice, WantedState } from "./wanted-state.js";
