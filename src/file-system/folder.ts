import type { Answer } from "./answer.js";
import { FileFailure, isAbsent } from "./failure.js";
import type { Io } from "./io.js";
import type { PromptReads } from "./prompt-reads.js";

/**
 * A folder of sysfs and what is in it. Where the file system can read at once, its path was seen to hold no link, so that
 * nobody looks at it again; else each call goes the long way through {@link Io}. Nothing that is absent is a failure here.
 * Who asks gives the event loop its turn before each object: {@link Io.turnWhenDue}.
 */
export class Folder {
  readonly path: string;
  readonly #io: Io;
  readonly #prompt: PromptReads | undefined;
  /** What is in it, as its one listing showed it. */
  #names: Promise<string[]> | undefined;
  #folders: Set<string> | undefined;

  constructor(io: Io, path: string, prompt: PromptReads | undefined) {
    this.path = path;
    this.#io = io;
    this.#prompt = prompt;
  }

  /** A folder in this one. */
  folder(name: string): Folder {
    const path = `${this.path}/${name}`;
    return new Folder(this.#io, path, this.#folders?.has(name) === true ? this.#prompt : undefined);
  }

  /** The names in it: it is listed once. */
  names(): Promise<string[]> {
    return (this.#names ??= this.#list());
  }

  /** The text of a file in it; `undefined` where there is none. */
  text(name: string): Answer<string | undefined> {
    const path = `${this.path}/${name}`;
    const prompt = this.#prompt;
    if (prompt === undefined) return this.#io.textOf(path);
    if (prompt.mayBlock(path)) return this.#io.textOf(path);
    try {
      return prompt.textUnlinked(path);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === "ELOOP") return this.#io.textOf(path);
      absent("readFile", path, thrown);
      return;
    }
  }

  /** The target of a link in it; `undefined` where there is none. */
  link(name: string): Answer<string | undefined> {
    const path = `${this.path}/${name}`;
    const prompt = this.#prompt;
    if (prompt === undefined) return this.#io.linkTarget(path);
    try {
      return prompt.link(path);
    } catch (thrown) {
      absent("readlink", path, thrown);
      return;
    }
  }

  /** The inode number of what has a name in it; of itself where none is given. 0: it has none; `undefined`: there is nothing. */
  inode(name?: string): Answer<number | undefined> {
    const path = name === undefined ? this.path : `${this.path}/${name}`;
    const prompt = this.#prompt;
    if (prompt === undefined) return this.#io.inode(path);
    try {
      return prompt.inode(path);
    } catch (thrown) {
      absent("lstat", path, thrown);
      return;
    }
  }

  async #list(): Promise<string[]> {
    const prompt = this.#prompt;
    if (prompt === undefined) return this.#io.namesIn(this.path);
    if (prompt.due) await this.#io.turn(prompt);
    try {
      const folders = new Set<string>();
      const names = prompt.entries(this.path).map((entry) => {
        if (entry.isDirectory()) folders.add(entry.name);
        return entry.name;
      });
      this.#folders = folders;
      return names;
    } catch (thrown) {
      absent("readdir", this.path, thrown);
      return [];
    }
  }
}

function absent(call: string, path: string, thrown: unknown): undefined {
  const failure = new FileFailure(call, path, thrown);
  if (!isAbsent(failure)) throw failure;
  return undefined;
}
