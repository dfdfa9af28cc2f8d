import { Errno } from "../errno.js";

const KIND_BITS = { directory: 0o040000, file: 0o100000, link: 0o120000, character: 0o020000 } as const;

/** What stands behind a file: kernfs asks on every read and write. */
export interface FileHandlers {
  /** `show`: absent means the file answers EIO even where its mode allows reading. */
  readonly read?: () => string;
  /** `store`: one call for each write command. */
  readonly write?: (text: string) => void | Promise<void>;
}

interface NodeFacts {
  readonly name: string;
  readonly permissions: number;
  readonly parent: Directory | undefined;
  readonly ino: number;
}

/** What all folders of one tree share. */
interface Tree {
  readonly takeIno: () => number;
  /** Told of each object that comes or goes. */
  readonly changed: () => void;
}

/** One object of the tree: alive until it is removed, and never again after that. */
abstract class Node {
  abstract readonly kind: keyof typeof KIND_BITS;
  readonly name: string;
  readonly ino: number;
  readonly parent: Directory | undefined;
  permissions: number;
  owner = 0;
  alive = true;

  constructor(facts: NodeFacts) {
    this.name = facts.name;
    this.ino = facts.ino;
    this.parent = facts.parent;
    this.permissions = facts.permissions;
  }

  get mode(): number {
    return KIND_BITS[this.kind] | this.permissions;
  }

  get path(): string {
    return this.parent === undefined ? "" : `${this.parent.path}/${this.name}`;
  }

  /** Takes the object and all below it out of the tree; whoever holds it open gets ENODEV from now on. */
  remove(): void {
    this.alive = false;
    this.parent?.forget(this as unknown as KernfsNode);
  }
}

/** A file: a sysfs attribute, or anything else whose text is made on reading. */
export class FileNode extends Node {
  readonly kind = "file";
  readonly handlers: FileHandlers;

  constructor(facts: NodeFacts, handlers: FileHandlers) {
    super(facts);
    this.handlers = handlers;
  }
}

/** A symbolic link. */
export class LinkNode extends Node {
  readonly kind = "link";
  target: string;

  constructor(facts: NodeFacts, target: string) {
    super(facts);
    this.target = target;
  }
}

/** A character device: nothing to read, but opening it may be refused. */
export class CharacterNode extends Node {
  readonly kind = "character";
  readonly open: () => void;

  constructor(facts: NodeFacts, open: () => void) {
    super(facts);
    this.open = open;
  }
}

/** A folder, and the only place where objects are made. */
export class Directory extends Node {
  readonly kind = "directory";
  readonly #entries = new Map<string, KernfsNode>();
  readonly #tree: Tree;

  constructor(facts: NodeFacts, tree: Tree) {
    super(facts);
    this.#tree = tree;
  }

  /** The root of a new tree; `changed` is told of each object that comes or goes in it. */
  static root(changed: () => void = () => undefined): Directory {
    let last = 1;
    const tree = { takeIno: () => ++last, changed };
    return new Directory({ name: "", permissions: 0o755, parent: undefined, ino: 1 }, tree);
  }

  get(name: string): KernfsNode | undefined {
    return this.#entries.get(name);
  }

  get names(): string[] {
    return [...this.#entries.keys()];
  }

  directory(name: string, permissions = 0o755): Directory {
    return this.#add(new Directory(this.#facts(name, permissions), this.#tree));
  }

  file(name: string, permissions: number, handlers: FileHandlers): FileNode {
    return this.#add(new FileNode(this.#facts(name, permissions), handlers));
  }

  /** A link to an object, relative as the kernel makes it, or to a text that is kept as it is. */
  link(name: string, target: KernfsNode | string, permissions = 0o777): LinkNode {
    const text = typeof target === "string" ? target : relative(this, target);
    return this.#add(new LinkNode(this.#facts(name, permissions), text));
  }

  character(name: string, permissions: number, open: () => void = () => undefined): CharacterNode {
    return this.#add(new CharacterNode(this.#facts(name, permissions), open));
  }

  /** The folder at a relative path, made where it is missing. */
  ensure(path: string): Directory {
    return steps(path).reduce<Directory>((folder, name) => {
      const there = folder.get(name) ?? folder.directory(name);
      if (there.kind !== "directory") throw new Error(`${there.path} is no folder`);
      return there;
    }, this);
  }

  /** Removes the folder when nothing is left in it, and then the folders above it, up to `top`. */
  prune(top: Directory): void {
    if (this === top || !this.alive || this.#entries.size > 0) return;
    this.remove();
    this.parent?.prune(top);
  }

  override remove(): void {
    for (const entry of [...this.#entries.values()]) entry.remove();
    super.remove();
  }

  forget(entry: KernfsNode): void {
    if (this.#entries.get(entry.name) !== entry) return;
    this.#entries.delete(entry.name);
    this.#tree.changed();
  }

  #facts(name: string, permissions: number): NodeFacts {
    return { name, permissions, parent: this, ino: this.#tree.takeIno() };
  }

  #add<N extends KernfsNode>(node: N): N {
    if (!this.alive) throw new Errno("ENOENT");
    if (this.#entries.has(node.name)) throw new Error(`${node.path} exists already`);
    this.#entries.set(node.name, node);
    this.#tree.changed();
    return node;
  }
}

/** Any object of the tree. */
export type KernfsNode = Directory | FileNode | LinkNode | CharacterNode;

/** The parts of a path. */
export function steps(path: string): string[] {
  return path.split("/").filter((name) => name !== "");
}

// As kernfs does it: up to the first folder that also holds the target, which is never the target itself.
function relative(from: Directory, target: KernfsNode): string {
  const above: Directory[] = [];
  for (let folder = target.parent; folder; folder = folder.parent) above.push(folder);
  let up = 0;
  let common: Directory = from;
  while (!above.includes(common) && common.parent) {
    common = common.parent;
    up++;
  }
  return "../".repeat(up) + target.path.slice(common.path.length + 1);
}
