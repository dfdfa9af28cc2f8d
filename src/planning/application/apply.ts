import {
  type AsyncResult,
  type CreateError,
  InvalidArgumentError,
  type LockError,
  type MdevHost,
  type OperationOptions,
  type ParentLockError,
  type Readiness,
  type RemoveError,
  type RemoveOptions,
  Result,
  type SetAttributesError,
} from "../../index.js";
import { Application } from "./application.js";
import { checkState } from "../wanted/checked-state.js";
import type { ReadStateError } from "../inventory/current-state.js";
import type { Plan, PlanStep } from "../plan/plan.js";

/**
 * What a step can fail with: what creating, removing or setting attributes can, and taking its card's lock and giving it back
 * ({@link CreateError}, {@link RemoveError}, {@link SetAttributesError}, {@link ParentLockError}, {@link LockError}).
 */
export type StepError = CreateError | RemoveError | SetAttributesError | ParentLockError | LockError;

/**
 * What became of a step. `"done"`; `"lost"`: somebody else was faster, and what is still wanted was planned anew; `"failed"`;
 * `"skipped"`: what it needs was not done; `"undone"`: it was done, and taken back; `"undo-failed"`: it was done, and could not
 * be taken back.
 */
export type StepStatus = "done" | "lost" | "failed" | "skipped" | "undone" | "undo-failed";

/** A step that was tried, and how it ended. Frozen. */
export interface StepResult {
  /** The step. */
  readonly step: PlanStep;
  /** How it ended. */
  readonly status: StepStatus;
  /** Why it was lost or failed, or could not be undone; of one that is done, why its card's lock could not be given back. */
  readonly error: StepError | undefined;
}

/** What happens while a plan is applied. */
export type ApplyEvent =
  | {
      /** What is left to do is planned anew: somebody else changed the host, or a step did not work out. */
      readonly type: "replanned";
      /** What is to be done now. */
      readonly plan: Plan;
    }
  | {
      /** A step begins. */
      readonly type: "started";
      /** The step. */
      readonly step: PlanStep;
    }
  | {
      /** How many devices can be made was read anew, just before one is. */
      readonly type: "availability";
      /** The step that is about to make one. */
      readonly step: PlanStep;
      /** How many, where the driver tells. */
      readonly available: number | undefined;
    }
  | {
      /** A step ended, or was taken back. */
      readonly type: "ended";
      /** How. */
      readonly result: StepResult;
    };

/** What {@link apply} takes. */
export interface ApplyOptions extends OperationOptions {
  /** Is called for all that happens, in order. It must not throw. */
  readonly onProgress?: ((event: ApplyEvent) => void) | undefined;
  /**
   * What to do when not all of the plan can be done, or the limits strike: `"keep"`, the default, what worked, or `"undo"` all of
   * it, the last step first: what was created is removed, attributes are set back, and what was removed is created anew,
   * as far as its attributes are known. Undoing has limits of its own, 10 seconds a step.
   */
  readonly onFailure?: "undo" | "keep" | undefined;
  /** How devices are removed: as {@link RemoveOptions}. */
  readonly remove?: Pick<RemoveOptions, "ifBusy" | "waitForDriver" | "retries" | "retryInterval"> | undefined;
  /** How far a new device must be: as `waitFor` of `CreateOptions`. */
  readonly waitFor?: Readiness | undefined;
}

/** How applying a plan ended. Frozen. */
export interface ApplyReport {
  /** Whether the host is as it is wanted: nothing is left to do, each device has its place, and it did not end early. */
  readonly reached: boolean;
  /** All steps that were tried, in the order in which they ended; those taken back come again. Kept devices are none. */
  readonly results: readonly StepResult[];
  /** What is left, as the host was last seen; `undefined` where it could not be looked at any more. */
  readonly rest: Plan | undefined;
  /**
   * Why it ended early: a limit that struck, or a host that could not be read any more. The error of each step that was under way
   * is in `results`, with what it leaves `pending`.
   */
  readonly interrupted: ReadStateError | undefined;
}

/** What applying a plan can end in before anything is changed. What goes wrong later is in the {@link ApplyReport}. */
export type ApplyError = ReadStateError;

/**
 * Does what a plan says: those steps, those of several cards at the same time, those of one card one after the other, under
 * the card's lock where something is created. Before a device is made it is read again how many can be. What somebody else was
 * faster with, and what the kernel refuses, is planned anew, elsewhere if need be. What is not proven to be the owner's is not
 * touched, however the host has changed since the plan was made.
 *
 * Where it ends early, killed or given up, the next `readState`, `plan`, `apply` goes on from there.
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { apply, plan, readState, type WantedState } from "vfio-mdev/planning";
 * import { MemoryStore, SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addMtty();
 * const host = new MdevHost({ fs: simulated.fs, state: new MemoryStore() });
 *
 * const wanted: WantedState = { owner: "me", devices: [{ name: "port", type: { id: "mtty-1" }, count: 2 }] };
 * const current = await readState(host, wanted).getOrThrow();
 * const report = await apply(host, plan(current, wanted).getOrThrow()).getOrThrow();
 * console.log(report.reached, report.results.map(({ status, step }) => `${status} ${step.name}`));
 * // prints: true [ 'done port/0', 'done port/1' ]
 *
 * const again = await readState(host, wanted).getOrThrow();
 * console.log(plan(again, wanted).getOrThrow().changes); // prints: 0
 * ```
 */
export function apply(
  host: MdevHost,
  plan: Plan,
  options: ApplyOptions = {},
): AsyncResult<ApplyReport, ApplyError> {
  const checked = checkState(plan.wanted);
  const fault = optionsFault(options);
  return Result.fromAsync(async () => {
    if (!checked.ok) return Result.error(checked.error);
    if (fault !== undefined)
      return Result.error(new InvalidArgumentError({ tried: "apply a plan", reason: fault }));
    return new Application(host, checked.value, options).run(plan);
  });
}

function optionsFault({ onFailure, onProgress }: ApplyOptions): string | undefined {
  const known: readonly unknown[] = [undefined, "undo", "keep"];
  if (!known.includes(onFailure)) return "on a failure it can undo or keep, nothing else";
  if (onProgress !== undefined && typeof onProgress !== "function") return "onProgress is not a function";
  return undefined;
}
