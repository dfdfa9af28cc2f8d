import { setTimeout as wait } from "node:timers/promises";
import {
  type AsyncResult,
  type ChangeSource,
  InvalidArgumentError,
  IoError,
  MdevError,
  type OperationOptions,
  pollingSource,
  type Problem,
  problemOf,
} from "../index.js";
import type { DefinitionEvent, DefinitionWatch, DefinitionWatchOptions } from "./definition-event.js";
import { newsOf, withoutDoubt } from "./definition-news.js";
import type { DefinitionList } from "./definition-store.js";
import { wantedFault } from "./lookup.js";
import { isWaitable, limitsFault, LONGEST } from "./operation.js";

const INTERVAL = 5_000;
/** The time between two looks where nothing tells when to look. */
const POLLING_INTERVAL = 1_000;
/** How long a source may take to begin to listen before the first look is taken without it. */
const PATIENCE = 1_000;
/** The shortest time between two looks. */
const GAP = 10;

/**
 * The iteration over what happens to a store, as {@link MdevHost.watch} iterates over a host: it looks when its consumer asks
 * and there is reason to. While the consumer is busy nothing piles up but the note that it is time to look.
 */
export class Watch implements DefinitionWatch {
  readonly #look: (limits: OperationOptions) => AsyncResult<DefinitionList, MdevError>;
  readonly #source: ChangeSource | undefined;
  readonly #interval: number;
  readonly #limits: DefinitionWatchOptions;
  readonly #over = new AbortController();
  readonly #events: AsyncGenerator<DefinitionEvent, undefined> = this.#run();
  /** Aborted: it is time to look. */
  #bell = new AbortController();
  #complaint: Problem | undefined;

  constructor(
    look: (limits: OperationOptions) => AsyncResult<DefinitionList, MdevError>,
    source: ChangeSource | undefined,
    options: DefinitionWatchOptions = {},
  ) {
    const reason = faultOf(options);
    if (reason !== undefined) throw new InvalidArgumentError({ tried: "watch the definitions", reason });
    this.#look = look;
    this.#source = options.source ?? source;
    this.#interval = options.interval ?? INTERVAL;
    this.#limits = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<DefinitionEvent, undefined>> {
    if (this.#isOver()) return this.return();
    const awake = setInterval(() => undefined, LONGEST);
    try {
      const event = await this.#events.next();
      if (this.#isOver()) return await this.return();
      return event;
    } finally {
      clearInterval(awake);
    }
  }

  return(): Promise<IteratorResult<DefinitionEvent, undefined>> {
    this.#end();
    return this.#events.return(undefined);
  }

  async *#run(): AsyncGenerator<DefinitionEvent, undefined> {
    const { signal } = this.#limits;
    if (signal?.aborted === true) return;
    signal?.addEventListener("abort", this.#end, { once: true });
    void this.#listen();
    try {
      await pause(PATIENCE, this.#bell.signal);
      yield* this.#looks();
    } finally {
      this.#end();
    }
  }

  async *#looks(): AsyncGenerator<DefinitionEvent, undefined> {
    const { timeout } = this.#limits;
    let before: DefinitionList | undefined;
    let failure: string | undefined;
    while (!this.#isOver()) {
      const complaint = this.#complaint;
      this.#complaint = undefined;
      if (complaint !== undefined) yield Object.freeze({ type: "problem", problem: complaint });

      this.#bell = new AbortController(); // what happens from here on asks for another look
      const began = performance.now();
      const looked = await this.#look({ timeout, signal: this.#over.signal });
      const took = performance.now() - began;
      if (this.#isOver()) return;
      if (looked.ok) {
        const after = before === undefined ? looked.value : withoutDoubt(before, looked.value);
        const events =
          before === undefined ? [{ type: "snapshot" as const, snapshot: after }] : newsOf(before, after);
        [before, failure] = [after, undefined];
        for (const event of events) yield Object.freeze(event);
      } else {
        const { message } = looked.error;
        const isKnown = message === failure;
        failure = message;
        if (!isKnown) yield Object.freeze({ type: "problem", problem: problemOf(looked.error) });
      }
      await pause(Math.max(GAP, took), this.#over.signal); // at most half of the time goes into looking
      await pause(this.#interval, this.#bell.signal);
    }
  }

  async #listen(): Promise<void> {
    const polling = pollingSource({ interval: Math.min(POLLING_INTERVAL, this.#interval) });
    try {
      if (this.#source !== undefined) {
        await this.#heed(this.#source);
        throw new IoError({ tried: "listen for changes", reason: "the source ended" });
      }
    } catch (thrown) {
      if (this.#isOver()) return;
      this.#complaint = problemOf(errorOf(thrown));
    }
    await this.#heed(polling);
  }

  async #heed(source: ChangeSource): Promise<void> {
    const { signal } = this.#over;
    for await (const hint of source.hints(signal)) {
      if (signal.aborted) return;
      if (hint.type === "problem") this.#complaint = hint.problem;
      this.#bell.abort();
    }
  }

  #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  readonly #end = (): void => {
    this.#limits.signal?.removeEventListener("abort", this.#end);
    this.#over.abort();
    this.#bell.abort();
  };
}

/** Waits so long, or until the signal is aborted; only while somebody waits for an event. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return wait(milliseconds, undefined, { signal }).catch(() => undefined);
}

function errorOf(thrown: unknown): MdevError {
  if (thrown instanceof MdevError) return thrown;
  const reason = thrown instanceof Error ? thrown.message : "the source threw a strange value";
  return new IoError({ tried: "listen for changes", reason, cause: thrown });
}

function faultOf(options: DefinitionWatchOptions): string | undefined {
  const fault = limitsFault(options) ?? wantedFault(options);
  if (fault !== undefined) return fault;
  const { source, interval } = options;
  if (source !== undefined && typeof (source as Partial<ChangeSource> | null)?.hints !== "function")
    return "its source is none";
  if (interval === undefined || (isWaitable(interval) && interval >= 1)) return undefined;
  return `its interval is not a number of milliseconds from 1 to ${LONGEST}`;
}
