import type { AttributeProgress, ConflictOwner } from "../errors.js";
import { builtin } from "../node-builtin.js";

const EUSERS = 87; // libuv, and so Node, has no name for it

/** A file system call that failed, whatever was thrown; operations turn it into an error of the public union. */
export class FileFailure extends Error {
  override readonly name = "FileFailure";
  /** Symbolic name of the kernel's error; `undefined` where what was thrown has none. */
  readonly errno: string | undefined;
  readonly path: string;
  /** Who has what was refused, where that was looked up. */
  owners: readonly ConflictOwner[] = [];

  constructor(call: string, path: string, cause: unknown) {
    super(`${call} ${path}: ${unlessItThrows(describe, cause, "a strange value was thrown")}`, { cause });
    this.errno = unlessItThrows(errnoOf, cause, undefined);
    this.path = path;
  }
}

/** A path that leads out of the sysfs root. */
export class OutsideFailure extends FileFailure {
  readonly target: string;

  constructor(path: string, target: string) {
    super("resolve", path, `leads to ${target}`);
    this.target = target;
  }
}

/** A file whose text could not be understood. */
export class DecodeFailure extends FileFailure {
  readonly raw: string;
  /** What is wrong with the text, as a clause: `is not a number`. */
  readonly fault: string;

  constructor(path: string, raw: string, fault: string) {
    super("understand", path, fault);
    this.raw = raw;
    this.fault = fault;
  }
}

/** A call of the store of what sysfs does not keep that failed: nothing is said about sysfs. */
export class StateFailure extends FileFailure {}

/** An object that is no longer there, though its folder may be. */
export class GoneFailure extends FileFailure {
  constructor(path: string) {
    super("find", path, "it is no longer there");
  }
}

/** The caller's limit struck. */
export class Interruption extends Error {
  override readonly name = "Interruption";
  readonly kind: "timeout" | "aborted";
  /** What may still happen in the kernel. */
  pending: string | undefined;
  /** How far the operation came, where it writes several attributes. */
  progress: AttributeProgress | undefined;

  constructor(kind: "timeout" | "aborted", message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/** Whether a call failed because there is nothing at its path. */
export function isAbsent(thrown: unknown): boolean {
  return isOfSysfs(thrown) && (thrown.errno === "ENOENT" || thrown.errno === "ENOTDIR");
}

/** Whether a call failed because its object is not there, or is just going: reads of a dying device give ENODEV. */
export function isVanished(thrown: unknown): boolean {
  return (
    isAbsent(thrown) || thrown instanceof GoneFailure || (isOfSysfs(thrown) && thrown.errno === "ENODEV")
  );
}

function isOfSysfs(thrown: unknown): thrown is FileFailure {
  return thrown instanceof FileFailure && !(thrown instanceof StateFailure);
}

function errnoOf(cause: unknown): string | undefined {
  if (typeof cause !== "object" || cause === null) return undefined;
  const { errno, code, message, name } = cause as Partial<
    Record<"errno" | "code" | "message" | "name", unknown>
  >;
  if (typeof errno === "number" && Number.isSafeInteger(errno) && errno < 0) return nameOf(errno);
  if (typeof code === "string" && /^E[A-Z0-9]+$/.test(code)) return code;
  if (name === "NotCapable") return "EACCES"; // Deno itself refuses: its message says which of its flags is missing
  // Deno has neither for what it has no class of its own for: `Too many users (os error 87)`.
  const [, number] = /\(os error (\d{1,4})\)/.exec(typeof message === "string" ? message : "") ?? [];
  return number === undefined ? undefined : nameOf(-Number(number));
}

function nameOf(errno: number): string {
  if (errno === -EUSERS) return "EUSERS";
  const name = builtin("node:util").getSystemErrorName(errno);
  return /^E[A-Z0-9]+$/.test(name) ? name : `errno ${-errno}`;
}

function describe(cause: unknown): string {
  if (cause instanceof Error) {
    const { message }: { readonly message: unknown } = cause; // of a stranger's class
    return String(message);
  }
  return typeof cause === "string" ? cause : `a thrown value of type ${typeof cause}`;
}

/** What a thrown value says; it may be anything, even something that throws when it is looked at. */
function unlessItThrows<T>(look: (cause: unknown) => T, cause: unknown, otherwise: T): T {
  try {
    return look(cause);
  } catch {
    return otherwise;
  }
}
