import type { StateEntry, StateStore } from "../index.js";

/** The locks of a store of definitions that is not the local one, and was given no other place for them: of this object alone. */
export class ProcessLocks implements StateStore {
  readonly #entries = new Map<string, StateEntry>();

  async boot(): Promise<string> {
    return "this process";
  }

  async names(): Promise<readonly string[]> {
    return [...this.#entries.keys()];
  }

  async read(name: string): Promise<StateEntry | undefined> {
    return this.#entries.get(name);
  }

  async create(name: string, text: string): Promise<string | undefined> {
    if (this.#entries.has(name)) return undefined;
    const tag = globalThis.crypto.randomUUID();
    this.#entries.set(name, { tag, text });
    return tag;
  }

  async remove(name: string, tag: string): Promise<boolean> {
    return this.#entries.get(name)?.tag === tag && this.#entries.delete(name);
  }
}
