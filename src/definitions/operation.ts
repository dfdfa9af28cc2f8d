import {
  AbortedError,
  type AsyncResult,
  InvalidArgumentError,
  IoError,
  type Lock,
  type LockError,
  MdevError,
  type OperationError,
  type OperationOptions,
  PermissionError,
  Result,
  sharedLimits,
  TimeoutError,
} from "../index.js";

/** The longest that a timer of Node can wait. */
export const LONGEST: number = 2 ** 31 - 1;
const FORBIDDEN: ReadonlySet<unknown> = new Set(["EACCES", "EPERM", "EROFS"]);
const AS_ROOT = "Writing definitions takes root, as a rule.";

/** A call of the file system that failed. */
export class StoreFailure extends Error {
  readonly path: string;
  readonly errno: string | undefined;

  constructor(path: string, cause: unknown) {
    const errno = codeOf(cause);
    super(cause instanceof Error ? cause.message : "the file system answered with something strange", {
      cause,
    });
    this.path = path;
    this.errno = errno;
  }
}

/** Why an operation is given up. */
class Struck extends Error {
  readonly kind: "timeout" | "aborted";

  constructor(kind: "timeout" | "aborted", message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/** The limits of one operation, as its steps see them. */
export class Limits {
  /** What may still happen if a limit strikes now. */
  pending: string | undefined;
  readonly #options: OperationOptions | undefined;
  readonly #over = new AbortController();
  #struck: Struck | undefined;

  constructor(options: OperationOptions | undefined) {
    this.#options = options;
  }

  /** Aborted when a limit has struck: for what can be ended from outside. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Throws when a limit has struck. */
  check(): void {
    if (this.#struck !== undefined) throw this.#struck;
  }

  /** What the work gives, or the limit, when that is first. Work that is given up ends at its next check. */
  async race<T>(work: () => Promise<T>): Promise<T> {
    const { signal, timeout } = this.#options ?? {};
    let release = (): void => undefined;
    const limit = new Promise<never>((_, reject) => {
      const strike = (struck: Struck): void => {
        this.#struck = struck;
        reject(struck);
        this.#over.abort();
      };
      const onAbort = (): void => {
        strike(new Struck("aborted", "the signal was aborted", signal?.reason));
      };
      const onTimeout = (): void => {
        strike(new Struck("timeout", `the limit of ${timeout ?? 0} ms passed`));
      };
      const isLimited = timeout !== undefined && timeout !== Infinity;
      const timer = isLimited ? setTimeout(onTimeout, timeout) : undefined;
      signal?.addEventListener("abort", onAbort, { once: true });
      release = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
      };
      if (signal?.aborted === true) onAbort();
    });
    limit.catch(() => undefined); // it may strike before anything is raced
    try {
      this.check();
      const done = work();
      done.catch(() => undefined); // work that was given up has nobody to tell
      return await Promise.race([done, limit]);
    } finally {
      release();
    }
  }
}

/** One operation as its errors tell of it. */
export interface OperationFacts {
  /** What is tried, as a verb phrase. */
  readonly tried: string;
  readonly options: OperationOptions | undefined;
  /** What is wrong with what was asked for, as a clause: refused before anything else. */
  readonly fault?: string | undefined;
  /** The limit where the options give none. */
  readonly timeout: number | undefined;
  /** What keeps others off meanwhile; only where the operation can end in `conflict`. */
  readonly lock?: ((options: OperationOptions | undefined) => AsyncResult<Lock, LockError>) | undefined;
}

/** Runs one operation on the files: its failures and its limits become errors of the public union. */
export function operate<T, E extends MdevError>(
  { tried, options, fault: wrong, timeout, lock }: OperationFacts,
  body: (limits: Limits) => Promise<Result<T, E>>,
): AsyncResult<T, E | OperationError> {
  const run = async (): Promise<Result<T, E>> => {
    const fault = limitsFault(options) ?? wrong;
    if (fault !== undefined) throw new InvalidArgumentError({ tried, reason: fault });
    const left = sharedLimits({ signal: options?.signal, timeout: options?.timeout ?? timeout });
    const held = await lock?.(left());
    if (held?.ok === false) throw held.error;
    const limits = new Limits(left());
    let work: Promise<Result<T, E>> | undefined;
    const release = async (): Promise<LockError | undefined> => {
      await work?.catch(() => undefined); // what was given up is not over yet
      return (await held?.value.release())?.error;
    };
    try {
      const result = await limits.race(() => (work = body(limits)));
      const failure = await release();
      // It is done; but who goes on has to know that the lock is not given back, or was no longer ours.
      if (failure !== undefined && result.ok) throw failure;
      return result;
    } catch (thrown) {
      void release();
      throw thrown instanceof Struck ? struckError(thrown, tried, limits.pending) : thrown;
    }
  };
  const explain = (thrown: unknown): OperationError => {
    if (thrown instanceof StoreFailure) return explainFailure(thrown, tried);
    // `conflict` of the lock is among the errors of every operation that has one.
    if (thrown instanceof MdevError) return thrown as OperationError;
    throw thrown; // a bug of ours
  };
  // typescript-result cannot see through a generic result type.
  return Result.fromAsyncCatching(run, explain) as AsyncResult<T, E | OperationError>;
}

/** The error that a failure of the file system is. */
export function explainFailure(
  { path, errno, message, cause }: StoreFailure,
  tried: string,
): PermissionError | IoError {
  const facts = { tried, path, errno, cause };
  if (FORBIDDEN.has(errno))
    return new PermissionError({ ...facts, reason: "this process may not do that", hint: AS_ROOT });
  return new IoError({ ...facts, reason: message });
}

function struckError(
  { kind, message, cause }: Struck,
  tried: string,
  pending: string | undefined,
): MdevError {
  const facts = { tried, reason: message, hint: pending, pending, cause };
  return kind === "timeout" ? new TimeoutError(facts) : new AbortedError(facts);
}

/** What is wrong with the limits that a caller gave, as a clause. */
export function limitsFault(options: OperationOptions | undefined): string | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== "object" || (options as unknown) === null) return "its options are not an object";
  const { signal, timeout } = options;
  if (signal !== undefined && typeof (signal as Partial<AbortSignal> | null)?.addEventListener !== "function")
    return "its signal is not an AbortSignal";
  if (timeout === undefined || timeout === Infinity || isWaitable(timeout)) return undefined;
  return `its timeout is not a number of milliseconds from 0 to ${LONGEST}`;
}

/** Whether a value is a time in milliseconds that a timer can wait. */
export function isWaitable(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= LONGEST;
}

function codeOf(thrown: unknown): string | undefined {
  try {
    const { code } = Object(thrown) as { readonly code?: unknown };
    return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
  } catch {
    return undefined; // its properties throw
  }
}
