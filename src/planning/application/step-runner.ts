import {
  type AbortedError,
  type MdevDevice,
  type MdevHost,
  type MdevType,
  NoInstancesError,
  type OperationOptions,
  Result,
  type TimeoutError,
} from "../../index.js";
import type { ApplyEvent, ApplyOptions, StepError, StepResult } from "./apply.js";
import type { LiveState, OwnedDevice } from "../inventory/current-state.js";
import { formatNote } from "../inventory/note.js";
import type { PlanStep } from "../plan/plan.js";

/** A step that was done, with what undoing it takes. */
export interface Done {
  readonly step: PlanStep;
  /** The device that was created or set. */
  readonly device: MdevDevice | undefined;
  /** What was there before. */
  readonly before: OwnedDevice | undefined;
  /** Why the lock of its card could not be given back. */
  readonly complaint?: StepError | undefined;
}

/** How a step ended; without a result, a limit has struck before it. */
export interface Ended {
  readonly result?: StepResult;
  readonly done?: Done | undefined;
}

interface RunnerOptions extends ApplyOptions {
  readonly owner: string;
  readonly limits: () => OperationOptions | undefined;
  readonly tell: (event: ApplyEvent) => void;
}

/** What says that somebody else was faster. */
const LOST: ReadonlySet<string> = new Set(["no-instances", "gone", "already-exists", "not-found"]);

/** Does single steps, each only if what it needs was done before. */
export class StepRunner {
  readonly #host: MdevHost;
  readonly #live: LiveState;
  readonly #options: RunnerOptions;
  readonly #owned = new Map<string, OwnedDevice>();
  /** The removals of this round, by the id of the device: whether each was done. */
  readonly #removals = new Map<string, { readonly ended: Promise<boolean>; end(done: boolean): void }>();
  #interruption: AbortedError | TimeoutError | undefined;

  constructor(host: MdevHost, live: LiveState, options: RunnerOptions) {
    this.#host = host;
    this.#live = live;
    this.#options = options;
    for (const own of [...live.state.owned, ...live.state.unproven])
      this.#owned.set(`${own.parentPath}/${own.id}`, own);
  }

  /** The limit that struck. */
  get interruption(): AbortedError | TimeoutError | undefined {
    return this.#interruption;
  }

  /** Says which steps are to come: what is created under a UUID waits until that is free. */
  expect(steps: readonly PlanStep[]): void {
    for (const { kind, device } of steps) {
      if (kind !== "remove") continue;
      let end: (done: boolean) => void = () => undefined;
      const ended = new Promise<boolean>((resolve) => (end = resolve));
      this.#removals.set(device, { ended, end });
    }
  }

  async run(step: PlanStep): Promise<Ended> {
    const ended = await this.#run(step);
    if (step.kind === "remove") this.#removals.get(step.device)?.end(ended.result?.status === "done");
    return ended;
  }

  async #run(step: PlanStep): Promise<Ended> {
    const isFree = step.kind !== "create" || ((await this.#removals.get(step.device)?.ended) ?? true);
    if (this.#interruption !== undefined) return {};
    if (!isFree) return { result: { step, status: "skipped", error: undefined } };
    this.#options.tell({ type: "started", step });
    const outcome = await this.#do(step);
    if (outcome.ok) {
      const done = outcome.value;
      return { result: { step, status: "done", error: done?.complaint }, done };
    }
    const { error } = outcome;
    // Where the caller has set a time limit, a step has no other one.
    const isOver =
      error.type === "aborted" || (error.type === "timeout" && this.#options.timeout !== undefined);
    if (isOver) this.#interruption = error;
    const isLost = LOST.has(error.type) && !(error instanceof NoInstancesError && (error.available ?? 0) > 0);
    return { result: { step, status: isLost ? "lost" : "failed", error } };
  }

  #do(step: PlanStep): Promise<Result<Done | undefined, StepError>> {
    switch (step.kind) {
      case "keep":
        return Promise.resolve(Result.ok(undefined));
      case "remove":
        return this.#remove(step);
      case "configure":
        return this.#configure(step);
      case "create":
        return this.#create(step);
    }
  }

  async #remove(step: PlanStep & { kind: "remove" }): Promise<Result<Done | undefined, StepError>> {
    const device = this.#handleOf(step);
    const before = this.#ownedAt(step);
    if (device === undefined || before === undefined) return Result.ok(undefined); // it is gone, or not his any more
    const owner = step.proven ? this.#options.owner : undefined;
    const removed = await device.remove({ ...this.#options.remove, ...this.#options.limits(), owner });
    // That it is somebody else's now, or gone, is all that was wanted.
    if (!removed.ok) return Result.error(removed.error);
    return Result.ok(removed.value.removed ? { step, device: undefined, before } : undefined);
  }

  async #configure(step: PlanStep & { kind: "configure" }): Promise<Result<Done | undefined, StepError>> {
    const device = this.#handleOf(step);
    if (device === undefined) return Result.ok(undefined);
    const set = await device.setAttributes(step.attributes, this.#options.limits());
    return set.map(() => ({ step, device, before: this.#ownedAt(step) }));
  }

  async #create(step: PlanStep & { kind: "create" }): Promise<Result<Done | undefined, StepError>> {
    const { limits } = this.#options;
    const parent = this.#host.parentFrom({ path: step.parentPath, layout: step.layout });
    const id = step.type ?? "";
    const type = this.#host.typeFrom({ path: step.parentPath, layout: step.layout }, { id });
    const lock = await parent.lock(limits());
    if (!lock.ok) return Result.error(lock.error);
    const created = await this.#createOf(type, step);
    const released = await lock.value.release();
    return created.map((device) => ({ step, device, before: undefined, complaint: released.error }));
  }

  /** Creates a device if there still is one to be had. */
  async #createOf(
    type: MdevType,
    step: PlanStep & { kind: "create" },
  ): Promise<Result<MdevDevice, StepError>> {
    const { limits, owner, waitFor } = this.#options;
    const available = await type.availableInstances.read(limits());
    this.#options.tell({ type: "availability", step, available: available.value });
    if (available.ok && available.value !== undefined && available.value <= 0) {
      const tried = `create ${step.name ?? step.device} on ${step.parent}`;
      const reason = `none of ${type.id} are left`;
      return Result.error(new NoInstancesError({ tried, reason, available: available.value }));
    }
    return type.create({
      ...limits(),
      uuid: type.createOptions.has("uuid") ? step.device : undefined,
      attributes: step.attributes,
      waitFor,
      owner,
      note: formatNote(step.name ?? "", { id: type.id, name: step.typeName }),
    });
  }

  /** The very device that is proven to be the owner's; of one that is not, that of its name. */
  #handleOf({ device, parentPath, layout, proven, type }: PlanStep): MdevDevice | undefined {
    const path = layout === "nvidia-vfio" ? parentPath : `${parentPath}/${device}`;
    if (proven) return this.#live.handles.get(path);
    if (!this.#owned.has(`${parentPath}/${device}`)) return undefined;
    return this.#host.deviceFrom({ id: device, parentPath, layout, type });
  }

  #ownedAt({ device, parentPath }: PlanStep): OwnedDevice | undefined {
    return this.#owned.get(`${parentPath}/${device}`);
  }
}
