import { createFsFromVolume, Volume } from "memfs";
import { describe } from "vitest";
import type { FileSystem } from "../../src/index.js";
import { readsMergedTree, TREE } from "../support/merged-tree.js";

/** memfs has more overloads than we ask for: this is all that it takes to inject it. */
function memory(): FileSystem {
  const volume = new Volume();
  for (const [path, entry] of Object.entries(TREE)) {
    const full = `/${path}`;
    volume.mkdirSync(entry === null ? full : full.slice(0, full.lastIndexOf("/")), { recursive: true });
    if (typeof entry === "string") volume.writeFileSync(full, entry);
    else if (entry !== null) volume.symlinkSync(entry.link, full);
  }
  const fs = createFsFromVolume(volume).promises;
  return {
    readFile: async (path, encoding) => await fs.readFile(path, encoding),
    writeFile: (path, content, { flag }) => fs.writeFile(path, content, { flag }),
    readdir: async (path) => (await fs.readdir(path)) as string[],
    readlink: async (path) => (await fs.readlink(path)) as string,
    lstat: async (path) => {
      const stat = await fs.lstat(path);
      return {
        mode: Number(stat.mode),
        ino: Number(stat.ino),
        isDirectory: () => stat.isDirectory(),
        isFile: () => stat.isFile(),
        isSymbolicLink: () => stat.isSymbolicLink(),
      };
    },
  };
}

describe("a merged tree through memfs", () => {
  readsMergedTree(() => ({ fs: memory() }));
});
