import { type MdevHost, Result, sharedLimits } from "../../index.js";
import type { ApplyError, ApplyEvent, ApplyOptions, ApplyReport, StepResult } from "./apply.js";
import type { CheckedState } from "../wanted/checked-state.js";
import { type LiveState, readLive } from "../inventory/current-state.js";
import type { Plan, PlanStep } from "../plan/plan.js";
import { Planner } from "../plan/planner.js";
import { Refusals } from "./refusals.js";
import { type Done, StepRunner } from "./step-runner.js";
import { undoStep } from "./undo-step.js";

/** So often what is left is planned anew, at the most: rivals need not ever come to rest. */
const ROUNDS = 50;

/** One plan that is being applied. */
export class Application {
  readonly #host: MdevHost;
  readonly #checked: CheckedState;
  readonly #options: ApplyOptions;
  readonly #refusals = new Refusals();
  readonly #results: StepResult[] = [];
  readonly #done: Done[] = [];
  readonly #limits: ReturnType<typeof sharedLimits>;

  constructor(host: MdevHost, checked: CheckedState, options: ApplyOptions) {
    this.#host = host;
    this.#checked = checked;
    this.#options = options;
    this.#limits = sharedLimits({ signal: options.signal, timeout: options.timeout });
  }

  async run(plan: Plan): Promise<Result<ApplyReport, ApplyError>> {
    const first = await readLive(this.#host, this.#checked, this.#limits());
    if (!first.ok) return Result.error(first.error);
    let live = first.value;
    let rest = plan;
    let interrupted: ApplyReport["interrupted"];
    for (let round = 0; round < ROUNDS; round++) {
      const steps = rest.steps.filter((step) => step.kind !== "keep" && !this.#refusals.isGivenUp(step));
      if (steps.length === 0) break;
      if (round > 0) this.#tell({ type: "replanned", plan: rest });
      interrupted = await this.#execute(steps, live);
      const next =
        interrupted === undefined ? await readLive(this.#host, this.#checked, this.#limits()) : undefined;
      if (next?.ok === false) interrupted = next.error;
      if (next?.ok !== true) break;
      live = next.value;
      rest = this.#plan(live) ?? rest;
    }
    const complete = interrupted === undefined && isComplete(rest, plan);
    if (complete || this.#options.onFailure !== "undo")
      return Result.ok(this.#report(interrupted === undefined ? rest : undefined, interrupted));
    await this.#undo();
    const last = await readLive(this.#host, this.#checked);
    return Result.ok(this.#report(last.ok ? this.#plan(last.value) : undefined, interrupted));
  }

  #plan({ state }: LiveState): Plan | undefined {
    const isRefused = (card: string, type: string): boolean => this.#refusals.has(card, type);
    const made = new Planner(state, this.#checked, { isRefused }).plan();
    return made.ok ? made.value : undefined;
  }

  /** The steps of each card one after the other, those of all cards at the same time. */
  async #execute(steps: readonly PlanStep[], live: LiveState): Promise<ApplyReport["interrupted"]> {
    const runner = new StepRunner(this.#host, live, {
      ...this.#options,
      owner: this.#checked.wanted.owner,
      limits: this.#limits,
      tell: (event) => {
        this.#tell(event);
      },
    });
    const lanes = new Map<string, PlanStep[]>();
    for (const step of steps) {
      const lane = lanes.get(step.card);
      if (lane === undefined) lanes.set(step.card, [step]);
      else lane.push(step);
    }
    runner.expect(steps);
    const run = async (lane: readonly PlanStep[]): Promise<void> => {
      for (const step of lane) {
        const { result, done } = await runner.run(step);
        if (result === undefined) return; // a limit has struck
        this.#note(result);
        if (done !== undefined) this.#done.push(done);
      }
    };
    await Promise.all(Array.from(lanes.values(), run));
    return runner.interruption;
  }

  async #undo(): Promise<void> {
    for (const done of this.#done.reverse()) {
      const error = await undoStep(this.#host, done, this.#checked.wanted.owner);
      this.#note({ step: done.step, status: error === undefined ? "undone" : "undo-failed", error });
    }
  }

  #note(result: StepResult): void {
    const frozen = Object.freeze(result);
    this.#results.push(frozen);
    this.#refusals.note(frozen);
    this.#tell({ type: "ended", result: frozen });
  }

  #tell(event: ApplyEvent): void {
    this.#options.onProgress?.(Object.freeze(event));
  }

  #report(rest: Plan | undefined, interrupted: ApplyReport["interrupted"]): ApplyReport {
    // What a limit has struck may still be taken back, though it is there.
    const reached = interrupted === undefined && rest?.changes === 0 && rest.unplaced.length === 0;
    return Object.freeze({ reached, results: Object.freeze(this.#results), rest, interrupted });
  }
}

/** Whether all was done that the plan promised. */
function isComplete(rest: Plan, { unplaced }: Plan): boolean {
  const known = new Set(unplaced.map(({ name }) => name));
  return rest.changes === 0 && rest.unplaced.every(({ name }) => known.has(name));
}
