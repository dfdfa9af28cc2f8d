import { posix } from "node:path";
import { FileFailure, Interruption, isAbsent, OutsideFailure } from "./failure.js";
import type { FileStat, FileSystem } from "./file-system.js";
import type { Limits } from "./limits.js";
import { Folder } from "./folder.js";
import { promptReadsOf } from "./node-file-system.js";
import type { PromptReads } from "./prompt-reads.js";
import { isLogged, log } from "../log.js";

const O_WRONLY = 1;
/** How many calls of a file system that answers later may be under way at the same time. */
const LANES = 32;
/** The kernel's own limit of links in a path. */
const MOST_LINKS = 40;

/**
 * The file system as one operation uses it: under that operation's limits, and with every way in which an injected
 * implementation can misbehave turned into a {@link FileFailure}.
 */
export class Io {
  readonly #fs: FileSystem;
  readonly #root: string;
  readonly #limits: Limits;
  readonly #prompt: PromptReads | undefined;
  /** Folders that this operation has seen to be no links. */
  readonly #folders = new Set<string>();

  constructor(fs: FileSystem, root: string, limits: Limits) {
    this.#fs = fs;
    this.#root = root;
    this.#limits = limits;
    // Who reads the log wants to see each call.
    this.#prompt = isLogged("fs") ? undefined : promptOf(fs);
  }

  /** A folder of sysfs. Links in its path as for reading. */
  async folder(path: string): Promise<Folder> {
    const plain = this.#prompt !== undefined && (await this.#isPlain(path));
    return new Folder(this, path, plain ? this.#prompt : undefined);
  }

  /** Lets the event loop run, unless the operation's limits strike. */
  async turn(prompt: PromptReads): Promise<void> {
    do await this.#limits.race(prompt.turn());
    while (prompt.due);
    this.#limits.check();
  }

  /** Lets the event loop run where that is due. */
  turnWhenDue(): Promise<void> | undefined {
    return this.#prompt?.due === true ? this.turn(this.#prompt) : undefined;
  }

  /** How many things may be asked for at the same time: one at a time is the fastest where each answers at once. */
  get lanes(): number {
    return this.#prompt === undefined ? LANES : 1;
  }

  /** The same, under the same limits, for what is below another root. */
  below(root: string): Io {
    return new Io(this.#fs, root, this.#limits);
  }

  /** The text of an attribute. A link in its path must not lead out of the sysfs root: that is seen before it is opened. */
  async readFile(path: string): Promise<string> {
    const file = await this.resolve(path);
    return this.#call("readFile", file, () => this.#fs.readFile(file, "utf8"), isString);
  }

  /** The names in a folder outside of sysfs, whose path is taken as it is. */
  listing(path: string): Promise<string[]> {
    return this.#call("readdir", path, () => this.#fs.readdir(path), isNames);
  }

  /** The names in a folder of sysfs; links in its path as for reading. */
  async readdir(path: string): Promise<string[]> {
    const folder = await this.resolve(path);
    return this.#call("readdir", folder, () => this.#fs.readdir(folder), this.#prompt ? isAnything : isNames);
  }

  readlink(path: string): Promise<string> {
    return this.#call("readlink", path, () => this.#fs.readlink(path), isString);
  }

  lstat(path: string): Promise<FileStat> {
    return this.#call("lstat", path, () => this.#fs.lstat(path), isStat);
  }

  /**
   * The path of an attribute with every link below the root resolved, refused where one leads out of it. Nothing is
   * asked about the root itself: it may be `/proc/<pid>/root/sys`, which `realpath` would mistake for our own.
   */
  async resolve(path: string): Promise<string> {
    let rest = path.slice(this.#root.length + 1).split("/");
    let resolved = this.#root;
    for (let links = 0; rest.length > 0;) {
      const [component = "", ...others] = rest;
      const next = `${resolved}/${component}`;
      if (this.#folders.has(next) || !(await this.#isLink(next, others.length > 0))) {
        [resolved, rest] = [next, others];
        continue;
      }
      if (++links > MOST_LINKS) throw new FileFailure("resolve", path, "too many links");
      const target = posix.resolve(resolved, await this.readlink(next));
      if (!isInside(target, this.#root)) throw new OutsideFailure(path, target);
      rest = [...target.slice(this.#root.length + 1).split("/"), ...others];
      resolved = this.#root;
    }
    return resolved;
  }

  /**
   * Writes a whole text to an attribute at once; links as for reading. `begun` gets the write itself, which goes on when
   * the limits strike.
   */
  writeFile(path: string, text: string, begun?: (write: Promise<void>) => void): Promise<void> {
    return this.#write("writeFile", path, text, begun);
  }

  /** The same for a write that the kernel may hold up without end. */
  writeDetached(path: string, text: string, begun?: (write: Promise<void>) => void): Promise<void> {
    return this.#write(
      this.#fs.writeDetached === undefined ? "writeFile" : "writeDetached",
      path,
      text,
      begun,
    );
  }

  async exists(path: string): Promise<boolean> {
    try {
      await this.lstat(path);
      return true;
    } catch (thrown) {
      if (isAbsent(thrown)) return false;
      throw thrown;
    }
  }

  /** The inode number of what is at a path, 0 where it has none; `undefined` where there is nothing. */
  async inode(path: string): Promise<number | undefined> {
    try {
      const { ino }: { readonly ino: unknown } = await this.lstat(path); // of a stranger's class
      return typeof ino === "number" && ino > 0 ? ino : 0;
    } catch (thrown) {
      if (isAbsent(thrown)) return undefined;
      throw thrown;
    }
  }

  async isDirectory(path: string): Promise<boolean> {
    try {
      return (await this.lstat(path)).isDirectory();
    } catch (thrown) {
      if (isAbsent(thrown)) return false;
      throw thrown;
    }
  }

  /** The text of an attribute; `undefined` where there is none. */
  async textOf(path: string): Promise<string | undefined> {
    try {
      return await this.readFile(path);
    } catch (thrown) {
      if (isAbsent(thrown)) return undefined;
      throw thrown;
    }
  }

  /** The names in a folder; none where there is no folder. */
  async namesIn(path: string): Promise<string[]> {
    try {
      return await this.readdir(path);
    } catch (thrown) {
      if (isAbsent(thrown)) return [];
      throw thrown;
    }
  }

  /** The target of a link; `undefined` where there is no link. */
  async linkTarget(path: string): Promise<string | undefined> {
    try {
      return await this.readlink(path);
    } catch (thrown) {
      if (isAbsent(thrown)) return undefined;
      throw thrown;
    }
  }

  /** The outcome of something that goes on by itself, unless the operation's limits strike before. */
  within<T>(outcome: PromiseLike<T>): Promise<T> {
    return this.#limits.race(outcome);
  }

  /** Waits, but not beyond the operation's limits. */
  async pause(milliseconds: number): Promise<void> {
    this.#limits.check();
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      await this.#limits.race(new Promise<void>((resolve) => (timer = setTimeout(resolve, milliseconds))));
    } finally {
      clearTimeout(timer);
    }
  }

  /** Fails where a link in the path of a folder leads out of the sysfs root. */
  async stayInside(path: string): Promise<void> {
    if (this.#prompt?.isPlain(path) !== true) await this.resolve(path);
  }

  /** Whether a path leads to a folder without any link. */
  async #isPlain(path: string): Promise<boolean> {
    try {
      return (await this.resolve(path)) === path;
    } catch (thrown) {
      if (thrown instanceof FileFailure) return false; // the next call will say why
      throw thrown;
    }
  }

  async #isLink(path: string, folder: boolean): Promise<boolean> {
    const link = (await this.lstat(path)).isSymbolicLink();
    if (folder && !link) this.#folders.add(path);
    return link;
  }

  async #write(
    call: "writeFile" | "writeDetached",
    path: string,
    text: string,
    begun?: (write: Promise<void>) => void,
  ): Promise<void> {
    const file = await this.resolve(path);
    const { signal } = this.#limits;
    const options = signal === undefined ? { flag: O_WRONLY } : { flag: O_WRONLY, signal };
    const progress = { begun: false };
    const start = (): Promise<void> => {
      progress.begun = true;
      const write = (async () => this.#fs[call]?.(file, text, options))();
      begun?.(write);
      return write;
    };
    log.write("%s <- %o", path, text);
    try {
      await this.#call(call, file, start, isAnything);
    } catch (thrown) {
      if (progress.begun && thrown instanceof Interruption)
        thrown.pending = `The write to ${path} may still take effect.`;
      throw thrown;
    }
  }

  async #call<T>(
    call: string,
    path: string,
    start: () => Promise<T>,
    expected: (value: T) => boolean,
  ): Promise<T> {
    this.#limits.check();
    log.fs("%s %s", call, path);
    let value: T;
    try {
      value = await (this.#limits.any ? this.#limits.race(start()) : start());
    } catch (thrown) {
      this.#limits.check();
      throw new FileFailure(call, path, thrown);
    }
    if (!expected(value)) throw new FileFailure(call, path, "the file system answered with something else");
    return value;
  }
}

/** What an injected file system can do at once; it may be anything. */
function promptOf(fs: FileSystem): PromptReads | undefined {
  return typeof fs === "object" && (fs as unknown) !== null ? promptReadsOf(fs) : undefined;
}

/** Whether an absolute path lies below a folder. */
function isInside(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}

const isAnything = (): boolean => true;
const isString = (value: unknown): boolean => typeof value === "string";
const isName = (value: unknown): boolean => typeof value === "string" && /^(?!\.\.?$)[^/]+$/.test(value);
const isNames = (value: unknown): boolean => Array.isArray(value) && value.every(isName);
const isStat = (value: unknown): boolean => {
  const stat = value as Partial<FileStat> | null | undefined;
  return typeof stat?.isDirectory === "function" && typeof stat.isSymbolicLink === "function";
};
