const LONGEST = 2 ** 31 - 1; // that a timer of Node can wait

/** What is wrong with an interval that is none, as the end of a clause. */
export const NO_INTERVAL = `is not a number of milliseconds from 1 to ${LONGEST}`;

export function isInterval(value: unknown): value is number {
  return typeof value === "number" && value >= 1 && value <= LONGEST;
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
