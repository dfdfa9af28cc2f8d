import { InvalidArgumentError } from "../errors.js";
import { type ChangeSource, CHANGED } from "./change-source.js";
import { isInterval, NO_INTERVAL, pause } from "./pause.js";

const INTERVAL = 1_000;

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
export function pollingSource({ interval = INTERVAL }: PollingOptions = {}): ChangeSource {
  if (!isInterval(interval))
    throw new InvalidArgumentError({ tried: "poll for changes", reason: `its interval ${NO_INTERVAL}` });
  return Object.freeze({
    async *hints(signal: AbortSignal) {
      for (; !signal.aborted; await pause(interval, signal)) yield CHANGED;
    },
  });
}
