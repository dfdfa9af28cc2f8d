import { AbortedError, type OperationOptions, TimeoutError } from "../index.js";

/** The longest that a timer of Node can wait, in milliseconds. */
export const LONGEST: number = 2 ** 31 - 1;

/** The caller's limits of one operation. */
export class Limits {
  readonly #tried: string;
  readonly #options: OperationOptions;
  readonly #end: number;

  constructor(tried: string, options: OperationOptions) {
    this.#tried = tried;
    this.#options = options;
    this.#end = performance.now() + (options.timeout ?? Infinity);
  }

  /** Throws the error of a limit that has struck: also where nothing has let the event loop run meanwhile. */
  check(): void {
    const { signal } = this.#options;
    if (signal?.aborted === true) throw this.#aborted();
    if (performance.now() >= this.#end) throw this.#passed();
  }

  /** The outcome of the work, or the error of a limit that strikes before; the work ends at its next check then. */
  async within<T>(work: Promise<T>): Promise<T> {
    const { signal, timeout } = this.#options;
    let release = (): void => undefined;
    const struck = new Promise<never>((_, reject) => {
      const abort = (): void => reject(this.#aborted());
      const isTimed = timeout !== undefined && timeout !== Infinity;
      const timer = isTimed ? setTimeout(() => reject(this.#passed()), timeout) : undefined;
      signal?.addEventListener("abort", abort, { once: true });
      release = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
      };
    });
    try {
      return await Promise.race([work, struck]);
    } finally {
      release();
      work.catch(() => undefined); // nobody waits for what was given up
    }
  }

  #passed(): TimeoutError {
    const reason = `the limit of ${this.#options.timeout ?? 0} ms passed`;
    return new TimeoutError({ tried: this.#tried, reason });
  }

  #aborted(): AbortedError {
    const cause: unknown = this.#options.signal?.reason;
    return new AbortedError({ tried: this.#tried, reason: "the signal was aborted", cause });
  }
}
