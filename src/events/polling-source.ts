import { InvalidArgumentError } from "../errors.js";
import { type ChangeSource, CHANGED } from "./change-source.js";
import { intervalFault, pause } from "./pause.js";

/** The time between two looks where none is given. */
export const POLLING_INTERVAL = 1_000;

/** Options of {@link pollingSource}. */
export interface PollingOptions {
  /** The time between two looks, in milliseconds: 1000. */
  readonly interval?: number | undefined;
}

/**
 * A source that asks for a look again and again, for hosts that tell of nothing: a container's mount, a remote host, a machine
 * without `udevadm`. What comes and goes between two looks is not seen.
 *
 * Throws an {@link InvalidArgumentError} for an interval that is none.
 */
export function pollingSource({ interval = POLLING_INTERVAL }: PollingOptions = {}): ChangeSource {
  const fault = intervalFault(interval);
  if (fault !== undefined) throw new InvalidArgumentError({ tried: "poll for changes", reason: fault });
  return Object.freeze({
    async *hints(signal: AbortSignal) {
      while (!signal.aborted) {
        yield CHANGED;
        await pause(interval, signal);
      }
    },
  });
}
