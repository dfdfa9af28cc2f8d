import type { FileStat, FileSystem } from "../index.js";
import type { RecordedEntry, RecordedFolder, Recording } from "./recording.js";

const KIND_BITS = { folder: 0o040000, file: 0o100000, link: 0o120000, node: 0o020000 } as const;
/** The kernel's own limit of links in a path. */
const MOST_LINKS = 40;
/** A folder that leads to what was recorded, and was not recorded itself. */
const PLACE: RecordedFolder = { kind: "folder", mode: "0755", partial: true };

type Known = Exclude<RecordedEntry, { readonly kind: "unknown" }>;

/** Answers what was recorded, and takes nothing. */
export class ReplayFileSystem implements FileSystem {
  readonly #entries = new Map<string, RecordedEntry>();
  /** The names in each folder, recorded or not, by its path. */
  readonly #names = new Map<string, Set<string>>([
    ["", new Set(["sys", "dev"])], // those of a host that has nothing, too
    ["/sys", new Set()],
    ["/dev", new Set()],
  ]);

  constructor(entries: Recording["entries"]) {
    for (const [path, entry] of Object.entries(entries)) {
      this.#entries.set(path, entry);
      this.#place(path);
    }
  }

  async readFile(path: string): Promise<string> {
    const entry = this.#find("read", path, true);
    if (entry.kind === "folder") throw failure("EISDIR", "read", path);
    if (entry.kind !== "file" || (entry.text === undefined && entry.errno === undefined))
      throw notHeld("read", path);
    if (entry.errno !== undefined) throw failure(entry.errno, "read", path);
    return entry.text ?? "";
  }

  async writeFile(path: string): Promise<void> {
    const { kind } = this.#find("open", path, true);
    throw failure(kind === "folder" ? "EISDIR" : "EROFS", "open", path);
  }

  async readdir(path: string): Promise<string[]> {
    const { at, entry } = this.#walk("scandir", path, true);
    if (entry.kind !== "folder") throw failure("ENOTDIR", "scandir", path);
    if (entry.errno !== undefined) throw failure(entry.errno, "scandir", path);
    if (entry.partial === true) throw notHeld("scandir", path);
    return [...(this.#names.get(at) ?? [])];
  }

  async readlink(path: string): Promise<string> {
    const entry = this.#find("readlink", path, false);
    if (entry.kind !== "link") throw failure("EINVAL", "readlink", path);
    return entry.target;
  }

  async lstat(path: string): Promise<FileStat> {
    const { kind, mode, ino = 0 } = this.#find("lstat", path, false);
    return {
      mode: KIND_BITS[kind] | Number.parseInt(mode, 8),
      ino,
      isDirectory: () => kind === "folder",
      isFile: () => kind === "file",
      isSymbolicLink: () => kind === "link",
    };
  }

  #find(call: string, path: string, follow: boolean): Known {
    return this.#walk(call, path, follow).entry;
  }

  /** What is at a path, and its path without links; those on the way are followed, the one at its end on request. */
  #walk(call: string, path: string, follow: boolean): { readonly at: string; readonly entry: Known } {
    const rest = path.split("/");
    let at = "";
    let entry: Known = PLACE;
    let links = 0;
    for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
      if (name === "" || name === ".") continue;
      if (entry.kind !== "folder") throw failure("ENOTDIR", call, path);
      if (name === "..") {
        at = at.slice(0, Math.max(0, at.lastIndexOf("/")));
        entry = this.#folder(at);
        continue;
      }
      const next = `${at}/${name}`;
      const found = this.#entries.get(next) ?? (this.#names.has(next) ? PLACE : undefined);
      if (found === undefined) throw this.#missing(at, call, path);
      if (found.kind === "unknown") throw failure(found.errno, call, path);
      if (found.kind === "link" && (follow || rest.some((part) => part !== ""))) {
        if (++links > MOST_LINKS) throw failure("ELOOP", call, path);
        if (found.target.startsWith("/")) [at, entry] = ["", PLACE];
        rest.unshift(...found.target.split("/"));
        continue;
      }
      [at, entry] = [next, found];
    }
    return { at, entry };
  }

  #folder(path: string): RecordedFolder {
    const entry = this.#entries.get(path);
    return entry?.kind === "folder" ? entry : PLACE;
  }

  /** Why there is nothing of a name in a folder. */
  #missing(folder: string, call: string, path: string): Error {
    const entry = this.#entries.get(folder);
    if (entry?.kind !== "folder") return failure("ENOENT", call, path);
    if (entry.errno !== undefined) return failure(entry.errno, call, path);
    return entry.partial === true ? notHeld(call, path) : failure("ENOENT", call, path);
  }

  /** Puts a path, and the folders that lead to it, into the lists of names. */
  #place(path: string): void {
    for (let at = path, isNew = true; isNew;) {
      const slash = at.lastIndexOf("/");
      const folder = at.slice(0, slash);
      const names = this.#names.get(folder);
      isNew = names === undefined;
      this.#names.set(folder, (names ?? new Set()).add(at.slice(slash + 1)));
      at = folder;
    }
  }
}

function failure(code: string, call: string, path: string, words = "as it was recorded"): Error {
  return Object.assign(new Error(`${code}: ${words}, ${call} '${path}'`), { code, syscall: call, path });
}

function notHeld(call: string, path: string): Error {
  return failure("ENODATA", call, path, "the recording does not hold it");
}
