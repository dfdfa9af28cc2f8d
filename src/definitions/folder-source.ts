import { type FSWatcher, watch } from "node:fs";
import { readdir } from "node:fs/promises";
import type { ChangeHint, ChangeSource } from "../index.js";

const CHANGED: ChangeHint = Object.freeze({ type: "changed" });
/** What keeps a folder from being watched now: there is none, or none that may be read. Whoever looks at it is told so. */
const HIDDEN: ReadonlySet<unknown> = new Set(["ENOENT", "ENOTDIR", "EACCES", "ELOOP"]);

/**
 * inotify: what happens in a folder and in the folders in it. The folder need not exist, and may come and go, and so may
 * those above it. It breaks where the system has no more inotify to give.
 */
export function folderSource(root: string): ChangeSource {
  return Object.freeze({
    async *hints(signal: AbortSignal) {
      const watchers = new Watchers(root);
      const close = (): void => watchers.close();
      signal.addEventListener("abort", close, { once: true });
      try {
        while (!signal.aborted) {
          await watchers.settle(); // first: nothing that happens after the hint may be missed
          yield CHANGED;
          await watchers.news();
        }
      } finally {
        signal.removeEventListener("abort", close);
        close();
      }
    },
  });
}

/** The watchers of a folder, of the folders in it, and of those that lead to it. */
class Watchers {
  readonly #root: string;
  readonly #watchers = new Map<string, FSWatcher>();
  #failure: Error | undefined;
  #isClosed = false;
  #isRung = false;
  #wake: () => void = () => undefined;

  constructor(root: string) {
    this.#root = root;
  }

  /** Puts a watcher on every folder that is there and has none. Each is watched before what is in it is looked at. */
  async settle(): Promise<void> {
    this.#isRung = false;
    const names = this.#root.split("/").slice(1);
    for (const [depth, name] of names.entries())
      this.#watch(`/${names.slice(0, depth).join("/")}`, (changed) => changed === name);
    if (!this.#watch(this.#root, () => true)) return;
    const entries = await readdir(this.#root, { withFileTypes: true }).catch(() => []);
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => `${this.#root}/${name}`);
    for (const path of this.#watchers.keys())
      if (path.startsWith(`${this.#root}/`) && !folders.includes(path)) this.#forget(path);
    for (const path of folders) this.#watch(path, () => true);
  }

  /** Waits until something happens. Throws where that is no longer known. */
  async news(): Promise<void> {
    if (!this.#isRung && !this.#isClosed) await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#failure !== undefined) throw this.#failure;
  }

  close(): void {
    this.#isClosed = true;
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    this.#wake();
  }

  #watch(path: string, concerns: (name: string) => boolean): boolean {
    if (this.#isClosed) return false;
    if (this.#watchers.has(path)) return true;
    try {
      const watcher = watch(path, { persistent: false }, (_, name) => {
        if (name !== null && !concerns(name)) return;
        // What has this name is perhaps another folder now, though its watcher still watches the one before.
        this.#forget(name === null ? path : `${path === "/" ? "" : path}/${name}`);
        this.#ring();
      });
      watcher.on("error", (error) => {
        this.#failure = error;
        this.#ring();
      });
      this.#watchers.set(path, watcher);
      return true;
    } catch (thrown) {
      if (HIDDEN.has((thrown as NodeJS.ErrnoException).code)) return false;
      throw thrown;
    }
  }

  /** Takes the watchers of a folder and of all below it away. */
  #forget(folder: string): void {
    for (const [path, watcher] of this.#watchers) {
      if (!`${path}/`.startsWith(`${folder}/`)) continue;
      watcher.close();
      this.#watchers.delete(path);
    }
  }

  #ring(): void {
    this.#isRung = true;
    this.#wake();
  }
}
