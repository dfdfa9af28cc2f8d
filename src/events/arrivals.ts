import { placeOf } from "../snapshot/diff.js";
import type { HostSnapshot } from "../snapshot/host-snapshot.js";

/** How long a device may be on its way, in milliseconds. Creations take some. */
const PATIENCE = 1_000;

/**
 * The devices that are seen for the first time while they seem to be going. Linux 5.10 shows a half-made device so, and later
 * ones do for a moment: what has just come is not told before it is known to stay, or does not get any further.
 */
export class Arrivals {
  readonly #since = new Map<string, number>();

  /** A snapshot without them. */
  settled(before: HostSnapshot, after: HostSnapshot): HostSnapshot {
    const known = new Set(before.devices.map(placeOf));
    const strange = after.devices.filter(
      (device) => device.state === "removing" && !known.has(placeOf(device)),
    );
    const places = new Set(strange.map(placeOf));
    for (const place of this.#since.keys()) if (!places.has(place)) this.#since.delete(place);
    const now = performance.now();
    const waiting = new Set(strange.filter((device) => now - this.#first(placeOf(device), now) < PATIENCE));
    if (waiting.size === 0) return after;
    const devices = after.devices.filter((device) => !waiting.has(device));
    return Object.freeze({ ...after, devices: Object.freeze(devices) });
  }

  #first(place: string, now: number): number {
    const since = this.#since.get(place) ?? now;
    this.#since.set(place, since);
    return since;
  }
}
