import type { StepResult } from "./apply.js";
import type { PlanStep } from "../plan/plan.js";

/** So often a step is tried at the most. */
const TRIES = 3;
/** So often the kernel may refuse a type on a card that it offers, before other cards are tried. */
const PER_CARD = 2;

/** What did not work out while a plan was applied, so that it is not tried for ever. */
export class Refusals {
  readonly #steps = new Map<string, number>();
  readonly #cards = new Map<string, number>();

  /** Takes down how a step ended. */
  note({ step, status, error }: StepResult): void {
    if (status !== "failed" && status !== "lost") return;
    count(this.#steps, keyOf(step));
    // That its UUID is taken says nothing of the card.
    if (step.kind === "create" && status === "failed" && error?.type !== "already-exists")
      count(this.#cards, `${step.card} ${step.type ?? ""}`);
  }

  /** Whether the kernel has refused a type on a card often enough. */
  has(card: string, type: string): boolean {
    return (this.#cards.get(`${card} ${type}`) ?? 0) >= PER_CARD;
  }

  /** Whether a step was tried often enough. */
  isGivenUp(step: PlanStep): boolean {
    return (this.#steps.get(keyOf(step)) ?? 0) >= TRIES;
  }
}

function keyOf({ kind, device, parentPath, type }: PlanStep): string {
  return [kind, device, parentPath, type].join("\n");
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
