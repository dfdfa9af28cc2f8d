import type { FileSystem } from "../../src/index.js";

/** What is at a path. */
export interface TreeNode {
  readonly kind: "folder" | "file" | "link" | "node";
  readonly mode: string;
  readonly text?: string;
  readonly target?: string;
  /** The code of the error that reading it gave. */
  readonly errno?: string;
}

/** All that there is, by path. */
export type Tree = Readonly<Record<string, TreeNode>>;

const KINDS: Readonly<Record<number, TreeNode["kind"]>> = {
  0o040000: "folder",
  0o100000: "file",
  0o120000: "link",
  0o020000: "node",
};

/** All that a file system shows below some folders, and the folders that lead to them. */
export async function treeOf(fs: FileSystem, roots: readonly string[]): Promise<Tree> {
  const out: Record<string, TreeNode> = {};
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
          (text) => ({ text }),
          (error: unknown) => ({ errno: (error as { code: string }).code }),
        )),
      };
    if (kind === "folder" && deep && !/\/(sections|notes)$/u.test(path))
      for (const name of await fs.readdir(path)) await visit(`${path}/${name}`, true);
  };
  for (const root of roots) {
    for (let at = root.lastIndexOf("/"); at > 0; at = root.lastIndexOf("/", at - 1))
      if (!out[root.slice(0, at)]) await visit(root.slice(0, at), false);
    await visit(root, true);
  }
  return out;
}
