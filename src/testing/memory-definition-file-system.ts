import type { DefinitionFileStat, DefinitionFileSystem } from "../definitions/index.js";
import type { ChangeSource } from "../index.js";
import type { ErrnoName } from "./errno.js";
import { Changes } from "./kernel/changes.js";

type Node =
  | { readonly kind: "folder" }
  | { readonly kind: "file"; readonly text: string; readonly mode: number; readonly modified: number }
  | { readonly kind: "link"; readonly target: string };

/**
 * Files in memory, for a `DefinitionStore` of `vfio-mdev/definitions`. It has no folder at first; a store makes its own, as far
 * as the folder above is there, and that always is here.
 *
 * @example
 * ```ts
 * import { DefinitionStore } from "vfio-mdev/definitions";
 * import { MemoryDefinitionFileSystem } from "vfio-mdev/testing";
 *
 * const fs = new MemoryDefinitionFileSystem({ "/etc/mdevctl.d/mtty/no-uuid": "" });
 * const { problems } = await new DefinitionStore({ fs }).list().getOrThrow();
 * console.log(problems[0]?.path); // prints: /etc/mdevctl.d/mtty/no-uuid
 * ```
 */
export class MemoryDefinitionFileSystem implements DefinitionFileSystem {
  readonly #nodes = new Map<string, Node>();
  readonly #changes = new Changes();

  /** With these files, by their paths, and the folders that they are in. */
  constructor(files: Readonly<Record<string, string>> = {}) {
    for (const [path, text] of Object.entries(files)) this.write(path, text);
  }

  /** All files with their texts, by path. */
  get files(): Readonly<Record<string, string>> {
    const files = [...this.#nodes].flatMap(([path, node]) =>
      node.kind === "file" ? [[path, node.text]] : [],
    );
    return Object.fromEntries(files.sort(([a = ""], [b = ""]) => (a < b ? -1 : 1))) as Record<string, string>;
  }

  /** Writes a file in place, as another program does. */
  write(path: string, text: string): void {
    for (let at = path.indexOf("/", 1); at !== -1; at = path.indexOf("/", at + 1))
      if (!this.#nodes.has(path.slice(0, at))) this.#set(path.slice(0, at), { kind: "folder" });
    this.#set(path, { kind: "file", text, mode: 0o644, modified: Date.now() });
  }

  /** Makes a symbolic link. */
  symlink(target: string, path: string): void {
    this.#set(path, { kind: "link", target });
  }

  /** The names in a folder. */
  async readdir(path: string): Promise<readonly string[]> {
    if (this.#at(path).kind !== "folder") throw failure("ENOTDIR", path);
    const within = [...this.#nodes.keys()].filter((each) => each.startsWith(`${path}/`));
    return within.map((each) => each.slice(path.length + 1)).filter((name) => !name.includes("/"));
  }

  /** What a path is. */
  async lstat(path: string): Promise<DefinitionFileStat> {
    const node = this.#at(path);
    if (node.kind === "file") return { kind: "file", mode: node.mode, modified: node.modified };
    return { kind: node.kind, mode: 0o755, modified: 0 };
  }

  /** The text of a file. */
  async readFile(path: string): Promise<string> {
    return this.#file(path).text;
  }

  /** Makes a folder. */
  async mkdir(path: string): Promise<void> {
    this.#free(path);
    this.#set(path, { kind: "folder" });
  }

  /** Makes a file. */
  async create(path: string, text: string, mode = 0o644): Promise<void> {
    this.#free(path);
    this.#set(path, { kind: "file", text, mode, modified: Date.now() });
  }

  /** Gives a file another name. */
  async rename(from: string, to: string): Promise<void> {
    const file = this.#file(from);
    if (this.#nodes.get(to)?.kind === "folder") throw failure("EISDIR", to);
    this.#set(to, file);
    this.#delete(from);
  }

  /** Gives a file a second name. */
  async link(from: string, to: string): Promise<void> {
    const file = this.#file(from);
    this.#free(to);
    this.#set(to, file);
  }

  /** Takes a name away. */
  async unlink(path: string): Promise<void> {
    if (this.#at(path).kind === "folder") throw failure("EISDIR", path);
    this.#delete(path);
  }

  /** Does nothing: there is no disk. */
  async sync(): Promise<void> {
    // what is in memory is where it will ever be
  }

  /** Tells of every change at once, wherever it is. */
  changes(): ChangeSource {
    return this.#changes;
  }

  #set(path: string, node: Node): void {
    this.#nodes.set(path, node);
    this.#changes.tell();
  }

  #delete(path: string): void {
    this.#nodes.delete(path);
    this.#changes.tell();
  }

  #at(path: string): Node {
    const node = this.#nodes.get(path);
    if (node === undefined) throw failure("ENOENT", path);
    return node;
  }

  #file(path: string): Node & { readonly kind: "file" } {
    const node = this.#at(path);
    if (node.kind === "file") return node;
    throw failure(node.kind === "link" ? "ELOOP" : "EISDIR", path);
  }

  #free(path: string): void {
    if (this.#nodes.has(path)) throw failure("EEXIST", path);
  }
}

function failure(code: ErrnoName | "ELOOP", path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
