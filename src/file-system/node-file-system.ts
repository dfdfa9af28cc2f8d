import { fs, promises } from "./node-fs.js";
import { DetachedWriter } from "./detached-writer.js";
import type { FileStat, FileSystem, WriteOptions } from "./file-system.js";
import { PromptReads } from "./prompt-reads.js";
import { ThreadGate } from "./thread-gate.js";

const READS = ["readFile", "readdir", "readlink", "lstat"] as const;

/**
 * What a file system can do at once: {@link NodeFileSystem}, unless all its reads are to be in the pool, or somebody
 * overrode one of its methods.
 */
export let promptReadsOf: (system: FileSystem) => PromptReads | undefined;

/** How {@link NodeFileSystem} reads. */
export interface NodeFileSystemOptions {
  /**
   * How `readFile` works; folders and links are always read at once, as no driver can hold that up. `auto` (the
   * default): synchronously, in slices of 2 ms, which is ten times faster than the thread pool; in the pool while a
   * device is being written to, and for a while after one was slow. `pool`: always in the pool. There, one at a time is
   * read in the whole process.
   */
  readonly reads?: "auto" | "pool";
}

/**
 * The local file system: the default of {@link MdevHost}.
 *
 * Reads are short synchronous calls with regular turns of the event loop between them. Writes run in the thread pool,
 * at most two at a time in the whole process; those that may never return, in a process of their own.
 *
 * @example
 * ```ts
 * import { MdevHost, NodeFileSystem } from "vfio-mdev";
 *
 * const host = new MdevHost({ fs: new NodeFileSystem({ reads: "pool" }) });
 * const { mdev } = await host.support().getOrThrow(); // whether this machine has mediated devices
 * console.log(typeof mdev); // prints: boolean
 * ```
 */
export class NodeFileSystem implements FileSystem {
  readonly #pool: boolean;
  readonly #prompt = new PromptReads();
  readonly #writes = new ThreadGate("write");
  readonly #reads = new ThreadGate("read");
  readonly #detached = new DetachedWriter();

  static {
    const isOurs = (system: FileSystem): system is NodeFileSystem =>
      #prompt in system && READS.every((name) => system[name] === NodeFileSystem.prototype[name]);
    promptReadsOf = (system) => (isOurs(system) && !system.#pool ? system.#prompt : undefined);
  }

  /** `reads` is `auto` where it is not given. */
  constructor({ reads = "auto" }: NodeFileSystemOptions = {}) {
    this.#pool = reads === "pool";
  }

  /**
   * The text of a file, with one `read` call where it fits a page. A pipe in place of a file is not waited for, unless in
   * the pool: what it has not got yet is empty, or EAGAIN.
   */
  async readFile(path: string, encoding: "utf8"): Promise<string> {
    while (this.#prompt.due) await this.#prompt.turn();
    if (this.#pool || this.#prompt.mayBlock(path)) return this.#readInPool(path, encoding);
    return this.#prompt.text(path);
  }

  /** Writes a whole text with one `write` call, in the thread pool. */
  async writeFile(path: string, text: string, { flag, signal }: WriteOptions): Promise<void> {
    const leave = await this.#writes.enter(signal);
    try {
      await this.#prompt.whileWriting(path, () => writeOnce(path, text, flag, signal));
    } finally {
      leave();
    }
  }

  /** The same from a process of its own, for writes that the kernel may hold up without end. */
  async writeDetached(path: string, text: string, { flag, signal }: WriteOptions): Promise<void> {
    await this.#prompt.whileWriting(path, () => this.#detached.write(path, text, flag, signal));
  }

  /** The names in a folder. */
  async readdir(path: string): Promise<string[]> {
    while (this.#prompt.due) await this.#prompt.turn();
    return fs.readdirSync(path);
  }

  /** The target of a symbolic link. */
  async readlink(path: string): Promise<string> {
    while (this.#prompt.due) await this.#prompt.turn();
    return fs.readlinkSync(path);
  }

  /** What a path is. */
  async lstat(path: string): Promise<FileStat> {
    while (this.#prompt.due) await this.#prompt.turn();
    return fs.lstatSync(path);
  }

  async #readInPool(path: string, encoding: "utf8"): Promise<string> {
    const leave = await this.#reads.enter();
    try {
      return await promises.readFile(path, encoding);
    } finally {
      leave();
    }
  }
}

/** The local file system with its defaults. */
export const nodeFileSystem: NodeFileSystem = /* @__PURE__ */ new NodeFileSystem();

async function writeOnce(path: string, text: string, flag: number, signal?: AbortSignal): Promise<void> {
  const file = await promises.open(path, flag);
  try {
    signal?.throwIfAborted();
    const size = Buffer.byteLength(text);
    const { bytesWritten } = await file.write(text);
    if (bytesWritten !== size) throw new Error(`only ${bytesWritten} of ${size} bytes were taken`);
  } finally {
    await file.close();
  }
}
