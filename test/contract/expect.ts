import assert from "node:assert/strict";
import type { AnyMdevError, AsyncResult, MdevErrorType } from "../../src/index.js";

/** The value of a result that has to be one. */
export function ok<T>(result: AsyncResult<T, Error>): Promise<T> {
  return result.getOrThrow();
}

/** The error of a result that has to be one of this type. */
export async function fails<K extends MdevErrorType>(
  result: AsyncResult<unknown, Error>,
  type: K,
): Promise<Extract<AnyMdevError, { type: K }>> {
  const settled = await result;
  assert.ok(!settled.ok, `expected ${type}, got a value`);
  const error = settled.error as AnyMdevError;
  assert.equal(error.type, type, error.message);
  return error as Extract<AnyMdevError, { type: K }>;
}

/** Plain data as JSON has it: without what is undefined. */
export function plain(data: unknown): unknown {
  return JSON.parse(JSON.stringify(data));
}
