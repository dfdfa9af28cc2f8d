import * as fs from "node:fs";
import * as promises from "node:fs/promises";
import { DetachedWriter } from "./detached-writer.js";
import type { FileStat, FileSystem, WriteOptions } from "./file-system.js";
import { ThreadGate } from "./thread-gate.js";

const PAGE = 4096;
// A pipe in place of an attribute must not hold up the event loop; to sysfs the second flag is nothing.
const READ = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK;
/** After so many milliseconds of reading without a pause, the event loop gets its turn. */
const SLICE = 2;
/** A read that took longer marks its device as slow. */
const SLOW = 20;

// The folder of the device (parent) that a path belongs to: what comes before its types, its mdevs, its vendor files.
const DEVICE_FOLDER =
  /^(.*?)\/(?:mdev_supported_types|nvidia|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\/|$)/;

/** How {@link NodeFileSystem} reads. */
export interface NodeFileSystemOptions {
  /**
   * How `readFile` works; folders and links are always read at once, as no driver can hold that up. `auto` (the
   * default): synchronously, in slices of 2 ms, which is ten times faster than the thread pool; in the pool while a
   * device is being written to, and for good once one was slow. `pool`: always in the pool. There, one at a time is read in
   * the whole process.
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
 * ```
 */
export class NodeFileSystem implements FileSystem {
  readonly #pool: boolean;
  readonly #page = Buffer.allocUnsafe(PAGE);
  readonly #writes = new ThreadGate("write");
  readonly #reads = new ThreadGate("read");
  readonly #detached = new DetachedWriter();
  readonly #written = new Map<string, number>();
  readonly #slow = new Set<string>();
  #sliceStart = 0;
  #turn: Promise<void> | undefined;

  constructor({ reads = "auto" }: NodeFileSystemOptions = {}) {
    this.#pool = reads === "pool";
  }

  /**
   * The text of a file, with one `read` call where it fits a page. A pipe in place of a file is not waited for, unless in
   * the pool: what it has not got yet is empty, or EAGAIN.
   */
  async readFile(path: string, encoding: "utf8"): Promise<string> {
    while (this.#sliceIsOver()) await this.#nextTurn();
    if (this.#pool || this.#mayBlock(path)) return this.#readInPool(path, encoding);
    const begun = performance.now();
    const text = this.#readNow(path);
    if (performance.now() - begun > SLOW) this.#slow.add(deviceFolder(path));
    return text;
  }

  /** Writes a whole text with one `write` call, in the thread pool. */
  async writeFile(path: string, text: string, { flag, signal }: WriteOptions): Promise<void> {
    const leave = await this.#writes.enter(signal);
    try {
      await this.#whileWriting(path, () => writeOnce(path, text, flag, signal));
    } finally {
      leave();
    }
  }

  /** The same from a process of its own, for writes that the kernel may hold up without end. */
  async writeDetached(path: string, text: string, { flag, signal }: WriteOptions): Promise<void> {
    await this.#whileWriting(path, () => this.#detached.write(path, text, flag, signal));
  }

  /** The names in a folder. */
  async readdir(path: string): Promise<string[]> {
    while (this.#sliceIsOver()) await this.#nextTurn();
    return fs.readdirSync(path);
  }

  /** The target of a symbolic link. */
  async readlink(path: string): Promise<string> {
    while (this.#sliceIsOver()) await this.#nextTurn();
    return fs.readlinkSync(path);
  }

  /** What a path is. */
  async lstat(path: string): Promise<FileStat> {
    while (this.#sliceIsOver()) await this.#nextTurn();
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

  #readNow(path: string): string {
    const file = fs.openSync(path, READ);
    try {
      const size = fs.readSync(file, this.#page, 0, PAGE, null);
      if (size < PAGE) return this.#page.toString("utf8", 0, size);
      // Pages of 64 KiB exist: a full buffer need not be all.
      return Buffer.concat([this.#page.subarray(0, size), fs.readFileSync(file)]).toString("utf8");
    } finally {
      fs.closeSync(file);
    }
  }

  #sliceIsOver(): boolean {
    return performance.now() - this.#sliceStart > SLICE;
  }

  /** Lets the event loop run, and begins a new slice. */
  #nextTurn(): Promise<void> {
    this.#turn ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#turn = undefined;
        this.#sliceStart = performance.now();
        resolve();
      });
    });
    return this.#turn;
  }

  #mayBlock(path: string): boolean {
    if (this.#slow.size === 0 && this.#written.size === 0) return false;
    const folder = deviceFolder(path);
    return this.#slow.has(folder) || this.#written.has(folder);
  }

  async #whileWriting(path: string, write: () => Promise<void>): Promise<void> {
    const folder = deviceFolder(path);
    this.#written.set(folder, (this.#written.get(folder) ?? 0) + 1);
    try {
      await write();
    } finally {
      const others = (this.#written.get(folder) ?? 1) - 1;
      if (others === 0) this.#written.delete(folder);
      else this.#written.set(folder, others);
    }
  }
}

/** The local file system with its defaults. */
export const nodeFileSystem: NodeFileSystem = /* @__PURE__ */ new NodeFileSystem();

function deviceFolder(path: string): string {
  return DEVICE_FOLDER.exec(path)?.[1] ?? path.slice(0, path.lastIndexOf("/"));
}

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
