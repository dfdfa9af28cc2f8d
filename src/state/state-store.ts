/** What a {@link StateStore} keeps under one name. */
export interface StateEntry {
  /** What tells this entry from any other that ever had, or will have, its name. */
  readonly tag: string;
  /** Its text. */
  readonly text: string;
}

/**
 * Where the library keeps what sysfs cannot keep: who owns a device, and who holds a lock. {@link DirectoryStore} is a
 * folder; anything else can be one that creates exclusively and removes by comparison. A store is of one machine: the one
 * whose devices are meant.
 *
 * For implementers:
 *
 * - A failure rejects with an `Error` that has node's `code` (`"EROFS"`) or `errno`.
 * - An entry is complete as soon as its name shows. It never changes: it is created, and it is removed.
 * - Names are words of letters, digits, `.`, `-`, `_`, `:` and `!`, of 200 characters at most.
 */
export interface StateStore {
  /** A text that is another one after each start of the machine: Linux' `/proc/sys/kernel/random/boot_id`. */
  boot(): Promise<string>;
  /** The names of the entries, in any order. A name whose entry has just gone does no harm. */
  names(): Promise<readonly string[]>;
  /** The entry of a name; `undefined` where there is none. */
  read(name: string): Promise<StateEntry | undefined>;
  /** Makes an entry and gives its tag; `undefined`, and nothing happens, where the name has one. Of two at once, one wins. */
  create(name: string, text: string): Promise<string | undefined>;
  /** Removes the entry of a name where it is still the one with this tag; whether it did. */
  remove(name: string, tag: string): Promise<boolean>;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._:!-]{0,199}$/;

/** Whether a text can be the name of an entry. */
export function isStateName(name: unknown): name is string {
  return typeof name === "string" && NAME.test(name);
}
