import type { AsyncResult } from "typescript-result";
import { type AnyMdevError, RollbackFailedError } from "../errors.js";
import { Interruption } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";
import { log } from "../log.js";

/** How long an undo may take before it counts as failed, in milliseconds. */
export const UNDO_LIMIT = 10_000;

/** One way to undo something. */
export interface UndoFacts {
  /** The folder concerned. */
  readonly path: string;
  /** What undoing it is, as a clause: `removing the device again`. */
  readonly what: string;
  /** What stays where it cannot be undone, as a sentence. */
  readonly leftBehind: string;
  /** What the caller who gave up is told. */
  readonly pending: string;
  /** Whether there is something to undo once the write has succeeded, or failed. */
  needed(succeeded: boolean): boolean;
  run(): AsyncResult<unknown, AnyMdevError>;
}

/** The undoing of what an operation has written: never before the write that is under way has come to an end. */
export class Undo {
  readonly #facts: UndoFacts;
  #write: Promise<void> | undefined;
  #begun = false;

  constructor(facts: UndoFacts) {
    this.#facts = facts;
  }

  /** Takes note of the latest write. */
  after(write: Promise<void>): void {
    this.#write = write;
  }

  /** Undoes it because something failed; the error is that, or that the undo failed too. */
  async because<E extends AnyMdevError>(io: Io, failure: E): Promise<E | RollbackFailedError> {
    const { path, what, leftBehind, pending } = this.#facts;
    this.#begun = true;
    const undone = await io.within(this.#facts.run()).catch((thrown: unknown) => {
      if (thrown instanceof Interruption) [thrown.pending, thrown.progress] = [pending, failure.progress];
      throw thrown;
    });
    if (undone.ok) return failure;
    const why = ({ type, errno }: AnyMdevError): string => (errno === undefined ? type : `${type}, ${errno}`);
    return new RollbackFailedError({
      tried: failure.operation,
      reason: `it failed (${why(failure)}), and so did ${what} (${why(undone.error)})`,
      hint: leftBehind,
      path,
      failure,
      undoFailure: undone.error,
      leftBehind: path,
    });
  }

  /**
   * Undoes it as soon as the write that is under way has come to an end: the caller gave up and does not wait. Whether
   * anything was written at all.
   */
  instead(interruption: Interruption): boolean {
    const { path, pending } = this.#facts;
    if (this.#write === undefined) return false;
    interruption.pending = pending;
    if (this.#begun) return true;
    const settled = (succeeded: boolean) => async (): Promise<void> => {
      if (!this.#facts.needed(succeeded)) {
        log.create("%s: given up, and never made", path);
        return;
      }
      const undone = await this.#facts.run();
      log.create("%s: given up, %s", path, undone.ok ? "undone" : undone.error.message);
    };
    void this.#write.then(settled(true), settled(false));
    return true;
  }
}
