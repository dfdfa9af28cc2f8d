import { type HostSnapshot, NotFoundError, Result } from "../../index.js";
import { checkState } from "../wanted/checked-state.js";
import type { CurrentState } from "../inventory/current-state.js";
import { Planner } from "./planner.js";
import type { PlaceRejection } from "../placement/placer.js";
import type { Plan, PlanError, PlanResult, Unplaced } from "./plan.js";
import type { CardRule, Placement } from "../placement/placement.js";
import { inventoryOf } from "../inventory/inventory.js";
import type { WantedDevice, WantedState } from "../wanted/wanted-state.js";

const NEVER = (): boolean => false;

/**
 * What leads from the present state of a host to a wanted one, with the fewest changes: a pure function, and always the same
 * for the same two. Devices that are as they are wanted are kept, also where today they would get another place; what the
 * ledger does not prove to be the owner's is never touched. {@link apply} does exactly these steps, as long as nobody else
 * changes the host.
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { formatPlan, plan, readState, type WantedState } from "vfio-mdev/planning";
 * import { MemoryStore, SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
 * const host = new MdevHost({ fs: simulated.fs, state: new MemoryStore() });
 *
 * const wanted: WantedState = {
 *   owner: "my-manager",
 *   devices: [{ name: "vm-7", type: { name: "P40-2Q" } }],
 * };
 * const current = await readState(host, wanted).getOrThrow();
 * console.log(formatPlan(plan(current, wanted).getOrThrow()));
 * // prints: create vm-7: nvidia-47 (GRID P40-2Q) on 0000:3b:00.0 as a0e7e99d-4059-5d17-b157-6cb43ac6410b
 * ```
 */
export function plan(current: CurrentState, wanted: WantedState): PlanResult {
  const checked = checkState(wanted);
  if (!checked.ok) return Result.error(checked.error);
  return new Planner(current, checked.value, { isRefused: NEVER }).plan();
}

/** A place that a device gets. */
export interface PlacedDevice {
  /** What the wanted state calls it. */
  readonly name: string;
  /** The id of its card. */
  readonly card: string;
  /** The id of its parent. */
  readonly parent: string;
  /** The folder of its parent. */
  readonly parentPath: string;
  /** The id of its type. */
  readonly type: string;
}

/** Where devices go, and which have no place. */
export interface Places {
  /** Those that have one, in the order in which they got it. */
  readonly placed: readonly PlacedDevice[];
  /** The others. */
  readonly unplaced: readonly Unplaced[];
}

/** What {@link place} takes. */
export interface PlaceOptions {
  /** How places are chosen. */
  readonly placement?: Placement | undefined;
  /** Which types may share a card; `"auto"` by default. */
  readonly cards?: CardRule | undefined;
}

/**
 * Where on a host new devices would go, beside all that is there: a pure function of a snapshot that includes
 * {@link planningFacts}. Nothing of it is taken for one's own.
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { place, planningFacts } from "vfio-mdev/planning";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
 * simulated.addNvidiaGpu({ address: "0000:af:00.0" });
 * const host = new MdevHost({ fs: simulated.fs });
 * const snapshot = await host.snapshot({ include: planningFacts }).getOrThrow();
 * const devices = [{ name: "desktop", type: { name: "P40-2B" }, count: 2 }];
 * const { placed } = place(snapshot, devices, { placement: { strategy: "separate" } }).getOrThrow();
 * for (const { name, parent } of placed) console.log(name, parent);
 * // prints: desktop/0 0000:3b:00.0
 * // prints: desktop/1 0000:af:00.0
 * ```
 */
export function place(
  snapshot: HostSnapshot,
  devices: readonly WantedDevice[],
  options: PlaceOptions = {},
): Result<Places, PlanError> {
  const owner = "nobody";
  const current = { owner, snapshot, owned: [], unproven: [] };
  const made: Result<Plan, PlanError> = plan(current, { owner, devices, ...options });
  return made.map(({ steps, unplaced }) => ({
    placed: steps.map(({ name = "", card, parent, parentPath, type = "" }) => ({
      name,
      card,
      parent,
      parentPath,
      type,
    })),
    unplaced,
  }));
}

/** What speaks for or against one parent. */
export interface Explanation {
  /** The id of the parent. */
  readonly parent: string;
  /** Its folder. */
  readonly path: string;
  /** The id of its card. */
  readonly card: string;
  /** `"chosen"`; `"possible"`: it had room, another was better; otherwise why not. */
  readonly verdict: "chosen" | "possible" | PlaceRejection;
}

/**
 * Why a device gets the place that {@link plan} gives it, or none: each parent of the host with its verdict, at the moment
 * when it is this device's turn. `not-found` where the plan gives no place to a device of that name: one that is not wanted,
 * or that is kept.
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { explain, readState, type WantedState } from "vfio-mdev/planning";
 * import { MemoryStore, SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addMtty();
 * simulated.addMdpy({ count: 1 }).create("mdpy-hd"); // somebody else's, the last one
 * const host = new MdevHost({ fs: simulated.fs, state: new MemoryStore() });
 *
 * const wanted: WantedState = { owner: "me", devices: [{ name: "screen", type: { id: "mdpy-hd" } }] };
 * const current = await readState(host, wanted).getOrThrow();
 * for (const { parent, verdict } of explain(current, wanted, "screen").getOrThrow()) console.log(parent, verdict);
 * // prints: mdpy no-instances
 * // prints: mtty no-type
 * ```
 */
export function explain(
  current: CurrentState,
  wanted: WantedState,
  name: string,
): Result<readonly Explanation[], PlanError | NotFoundError> {
  const checked = checkState(wanted);
  if (!checked.ok) return Result.error(checked.error);
  const { cards } = inventoryOf(current.snapshot);
  let verdicts: readonly { readonly path: string; readonly verdict: PlaceRejection | undefined }[] = [];
  const planner = new Planner(current, checked.value, {
    isRefused: NEVER,
    look: (request, placer) => {
      if (request.name === name) verdicts = placer.verdictsOn(request);
    },
  });
  const made = planner.plan();
  if (!made.ok) return Result.error(made.error);
  const tried = `explain the place of ${JSON.stringify(name)}`;
  if (verdicts.length === 0)
    return Result.error(
      new NotFoundError({ tried, reason: "the plan gives no place to a device of that name" }),
    );
  const chosen = made.value.steps.find((step) => step.kind === "create" && step.name === name)?.parentPath;
  const byPath = new Map(verdicts.map(({ path, verdict }) => [path, verdict]));
  const room = chosen === undefined ? "other-card" : "possible"; // a group finds no room where one alone would
  return Result.ok(
    cards.flatMap((card) =>
      card.parents.map(({ id, path }) => ({
        parent: id,
        path,
        card: card.id,
        verdict: path === chosen ? "chosen" : (byPath.get(path) ?? room),
      })),
    ),
  );
}
