import { constants } from "node:fs";
import { link, lstat, mkdir, open, readdir, rename, unlink } from "node:fs/promises";
import type { ChangeSource } from "../index.js";
import type { DefinitionFileStat, DefinitionFileSystem } from "./definition-file-system.js";
import { folderSource } from "./folder-source.js";

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
const PERMISSIONS = 0o7777;
const ANYBODY = 0o666; // less the umask, as mdevctl makes its files

/**
 * The files of the local machine: the default of {@link DefinitionStore}. Source of the calls: the manual pages that its members
 * name. All fail with Node's errors, as {@link DefinitionFileSystem} says.
 */
export class NodeDefinitionFileSystem implements DefinitionFileSystem {
  /** `readdir(3)`. */
  async readdir(path: string): Promise<readonly string[]> {
    return readdir(path);
  }

  /** `lstat(2)`. */
  async lstat(path: string): Promise<DefinitionFileStat> {
    const stat = await lstat(path);
    const kind = stat.isFile()
      ? "file"
      : stat.isDirectory()
        ? "folder"
        : stat.isSymbolicLink()
          ? "link"
          : "other";
    return { kind, mode: stat.mode & PERMISSIONS, modified: stat.mtimeMs };
  }

  /** `open(2)` with `O_NOFOLLOW`, and a decoder of UTF-8 that replaces nothing. */
  async readFile(path: string): Promise<string> {
    // A pipe in place of a file must not be waited for.
    const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const bytes = await file.readFile();
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (thrown) {
      if (!(thrown instanceof TypeError)) throw thrown;
      throw Object.assign(new Error(`EILSEQ: ${path} is no UTF-8`, { cause: thrown }), { code: "EILSEQ" });
    } finally {
      await file.close();
    }
  }

  /** `mkdir(2)`. */
  async mkdir(path: string): Promise<void> {
    await mkdir(path);
  }

  /** `open(2)` with `O_EXCL`, `write(2)`, `fsync(2)`. */
  async create(path: string, text: string, mode?: number): Promise<void> {
    const file = await open(path, "wx", mode ?? ANYBODY);
    try {
      if (mode !== undefined) await file.chmod(mode); // whatever the umask says
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** `rename(2)`. */
  async rename(from: string, to: string): Promise<void> {
    await rename(from, to);
  }

  /** `link(2)`. */
  async link(from: string, to: string): Promise<void> {
    await link(from, to);
  }

  /** `unlink(2)`. */
  async unlink(path: string): Promise<void> {
    await unlink(path);
  }

  /** `fsync(2)` of a folder. */
  async sync(folder: string): Promise<void> {
    const file = await open(folder, O_RDONLY);
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** `inotify(7)`, on the folder, those in it and those above it. */
  changes(root: string): ChangeSource {
    return folderSource(root);
  }
}
