/** How far an operation came that writes several attributes. */
export interface AttributeProgress {
  /** The attribute that could not be written, or was being written when the limit struck. */
  readonly failed: string;
  /** Those that were written before it, in that order. They are set back, or go with their device, unless the error is `rollback-failed`. */
  readonly written: readonly string[];
}

/** What every error of this library tells. */
export interface ErrorFacts {
  /** What was tried, as a verb phrase: `create 83b8... of type mtty-1 on mtty`. */
  readonly tried: string;
  /** What went wrong, as a clause without a full stop. */
  readonly reason: string;
  /** What the caller can do about it, as a sentence. */
  readonly hint?: string | undefined;
  /** The file or folder concerned. */
  readonly path?: string | undefined;
  /** The kernel's error, by its symbolic name: `ENOSPC`, `EUSERS`. */
  readonly errno?: string | undefined;
  /** The original error. */
  readonly cause?: unknown;
  /** How far an operation came that writes several attributes. */
  readonly progress?: AttributeProgress | undefined;
}

/**
 * Base of all errors. The union of its subclasses is closed: {@link AnyMdevError}.
 *
 * Switch on `type`: it also works when the CommonJS and the ES module build meet in one process, where
 * `instanceof` does not.
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const host = new MdevHost({ fs: new SimulatedHost().fs });
 * const parent = await host.parent("0000:3b:00.0");
 * if (!parent.ok) {
 *   switch (parent.error.type) {
 *     case "not-found":
 *       console.log("no such parent"); // prints: no such parent
 *       break;
 *     default:
 *       console.log(parent.error.message);
 *   }
 * }
 * ```
 */
export abstract class MdevError extends Error {
  /** The name of its class. */
  abstract override readonly name: string;
  /** The condition, as a literal: the key of a `switch` that the compiler checks. */
  abstract readonly type: MdevErrorType;
  /** What was tried. */
  readonly operation: string;
  /** The file or folder concerned, where there is one. */
  readonly path: string | undefined;
  /** The kernel's error by its symbolic name, where there is one; `EUSERS` too, which Node cannot name. */
  readonly errno: string | undefined;
  /** What the caller can do about it, where there is something. */
  readonly hint: string | undefined;
  /** Which attribute failed, and which were written before it, where the operation writes several. */
  readonly progress: AttributeProgress | undefined;

  /** Operations make it; a program only receives it. */
  constructor(facts: ErrorFacts) {
    const errno = facts.errno === undefined ? "" : ` (${facts.errno})`;
    const hint = facts.hint === undefined ? "" : ` ${facts.hint}`;
    super(`cannot ${facts.tried}: ${facts.reason}${errno}.${hint}`, { cause: facts.cause });
    this.operation = facts.tried;
    this.path = facts.path;
    this.errno = facts.errno;
    this.hint = facts.hint;
    this.progress = facts.progress;
  }
}

/** A malformed id, UUID, attribute name or value, or a path that leads outside the sysfs root: refused before any I/O on it. */
export class InvalidArgumentError extends MdevError {
  override readonly name = "InvalidArgumentError";
  override readonly type = "invalid-argument";
}

/** The driver refused the value (EINVAL, ERANGE, E2BIG and what else the operation takes for a refusal), or a script that was asked refused the operation. */
export class RejectedError extends MdevError {
  override readonly name = "RejectedError";
  override readonly type = "rejected";
}

/** There is no such parent, type or device; or no definition of one, and no place for it in a plan. */
export class NotFoundError extends MdevError {
  override readonly name = "NotFoundError";
  override readonly type = "not-found";
  /** An id that exists and is near to the one asked for. */
  readonly suggestion: string | undefined;

  /** Made of its facts, and of an id that is near. */
  constructor(facts: ErrorFacts & { readonly suggestion?: string | undefined }) {
    super(facts);
    this.suggestion = facts.suggestion;
  }
}

/** This layout, driver or kernel has no such operation or attribute. */
export class UnsupportedError extends MdevError {
  override readonly name = "UnsupportedError";
  override readonly type = "unsupported";
  /** What is missing: a file, an option, an extension. */
  readonly missing: string;

  /** Made of its facts, and of what is missing. */
  constructor(facts: ErrorFacts & { readonly missing: string }) {
    super(facts);
    this.missing = facts.missing;
  }
}

/** A device with that UUID exists already, on this parent or any other; or it is defined already. */
export class AlreadyExistsError extends MdevError {
  override readonly name = "AlreadyExistsError";
  override readonly type = "already-exists";
  /** Where it is, where it could be seen: the sysfs folder of the device that has the UUID, or the file of its definition. */
  readonly existing: string | undefined;

  /** Made of its facts, and of the folder of the device that is there. */
  constructor(facts: ErrorFacts & { readonly existing?: string | undefined }) {
    super(facts);
    this.existing = facts.existing;
  }
}

/**
 * The parent has nothing left for this type: ENOSPC, EUSERS, ENOMEM; EIO and EPERM where none is available; EIO and EPERM
 * of NVIDIA's interface for SR-IOV functions.
 */
export class NoInstancesError extends MdevError {
  override readonly name = "NoInstancesError";
  override readonly type = "no-instances";
  /**
   * How many more devices of the type could be made, as read after the refusal: the file `available_instances`. A hint only: it
   * can be above 0. `undefined` where the layout does not tell, or it could not be read.
   */
  readonly available: number | undefined;

  /** Made of its facts, and of what was left afterwards. */
  constructor(facts: ErrorFacts & { readonly available?: number | undefined }) {
    super(facts);
    this.available = facts.available;
  }
}

/** In use by a virtual machine, just being created or removed, or its driver is busy. */
export class BusyError extends MdevError {
  override readonly name = "BusyError";
  override readonly type = "busy";
  /** The processes that have it open, by number, as far as they could be seen in `/proc/<pid>/fd`. */
  readonly holders: readonly number[];

  /** Made of its facts, and of the processes that were seen. */
  constructor(facts: ErrorFacts & { readonly holders?: readonly number[] | undefined }) {
    super(facts);
    this.holders = facts.holders ?? [];
  }
}

/** A mediated device that has what was asked for, or some of it. */
export interface ConflictOwner {
  /** Its UUID. */
  readonly device: string;
  /** What it has of that, by the kernel's names: of vfio-ap queues, `05.00ab`. */
  readonly resources: readonly string[];
}

/**
 * A resource, the device or a lock belongs to somebody else (EADDRINUSE, EADDRNOTAVAIL of vfio-ap; the ledger of owners), or
 * somebody else changed a definition at the same time.
 */
export class ConflictError extends MdevError {
  override readonly name = "ConflictError";
  override readonly type = "conflict";
  /**
   * The devices that have it, as they were read just after the refusal; empty where none was seen: it may be free again by
   * then, or the owner is no device.
   */
  readonly owners: readonly ConflictOwner[];

  /** Made of its facts, and of the devices that were seen. */
  constructor(facts: ErrorFacts & { readonly owners?: readonly ConflictOwner[] | undefined }) {
    super(facts);
    this.owners = facts.owners ?? [];
  }
}

/**
 * The process may not do that: EACCES, EROFS, EPERM. But EPERM of removing is `busy`, and of creating `no-instances` where none
 * is available.
 */
export class PermissionError extends MdevError {
  override readonly name = "PermissionError";
  override readonly type = "permission";
}

/** It was there, and vanished while it was looked at. */
export class GoneError extends MdevError {
  override readonly name = "GoneError";
  override readonly type = "gone";
}

/** The text of a file, the target of a link, or a document that a program was given could not be understood. */
export class DecodeError extends MdevError {
  override readonly name = "DecodeError";
  override readonly type = "decode";
  /** The text, exactly as it was read. */
  readonly raw: string;

  /** Made of its facts, and of the text. */
  constructor(facts: ErrorFacts & { readonly raw: string }) {
    super(facts);
    this.raw = facts.raw;
  }
}

/** Facts of an operation that the caller gave up. */
export interface InterruptedFacts extends ErrorFacts {
  /** What may still happen in the kernel, as a sentence. */
  readonly pending?: string | undefined;
}

/** The caller's time limit passed. */
export class TimeoutError extends MdevError {
  override readonly name = "TimeoutError";
  override readonly type = "timeout";
  /** What may still happen in the kernel; `undefined`: nothing. */
  readonly pending: string | undefined;

  /** Made of its facts, and of what may still happen. */
  constructor(facts: InterruptedFacts) {
    super(facts);
    this.pending = facts.pending;
  }
}

/** The caller's signal was aborted; `cause` holds its reason. */
export class AbortedError extends MdevError {
  override readonly name = "AbortedError";
  override readonly type = "aborted";
  /** What may still happen in the kernel; `undefined`: nothing. */
  readonly pending: string | undefined;

  /** Made of its facts, and of what may still happen. */
  constructor(facts: InterruptedFacts) {
    super(facts);
    this.pending = facts.pending;
  }
}

/** An operation failed half-way, and undoing its first half failed too. */
export class RollbackFailedError extends MdevError {
  override readonly name = "RollbackFailedError";
  override readonly type = "rollback-failed";
  /** Why the operation failed. */
  readonly failure: MdevError;
  /** Why it could not be undone. */
  readonly undoFailure: MdevError;
  /** What is left behind: the sysfs folder of a device. */
  readonly leftBehind: string;

  /** Made of its facts, and of both errors. */
  constructor(facts: ErrorFacts & { failure: MdevError; undoFailure: MdevError; leftBehind: string }) {
    super({ ...facts, cause: facts.failure, progress: facts.failure.progress });
    this.failure = facts.failure;
    this.undoFailure = facts.undoFailure;
    this.leftBehind = facts.leftBehind;
  }
}

/** Any other failure of the file system, a misbehaving injected one included. */
export class IoError extends MdevError {
  override readonly name = "IoError";
  override readonly type = "io";
}

/** Every error there is: the closed union. */
export type AnyMdevError =
  | InvalidArgumentError
  | RejectedError
  | NotFoundError
  | UnsupportedError
  | AlreadyExistsError
  | NoInstancesError
  | BusyError
  | ConflictError
  | PermissionError
  | GoneError
  | DecodeError
  | TimeoutError
  | AbortedError
  | RollbackFailedError
  | IoError;

/** The literal tags of all errors. */
export type MdevErrorType =
  | "invalid-argument"
  | "rejected"
  | "not-found"
  | "unsupported"
  | "already-exists"
  | "no-instances"
  | "busy"
  | "conflict"
  | "permission"
  | "gone"
  | "decode"
  | "timeout"
  | "aborted"
  | "rollback-failed"
  | "io";

/**
 * What any operation can end in, whatever it does:
 *
 * - `permission`: the process may not do that: EACCES, EROFS, and EPERM, unless it means something else there;
 * - `invalid-argument`: a malformed id, UUID, option, name or value, or a link that leads outside the sysfs root;
 * - `decode`: a text, or the target of a link, was read and not understood;
 * - `timeout`: the limit in milliseconds passed; `pending` says what may still happen;
 * - `aborted`: the signal was aborted; `pending` as for `timeout`;
 * - `io`: any other error, those of a misbehaving file system included.
 */
export type OperationError =
  PermissionError | InvalidArgumentError | DecodeError | TimeoutError | AbortedError | IoError;
