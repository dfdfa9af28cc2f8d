import type { InventoryCard } from "../inventory/inventory.js";
import type { WantedDevice } from "../wanted/wanted-state.js";

/** One device that needs a place. */
export interface Request {
  /** What it is called. */
  readonly name: string;
  /** The entry that wants it. */
  readonly entry: WantedDevice;
  /** The one card that it may be on. */
  readonly card: InventoryCard | undefined;
}
