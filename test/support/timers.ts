import { vi } from "vitest";

type Timer = ReturnType<typeof setTimeout>;

/** Counts the timers that were set and have neither run nor been cleared. Until `vi.restoreAllMocks()`. */
export function watchTimers(): { readonly open: number } {
  const open = new Set<Timer>();
  const [set, clear] = [globalThis.setTimeout, globalThis.clearTimeout];
  vi.spyOn(globalThis, "setTimeout").mockImplementation((callback: () => void, delay?: number): Timer => {
    const timer = set(() => {
      open.delete(timer);
      callback();
    }, delay);
    open.add(timer);
    return timer;
  });
  vi.spyOn(globalThis, "clearTimeout").mockImplementation((timer) => {
    open.delete(timer as Timer);
    clear(timer);
  });
  return {
    get open() {
      return open.size;
    },
  };
}
