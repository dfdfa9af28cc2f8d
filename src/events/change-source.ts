import type { Problem } from "../inspection.js";

/** What a {@link ChangeSource} tells: no more than that it is time to look, or what is wrong with the source itself. */
export type ChangeHint =
  | {
      /** Something may have changed: the watcher takes a snapshot and finds out what. */
      readonly type: "changed";
    }
  | {
      /** The source may be missing changes, though it goes on. */
      readonly type: "problem";
      /** What is wrong, as the watcher will tell it. */
      readonly problem: Problem;
    };

/**
 * What tells {@link MdevHost.watch} when to look. What has changed it need not know: that comes from sysfs, always. A hint
 * too many costs one look, and a missing one is made good by the next look, at the latest after the watcher's `interval`.
 *
 * @example
 * ```ts
 * import { EventEmitter, once } from "node:events";
 * import { type ChangeSource, MdevHost } from "vfio-mdev";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const orders = new EventEmitter(); // of a manager that knows when it has changed something
 * const source: ChangeSource = {
 *   async *hints(signal) {
 *     yield { type: "changed" }; // from now on it listens
 *     while (!signal.aborted) {
 *       await once(orders, "done", { signal });
 *       yield { type: "changed" };
 *     }
 *   },
 * };
 * const host = new MdevHost({ fs: new SimulatedHost().fs });
 * for await (const event of host.watch({ source })) {
 *   console.log(event.type); // prints: snapshot
 *   break;
 * }
 * ```
 */
export interface ChangeSource {
  /**
   * Begins to listen, until the signal is aborted. The first hint says that it listens: nothing that happens after it is
   * missed, and the watcher takes its first snapshot. To throw, or to end before the signal, is to break: the watcher tells
   * the problem and goes on by polling.
   *
   * Whatever the source holds must not keep the process alive, and must be gone soon after the signal.
   */
  hints(signal: AbortSignal): AsyncIterable<ChangeHint>;
}

/** The only hint there is to give about the host. */
export const CHANGED: ChangeHint = Object.freeze({ type: "changed" });
