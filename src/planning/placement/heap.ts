/** What comes first of many, by an order that is given: a binary heap. */
export class Heap<T> {
  readonly #entries: T[] = [];
  readonly #isBefore: (a: T, b: T) => boolean;

  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore;
  }

  /** Adds one. */
  push(entry: T): void {
    let at = this.#entries.push(entry) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#isBefore(entry, this.#entries[above] as T)) break;
      this.#entries[at] = this.#entries[above] as T;
      at = above;
    }
    this.#entries[at] = entry;
  }

  /** Takes the first one out. */
  pop(): T | undefined {
    const [first] = this.#entries;
    const last = this.#entries.pop();
    if (last === undefined || this.#entries.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= this.#entries.length) break;
      const other = below + 1;
      if (
        other < this.#entries.length &&
        this.#isBefore(this.#entries[other] as T, this.#entries[below] as T)
      )
        below = other;
      if (!this.#isBefore(this.#entries[below] as T, last)) break;
      this.#entries[at] = this.#entries[below] as T;
      at = below;
    }
    this.#entries[at] = last;
    return first;
  }
}
