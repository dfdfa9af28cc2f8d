import { chmodSync, lstatSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MdevHost } from "../../src/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { bundle } from "../support/built.js";
import { DiskTree } from "../support/disk-tree.js";
import { makeTree, temporaryFolder } from "../support/temporary.js";
import { UUID } from "../support/world.js";

/** The folder of the type of which {@link UUID} is. */
export const TYPE = "devices/virtual/mdpy/mdpy/mdev_supported_types/mdpy-hd";

/** A machine's tree on disk, and a place from which programs of any user can load the library. */
export interface Machine {
  readonly tree: DiskTree;
  readonly folder: string;
  /** Of this process, on the tree. */
  readonly host: MdevHost;
  /** First lines of a program: the library, a device, its type, and `end` for how an operation ended. */
  prelude(options: { sysfs: string; dev: string }, store?: string): string;
}

/** Three parents, devices on two of them; {@link UUID} has the attributes `first` and `second`, and a node. */
export async function makeMachine(): Promise<Machine> {
  const folder = temporaryFolder();
  chmodSync(folder, 0o755);
  const simulated = new SimulatedHost();
  simulated.addMdpy().create("mdpy-hd", UUID);
  simulated.addNvidiaGpu({ address: "0000:3b:00.0", numaNode: 1 }).create("nvidia-156");
  simulated.addMbochs(); // nothing but its registration leads to it
  const tree = await DiskTree.of(simulated, folder);
  for (const name of ["first", "second"]) writeFileSync(tree.file(UUID, name), "before\n");
  const group = readlinkSync(tree.file(UUID, "iommu_group")).split("/").at(-1) ?? "";
  makeTree(tree.dev, { [`vfio/${group}`]: "" });
  const library = bundle(folder, "index.ts", "esm");
  const prelude: Machine["prelude"] = (options, store) => `
    import { DirectoryStore, MdevHost, NodeFileSystem, readOnly, text } from ${JSON.stringify(library)};
    const options = ${JSON.stringify(options)};
    const store = ${JSON.stringify(store)};
    if (store !== undefined) options.state = new DirectoryStore(store);
    const host = new MdevHost(options);
    const device = await host.device(${JSON.stringify(UUID)}).getOrThrow();
    const type = await host.parent("mdpy").map((parent) => parent.type("mdpy-hd")).getOrThrow();
    const end = async (operation) => {
      const { ok, value, error } = await operation;
      if (ok) return { value };
      const { type, errno, path, message, progress } = error;
      return { type, errno, path, message, progress };
    };`;
  return { tree, folder, host: new MdevHost({ sysfs: tree.sysfs, dev: tree.dev }), prelude };
}

/** All that is below a folder, so that nothing can be written there without a difference. */
export function traces(folder: string, found: Record<string, string> = {}): Record<string, string> {
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    const stat = lstatSync(path);
    const isReadable = stat.isFile() && (stat.mode & 0o400) !== 0;
    const text = stat.isSymbolicLink() ? readlinkSync(path) : isReadable ? readFileSync(path, "utf8") : "";
    found[path] = `${stat.mode.toString(8)} ${stat.ino} ${stat.mtimeMs} ${stat.size} ${text}`;
    if (stat.isDirectory()) traces(path, found);
  }
  return found;
}
