import { Errno } from "../errno.js";
import { type Directory, type KernfsNode, steps } from "./kernfs.js";

const MAX_LINKS = 40;

/** Who asks, and whether a link at the end of the path is followed. */
export interface WalkOptions {
  readonly uid: number;
  readonly follow: boolean;
}

/** Whether a user may: root always, its owner by the owner's bits, everybody else by the last three. */
export function mayAccess(node: KernfsNode, uid: number, bit: 4 | 2 | 1): boolean {
  if (uid === 0) return true;
  return (node.permissions & (uid === node.owner ? bit << 6 : bit)) !== 0;
}

/** The object at an absolute path; throws ENOENT, ENOTDIR, EACCES or ELOOP. */
export function walk(root: Directory, path: string, { uid, follow }: WalkOptions): KernfsNode {
  const rest = steps(path);
  let node: KernfsNode = root;
  let links = 0;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (node.kind !== "directory") throw new Errno("ENOTDIR");
    if (!mayAccess(node, uid, 1)) throw new Errno("EACCES");
    if (name === ".") continue;
    if (name === "..") {
      node = node.parent ?? root;
      continue;
    }
    const child: KernfsNode | undefined = node.get(name);
    if (child === undefined) throw new Errno("ENOENT");
    if (child.kind === "link" && (rest.length > 0 || follow)) {
      if (++links > MAX_LINKS) throw new Errno("ELOOP");
      if (child.target.startsWith("/")) node = root;
      rest.unshift(...steps(child.target));
      continue;
    }
    node = child;
  }
  return node;
}
