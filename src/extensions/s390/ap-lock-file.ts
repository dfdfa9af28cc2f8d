import { closeSync, linkSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from "node:fs";
import { DirectoryStore, type LockHolder, type StateEntry, type StateStore } from "../../index.js";

/** A lock file without a process number is forgotten after so many milliseconds. */
const FORGOTTEN = 120_000;
const NOBODY = "0";
const FORGOTTEN_MARK = "forgotten";

/**
 * The lock file of s390-tools as a store with one entry: the number of the process as decimal text and a newline, made
 * aside and linked to its place. It is stale when that process is not there, or when it holds no number for two minutes.
 * Source: s390-tools, `libutil/util_lockfile.c`, `libap/ap.c`.
 */
export class ApLockFile implements StateStore {
  /** The folder that it is in, and its name there. */
  readonly folder: string;
  readonly name: string;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    this.folder = path.slice(0, path.lastIndexOf("/")) || "/";
    this.name = path.slice(path.lastIndexOf("/") + 1);
  }

  /** Not in the file: that a process is not there is all that the format knows. */
  async boot(): Promise<string> {
    return new DirectoryStore(this.folder).boot();
  }

  async names(): Promise<readonly string[]> {
    return this.#look() === undefined ? [] : [this.name];
  }

  async read(): Promise<StateEntry | undefined> {
    return this.#look();
  }

  /** Whatever the text is: the format has room for the number of this process. */
  async create(): Promise<string | undefined> {
    const aside = `${this.#path}.${globalThis.crypto.randomUUID()}`;
    const file = openSync(aside, "wx", 0o644);
    try {
      try {
        writeSync(file, `${process.pid}\n`);
      } finally {
        closeSync(file);
      }
      const { tag } = look(aside);
      linkSync(aside, this.#path);
      return tag;
    } catch (thrown) {
      if (codeOf(thrown) === "EEXIST") return undefined;
      throw thrown;
    } finally {
      unlinkSync(aside);
    }
  }

  /** Their format has no way to remove by comparison: look, and unlink at once. */
  async remove(_name: string, tag: string): Promise<boolean> {
    try {
      if (look(this.#path).tag !== tag) return false;
      unlinkSync(this.#path);
      return true;
    } catch (thrown) {
      if (codeOf(thrown) === "ENOENT") return false;
      throw thrown;
    }
  }

  #look(): StateEntry | undefined {
    try {
      return look(this.#path);
    } catch (thrown) {
      if (codeOf(thrown) === "ENOENT") return undefined;
      throw thrown;
    }
  }
}

/** Who holds the lock, by the number in the file. */
export function holderOfApLock(text: string): LockHolder {
  if (text === FORGOTTEN_MARK) return { name: "a process that died before it said who it is", fate: "dead" };
  if (text === NOBODY) return { name: "a process that has not said yet who it is", fate: "alive" };
  const name = `process ${text}`;
  try {
    process.kill(Number(text), 0);
    return { name, fate: "alive" };
  } catch (thrown) {
    return { name, fate: codeOf(thrown) === "ESRCH" ? "dead" : "alive" };
  }
}

/** The process number in the file, and what tells it from the next file of that name. */
function look(path: string): StateEntry {
  const text = readFileSync(path, "utf8");
  const { ino, mtimeMs, mtimeNs } = statSync(path, { bigint: true });
  const pid = /^\s*([1-9][0-9]{0,9})/.exec(text)?.[1];
  const isOld = Date.now() - Number(mtimeMs) > FORGOTTEN;
  const tag = `${ino} ${mtimeNs} ${pid ?? NOBODY}`;
  return { tag, text: pid ?? (isOld ? FORGOTTEN_MARK : NOBODY) };
}

function codeOf(thrown: unknown): unknown {
  return (thrown as NodeJS.ErrnoException | null)?.code;
}
