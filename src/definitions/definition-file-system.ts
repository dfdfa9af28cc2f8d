import type { ChangeSource } from "../index.js";

/** What {@link DefinitionFileSystem.lstat} tells of a path, itself and not what it links to. */
export interface DefinitionFileStat {
  /** What it is. */
  readonly kind: "file" | "folder" | "link" | "other";
  /** Its permission bits, as a number: 0o644. */
  readonly mode: number;
  /** When it was last written, in milliseconds since 1970. */
  readonly modified: number;
}

/**
 * How a {@link DefinitionStore} reaches its files. {@link NodeDefinitionFileSystem} is the local one, and
 * `MemoryDefinitionFileSystem` of `vfio-mdev/testing` one in memory.
 *
 * For implementers: all paths are absolute. A failure rejects with an `Error` that has node's `code`: `"ENOENT"`, `"EEXIST"`. No
 * call follows a link in the last component of a path. What a call has done stays done when the process is killed.
 */
export interface DefinitionFileSystem {
  /** The names in a folder. */
  readdir(path: string): Promise<readonly string[]>;
  /** What a path is. */
  lstat(path: string): Promise<DefinitionFileStat>;
  /** The text of a file; rejects with EILSEQ where it is no UTF-8, with ELOOP where the path is a link. */
  readFile(path: string): Promise<string>;
  /** Makes a folder; rejects with EEXIST where there is something. */
  mkdir(path: string): Promise<void>;
  /**
   * Makes a file with a text and returns when it is on the disk (fsync); rejects with EEXIST where there is something.
   *
   * @param mode - its permission bits; without it those that the process makes files with
   */
  create(path: string, text: string, mode?: number): Promise<void>;
  /** Gives a file another name, in one step, in place of the file that has it. */
  rename(from: string, to: string): Promise<void>;
  /** Gives a file a second name, in one step; rejects with EEXIST where there is something. */
  link(from: string, to: string): Promise<void>;
  /** Takes a name away. */
  unlink(path: string): Promise<void>;
  /** Returns when the names of a folder are on the disk (fsync). */
  sync(folder: string): Promise<void>;
  /**
   * What tells {@link DefinitionStore.watch} when to look at a folder and the folders in it, none of which need exist. A file
   * system that has none is polled.
   */
  changes?(root: string): ChangeSource;
}
