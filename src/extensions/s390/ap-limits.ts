import type { OperationOptions } from "../../index.js";

/** The options of one operation after the other, so that the caller's limit of time is one for all of them. */
export function shared(options: OperationOptions | undefined): () => OperationOptions | undefined {
  const timeout = options?.timeout;
  if (typeof timeout !== "number" || !(timeout > 0)) return () => options;
  const end = performance.now() + timeout;
  return () => ({ ...options, timeout: Math.max(0, end - performance.now()) });
}
