import { isMilliseconds, LONGEST_WAIT } from "../file-system/limits.js";

/** What is wrong with an interval, as a clause. */
export function intervalFault(interval: unknown): string | undefined {
  if (isMilliseconds(interval) && Number(interval) >= 1) return undefined;
  return `its interval is not a number of milliseconds from 1 to ${LONGEST_WAIT}`;
}

/** Waits so long, or until the signal is aborted. The timer keeps no process alive. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const over = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", over);
      resolve();
    };
    const timer = setTimeout(over, milliseconds);
    timer.unref();
    signal.addEventListener("abort", over, { once: true });
  });
}
