import {
  ConflictError,
  DecodeError,
  type OperationError,
  type Problem,
  problemOf,
  Result,
} from "../index.js";
import { type JsonPlace, parseConfig } from "./config.js";
import type { DefinitionFileStat, DefinitionFileSystem } from "./definition-file-system.js";
import { MdevDefinition } from "./mdev-definition.js";
import { componentFault, parentFault, uuidOf } from "./names.js";
import { explainFailure, type Limits, StoreFailure } from "./operation.js";

/** Something in the store that is no definition. Plain data. */
export interface DefinitionProblem extends Problem {
  /** Where in the text of the file it is, where it is there. */
  readonly place?: JsonPlace;
}

/** A definition and the text that it was read from. */
export interface StoredDefinition {
  readonly definition: MdevDefinition;
  readonly text: string;
  readonly mode: number;
}

/** Which definitions are looked for; all, where neither is given. */
export interface Wanted {
  readonly uuid?: string | undefined;
  readonly parent?: string | undefined;
}

/** What a file is that is no definition: the error for who asked for it, and the problem for who lists. */
export interface Broken {
  readonly error: ConflictError | OperationError;
  readonly problem: DefinitionProblem;
  /** The definition that it would be, were there no other file for the same device. */
  readonly twin?: StoredDefinition;
}

/** What a look at the store found. */
export interface Found {
  readonly stored: readonly StoredDefinition[];
  readonly broken: readonly Broken[];
}

const TEMPORARY = ".vfio-mdev-new-";
/** What is older than so many milliseconds was begun by a process that died of it. */
const FORGOTTEN = 60_000;
/** mdevctl writes in place: between its opening and its writing a file is empty. In milliseconds. */
const SECOND_LOOK = 20;
const ABSENT = "ENOENT";

/** The files of a store, as one operation uses them: under its limits, and with every failure a {@link StoreFailure}. */
export class DefinitionFiles {
  /** The folder with a folder for each parent. */
  readonly root: string;
  readonly #fs: DefinitionFileSystem;
  readonly #limits: Limits;

  constructor(fs: DefinitionFileSystem, root: string, limits: Limits) {
    this.#fs = fs;
    this.root = root;
    this.#limits = limits;
  }

  /** Where the definition of a device belongs. */
  path(parent: string, uuid: string): string {
    return `${this.#folder(parent)}/${uuid}`;
  }

  /** The definitions, by parent and then by UUID. */
  async find(wanted: Wanted, tried: string): Promise<Found> {
    const stored: StoredDefinition[] = [];
    const broken: Broken[] = [];
    for (const parent of await this.#parents(wanted.parent)) {
      const folder = this.#folder(parent);
      const known = new Map<string, string>();
      // The usual spelling first: another file for the same device is the one too many.
      const names = (await this.#names(folder)).sort((a, b) => rank(a) - rank(b) || compare(a, b));
      for (const name of names) {
        const path = `${folder}/${name}`;
        const uuid = uuidOf(name);
        if (wanted.uuid !== undefined && uuid !== wanted.uuid) continue;
        const read = await this.#read(parent, uuid, path, tried);
        if (read === undefined) continue;
        const first = known.get(uuid ?? name) ?? path;
        known.set(uuid ?? name, first);
        if (!read.ok) broken.push(read.error);
        else if (first !== path) broken.push(ofTheSame(first, read.value, tried));
        else stored.push(read.value);
      }
    }
    stored.sort(
      ({ definition: a }, { definition: b }) => compare(a.parent, b.parent) || compare(a.uuid, b.uuid),
    );
    return { stored, broken };
  }

  /** Stores a new definition; `false` where there is something in its place. */
  async place(parent: string, uuid: string, text: string): Promise<boolean> {
    const folder = this.#folder(parent);
    await this.#makeFolder(folder);
    const path = this.path(parent, uuid);
    return this.#aside(text, undefined, async (aside) => {
      try {
        await this.#call(path, () => this.#fs.link(aside, path));
      } catch (thrown) {
        if (thrown instanceof StoreFailure && thrown.errno === "EEXIST") return false;
        throw thrown;
      }
      await this.#call(folder, () => this.#fs.sync(folder));
      return true;
    });
  }

  /** Gives a definition another text, in one step; `false` where its file is no longer as it was read. */
  async replace(
    { definition: { path, parent }, text: before, mode }: StoredDefinition,
    text: string,
  ): Promise<boolean> {
    const folder = this.#folder(parent);
    return this.#aside(text, mode, async (aside) => {
      if ((await this.#textOf(path)) !== before) return false;
      await this.#call(path, () => this.#fs.rename(aside, path));
      await this.#call(folder, () => this.#fs.sync(folder));
      return true;
    });
  }

  /** Takes a definition away; `false` where its file is no longer as it was read. */
  async remove({ definition: { path, parent }, text: before }: StoredDefinition): Promise<boolean> {
    const folder = this.#folder(parent);
    if ((await this.#textOf(path)) !== before) return false;
    this.#limits.pending = `${path} may be removed all the same.`;
    await this.#call(path, () => this.#fs.unlink(path));
    await this.#call(folder, () => this.#fs.sync(folder));
    this.#limits.pending = undefined;
    return true;
  }

  /** Takes away what processes left behind that died while they wrote. */
  async sweep(): Promise<void> {
    for (const name of await this.#names(this.root)) {
      if (!name.startsWith(TEMPORARY)) continue;
      const path = `${this.root}/${name}`;
      const stat = await this.#unlessAbsent(path, () => this.#fs.lstat(path));
      if (stat === undefined || Date.now() - stat.modified < FORGOTTEN) continue;
      await this.#unlessAbsent(path, () => this.#fs.unlink(path));
    }
  }

  /** What a path is, or `undefined`. */
  async stat(path: string): Promise<DefinitionFileStat | undefined> {
    return this.#unlessAbsent(path, () => this.#fs.lstat(path));
  }

  #folder(parent: string): string {
    return `${this.root}/${parent}`;
  }

  /** The parents with a folder of their own. Those of mdevctl's scripts, and links, are none: mdevctl follows none either. */
  async #parents(wanted: string | undefined): Promise<string[]> {
    const names = wanted === undefined ? (await this.#names(this.root)).sort(compare) : [wanted];
    const parents: string[] = [];
    for (const name of names) {
      if (parentFault(name) !== undefined) continue;
      if ((await this.stat(this.#folder(name)))?.kind === "folder") parents.push(name);
    }
    return parents;
  }

  async #read(
    parent: string,
    uuid: string | undefined,
    path: string,
    tried: string,
  ): Promise<Result<StoredDefinition, Broken> | undefined> {
    const broken = (error: ConflictError | OperationError, place?: JsonPlace): Result<never, Broken> => {
      const problem = Object.freeze({ ...problemOf(error), ...(place && { place }) });
      return Result.error({ error, problem });
    };
    const other = (reason: string): Result<never, Broken> =>
      broken(new ConflictError({ tried, reason: `${path} ${reason}`, path }));
    const stat = await this.stat(path);
    if (stat === undefined) return undefined;
    if (stat.kind === "link") return other("is a link, which is not followed");
    if (stat.kind !== "file") return other("is not a file");
    if (uuid === undefined) return other("is not named by a UUID");
    for (let look = 1; ; look++) {
      let text: string | undefined;
      try {
        text = await this.#textOf(path);
      } catch (thrown) {
        if (!(thrown instanceof StoreFailure)) throw thrown;
        return broken(explainFailure(thrown, tried));
      }
      if (text === undefined) return undefined;
      const config = parseConfig(text);
      if (config.ok) {
        const definition = new MdevDefinition({ ...config.value, uuid, parent, path });
        return Result.ok({ definition, text, mode: stat.mode });
      }
      const { reason, place } = config.error;
      const at = `line ${place.line}, column ${place.column}`;
      const facts = { tried, reason: `the text of ${path} ${reason} (${at})`, path, raw: text };
      if (look > 1) return broken(new DecodeError(facts), place);
      await new Promise((resolve) => setTimeout(resolve, SECOND_LOOK));
    }
  }

  /**
   * Writes a text aside, to be put into place. In the store's own folder: mdevctl looks into the folders of parents, and
   * would complain about the name.
   */
  async #aside(
    text: string,
    mode: number | undefined,
    put: (aside: string) => Promise<boolean>,
  ): Promise<boolean> {
    await this.sweep();
    const aside = `${this.root}/${TEMPORARY}${globalThis.crypto.randomUUID()}`;
    this.#limits.pending = "What was begun may still be written.";
    try {
      await this.#call(aside, () => this.#fs.create(aside, text, mode));
      return await put(aside);
    } finally {
      // In place of what it replaces, it has no longer this name.
      await (async () => this.#fs.unlink(aside))().catch(() => undefined);
      this.#limits.pending = undefined;
    }
  }

  async #makeFolder(folder: string): Promise<void> {
    if ((await this.stat(this.root)) === undefined) await this.#mkdir(this.root);
    await this.#mkdir(folder);
    await this.#call(this.root, () => this.#fs.sync(this.root));
    const kind = (await this.stat(folder))?.kind;
    if (kind === "folder") return;
    const what = new Error(`${folder} is a ${kind ?? "thing"} that is no folder of this store`);
    throw new StoreFailure(folder, Object.assign(what, { code: kind === "link" ? "ELOOP" : "ENOTDIR" }));
  }

  async #mkdir(path: string): Promise<void> {
    try {
      await this.#call(path, () => this.#fs.mkdir(path));
    } catch (thrown) {
      if (!(thrown instanceof StoreFailure) || thrown.errno !== "EEXIST") throw thrown;
    }
  }

  async #names(folder: string): Promise<string[]> {
    const names: unknown = (await this.#unlessAbsent(folder, () => this.#fs.readdir(folder))) ?? [];
    if (!Array.isArray(names)) throw new StoreFailure(folder, undefined);
    return names.filter((name): name is string => componentFault(name) === undefined);
  }

  async #textOf(path: string): Promise<string | undefined> {
    const text = await this.#unlessAbsent(path, () => this.#fs.readFile(path));
    if (text === undefined || typeof text === "string") return text;
    throw new StoreFailure(path, undefined);
  }

  async #unlessAbsent<T>(path: string, call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await this.#call(path, call);
    } catch (thrown) {
      if (thrown instanceof StoreFailure && thrown.errno === ABSENT) return undefined;
      throw thrown;
    }
  }

  async #call<T>(path: string, call: () => Promise<T>): Promise<T> {
    this.#limits.check();
    try {
      return await call();
    } catch (thrown) {
      throw new StoreFailure(path, thrown);
    }
  }
}

function ofTheSame(first: string, twin: StoredDefinition, tried: string): Broken {
  const { path } = twin.definition;
  const error = new ConflictError({
    tried,
    reason: `${path} is of the same device as ${first}, which counts`,
    path,
  });
  return { error, problem: problemOf(error), twin };
}

function rank(name: string): number {
  return uuidOf(name) === name ? 0 : 1;
}

/** By bytes, as mdevctl orders. */
export function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
