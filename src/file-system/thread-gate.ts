/** Together one less than Node has threads for files: one is always left for the rest of the program. */
const PLACES = { write: 2, read: 1 } as const;

interface Places {
  free: number;
  readonly waiting: (() => void)[];
}

/**
 * Lets so many calls at a time into the thread pool, for the whole process. Drivers can hold one up for seconds, and four
 * that hang stall every file operation of Node.
 */
export class ThreadGate {
  readonly #places: Places;

  constructor(what: keyof typeof PLACES) {
    // Both module formats of this package may be loaded: they share the process, its thread pool, and so this.
    const shared = globalThis as Record<symbol, Places | undefined>;
    this.#places = shared[Symbol.for(`vfio-mdev.${what}-places`)] ??= { free: PLACES[what], waiting: [] };
  }

  /** Waits for a place, and gives the function that leaves it. */
  async enter(signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted();
    const places = this.#places;
    if (places.free > 0) places.free -= 1;
    else await this.#wait(signal);
    return (): void => {
      const next = places.waiting.shift();
      if (next === undefined) places.free += 1;
      else next();
    };
  }

  #wait(signal?: AbortSignal): Promise<void> {
    const { waiting } = this.#places;
    return new Promise((resolve, reject) => {
      const admitted = (): void => {
        signal?.removeEventListener("abort", aborted);
        resolve();
      };
      const aborted = (): void => {
        waiting.splice(waiting.indexOf(admitted), 1);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener("abort", aborted, { once: true });
      waiting.push(admitted);
    });
  }
}
