import { expect } from "vitest";
import type {
  DefinitionEvent,
  DefinitionStore,
  DefinitionWatch,
  DefinitionWatchOptions,
  MdevDefinition,
} from "../../src/definitions/index.js";

const PATIENCE = 5_000;

/** A store as somebody knows it who has heard of it by events alone. */
export class Watched {
  readonly #watch: DefinitionWatch;
  readonly #store: DefinitionStore;
  readonly #known = new Map<string, MdevDefinition>();
  /** All that was told, in short: `defined p/1`. */
  readonly story: string[] = [];

  constructor(store: DefinitionStore, options?: DefinitionWatchOptions) {
    this.#store = store;
    this.#watch = store.watch(options);
  }

  /** The next event; `undefined` at the end. */
  async next(): Promise<DefinitionEvent | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no event after ${this.story.join(", ")}`)), PATIENCE);
    });
    const { value } = await Promise.race([this.#watch.next(), late]).finally(() => clearTimeout(timer));
    if (value !== undefined) this.#apply(value);
    return value;
  }

  /** Listens until it knows what is true; where it knows that already, it listens no further. */
  async untilItKnows(): Promise<void> {
    for (;;) {
      const { definitions } = await this.#store.list().getOrThrow();
      const shown = (all: Iterable<MdevDefinition>): string[] =>
        Array.from(all, ({ path, json }) => `${path} ${json}`).sort();
      try {
        expect(shown(this.#known.values())).toEqual(shown(definitions));
        return;
      } catch (difference) {
        await this.next().catch(() => {
          throw difference;
        });
      }
    }
  }

  async return(): Promise<void> {
    expect(await this.#watch.return()).toEqual({ done: true, value: undefined });
  }

  #apply(event: DefinitionEvent): void {
    expect(Object.isFrozen(event)).toBe(true);
    switch (event.type) {
      case "snapshot":
        expect(
          this.story.filter((each) => !each.startsWith("problem")),
          "a second snapshot",
        ).toEqual([]);
        for (const each of event.snapshot.definitions) this.#known.set(placeOf(each), each);
        this.story.push("snapshot");
        break;
      case "defined":
        expect(this.#known.has(placeOf(event.definition)), "defined twice").toBe(false);
        this.#known.set(placeOf(event.definition), event.definition);
        this.#note(event);
        break;
      case "changed":
        expect(event.before).toEqual(this.#known.get(placeOf(event.definition)));
        this.#known.set(placeOf(event.definition), event.definition);
        this.#note(event);
        break;
      case "undefined":
        expect(this.#known.delete(placeOf(event.definition)), "an unknown one goes").toBe(true);
        this.#note(event);
        break;
      case "problem":
        this.story.push(`problem ${event.problem.type}`);
    }
  }

  #note({ type, definition }: { readonly type: string; readonly definition: MdevDefinition }): void {
    this.story.push(`${type} ${definition.parent}/${definition.uuid.slice(0, 1)}`);
  }
}

function placeOf({ parent, uuid }: MdevDefinition): string {
  return `${parent}/${uuid}`;
}
