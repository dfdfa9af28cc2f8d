import { FileFailure, Interruption, StateFailure } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";
import type { StateEntry, StateStore } from "./state-store.js";

/**
 * The store as one operation uses it: under that operation's limits, and with every way in which an injected one can
 * misbehave turned into a {@link StateFailure}.
 */
export class State {
  readonly #store: StateStore;
  readonly #io: Io;

  constructor(store: StateStore, io: Io) {
    this.#store = store;
    this.#io = io;
  }

  boot(): Promise<string> {
    return this.#call("ask for the boot of", "the store", () => this.#store.boot(), isText);
  }

  names(): Promise<readonly string[]> {
    return this.#call("list", "the store", () => this.#store.names(), isTexts);
  }

  read(name: string): Promise<StateEntry | undefined> {
    return this.#call("read", name, () => this.#store.read(name), isEntry);
  }

  /** As the store's; one that comes into being after the operation was given up goes again. */
  async create(name: string, text: string): Promise<string | undefined> {
    let creation: Promise<string | undefined> | undefined;
    const create = (): Promise<string | undefined> => (creation = this.#store.create(name, text));
    try {
      return await this.#call("create", name, create, isTag);
    } catch (thrown) {
      if (thrown instanceof Interruption) {
        const late = async (): Promise<void> => {
          const tag = await creation;
          if (tag !== undefined) await this.#store.remove(name, tag);
        };
        late().catch(() => undefined); // nobody is there to be told
      }
      throw thrown;
    }
  }

  remove(name: string, tag: string): Promise<boolean> {
    return this.#call("remove", name, () => this.#store.remove(name, tag), isBoolean);
  }

  async #call<T>(
    call: string,
    name: string,
    start: () => Promise<T>,
    expected: (value: unknown) => boolean,
  ): Promise<T> {
    try {
      const value = await this.#io.within((async () => start())());
      if (expected(value)) return value;
    } catch (thrown) {
      if (thrown instanceof Interruption || thrown instanceof FileFailure) throw thrown;
      throw new StateFailure(call, name, thrown);
    }
    throw new StateFailure(call, name, "the store answered with something else");
  }
}

const isText = (value: unknown): boolean => typeof value === "string" && value !== "";
const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((name) => typeof name === "string");
const isTag = (value: unknown): boolean => value === undefined || typeof value === "string";
const isBoolean = (value: unknown): boolean => typeof value === "boolean";
const isEntry = (value: unknown): boolean => {
  if (typeof value !== "object" || value === null) return value === undefined;
  const { tag, text } = value as Record<string, unknown>;
  return typeof tag === "string" && typeof text === "string";
};
