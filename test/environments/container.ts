import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import type { DiskTree } from "../support/disk-tree.js";
import { temporaryFolder } from "../support/temporary.js";

/** Builds a root folder of all that is in `/`, with another `/sys`, and a machine's tree in `/host`; a program runs there. */
const ENTER = `
  root=$0 host=$1 other=$2 access=$3
  shift 3
  mount -t tmpfs tmpfs "$root"
  for entry in /*; do
    case $entry in /sys | /host) continue ;; esac
    if [ -L "$entry" ]; then cp -P "$entry" "$root/"
    elif [ -d "$entry" ]; then mkdir "$root$entry" && mount --rbind "$entry" "$root$entry"
    fi
  done
  mkdir -p "$root/sys" "$root/host/sys" "$root/host/dev"
  mount --bind "$other" "$root/sys"
  mount --bind "$host/sys" "$root/host/sys"
  [ "$access" = rw ] || mount -o remount,bind,ro,nosuid,nodev,noexec "$root/host/sys"
  mount --bind "$host/dev" "$root/host/dev"
  exec chroot "$root" "$@"`;

/** Who is not root can have a container too, where the machine lets users have namespaces. */
const NAMESPACES = [
  "unshare",
  ...(process.getuid?.() === 0 ? [] : ["--map-root-user"]),
  ...["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"],
];

/** Whether this machine lets us have one. Where it does not, the tests that take one are skipped. */
export const canContain = spawnSync(NAMESPACES[0] ?? "", [...NAMESPACES.slice(1), "true"]).status === 0;

/** The command that runs another one in a container, where the tree is mounted in `/host`, and another one at `/sys`. */
export function contained(tree: DiskTree, sys: string, access: "rw" | "ro"): readonly string[] {
  const root = join(temporaryFolder(), "root");
  mkdirSync(root);
  return [...NAMESPACES, "sh", "-ec", ENTER, root, join(tree.sysfs, ".."), sys, access];
}
