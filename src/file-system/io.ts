import { FileFailure, Interruption, isAbsent, OutsideFailure } from "./failure.js";
import type { FileStat, FileSystem } from "./file-system.js";
import type { Limits } from "./limits.js";
import { log } from "../log.js";

const O_WRONLY = 1;

/**
 * The file system as one operation uses it: under that operation's limits, and with every way in which an injected
 * implementation can misbehave turned into a {@link FileFailure}.
 */
export class Io {
  readonly #fs: FileSystem;
  readonly #limits: Limits;

  constructor(fs: FileSystem, limits: Limits) {
    this.#fs = fs;
    this.#limits = limits;
  }

  readFile(path: string): Promise<string> {
    return this.#call("readFile", path, () => this.#fs.readFile(path, "utf8"), isString);
  }

  readdir(path: string): Promise<string[]> {
    return this.#call("readdir", path, () => this.#fs.readdir(path), isNames);
  }

  readlink(path: string): Promise<string> {
    return this.#call("readlink", path, () => this.#fs.readlink(path), isString);
  }

  lstat(path: string): Promise<FileStat> {
    return this.#call("lstat", path, () => this.#fs.lstat(path), isStat);
  }

  /** The real path of an attribute, refused where it lies outside the root. */
  async resolve(path: string, root: string): Promise<string> {
    const real = await this.#realpath(path);
    if (isInside(real, root) || isInside(real, await this.#realpath(root))) return real;
    throw new OutsideFailure(path, real);
  }

  /** Writes a whole text at once. `begun` gets the write itself, which goes on when the limits strike. */
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

  async isDirectory(path: string): Promise<boolean> {
    try {
      return (await this.lstat(path)).isDirectory();
    } catch (thrown) {
      if (isAbsent(thrown)) return false;
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

  #realpath(path: string): Promise<string> {
    return this.#call("realpath", path, () => this.#fs.realpath(path), isString);
  }

  async #write(
    call: "writeFile" | "writeDetached",
    path: string,
    text: string,
    begun?: (write: Promise<void>) => void,
  ): Promise<void> {
    const { signal } = this.#limits;
    const options = signal === undefined ? { flag: O_WRONLY } : { flag: O_WRONLY, signal };
    const progress = { begun: false };
    const start = (): Promise<void> => {
      progress.begun = true;
      const write = (async () => this.#fs[call]?.(path, text, options))();
      begun?.(write);
      return write;
    };
    log.write("%s <- %o", path, text);
    try {
      await this.#call(call, path, start, isAnything);
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
      value = await this.#limits.race(start());
    } catch (thrown) {
      this.#limits.check();
      throw new FileFailure(call, path, thrown);
    }
    if (!expected(value)) throw new FileFailure(call, path, "the file system answered with something else");
    return value;
  }
}

/** Whether an absolute path lies below a folder. */
export function isInside(path: string, folder: string): boolean {
  return folder === "/" || path.startsWith(`${folder}/`);
}

const isAnything = (): boolean => true;
const isString = (value: unknown): boolean => typeof value === "string";
const isName = (value: unknown): boolean => typeof value === "string" && /^(?!\.\.?$)[^/]+$/.test(value);
const isNames = (value: unknown): boolean => Array.isArray(value) && value.every(isName);
const isStat = (value: unknown): boolean =>
  typeof (value as Partial<FileStat> | null | undefined)?.isDirectory === "function";
