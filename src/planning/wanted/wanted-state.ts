import type { AttributeInput } from "../../index.js";
import type { ParentSelector } from "./parent-selector.js";
import type { CardRule, Placement } from "../placement/placement.js";
import type { TypeSelector } from "./type-selector.js";

/** A device that is wanted, or several alike. */
export interface WantedDevice {
  /**
   * Its name, which no other entry has: `vm-7/vgpu-0`. Its UUID follows from it. Several are called `<name>/0`, `<name>/1`,
   * with `per: "card"` `<name>/<card>/0`.
   */
  readonly name: string;
  /** Which type it is to be of. On each parent the selector has to mean one type at the most. */
  readonly type: TypeSelector;
  /** Where it may be: what one of the selectors means; anywhere by default. */
  readonly parent?: ParentSelector | readonly ParentSelector[] | undefined;
  /** Its UUID, where it is not to follow from the name; for a single one, and not where devices have none. */
  readonly uuid?: string | undefined;
  /** How many; `"all"`: as many as there is room for. 1 by default, which has no number in its name. */
  readonly count?: number | "all" | undefined;
  /** Whether so many are wanted on each card that the selectors mean: then one is wanted there whatever becomes of others. */
  readonly per?: "card" | undefined;
  /** What its attributes are to say, in this order: as `CreateOptions` has them. */
  readonly attributes?: readonly AttributeInput[] | undefined;
  /** How its place is chosen; otherwise as {@link WantedState.placement} says. */
  readonly placement?: Placement | undefined;
}

/** All devices that an owner wants a host to have: what else is his is to go. */
export interface WantedState {
  /** The owner, as in the host's ledger: `owner` of `CreateOptions`. */
  readonly owner: string;
  /** The namespace that UUIDs are derived in (`derivedUuid`); by default one that follows from the owner. */
  readonly namespace?: string | undefined;
  /** The devices. Of those without a place of their own, the first get theirs first. */
  readonly devices: readonly WantedDevice[];
  /** How places are chosen; `{ strategy: "compact" }` by default. */
  readonly placement?: Placement | undefined;
  /**
   * What to do with devices that may be the owner's, which the ledger cannot prove: what a crash in the middle of a creation
   * leaves. `"leave"`, the default: they are kept as they are, where that is as wanted. `"take"`: they are treated as his
   * own, which is safe where nobody else makes UUIDs in his namespace; on NVIDIA's own interface, where devices have none, where
   * nobody else uses the same functions.
   */
  readonly unproven?: "leave" | "take" | undefined;
  /** Which types may share a card; `"auto"` by default. */
  readonly cards?: CardRule | undefined;
}
