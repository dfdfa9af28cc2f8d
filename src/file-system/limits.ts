import { Interruption } from "./failure.js";

/** The longest that a timer of Node can wait, in milliseconds. */
export const LONGEST_WAIT: number = 2 ** 31 - 1;

/** Whether a value is a time in milliseconds that a timer can wait. */
export function isMilliseconds(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value <= LONGEST_WAIT;
}

/** Limits that every operation takes. */
export interface OperationOptions {
  /** Gives the operation up when it is aborted: the result is `aborted`. */
  readonly signal?: AbortSignal | undefined;
  /** Gives the operation up after so many milliseconds, from 0: the result is `timeout`. `Infinity` is no limit. */
  readonly timeout?: number | undefined;
}

/**
 * The options of one operation after the other, so that the caller's time limit is one for all of them.
 *
 * @example
 * ```ts
 * import { MdevHost, type MdevType, type OperationOptions, sharedLimits } from "vfio-mdev";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * async function nameAndApi(type: MdevType, options?: OperationOptions): Promise<string> {
 *   const limits = sharedLimits(options);
 *   const name = await type.name.read(limits()).getOrThrow();
 *   const api = await type.deviceApi.read(limits()).getOrThrow(); // what the first read left of the time
 *   return `${name}: ${api}`;
 * }
 *
 * const simulated = new SimulatedHost();
 * simulated.addMtty();
 * const mtty = await new MdevHost({ fs: simulated.fs }).parent("mtty").getOrThrow();
 * const type = await mtty.type("mtty-1").getOrThrow();
 * console.log(await nameAndApi(type, { timeout: 5_000 })); // prints: Single port serial: vfio-pci
 * ```
 */
export function sharedLimits(options: OperationOptions | undefined): () => OperationOptions | undefined {
  const timeout = options?.timeout;
  if (typeof timeout !== "number" || !(timeout > 0)) return () => options;
  const end = performance.now() + timeout;
  return () => ({ ...options, timeout: Math.max(0, end - performance.now()) });
}

/** The limits of one operation in flight: begun with it, ended with it. */
export class Limits {
  readonly signal: AbortSignal | undefined;
  readonly #interrupted: Promise<never> | undefined;
  readonly #controller = new AbortController();
  #interruption: Interruption | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #release: (() => void) | undefined;

  constructor({ signal, timeout }: OperationOptions) {
    if (signal === undefined && (timeout === undefined || timeout === Infinity)) return;
    this.signal = this.#controller.signal;
    this.#interrupted = new Promise<never>((_, reject) => {
      const strike = (interruption: Interruption): void => {
        this.#interruption = interruption;
        reject(interruption);
        this.#controller.abort(interruption);
      };
      if (timeout !== undefined && timeout !== Infinity) {
        this.#timer = setTimeout(() => {
          strike(new Interruption("timeout", `the limit of ${timeout} ms passed`));
        }, timeout);
      }
      if (signal !== undefined) {
        const aborted = (): void => {
          strike(new Interruption("aborted", "the signal was aborted", signal.reason));
        };
        if (signal.aborted) {
          aborted();
          return;
        }
        signal.addEventListener("abort", aborted, { once: true });
        this.#release = (): void => {
          signal.removeEventListener("abort", aborted);
        };
      }
    });
    // The limit may strike while nothing is being raced.
    this.#interrupted.catch(() => undefined);
  }

  /** Whether there is any limit. */
  get any(): boolean {
    return this.#interrupted !== undefined;
  }

  /** Throws when a limit has struck. */
  check(): void {
    if (this.#interruption !== undefined) throw this.#interruption;
  }

  /** The promise's outcome, or the interruption when that comes first. */
  race<T>(promise: PromiseLike<T> | T): Promise<T> {
    return Promise.race(this.#interrupted === undefined ? [promise] : [promise, this.#interrupted]);
  }

  /** Lets go of the timer and the caller's signal. */
  end(): void {
    clearTimeout(this.#timer);
    this.#release?.();
  }
}
