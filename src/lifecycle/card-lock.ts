import { type AsyncResult, Result } from "typescript-result";
import { VANISHING } from "../attributes/access.js";
import type { HostContext } from "../context.js";
import type { ConflictError, GoneError, InvalidArgumentError, UnsupportedError } from "../errors.js";
import type { Io } from "../file-system/io.js";
import type { OperationOptions } from "../file-system/limits.js";
import { operate } from "../file-system/operation.js";
import { baseName } from "../paths.js";
import { acquire, type Lock, type LockError } from "../state/lock.js";
import { noStore } from "../ownership/ledger.js";

/**
 * What locking a parent can end in:
 *
 * - `unsupported`: the host has no store;
 * - `gone`: the parent is no longer there;
 * - what taking any lock can: {@link LockError}.
 */
export type ParentLockError = UnsupportedError | GoneError | LockError;

const LONGEST = 190;

/** Takes the lock of the card that a parent is on: its physical function, which its siblings share, or itself. */
export function lockCard(
  context: HostContext,
  parent: string,
  options: OperationOptions | undefined,
): AsyncResult<Lock, ParentLockError> {
  const tried = `lock ${baseName(parent)}`;
  const take = async (
    io: Io,
  ): Promise<Result<Lock, UnsupportedError | ConflictError | InvalidArgumentError>> => {
    const { state, paths, sysfs } = context;
    if (state === undefined) return Result.error(noStore(tried));
    await io.lstat(parent);
    const link = `${parent}/physfn`;
    const target = await io.linkTarget(link);
    const card = (target === undefined ? undefined : paths.target(link, target)) ?? parent;
    return acquire(io, state, lockName(card.slice(sysfs.length + 1)), { tried });
  };
  return operate(context, { tried, errnos: VANISHING, options }, take);
}

/** The name of a card's lock. Two cards whose names differ in strange characters only would share one: no harm. */
function lockName(card: string): string {
  const name = card.replaceAll("/", "!").replaceAll(/[^A-Za-z0-9._:!-]/gu, "_");
  return `lock.${name.slice(-LONGEST)}`;
}
