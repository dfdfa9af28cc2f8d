import { getSystemErrorName } from "node:util";
import type { FileStat, FileSystem } from "../index.js";
import type { RecordedEntry, RecordedFile } from "./recording.js";

/** No attribute of sysfs is longer than a page, and the largest page is this long. */
const LONGEST_TEXT = 64 * 1024;
/** Of a failure that has no name, and of an answer that is none. */
const UNNAMED = "EIO";
/** The folder that the kernel gives every device for its power management: nothing of a mediated device is in it. */
const POWER = "power";

/** Where the trees are mounted, without a slash at the end. */
export interface Mounts {
  readonly sysfs: string;
  readonly dev: string;
}

/** What limits a recording. */
export interface RecorderLimits {
  /** Throws when the operation is given up; asked before each call. */
  readonly check: () => void;
  /** How many bytes the entries may take in all. */
  readonly maxBytes: number;
}

type Answer<T> = { readonly value: T } | { readonly errno: string };

/** Writes down what is at paths, each of them once. Paths are those of the recording. What vanishes meanwhile is left out. */
export class Recorder {
  readonly entries: Map<string, RecordedEntry> = new Map<string, RecordedEntry>();
  readonly #fs: FileSystem;
  readonly #mounts: Mounts;
  readonly #limits: RecorderLimits;
  readonly #listed = new Map<string, readonly string[]>();
  #bytes = 0;
  /** How many entries and texts found no room. */
  #refused = 0;

  constructor(fs: FileSystem, mounts: Mounts, limits: RecorderLimits) {
    this.#fs = fs;
    this.#mounts = mounts;
    this.#limits = limits;
  }

  /** Whether all that was to be written down found room. */
  get complete(): boolean {
    return this.#refused === 0;
  }

  /** Writes down what is at a path, and the text of a file where it is `read`; `undefined`: nothing, or there is no room. */
  async look(
    path: string,
    { read = false }: { readonly read?: boolean } = {},
  ): Promise<RecordedEntry | undefined> {
    const entry = this.entries.get(path) ?? (await this.#find(path));
    if (entry?.kind !== "file" || !read || entry.text !== undefined || entry.errno !== undefined)
      return entry;
    return this.#read(path, entry);
  }

  /** Writes down all that is in a folder, and gives its names; `reads` says the texts of which files. */
  async list(path: string, reads: (name: string) => boolean): Promise<readonly string[]> {
    const listed = this.#listed.get(path);
    if (listed !== undefined) return listed;
    const folder = await this.look(path);
    if (folder?.kind !== "folder") return [];
    const answer = await this.#ask(() => this.#fs.readdir(this.#real(path)), areNames);
    if ("errno" in answer) {
      if (isAbsent(answer.errno)) this.entries.delete(path);
      else this.entries.set(path, { ...folder, errno: answer.errno });
      return [];
    }
    const names: string[] = [];
    this.#listed.set(path, names);
    for (const name of answer.value.sort()) {
      const refused = this.#refused;
      if ((await this.look(`${path}/${name}`, { read: reads(name) })) !== undefined) names.push(name);
      if (this.#refused > refused) return names; // of what follows nothing is known
    }
    const { kind, mode, ino } = folder;
    this.entries.set(path, { kind, mode, ...(ino === undefined ? {} : { ino }) });
    return names;
  }

  /** Writes down all that is in a folder and in those below it, so many of them deep. */
  async listDeep(path: string, depth: number): Promise<void> {
    for (const name of await this.list(path, () => true)) {
      const isFolder = this.entries.get(`${path}/${name}`)?.kind === "folder";
      if (isFolder && depth > 0 && name !== POWER) await this.listDeep(`${path}/${name}`, depth - 1);
    }
  }

  /** The text of a file that is not to be an entry. */
  async textOf(path: string): Promise<string | undefined> {
    const answer = await this.#ask(() => this.#fs.readFile(this.#real(path), "utf8"), isText);
    return "value" in answer ? answer.value : undefined;
  }

  async #find(path: string): Promise<RecordedEntry | undefined> {
    const above = this.entries.get(path.slice(0, path.lastIndexOf("/")));
    if (above !== undefined && above.kind !== "folder") return undefined;
    const real = this.#real(path);
    const answer = await this.#ask(() => this.#fs.lstat(real), isStat);
    if ("errno" in answer) {
      return isAbsent(answer.errno) ? undefined : this.#enter(path, { kind: "unknown", errno: answer.errno });
    }
    const { mode, ino } = answer.value;
    const facts = {
      mode: (mode & 0o7777).toString(8).padStart(4, "0"),
      ...(Number.isSafeInteger(ino) && ino > 0 ? { ino } : {}),
    };
    if (answer.value.isDirectory()) return this.#enter(path, { kind: "folder", ...facts, partial: true });
    if (answer.value.isFile()) return this.#enter(path, { kind: "file", ...facts });
    if (!answer.value.isSymbolicLink()) return this.#enter(path, { kind: "node", ...facts });
    const target = await this.#ask(() => this.#fs.readlink(real), isText);
    if ("value" in target) return this.#enter(path, { kind: "link", ...facts, target: target.value });
    return isAbsent(target.errno) ? undefined : this.#enter(path, { kind: "unknown", errno: target.errno });
  }

  async #read(path: string, entry: RecordedFile): Promise<RecordedEntry | undefined> {
    const answer = await this.#ask(() => this.#fs.readFile(this.#real(path), "utf8"), isText);
    if ("value" in answer) {
      if (answer.value.length <= LONGEST_TEXT) return this.#enter(path, { ...entry, text: answer.value });
      this.#refused++;
      return entry;
    }
    if (!isAbsent(answer.errno)) return this.#enter(path, { ...entry, errno: answer.errno });
    this.entries.delete(path);
    return undefined;
  }

  #enter(path: string, entry: RecordedEntry): RecordedEntry | undefined {
    const known = this.entries.get(path);
    const bytes = bytesOf(path, entry) - (known === undefined ? 0 : bytesOf(path, known));
    if (this.#bytes + bytes > this.#limits.maxBytes) {
      this.#refused++;
      return known;
    }
    this.#bytes += bytes;
    this.entries.set(path, entry);
    return entry;
  }

  async #ask<T>(call: () => Promise<T>, isRight: (value: T) => boolean): Promise<Answer<T>> {
    this.#limits.check();
    try {
      const value = await call();
      return isRight(value) ? { value } : { errno: UNNAMED };
    } catch (thrown) {
      return { errno: errnoOf(thrown) };
    }
  }

  /** Where a path of the recording is in the file system. */
  #real(path: string): string {
    const { sysfs, dev } = this.#mounts;
    return path.replace(/^\/(sys|dev)(?=\/|$)/, (_, tree) => (tree === "sys" ? sysfs : dev));
  }
}

function bytesOf(path: string, entry: RecordedEntry): number {
  return Buffer.byteLength(`${JSON.stringify(path)}:${JSON.stringify(entry)},`);
}

/** The symbolic name of an error; a stranger's file system may throw anything. */
function errnoOf(thrown: unknown): string {
  const isName = (name: unknown): name is string => typeof name === "string" && /^E[A-Z0-9]+$/.test(name);
  try {
    const { code, errno } = Object(thrown) as { readonly code?: unknown; readonly errno?: unknown };
    if (isName(code)) return code;
    const name = typeof errno === "number" ? getSystemErrorName(errno) : undefined;
    return isName(name) ? name : UNNAMED;
  } catch {
    return UNNAMED; // a property that throws, or a number that is none
  }
}

function isAbsent(errno: string): boolean {
  return errno === "ENOENT" || errno === "ENOTDIR";
}

const isText = (value: unknown): boolean => typeof value === "string";
const isName = (value: unknown): boolean => typeof value === "string" && /^(?!\.\.?$)[^/\0]+$/.test(value);
const areNames = (value: unknown): boolean => Array.isArray(value) && value.every(isName);
const isStat = (value: unknown): boolean => {
  const stat = value as Partial<FileStat> | null | undefined;
  const kinds = [stat?.isDirectory, stat?.isFile, stat?.isSymbolicLink];
  return Number.isSafeInteger(stat?.mode) && kinds.every((kind) => typeof kind === "function");
};
