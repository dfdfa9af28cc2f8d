/** For how long it is taken for slow the first time; each further time, so many times longer, up to the longest. */
const [FIRST, LONGER, LONGEST] = [1_000, 4, 600_000];

interface Slowness {
  readonly since: number;
  readonly period: number;
}

/**
 * The devices whose drivers were slow lately. That a read took long may also mean that the machine was busy, so it is
 * tried again: seldom, where it was slow each time.
 */
export class SlowDevices {
  readonly #slow = new Map<string, Slowness>();

  /** When the last of them will be tried again. */
  #end = 0;

  /** Whether any device is taken for slow. */
  any(now: number): boolean {
    return now < this.#end;
  }

  /** Whether a device is taken for slow. */
  has(device: string, now: number): boolean {
    const slowness = this.#slow.get(device);
    return slowness !== undefined && now - slowness.since < slowness.period;
  }

  /** Takes a device for slow from now on. */
  add(device: string, now: number): void {
    const before = this.#slow.get(device);
    const again = before !== undefined && now - before.since < 10 * before.period;
    const period = again ? Math.min(LONGER * before.period, LONGEST) : FIRST;
    this.#slow.set(device, { since: now, period });
    this.#end = Math.max(this.#end, now + period);
  }
}
