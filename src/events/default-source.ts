import { UnsupportedError } from "../errors.js";
import type { ChangeSource } from "./change-source.js";
import { pollingSource } from "./polling-source.js";
import { udevSource } from "./udev-source.js";

/** The source of a host for which none was given: the kernel's events, and polling where there is no program to hear them. */
export function defaultSource(isLocal: boolean): ChangeSource {
  const polling = pollingSource();
  if (!isLocal) return polling;
  const udev = udevSource();
  return {
    async *hints(signal) {
      try {
        yield* udev.hints(signal);
      } catch (thrown) {
        if (!(thrown instanceof UnsupportedError)) throw thrown;
        yield* polling.hints(signal);
      }
    },
  };
}
