import { Interruption } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";
import { isMilliseconds, type OperationOptions } from "../file-system/limits.js";
import { quote } from "../identifiers.js";

/** What waiting for objects takes that appear late: drivers take their time, and virtual functions half a minute. */
export interface WaitOptions extends OperationOptions {
  /** The ids of those that must be there. */
  readonly ids?: readonly string[] | undefined;
  /** How many must be there at least; 1 where no ids are given either. */
  readonly count?: number | undefined;
  /** Between two looks, in milliseconds: 250 by default. */
  readonly interval?: number | undefined;
}

/** What is wrong with what a caller waits for. */
export function waitFault(options: WaitOptions | undefined): string | undefined {
  const { ids, count = 0, interval = 0 } = options ?? {};
  if (ids !== undefined && !(Array.isArray(ids) && ids.every((id) => typeof id === "string" && id !== "")))
    return "its ids are not a list of ids";
  if (!Number.isSafeInteger(count) || count < 0) return `its count ${quote(count)} is not a number from 0`;
  return isMilliseconds(interval) ? undefined : `its interval ${quote(interval)} is not in milliseconds`;
}

/** Looks until all that is waited for is there, and gives all that is. */
export async function untilThere<T>(
  io: Io,
  look: () => Promise<readonly T[]>,
  idOf: (found: T) => string,
  { ids = [], count = ids.length === 0 ? 1 : 0, interval = 250 }: WaitOptions = {},
): Promise<readonly T[]> {
  for (;;) {
    const found = await look();
    const there = new Set(found.map(idOf));
    const missing = ids.filter((id) => !there.has(id));
    if (missing.length === 0 && found.length >= count) return found;
    const lacking =
      missing.length > 0 ? `without ${missing.join(", ")}` : `with ${found.length} of ${count} there`;
    try {
      await io.pause(interval);
    } catch (thrown) {
      if (thrown instanceof Interruption) thrown.message += ` ${lacking}`;
      throw thrown;
    }
  }
}
