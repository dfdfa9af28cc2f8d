import { posix } from "node:path";
import type { HostContext } from "./context.js";
import { InvalidArgumentError } from "./errors.js";
import { type DeviceExtensionClass, extensionsFault } from "./extension.js";
import type { FileSystem } from "./file-system/file-system.js";
import { nodeFileSystem } from "./file-system/node-file-system.js";
import { limitsFault } from "./file-system/operation.js";
import { quote } from "./identifiers.js";
import type { LayoutName } from "./layouts/layout.js";
import { LAYOUT_NAMES } from "./layouts/probe.js";
import { Paths } from "./paths.js";
import { DirectoryStore } from "./state/directory-store.js";
import type { StateStore } from "./state/state-store.js";

/** How a host is reached; each has a default that means the local machine. */
export interface MdevHostOptions {
  /** The file system that all I/O goes through; the local one where it is not given. */
  readonly fs?: FileSystem | undefined;
  /** Where sysfs is mounted: `/sys`. */
  readonly sysfs?: string | undefined;
  /** Where the device nodes are: `/dev`. */
  readonly dev?: string | undefined;
  /**
   * Where procfs is mounted: `/proc`, to see who has a device open. Not looked at where a file system is given and this is
   * not.
   */
  readonly proc?: string | undefined;
  /** What knows more of devices than the kernel's general files: `[NvidiaVgpuDevice]`. */
  readonly extensions?: readonly DeviceExtensionClass[] | undefined;
  /** The layout of all parents; found out for each by its files where it is not given. */
  readonly layout?: LayoutName | undefined;
  /** The limit of operations that are given none, in milliseconds, from 0; there is none where it is not given. */
  readonly timeout?: number | undefined;
  /**
   * Where that is kept which sysfs cannot keep: owners and locks. The folder `/run/vfio-mdev` where it is not given and
   * the host is the local one; none where `fs` or `sysfs` is given: then what needs it is `unsupported`.
   */
  readonly state?: StateStore | undefined;
}

/** Where the local host's state is kept: a folder that is empty after each start. */
const STATE = "/run/vfio-mdev";

/** How a host is reached, with all defaults. */
export interface Reach extends Omit<HostContext, "isSaidToBeUsed" | "parent" | "type" | "device"> {
  readonly extensions: readonly DeviceExtensionClass[];
}

/** Checks how a host is to be reached; throws an {@link InvalidArgumentError} where it cannot be. */
export function reach(options: MdevHostOptions): Reach {
  const { fs = nodeFileSystem, sysfs = "/sys", dev = "/dev", layout, timeout, extensions = [] } = options;
  const proc = options.proc ?? (options.fs === undefined ? "/proc" : undefined);
  const known = layout === undefined || LAYOUT_NAMES.includes(layout);
  const fault = known
    ? (limitsFault({ timeout }) ?? extensionsFault(extensions))
    : `there is no layout ${quote(layout)}`;
  if (fault !== undefined) throw new InvalidArgumentError({ tried: "make a host", reason: fault });
  const paths = new Paths({ sysfs: root("sysfs", sysfs), dev: root("dev", dev) });
  const isLocal = options.fs === undefined && sysfs === "/sys";
  return {
    fs,
    timeout,
    layout,
    paths,
    sysfs: paths.sysfs,
    proc: proc === undefined ? undefined : root("proc", proc),
    isLocal,
    state: options.state ?? (isLocal ? new DirectoryStore(STATE) : undefined),
    extensions,
  };
}

/** A mount point as an absolute path with nothing to resolve in it; `/` is the empty text. */
function root(name: string, path: string): string {
  if (typeof path === "string" && path.startsWith("/") && !path.includes("\0"))
    return posix.resolve(path).replace(/\/$/, "");
  throw new InvalidArgumentError({
    tried: "make a host",
    reason: `its ${name} ${quote(path)} is not an absolute path`,
  });
}
