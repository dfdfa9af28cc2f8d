import type { ChangeHint, ChangeSource } from "../../index.js";

/** Tells whoever listens that an object came or went, as the kernel's events do. */
export class Changes implements ChangeSource {
  readonly #listeners = new Set<() => void>();

  tell(): void {
    for (const listener of this.#listeners) listener();
  }

  async *hints(signal: AbortSignal): AsyncGenerator<ChangeHint, void> {
    let changed = true; // it listens
    let wake = (): void => undefined;
    const listener = (): void => {
      changed = true;
      wake();
    };
    const over = (): void => wake();
    this.#listeners.add(listener);
    signal.addEventListener("abort", over, { once: true });
    try {
      while (!signal.aborted) {
        if (changed) {
          changed = false;
          yield { type: "changed" };
        } else {
          await new Promise<void>((resolve) => (wake = resolve));
        }
      }
    } finally {
      this.#listeners.delete(listener);
      signal.removeEventListener("abort", over);
    }
  }
}
