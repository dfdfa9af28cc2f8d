import type { FileStat, FileSystem, WriteOptions } from "../index.js";
import { Errno, systemError } from "./errno.js";
import { asSyscall, type Interference, type OperationName } from "./interference.js";
import type { Directory, KernfsNode } from "./kernel/kernfs.js";
import { mayAccess, walk } from "./kernel/walk.js";

const O_ACCMODE = 3;
const O_RDONLY = 0;
const O_WRONLY = 1;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const PAGE_SIZE = 4096;

/** The file system that the library asks for, and what else of `node:fs/promises` a test may want. */
export interface SimulatedFileSystem extends FileSystem {
  /** The path with every symbolic link in it resolved. */
  realpath(path: string): Promise<string>;
}

/** The tree as one user sees it through `node:fs/promises`. */
export function simulatedFileSystem(
  root: Directory,
  interference: Interference,
  uid: number,
): SimulatedFileSystem {
  async function begin(
    operation: OperationName,
    path: string,
    text?: string,
    signal?: AbortSignal,
  ): Promise<void> {
    const call = { operation, path, ...(text === undefined ? {} : { text }) };
    interference.note(call);
    if (signal?.aborted) throw abortError(signal);
    await Promise.resolve();
    await interference.meet(call);
  }

  async function write(
    operation: "writeFile" | "writeDetached",
    path: string,
    text: string,
    { flag, signal }: WriteOptions,
  ): Promise<void> {
    await begin(operation, path, text, signal);
    const node = asSyscall("open", path, () => open(root, path, flag, uid));
    await Promise.resolve(); // between open and write the object may go away
    for (const command of commands(text)) {
      try {
        await store(node, command);
      } catch (error) {
        throw error instanceof Errno ? systemError(error.errno, "write") : error;
      }
    }
  }

  return {
    async readFile(path) {
      await begin("readFile", path);
      const node = asSyscall("open", path, () => open(root, path, O_RDONLY, uid));
      await Promise.resolve();
      return asSyscall("read", undefined, () => show(node));
    },
    async writeFile(path, text, options) {
      await write("writeFile", path, text, options);
    },
    async writeDetached(path, text, options) {
      await write("writeDetached", path, text, options);
    },
    async readdir(path) {
      await begin("readdir", path);
      return asSyscall("scandir", path, () => {
        const node = walk(root, path, { uid, follow: true });
        if (node.kind !== "directory") throw new Errno("ENOTDIR");
        if (!mayAccess(node, uid, 4)) throw new Errno("EACCES");
        return node.names.sort((a, b) => hash(a) - hash(b));
      });
    },
    async readlink(path) {
      await begin("readlink", path);
      return asSyscall("readlink", path, () => {
        const node = walk(root, path, { uid, follow: false });
        if (node.kind !== "link") throw new Errno("EINVAL");
        return node.target;
      });
    },
    async realpath(path) {
      await begin("realpath", path);
      return asSyscall("realpath", path, () => walk(root, path, { uid, follow: true }).path || "/");
    },
    async lstat(path) {
      await begin("lstat", path);
      return asSyscall("lstat", path, () => statOf(walk(root, path, { uid, follow: false })));
    },
  };
}

function open(root: Directory, path: string, flags: number, uid: number): KernfsNode {
  const node = find(root, path, flags, uid);
  const access = flags & O_ACCMODE;
  const reads = access !== O_WRONLY;
  const writes = access !== O_RDONLY;
  if (flags & O_CREAT && flags & O_EXCL) throw new Errno("EEXIST");
  if (node.kind === "directory" && (writes || flags & O_CREAT)) throw new Errno("EISDIR");
  if ((reads && !mayAccess(node, uid, 4)) || (writes && !mayAccess(node, uid, 2))) throw new Errno("EACCES");
  if (node.kind === "character") node.open();
  // sysfs asks the mode once more, for root too
  if (node.kind === "file" && reads && !(node.permissions & 0o444)) throw new Errno("EACCES");
  if (node.kind === "file" && writes && !(node.permissions & 0o222)) throw new Errno("EACCES");
  return node;
}

function find(root: Directory, path: string, flags: number, uid: number): KernfsNode {
  try {
    return walk(root, path, { uid, follow: true });
  } catch (error) {
    if (!(error instanceof Errno) || error.errno !== "ENOENT" || !(flags & O_CREAT)) throw error;
    // the folder is there and the file is not: sysfs lets nobody make one
    walk(root, path.slice(0, path.lastIndexOf("/")), { uid, follow: true });
    throw new Errno("EACCES");
  }
}

function show(node: KernfsNode): string {
  if (node.kind === "directory") throw new Errno("EISDIR");
  if (node.kind !== "file") throw new Errno("EINVAL");
  if (!node.alive) throw new Errno("ENODEV");
  if (node.handlers.read === undefined) throw new Errno("EIO");
  return node.handlers.read();
}

async function store(node: KernfsNode, command: string): Promise<void> {
  if (node.kind !== "file") throw new Errno("EINVAL");
  if (!node.alive) throw new Errno("ENODEV");
  if (node.handlers.write === undefined) throw new Errno("EIO");
  await node.handlers.write(command);
}

/** Each write is one command, and the kernel takes no more than a page: Node sends the rest in further writes. */
function commands(text: string): string[] {
  const bytes = new TextEncoder().encode(text);
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const pages = Math.ceil(bytes.length / PAGE_SIZE);
  return Array.from({ length: pages }, (_, page) =>
    decoder.decode(bytes.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE)),
  );
}

function statOf({ mode, ino, kind }: KernfsNode): FileStat {
  return {
    mode,
    ino,
    isDirectory: () => kind === "directory",
    isFile: () => kind === "file",
    isSymbolicLink: () => kind === "link",
  };
}

// kernfs keeps its entries by a hash of their names, so that a listing has no order anyone could rely on
function hash(name: string): number {
  let sum = 0;
  for (let i = 0; i < name.length; i++) sum = (Math.imul(sum, 31) + name.charCodeAt(i)) | 0;
  return Math.imul(sum, 0x9e3779b1);
}

function abortError(signal: AbortSignal): Error {
  const error = new Error("The operation was aborted", { cause: signal.reason });
  return Object.assign(error, { name: "AbortError", code: "ABORT_ERR" });
}
