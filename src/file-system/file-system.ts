/** What the library asks `lstat` about: a narrow view of node's `Stats`. */
export interface FileStat {
  /** File type and permission bits, as `st_mode` holds them. */
  readonly mode: number;
  /** Inode number: two looks at one kernel object give the same one, another object has another one; 0 where there is none. */
  readonly ino: number;
  /** Whether it is a folder. */
  isDirectory(): boolean;
  /** Whether it is an ordinary file, as every sysfs attribute is. */
  isFile(): boolean;
  /** Whether it is a symbolic link. */
  isSymbolicLink(): boolean;
}

/** How {@link FileSystem.writeFile} opens its file. */
export interface WriteOptions {
  /**
   * The number to open with; the library always passes `O_WRONLY` (1), without `O_CREAT` and `O_TRUNC`,
   * so that a missing attribute answers ENOENT and nothing is ever created.
   */
  readonly flag: number;
  /** Aborted before the write began: nothing may be written any more. A write that has begun goes on. */
  readonly signal?: AbortSignal;
}

/**
 * All that the library asks of a file system. `node:fs/promises` satisfies it as it is, and so can a
 * container's mount, a remote host, a recording or `SimulatedHost` of `vfio-mdev/testing`.
 *
 * For implementers:
 *
 * - A failure rejects with an `Error` that has node's `code` (`"ENOENT"`) or `errno` (`-2`). Anything else that is
 *   thrown or rejected ends as an `io` error.
 * - `writeFile` reaches the kernel as **one** `write` call of the whole text: sysfs takes each write as a command.
 * - `readFile` gives the whole text as it is: nothing trimmed, nothing cached, nothing retried.
 * - Paths are absolute and have no `.` or `..` in them.
 *
 * @example
 * ```ts
 * import * as fs from "node:fs/promises";
 * import { MdevHost } from "vfio-mdev";
 *
 * const host = new MdevHost({ fs });
 * const { mdev } = await host.support().getOrThrow(); // whether this machine has mediated devices
 * console.log(typeof mdev); // prints: boolean
 * ```
 */
export interface FileSystem {
  /** The text of a file. */
  readFile(path: string, encoding: "utf8"): Promise<string>;
  /** Writes a whole text with one `write` call into a file that exists. */
  writeFile(path: string, text: string, options: WriteOptions): Promise<void>;
  /** The names in a folder, in any order, without `.` and `..`. */
  readdir(path: string): Promise<string[]>;
  /** The target of a symbolic link, as it is stored. */
  readlink(path: string): Promise<string>;
  /** What a path is, without following a link at its end. */
  lstat(path: string): Promise<FileStat>;
  /**
   * Like `writeFile`, for writes that the kernel may hold up without end (removing a device that a virtual
   * machine has open). They must neither keep the process from exiting nor take a thread that other file
   * operations need. Where it is missing, `writeFile` is used.
   */
  writeDetached?(path: string, text: string, options: WriteOptions): Promise<void>;
}
