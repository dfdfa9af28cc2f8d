import type { SimulatedModule } from "../definitions.js";
import { addConstant, addSilentUevent } from "./device-files.js";
import type { Directory } from "./kernfs.js";

interface Loaded {
  readonly folder: Directory;
  readonly uses: string | undefined;
  loads: number;
  references: number;
}

/** `/sys/module`: what is loaded, who uses whom and how often. */
export class Modules {
  readonly #root: Directory;
  readonly #loaded = new Map<string, Loaded>();

  constructor(root: Directory) {
    this.#root = root;
  }

  /** Loads a module, or counts one user more of it. */
  load({ name, version, parameters }: SimulatedModule, uses?: string): void {
    const there = this.#loaded.get(name);
    if (there) {
      there.loads++;
      return;
    }
    const folder = this.#root.directory(name);
    const loaded: Loaded = { folder, uses, loads: 1, references: 0 };
    this.#loaded.set(name, loaded);
    // what depends on the build is made up: coresize, srcversion, taint
    addConstant(folder, "coresize", "16384\n");
    addConstant(folder, "initsize", "0\n");
    addConstant(folder, "initstate", "live\n");
    addConstant(folder, "taint", "\n");
    folder.file("refcnt", 0o444, { read: () => `${loaded.references}\n` });
    addSilentUevent(folder);
    for (const name of ["holders", "notes", "sections"]) folder.directory(name);
    if (version !== undefined) {
      addConstant(folder, "version", `${version}\n`);
      addConstant(folder, "srcversion", "0123456789ABCDEF0123456\n");
    }
    if (parameters) {
      const files = folder.directory("parameters");
      for (const [parameter, value] of Object.entries(parameters))
        addConstant(files, parameter, `${value}\n`);
    }
    const used = uses === undefined ? undefined : this.#loaded.get(uses);
    if (!used) return;
    used.references++;
    used.folder.ensure("holders").link(name, folder);
  }

  /** Counts one user less, and unloads the module with the last one. */
  unload(name: string): void {
    const loaded = this.#loaded.get(name);
    if (!loaded || --loaded.loads > 0) return;
    this.#loaded.delete(name);
    loaded.folder.remove();
    const used = loaded.uses === undefined ? undefined : this.#loaded.get(loaded.uses);
    if (!used) return;
    used.references--;
    used.folder.ensure("holders").get(name)?.remove();
  }

  folder(name: string): Directory | undefined {
    return this.#loaded.get(name)?.folder;
  }

  /** Counts what `refcnt` shows: each open device is one. */
  refer(name: string, by: 1 | -1): void {
    const loaded = this.#loaded.get(name);
    if (loaded) loaded.references += by;
  }
}
