import type { Problem } from "../inspection.js";
import type { HostChange } from "../snapshot/diff.js";
import type { HostSnapshot, SnapshotInclusions, SnapshotOptions } from "../snapshot/host-snapshot.js";
import type { ChangeSource } from "./change-source.js";

/**
 * What {@link MdevHost.watch} tells: first the whole host, then each change to it, and what goes wrong.
 *
 * @typeParam I - what was included
 */
export type HostEvent<I extends SnapshotInclusions = SnapshotInclusions> =
  | {
      /** The host as it was at the first look: all changes that follow are changes to this. */
      readonly type: "snapshot";
      /** It. */
      readonly snapshot: HostSnapshot<I>;
    }
  | HostChange
  | {
      /** Something could not be read, or the source is no longer to be relied on. The watcher goes on. */
      readonly type: "problem";
      /** What. */
      readonly problem: Problem;
    };

/** Options of {@link MdevHost.watch}: `signal` ends the iteration normally, `timeout` is the limit of each look. */
export interface WatchOptions<I extends SnapshotInclusions = SnapshotInclusions> extends SnapshotOptions<I> {
  /**
   * What tells when to look. By default the kernel's events, {@link udevSource}, and where there is no `udevadm`, or a `fs`
   * or another sysfs root was given to the host, {@link pollingSource}.
   */
  readonly source?: ChangeSource | undefined;
  /**
   * The longest time from one look to the next, whatever the source tells, in milliseconds: 5000. No source tells of all
   * changes, and each can be silent without ending.
   */
  readonly interval?: number | undefined;
}

/**
 * An iteration over what happens to a host: `for await` goes through it. It is over when its signal is aborted, its loop is left or
 * `return()` called. It can be gone through once.
 *
 * @typeParam I - what was included
 */
export interface HostWatch<I extends SnapshotInclusions = SnapshotInclusions> {
  /** The next event. While it is waited for, and only then, the watch keeps the process alive. */
  next(): Promise<IteratorResult<HostEvent<I>, undefined>>;
  /** Ends the watch, also while an event is waited for: that is then the end, too. */
  return(): Promise<IteratorResult<HostEvent<I>, undefined>>;
  /** Itself. */
  [Symbol.asyncIterator](): HostWatch<I>;
}
