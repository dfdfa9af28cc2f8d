import { type AsyncResult, Result } from "typescript-result";
import {
  AbortedError,
  AlreadyExistsError,
  type AnyMdevError,
  type AttributeProgress,
  BusyError,
  ConflictError,
  DecodeError,
  GoneError,
  InvalidArgumentError,
  IoError,
  type MdevError,
  NoInstancesError,
  type OperationError,
  PermissionError,
  RejectedError,
  TimeoutError,
  UnsupportedError,
} from "../errors.js";
import { quote } from "../identifiers.js";
import {
  DecodeFailure,
  FileFailure,
  GoneFailure,
  Interruption,
  OutsideFailure,
  StateFailure,
} from "./failure.js";
import type { FileSystem } from "./file-system.js";
import { Io } from "./io.js";
import { isMilliseconds, Limits, LONGEST_WAIT, type OperationOptions } from "./limits.js";

/** The tags of the errors that an errno can mean. */
export type ErrnoTag =
  | "already-exists"
  | "no-instances"
  | "busy"
  | "conflict"
  | "gone"
  | "permission"
  | "rejected"
  | "unsupported";

type ErrorOf<K extends ErrnoTag> = Extract<AnyMdevError, { readonly type: K }>;

/** What one errno means to one operation. */
export interface ErrnoMeaning<K extends ErrnoTag = ErrnoTag> {
  /** The tag of the error that it becomes. */
  readonly is: K;
  /** What went wrong, as a clause. */
  readonly because: string;
  /** What the caller can do about it, as a sentence. */
  readonly hint?: string;
}

/** The errnos that have a meaning of their own to an operation, by symbolic name. */
export type ErrnoTable<K extends ErrnoTag = ErrnoTag> = Readonly<Record<string, ErrnoMeaning<K>>>;

const NOT_ALLOWED = { is: "permission", because: "this process may not do that" } as const;
const ANYWHERE: ErrnoTable<"permission"> = {
  EACCES: {
    ...NOT_ALLOWED,
    hint: "Most of it takes root; and some files can only be read, others only be written.",
  },
  EPERM: NOT_ALLOWED,
  EROFS: {
    is: "permission",
    because: "sysfs is mounted read-only",
    hint: "Containers often see it so: mount the host's writable, and tell MdevHost where, as `sysfs`.",
  },
};

const NO_STATE = {
  is: "permission",
  because: "this process may not use the store of what sysfs does not keep",
  hint: "It is the folder /run/vfio-mdev unless MdevHost is given another `state`.",
} as const;
const STATE: ErrnoTable<"permission"> = { EACCES: NO_STATE, EPERM: NO_STATE, EROFS: NO_STATE };

/** The injected file system and the limit that holds where the caller gives none. */
export interface OperationHost {
  readonly fs: FileSystem;
  /** The sysfs root, which nothing may lead out of. */
  readonly sysfs: string;
  readonly timeout: number | undefined;
}

/** One operation as its errors tell of it. */
export interface OperationFacts<K extends ErrnoTag> {
  /** What is tried, as a verb phrase. */
  readonly tried: string;
  /** What the errnos mean to it. */
  readonly errnos: ErrnoTable<K>;
  readonly options: OperationOptions | undefined;
}

/**
 * Runs one operation: the edge at which failures of the file system and struck limits become errors of the public
 * union. The body throws none of its own, it returns them.
 */
export function operate<T, E extends MdevError, K extends ErrnoTag>(
  { fs, sysfs, timeout }: OperationHost,
  { tried, errnos, options }: OperationFacts<K>,
  body: (io: Io) => Promise<Result<T, E>>,
): AsyncResult<T, E | ErrorOf<K> | OperationError> {
  const run = async (): Promise<Result<T, E>> => {
    const fault = limitsFault(options);
    if (fault !== undefined) throw new InvalidArgumentError({ tried, reason: fault });
    const limits = new Limits({ signal: options?.signal, timeout: options?.timeout ?? timeout });
    try {
      return await body(new Io(fs, sysfs, limits));
    } finally {
      limits.end();
    }
  };
  const explainThrown = (thrown: unknown): ErrorOf<K> | OperationError => {
    if (thrown instanceof Interruption) return explainInterruption(thrown, tried);
    if (thrown instanceof FileFailure) return explain(thrown, tried, errnos);
    if (thrown instanceof InvalidArgumentError) return thrown;
    throw thrown; // a bug of ours
  };
  // typescript-result cannot see through a generic result type.
  return Result.fromAsyncCatching(run, explainThrown) as AsyncResult<T, E | ErrorOf<K> | OperationError>;
}

/** The error that a failure of the file system means to an operation. */
export function explain<K extends ErrnoTag>(
  failure: FileFailure,
  tried: string,
  errnos: ErrnoTable<K>,
  progress?: AttributeProgress,
): ErrorOf<K> | OperationError {
  const { path, errno, cause, owners } = failure;
  if (failure instanceof OutsideFailure) {
    return new InvalidArgumentError({
      tried,
      reason: `${path} leads to ${failure.target}, outside the sysfs root`,
      path,
      progress,
    });
  }
  if (failure instanceof DecodeFailure) {
    const { raw, fault } = failure;
    return new DecodeError({ tried, reason: `the text ${quote(raw)} of ${path} ${fault}`, path, raw });
  }
  if (failure instanceof GoneFailure) {
    return new GoneError({ tried, reason: "it is no longer there", path, progress }) as ErrorOf<K>;
  }
  const meanings = failure instanceof StateFailure ? STATE : { ...ANYWHERE, ...errnos };
  const meaning = errno === undefined ? undefined : meanings[errno];
  const facts = { tried, path, errno, progress, cause: cause instanceof Error ? cause : failure };
  if (meaning === undefined) return new IoError({ ...facts, reason: failure.message });
  const { is, because: reason, hint } = meaning;
  if (is !== "conflict" || owners.length === 0) return errorOf(is, { ...facts, reason, hint }) as ErrorOf<K>;
  const who = owners.map(({ device, resources }) => `${device} has ${resources.join(", ")}`);
  return new ConflictError({ ...facts, reason: `${reason}: ${who.join("; ")}`, owners }) as ErrorOf<K>;
}

function errorOf(is: ErrnoTag, facts: ConstructorParameters<typeof GoneError>[0]): ErrorOf<ErrnoTag> {
  switch (is) {
    case "already-exists":
      return new AlreadyExistsError(facts);
    case "no-instances":
      return new NoInstancesError(facts);
    case "busy":
      return new BusyError(facts);
    case "conflict":
      return new ConflictError(facts);
    case "gone":
      return new GoneError(facts);
    case "permission":
      return new PermissionError(facts);
    case "rejected":
      return new RejectedError(facts);
    case "unsupported":
      return new UnsupportedError({ ...facts, missing: facts.path ?? facts.tried });
  }
}

function explainInterruption(interruption: Interruption, tried: string): TimeoutError | AbortedError {
  const { kind, message, pending, progress, cause } = interruption;
  const facts = { tried, reason: message, hint: pending, pending, progress, cause };
  return kind === "timeout" ? new TimeoutError(facts) : new AbortedError(facts);
}

/** What is wrong with the limits that a caller gave. */
export function limitsFault(options: OperationOptions | undefined): string | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== "object" || (options as unknown) === null) return "its options are not an object";
  const { signal, timeout } = options;
  if (signal !== undefined && typeof (signal as Partial<AbortSignal> | null)?.addEventListener !== "function")
    return "its signal is not an AbortSignal";
  if (timeout === undefined || timeout === Infinity || isMilliseconds(timeout)) return undefined;
  return `its timeout is not a number of milliseconds from 0 to ${LONGEST_WAIT}`;
}
