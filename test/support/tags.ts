import type { MdevErrorType } from "../../src/index.js";

const TAGS = {
  "invalid-argument": "InvalidArgumentError",
  rejected: "RejectedError",
  "not-found": "NotFoundError",
  unsupported: "UnsupportedError",
  "already-exists": "AlreadyExistsError",
  "no-instances": "NoInstancesError",
  busy: "BusyError",
  conflict: "ConflictError",
  permission: "PermissionError",
  gone: "GoneError",
  decode: "DecodeError",
  timeout: "TimeoutError",
  aborted: "AbortedError",
  "rollback-failed": "RollbackFailedError",
  io: "IoError",
} as const satisfies Record<MdevErrorType, string>;

/** The class name of every tag; the compiler knows when one is missing. */
export const CLASS_OF_TAG: Readonly<Record<MdevErrorType, string>> = TAGS;
