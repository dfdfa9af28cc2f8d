import type { AsyncResult } from "typescript-result";
import { InvalidArgumentError, IoError, MdevError } from "../errors.js";
import { LONGEST_WAIT, type OperationOptions } from "../file-system/limits.js";
import { limitsFault } from "../file-system/operation.js";
import { type Problem, problemOf } from "../inspection.js";
import { log } from "../log.js";
import { diff } from "../snapshot/diff.js";
import type { HostSnapshot } from "../snapshot/host-snapshot.js";
import { inclusionsFault } from "../snapshot/inclusions.js";
import { Arrivals } from "./arrivals.js";
import { Bell } from "./bell.js";
import type { ChangeSource } from "./change-source.js";
import { withoutDoubt } from "./doubt.js";
import type { HostEvent, HostWatch, WatchOptions } from "./host-event.js";
import { intervalFault, pause } from "./pause.js";
import { POLLING_INTERVAL, pollingSource } from "./polling-source.js";

const INTERVAL = 5_000;
/** How long a source may take to begin to listen before the first look is taken without it. */
const PATIENCE = 1_000;
/** The shortest time between two looks. */
const GAP = 10;

/** Takes a snapshot of the watched host, under these limits; what cannot have changed since the previous one is not asked again. */
export type Look = (
  limits: OperationOptions,
  previous?: HostSnapshot,
) => AsyncResult<HostSnapshot, MdevError>;

/**
 * The iteration over what happens to a host. It looks when its consumer asks and there is reason to: while the consumer is
 * busy nothing piles up but the note that it is time to look.
 */
export class Watch implements HostWatch {
  readonly #look: Look;
  readonly #source: ChangeSource;
  readonly #interval: number;
  readonly #signal: AbortSignal | undefined;
  readonly #timeout: { readonly timeout?: number | undefined };
  readonly #over = new AbortController();
  readonly #bell = new Bell();
  readonly #events: AsyncGenerator<HostEvent, undefined> = this.#run();
  #complaint: Problem | undefined;

  constructor(look: Look, source: ChangeSource, options: WatchOptions | undefined) {
    const fault = faultOf(options);
    if (fault !== undefined) throw new InvalidArgumentError({ tried: "watch the host", reason: fault });
    this.#look = look;
    this.#source = options?.source ?? source;
    this.#interval = options?.interval ?? INTERVAL;
    this.#signal = options?.signal;
    this.#timeout = options?.timeout === undefined ? {} : { timeout: options.timeout };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<HostEvent, undefined>> {
    if (this.#isOver()) return this.return();
    const awake = setInterval(() => undefined, LONGEST_WAIT);
    try {
      const event = await this.#events.next();
      if (this.#isOver()) return await this.return();
      if (event.done !== true) Object.freeze(event.value);
      return event;
    } finally {
      clearInterval(awake);
    }
  }

  return(): Promise<IteratorResult<HostEvent, undefined>> {
    this.#end();
    return this.#events.return(undefined);
  }

  async *#run(): AsyncGenerator<HostEvent, undefined> {
    if (this.#signal?.aborted === true) return;
    this.#signal?.addEventListener("abort", this.#end, { once: true });
    void this.#listen();
    try {
      await this.#bell.heard(PATIENCE);
      yield* this.#looks();
    } finally {
      this.#end();
    }
  }

  async *#looks(): AsyncGenerator<HostEvent, undefined> {
    const { signal } = this.#over;
    let before: HostSnapshot | undefined;
    let previous: HostSnapshot | undefined;
    let failure: string | undefined;
    let soon = GAP;
    let onItsWay = false;
    const arrivals = new Arrivals();
    while (!this.#isOver()) {
      const complaint = this.#complaint;
      this.#complaint = undefined;
      if (complaint !== undefined) yield { type: "problem", problem: complaint };

      this.#bell.silence(); // what happens from here on asks for another look
      const began = performance.now();
      const looked = await this.#look({ ...this.#timeout, signal }, previous);
      const took = performance.now() - began;
      if (this.#isOver()) return;
      let events: readonly HostEvent[];
      if (looked.ok) {
        const after = looked.value;
        previous = after;
        onItsWay = after.devices.some(({ state }) => state !== "active");
        const told = before === undefined ? after : arrivals.settled(before, withoutDoubt(before, after));
        events = before === undefined ? [{ type: "snapshot", snapshot: told }] : newsOf(before, told);
        [before, failure] = [told, undefined];
      } else {
        const { message } = looked.error;
        events = message === failure ? [] : [{ type: "problem", problem: problemOf(looked.error) }];
        failure = message;
      }
      log.watch("looked for %d ms: %d events", took, events.length);
      yield* events;

      // What is on its way does not say when it has arrived: `mdev_type` comes after the kernel's last event, and the number
      // of available instances may change after its device has gone.
      const isRestless = onItsWay || events.length > 0;
      soon = onItsWay && events.length === 0 ? Math.min(2 * soon, this.#interval) : GAP;
      await pause(Math.max(GAP, took), signal); // at most half of the time goes into looking
      await this.#bell.heard(isRestless ? soon : this.#interval);
    }
  }

  async #listen(): Promise<void> {
    try {
      await this.#heed(this.#source);
      throw new IoError({ tried: "listen for changes", reason: "the source ended" });
    } catch (thrown) {
      if (this.#isOver()) return;
      this.#complaint = problemOf(errorOf(thrown));
      log.watch("polls from now on: %s", this.#complaint.message);
    }
    await this.#heed(pollingSource({ interval: Math.min(POLLING_INTERVAL, this.#interval) }));
  }

  async #heed(source: ChangeSource): Promise<void> {
    const { signal } = this.#over;
    for await (const hint of source.hints(signal)) {
      if (signal.aborted) return;
      if (hint.type === "problem") this.#complaint = hint.problem;
      this.#bell.ring();
    }
  }

  #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  readonly #end = (): void => {
    this.#signal?.removeEventListener("abort", this.#end);
    this.#over.abort();
    this.#bell.ring();
  };
}

/** What has happened between two looks, and what can be read no more. */
function newsOf(before: HostSnapshot, after: HostSnapshot): readonly HostEvent[] {
  const known = new Set(before.problems.map(keyOf));
  const fresh = after.problems.filter((problem) => !known.has(keyOf(problem)));
  return [...fresh.map((problem) => ({ type: "problem", problem }) as const), ...diff(before, after)];
}

function keyOf({ path, message }: Problem): string {
  return `${path ?? ""}\n${message}`;
}

function errorOf(thrown: unknown): MdevError {
  if (thrown instanceof MdevError) return thrown;
  const reason = thrown instanceof Error ? thrown.message : "the source threw a strange value";
  return new IoError({ tried: "listen for changes", reason, cause: thrown });
}

function faultOf(options: WatchOptions | undefined): string | undefined {
  const fault = limitsFault(options);
  if (fault !== undefined || options === undefined) return fault;
  const { source, interval, include } = options;
  if (source !== undefined && typeof (source as Partial<ChangeSource> | null)?.hints !== "function")
    return "its source is none";
  const slow = interval === undefined ? undefined : intervalFault(interval);
  return slow ?? inclusionsFault(include);
}
