import type { StateEntry, StateStore } from "../index.js";

/**
 * A store in memory, for a host that is not the local one: what several `MdevHost` of a test share.
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { MemoryStore, SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addMtty();
 * const host = new MdevHost({ fs: simulated.fs, state: new MemoryStore() });
 * const { devices } = await host.ownedDevices("my-manager").getOrThrow();
 * console.log(devices.length); // prints: 0
 * ```
 */
export class MemoryStore implements StateStore {
  readonly #entries = new Map<string, StateEntry>();
  #boots = 1;
  #tags = 0;

  /** What comes after a restart of the machine; the entries are still there, as on a disk. */
  restart(): void {
    this.#boots += 1;
  }

  /** `boot 1`, until it is restarted. */
  async boot(): Promise<string> {
    return `boot ${this.#boots}`;
  }

  /** The names of its entries. */
  async names(): Promise<readonly string[]> {
    return [...this.#entries.keys()];
  }

  /** The entry of a name. */
  async read(name: string): Promise<StateEntry | undefined> {
    return this.#entries.get(name);
  }

  /** Makes an entry where the name has none. */
  async create(name: string, text: string): Promise<string | undefined> {
    if (this.#entries.has(name)) return undefined;
    const tag = `${++this.#tags}`;
    this.#entries.set(name, Object.freeze({ tag, text }));
    return tag;
  }

  /** Removes an entry where it is still that one. */
  async remove(name: string, tag: string): Promise<boolean> {
    return this.#entries.get(name)?.tag === tag && this.#entries.delete(name);
  }
}
