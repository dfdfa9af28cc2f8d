/** What is wrong with a document, and where in it, as a clause. */
export class DocumentFault extends Error {}

// Aliases can make a small document large: what is looked at is counted.
const LOOKS_MAX = 50_000;

/**
 * A value in a document of somebody else, with the path to it: `vgpu-configs.T4-small[0].devices`. Whatever is not as it is
 * asked for is thrown as a {@link DocumentFault}, for the one place that reads documents.
 */
export class Place {
  readonly value: unknown;
  readonly path: string;
  readonly #looks: { left: number };

  constructor(value: unknown, path = "", looks: { left: number } = { left: LOOKS_MAX }) {
    this.value = value;
    this.path = path;
    this.#looks = looks;
    if (--looks.left < 0) throw new DocumentFault(`the document holds more than ${LOOKS_MAX} values`);
  }

  /** Whether there is nothing here: `null`, or a key without a value. */
  get isEmpty(): boolean {
    return this.value === null;
  }

  /** The members of a mapping, in their order. */
  members(): readonly (readonly [key: string, member: Place])[] {
    if (!isMapping(this.value)) this.refuse("is no mapping");
    return Object.entries(this.value).map(([key, value]) => [key, this.#inside(value, step(key))] as const);
  }

  /** The members of a mapping that may have these keys and no others. */
  fields<K extends string>(known: readonly K[]): Partial<Record<K, Place>> {
    const found: Partial<Record<string, Place>> = {};
    for (const [key, member] of this.members()) {
      if (!(known as readonly string[]).includes(key))
        member.refuse(`is not known here, where there are ${known.join(", ")}`);
      found[key] = member;
    }
    return found;
  }

  /** One member of a mapping; `undefined` where it is not there or empty. */
  member(key: string): Place | undefined {
    if (!isMapping(this.value)) this.refuse("is no mapping");
    const value = Object.hasOwn(this.value, key) ? this.value[key] : undefined;
    return value === undefined || value === null ? undefined : this.#inside(value, step(key));
  }

  /** The items of a list. */
  items(): readonly Place[] {
    if (!Array.isArray(this.value)) this.refuse("is no list");
    return this.value.map((value: unknown, at) => this.#inside(value, `[${at}]`));
  }

  /** A text; a number or a boolean is none, until it is quoted. */
  text(): string {
    if (typeof this.value !== "string") this.refuse("is no text; quote it");
    return this.value;
  }

  /** `true` or `false`. */
  boolean(): boolean {
    if (typeof this.value !== "boolean") this.refuse("is neither true nor false");
    return this.value;
  }

  /** A whole number that is not below the least. */
  wholeNumber(least: number): number {
    if (typeof this.value !== "number" || !Number.isSafeInteger(this.value) || this.value < least)
      this.refuse(`is no whole number of ${least} or more`);
    return this.value;
  }

  /** Gives the document up, because of what is here. */
  refuse(reason: string): never {
    throw new DocumentFault(`${this.path === "" ? "the document" : this.path} ${reason}`);
  }

  #inside(value: unknown, next: string): Place {
    return new Place(value, this.path === "" ? next.replace(/^\./, "") : `${this.path}${next}`, this.#looks);
  }
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function step(key: string): string {
  return /^[A-Za-z0-9_-]{1,80}$/.test(key) ? `.${key}` : `[${JSON.stringify(key.slice(0, 80))}]`;
}
