import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

/** A new folder that goes with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "vfio-mdev-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What a path of a tree is: a file's text, `null` for a folder, or where a link leads. */
export type Entry = string | null | { readonly link: string };

/** Makes the entries of a tree, and the folders that they are in. */
export function makeTree(root: string, tree: Readonly<Record<string, Entry>>): string {
  for (const [name, entry] of Object.entries(tree)) {
    const path = join(root, name);
    mkdirSync(entry === null ? path : dirname(path), { recursive: true });
    if (typeof entry === "string") writeFileSync(path, entry);
    else if (entry !== null) symlinkSync(entry.link, path);
  }
  return root;
}

/** A named pipe: opening it to write blocks until somebody opens it to read, as a driver can block. */
export class Fifo {
  readonly path: string;
  #reader: number | undefined;

  constructor(folder: string, name: string) {
    this.path = join(folder, name);
    mkdirSync(dirname(this.path), { recursive: true });
    execFileSync("mkfifo", [this.path]);
    onTestFinished(() => this.#close());
  }

  /** Opens it to read: whoever waits to write goes on. */
  release(): void {
    this.#reader ??= openSync(this.path, constants.O_RDONLY | constants.O_NONBLOCK);
  }

  /** What is in it now; `undefined` where a writer has written nothing yet, `""` where there is no writer. */
  read(): string | undefined {
    this.release();
    const chunk = Buffer.alloc(65_536);
    try {
      return chunk.toString("utf8", 0, readSync(this.#reader ?? -1, chunk));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return undefined;
      throw error;
    }
  }

  /** Every chunk that comes until the writers have gone. */
  async chunks(): Promise<string[]> {
    const chunks: string[] = [];
    for (;;) {
      const chunk = this.read();
      if (chunk === "" && chunks.length > 0) return chunks;
      if (chunk !== undefined && chunk !== "") chunks.push(chunk);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #close(): void {
    if (this.#reader !== undefined) closeSync(this.#reader);
    this.#reader = undefined;
  }
}
