import type { InvalidArgumentError, LayoutName, Result } from "../../index.js";
import type { AttributeTexts } from "../wanted/checked-state.js";
import type { PlaceRejection } from "../placement/placer.js";
import type { AmbiguousTypeError } from "../wanted/type-selector.js";
import type { WantedState } from "../wanted/wanted-state.js";

/** What every step tells. */
export interface StepFacts {
  /** What the wanted state calls the device; `undefined` for one that nothing was noted of. */
  readonly name: string | undefined;
  /** The device's id; of one that is to be created, its UUID, or where devices have none, the address of its function. */
  readonly device: string;
  /** The id of its parent. */
  readonly parent: string;
  /** The folder of its parent. */
  readonly parentPath: string;
  /** The layout of its parent. */
  readonly layout: LayoutName;
  /** The id of its card. */
  readonly card: string;
  /** The id of its type; `undefined` where that does not show. */
  readonly type: string | undefined;
  /** The name of its type, where that is known. */
  readonly typeName: string | undefined;
  /** Whether the ledger proves it to be the owner's, as it will of one that is to be created. */
  readonly proven: boolean;
}

/** One step of a {@link Plan}. */
export type PlanStep =
  | (StepFacts & {
      /** It is as it is wanted. */
      readonly kind: "keep";
      /** Attributes of which nobody can say whether they are as wanted: files that cannot be read. */
      readonly unknown: readonly string[];
    })
  | (StepFacts & {
      /** It is the owner's, and is to go. */
      readonly kind: "remove";
      /** Whether another one takes its place under its name. */
      readonly replaced: boolean;
    })
  | (StepFacts & {
      /** It is there, and attributes of it are to be set. */
      readonly kind: "configure";
      /** What is written, in this order. */
      readonly attributes: AttributeTexts;
    })
  | (StepFacts & {
      /** It is to be created. */
      readonly kind: "create";
      /** What is written to its attributes, in this order. */
      readonly attributes: AttributeTexts;
    });

/**
 * Why a device cannot be had. `"no-place"`: no parent has room, see `parents`; `"taken"`: its UUID is that of a device that is not
 * proven to be the owner's; `"unproven"`: what is there under its name may be the owner's, and is not as wanted; `"leaving"`: what
 * is there under its name is just being created or removed.
 */
export type UnplacedReason = "no-place" | "taken" | "unproven" | "leaving";

/** A device that is wanted and cannot be had as things are. */
export interface Unplaced {
  /** What the wanted state calls it. */
  readonly name: string;
  /** Why. */
  readonly reason: UnplacedReason;
  /** For how many parents which reason speaks against them, with `"no-place"`. */
  readonly parents: Readonly<Partial<Record<PlaceRejection, number>>>;
  /** The folder of what is in its way, otherwise. */
  readonly path: string | undefined;
}

/** What leads from the present state to the wanted one. Frozen, plain data, that survives JSON but for functions of selectors. */
export interface Plan {
  /** The owner. */
  readonly owner: string;
  /** What was wanted. */
  readonly wanted: WantedState;
  /**
   * The steps: what is kept, what is removed, what is set, what is created. Those of one card are done in this order, those of
   * several cards at the same time.
   */
  readonly steps: readonly PlanStep[];
  /** How many of the steps change something. */
  readonly changes: number;
  /** What cannot be had. What would take its place is left as it is. */
  readonly unplaced: readonly Unplaced[];
  /** Folders of devices that may be the owner's and are not wanted: they are left alone. */
  readonly unproven: readonly string[];
}

/**
 * What planning can end in:
 *
 * - `invalid-argument`: the wanted state is none; or, as an {@link AmbiguousTypeError}, it does not say which type it means.
 */
export type PlanError = InvalidArgumentError | AmbiguousTypeError;

/** The outcome of planning. */
export type PlanResult = Result<Plan, PlanError>;
