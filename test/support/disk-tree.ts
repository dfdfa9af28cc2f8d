import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { FileSystem } from "../../src/index.js";
import type { SimulatedHost } from "../../src/testing/index.js";

const TYPE = "mdpy-hd";

/** The tree of a simulated host with mdpy, as it is at one moment, on disk. Nothing happens in it by itself. */
export class DiskTree {
  readonly sysfs: string;
  readonly dev: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.sysfs = join(folder, "sys");
    this.dev = join(folder, "dev");
  }

  static async of(simulated: SimulatedHost, folder: string): Promise<DiskTree> {
    await copy(simulated.fs, "/sys", folder);
    mkdirSync(join(folder, "dev"), { recursive: true });
    return new DiskTree(folder);
  }

  /** A file of a device of mdpy. */
  file(uuid: string, name = ""): string {
    return join(this.sysfs, "devices/virtual/mdpy/mdpy", uuid, name);
  }

  /** What was written to a device's `remove`. */
  removal(uuid: string): string {
    return readFileSync(this.file(uuid, "remove"), "utf8");
  }

  /** Does what the kernel does when a device of mdpy is created. */
  appear(uuid: string): void {
    const draft = join(this.#folder, "draft");
    mkdirSync(draft);
    writeFileSync(join(draft, "remove"), "");
    symlinkSync(`../mdev_supported_types/${TYPE}`, join(draft, "mdev_type"));
    renameSync(draft, this.file(uuid));
    symlinkSync(`../../../${uuid}`, this.#listed(uuid));
    symlinkSync(`../../../devices/virtual/mdpy/mdpy/${uuid}`, this.#onBus(uuid));
  }

  /** Does what the kernel does when one is removed. */
  disappear(uuid: string): void {
    rmSync(this.#onBus(uuid));
    rmSync(this.#listed(uuid));
    rmSync(this.file(uuid), { recursive: true });
  }

  #listed(uuid: string): string {
    return this.file("mdev_supported_types", `${TYPE}/devices/${uuid}`);
  }

  #onBus(uuid: string): string {
    return join(this.sysfs, "bus/mdev/devices", uuid);
  }
}

/** Writes what a file system shows at and below a path into a folder. */
async function copy(fs: FileSystem, path: string, folder: string): Promise<void> {
  const stat = await fs.lstat(path);
  const there = join(folder, path);
  mkdirSync(stat.isDirectory() ? there : dirname(there), { recursive: true });
  if (stat.isSymbolicLink()) {
    symlinkSync(await fs.readlink(path), there);
  } else if (stat.isDirectory()) {
    for (const name of await fs.readdir(path)) await copy(fs, `${path}/${name}`, folder);
  } else {
    writeFileSync(there, await fs.readFile(path, "utf8").catch(() => "")); // write-only, or no text to it now
    chmodSync(there, stat.mode & 0o777);
  }
}
