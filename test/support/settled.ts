import { AsyncResult, MdevError, type Result } from "../../src/index.js";
import { expect } from "vitest";
import { CLASS_OF_TAG } from "./tags.js";

/** How a public method ended: `ok`, or the tag of its error. Fails where it broke its promise to be an `AsyncResult`. */
export async function settled(call: () => AsyncResult<unknown, MdevError>): Promise<string> {
  const result = call();
  expect(result).toBeInstanceOf(AsyncResult);
  const end: Result<unknown, MdevError> = await result;
  expect(typeof end.ok).toBe("boolean");
  if (end.ok) return "ok";
  const { error } = end;
  expect(error).toBeInstanceOf(MdevError);
  expect(CLASS_OF_TAG[error.type]).toBe(error.name);
  expect(error.message).toMatch(/^cannot .+[.?]$/su);
  return error.type;
}

/** Waits until everything that is due has run, rejections that nobody handled included. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
