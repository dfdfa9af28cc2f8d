import { InvalidArgumentError } from "../errors.js";
import { type ChangeSource, CHANGED } from "./change-source.js";
import { UdevMonitor } from "./udev-monitor.js";
import { concernsMdev, UeventReader } from "./uevent-reader.js";

/** Options of {@link udevSource}. */
export interface UdevOptions {
  /** The program, by its name or its path: `udevadm`. */
  readonly program?: string | undefined;
}

/**
 * The kernel's own events, from a child process `udevadm monitor --kernel --property`: those of the mdev bus, of VFIO nodes, of
 * PCI functions, and those of parents, which have `MDEV_STATE`. It takes neither root nor a running udev daemon. It can be
 * silent in a container without ending, and so a watch looks now and then all the same.
 *
 * It breaks with `unsupported` where there is no such program, and with `io` when the program ends.
 * Source of the events: Linux, `drivers/vfio/mdev/mdev_core.c`.
 *
 * Throws an {@link InvalidArgumentError} for a program that is no text.
 */
export function udevSource({ program = "udevadm" }: UdevOptions = {}): ChangeSource {
  if (typeof program !== "string" || program === "" || program.includes("\0"))
    throw new InvalidArgumentError({ tried: "listen to udev", reason: "the name of the program is no text" });
  return Object.freeze({
    async *hints(signal: AbortSignal) {
      const monitor = await UdevMonitor.start(program, signal);
      if (monitor === undefined) return;
      const stop = (): void => monitor.stop();
      signal.addEventListener("abort", stop, { once: true });
      try {
        const reader = new UeventReader();
        for await (const piece of monitor.output()) {
          // The first record is the line with which it says that it listens.
          if (reader.read(piece).some(concernsMdev)) yield CHANGED;
        }
        if (!signal.aborted) throw await monitor.failure(signal);
      } finally {
        signal.removeEventListener("abort", stop);
        stop();
      }
    },
  });
}
