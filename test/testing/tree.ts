// lab/record's picture of a tree, taken through a FileSystem.
import type { FileSystem } from "../../src/index.js";
import type { RecordedNode, RecordedTree } from "./recordings.js";

const KINDS: Readonly<Record<number, RecordedNode["kind"]>> = {
  0o040000: "dir",
  0o100000: "file",
  0o120000: "link",
  0o020000: "char",
};

export async function treeOf(fs: FileSystem, roots: readonly string[]): Promise<RecordedTree> {
  const out: Record<string, RecordedNode> = {};
  const visit = async (path: string, deep: boolean): Promise<void> => {
    const stat = await fs.lstat(path).catch(() => undefined);
    if (!stat) return;
    const kind = KINDS[stat.mode & 0o170000];
    if (!kind) throw new Error(`${path}: mode ${stat.mode.toString(8)}`);
    const node = { kind, mode: (stat.mode & 0o7777).toString(8).padStart(4, "0") };
    out[path] = node;
    if (kind === "link") out[path] = { ...node, target: await fs.readlink(path) };
    if (kind === "file")
      out[path] = {
        ...node,
        ...(await fs.readFile(path, "utf8").then(
          (content) => ({ content }),
          (error: unknown) => ({ read: (error as { code: string }).code }),
        )),
      };
    if (kind === "dir" && deep && !/\/(sections|notes)$/u.test(path))
      for (const name of await fs.readdir(path)) await visit(`${path}/${name}`, true);
  };
  for (const root of roots) {
    for (let at = root.lastIndexOf("/"); at > 0; at = root.lastIndexOf("/", at - 1))
      if (!out[root.slice(0, at)]) await visit(root.slice(0, at), false);
    await visit(root, true);
  }
  return out;
}
