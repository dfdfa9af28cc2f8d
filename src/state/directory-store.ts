import { fs } from "../file-system/node-fs.js";
import { InvalidArgumentError } from "../errors.js";
import { isStateName, type StateEntry, type StateStore } from "./state-store.js";

const BOOT_ID = "/proc/sys/kernel/random/boot_id";
const TAG = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const UNFINISHED = ".vfio-mdev-new-";
/** What is older than so many milliseconds was begun by a process that died of it. */
const FORGOTTEN = 60_000;
const LOOKS = 100;

/**
 * A {@link StateStore} in a folder of the local machine: the default of {@link MdevHost}, in `/run/vfio-mdev`. The folder
 * is made when the first entry is. It has to be on a local file system; where that survives a restart, what is in it is
 * known for old by {@link StateStore.boot}.
 *
 * An entry is a folder with one file, which is named by the entry's tag: `<path>/<name>/<tag>`. Linux moves a folder only to where there is
 * none or an empty one: so it comes into being complete, and one only. And to unlink a file by its tag hits nobody else's,
 * however late it is. The calls are synchronous, and short.
 *
 * @example
 * ```ts
 * import { DirectoryStore, MdevHost } from "vfio-mdev";
 *
 * const store = new DirectoryStore("/run/my-manager");
 * const host = new MdevHost({ state: store });
 * console.log(store.path); // prints: /run/my-manager
 * ```
 */
export class DirectoryStore implements StateStore {
  /** The folder. */
  readonly path: string;
  #boot: string | undefined;
  #swept = false;

  /** Throws an {@link InvalidArgumentError} for a path that is not absolute. */
  constructor(path: string) {
    if (typeof path !== "string" || !path.startsWith("/") || path.includes("\0"))
      throw new InvalidArgumentError({ tried: "make a store", reason: "its path is not an absolute one" });
    this.path = path.replace(/\/+$/, "");
  }

  /** `/proc/sys/kernel/random/boot_id`. */
  async boot(): Promise<string> {
    return (this.#boot ??= fs.readFileSync(BOOT_ID, "utf8").trim());
  }

  /** The folders in the folder. */
  async names(): Promise<readonly string[]> {
    return (unless(ABSENT, () => fs.readdirSync(this.path)) ?? []).filter(isStateName);
  }

  /** The file in the folder of that name. */
  async read(name: string): Promise<StateEntry | undefined> {
    const folder = this.#folder(name);
    for (let look = 0; look < LOOKS; look++) {
      const [tag, ...others] = unless(ABSENT, () => fs.readdirSync(folder)) ?? [];
      if (tag === undefined) return undefined;
      if (!TAG.test(tag) || others.length > 0) throw failure("EBADMSG", `${folder} holds what is no entry`);
      const text = unless(ABSENT, () => fs.readFileSync(`${folder}/${tag}`, "utf8"));
      if (text !== undefined) return { tag, text };
    }
    throw failure("EAGAIN", `${folder} changes all the time`);
  }

  /** Makes it aside, and moves it into place. */
  async create(name: string, text: string): Promise<string | undefined> {
    const folder = this.#folder(name);
    const tag = globalThis.crypto.randomUUID();
    const aside = `${this.path}/${UNFINISHED}${tag}`;
    makeFolder(this.path);
    if (!this.#swept) this.#sweep();
    try {
      fs.mkdirSync(aside, { mode: 0o755 });
      fs.writeFileSync(`${aside}/${tag}`, text, { flag: "wx", mode: 0o644 });
      fs.renameSync(aside, folder);
      return tag;
    } catch (thrown) {
      fs.rmSync(aside, { recursive: true, force: true });
      if (TAKEN.has(codeOf(thrown))) return undefined;
      throw thrown;
    }
  }

  /** Unlinks the file of that tag, and the folder where nobody has taken it meanwhile. */
  async remove(name: string, tag: string): Promise<boolean> {
    const folder = this.#folder(name);
    if (!TAG.test(tag)) return false;
    const removed = unless(ABSENT, () => {
      fs.unlinkSync(`${folder}/${tag}`);
      return true;
    });
    unless(new Set([...ABSENT, ...TAKEN]), () => {
      fs.rmdirSync(folder);
    });
    return removed === true;
  }

  #folder(name: string): string {
    if (!isStateName(name)) throw failure("EINVAL", "this cannot be the name of an entry");
    return `${this.path}/${name}`;
  }

  /** Takes away what processes left behind that died while they made an entry. */
  #sweep(): void {
    this.#swept = true;
    for (const name of fs.readdirSync(this.path)) {
      if (!name.startsWith(UNFINISHED)) continue;
      const path = `${this.path}/${name}`;
      const made = unless(ABSENT, () => fs.statSync(path).mtimeMs);
      if (made !== undefined && Date.now() - made > FORGOTTEN)
        fs.rmSync(path, { recursive: true, force: true });
    }
  }
}

const ABSENT: ReadonlySet<unknown> = new Set(["ENOENT"]);
const TAKEN: ReadonlySet<unknown> = new Set(["ENOTEMPTY", "EEXIST"]);

/** Makes a folder and those that it is in. Node's own `recursive` never returns where /proc answers ENOENT to mkdir. */
function makeFolder(path: string): void {
  if (fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  const parent = path.slice(0, path.lastIndexOf("/"));
  if (parent !== "") makeFolder(parent);
  unless(TAKEN, () => {
    fs.mkdirSync(path, { mode: 0o755 });
  });
}

/** What a call gives; `undefined` where it fails with one of these. */
function unless<T>(codes: ReadonlySet<unknown>, call: () => T): T | undefined {
  try {
    return call();
  } catch (thrown) {
    if (codes.has(codeOf(thrown))) return undefined;
    throw thrown;
  }
}

function codeOf(thrown: unknown): unknown {
  return (thrown as NodeJS.ErrnoException | null)?.code;
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}
