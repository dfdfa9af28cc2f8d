import { FileFailure, isAbsent } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";

/** The kernel's own number for the first process namespace, the one that has every process: `PROC_PID_INIT_INO`. */
const FIRST_NAMESPACE = "pid:[4026531836]";
const DEVICE = "anon_inode:[vfio-device]";
const FOLDER = /^vfio-device-syspath:\s*(.+)$/m;

/** What tells that a process has a device open. */
export interface DeviceNodes {
  /** The device's folder, as the kernel names it: `/sys/devices/...`. */
  readonly folder: string;
  /** How the paths of its nodes end: `/vfio/<N>`, `/vfio/devices/vfio<M>`. Before that, containers differ. */
  readonly endings: readonly string[];
}

/** The processes that have a device open. */
export interface Holders {
  readonly pids: number[];
  /** Whether every process of the machine could be looked at, so that none is missing. */
  readonly complete: boolean;
}

/** Looks at what every process has open: `/proc/<pid>/fd`, and `/proc/<pid>/fdinfo` for those that only this tells apart. */
export async function findHolders(io: Io, proc: string, nodes: DeviceNodes): Promise<Holders> {
  const pids: number[] = [];
  let complete = await seesAll(io, proc);
  const names = await unlessHidden(io.listing(proc));
  if (!Array.isArray(names)) return { pids, complete: false };
  for (const pid of names.filter((name) => /^\d+$/.test(name))) {
    const held = await unlessHidden(holds(io, `${proc}/${pid}`, nodes));
    if (held === true) pids.push(Number(pid));
    if (held === undefined) complete = false;
  }
  return { pids: pids.sort((one, other) => one - other), complete };
}

/** Whether this `/proc` shows every process of the machine, and not those of a container alone. */
async function seesAll(io: Io, proc: string): Promise<boolean> {
  return (await unlessHidden(io.linkTarget(`${proc}/1/ns/pid`))) === FIRST_NAMESPACE;
}

/** Whether a process has it open; `undefined` where that cannot be told. */
async function holds(io: Io, process: string, nodes: DeviceNodes): Promise<boolean | undefined> {
  const devices: string[] = [];
  let anyNode = false;
  for (const descriptor of await io.listing(`${process}/fd`)) {
    const target = ((await io.linkTarget(`${process}/fd/${descriptor}`)) ?? "").replace(/ \(deleted\)$/, "");
    if (nodes.endings.some((ending) => target.endsWith(ending))) return true;
    if (/\/vfio\/(?:\d+|devices\/vfio\d+)$/.test(target)) anyNode = true;
    if (target === DEVICE) devices.push(descriptor);
  }
  for (const descriptor of devices) {
    const facts = await unlessHidden(io.readFile(`${process}/fdinfo/${descriptor}`));
    const folder = typeof facts === "string" ? FOLDER.exec(facts)?.[1] : undefined;
    if (folder === nodes.folder) return true;
    // Older kernels do not say which device it is. Nearly always its group's node is open beside it.
    if (folder === undefined && !anyNode) return undefined;
  }
  return false;
}

/** What could be seen of a process; `false` where it is gone, `undefined` where it may not be looked at. */
async function unlessHidden<T>(look: Promise<T>): Promise<T | false | undefined> {
  try {
    return await look;
  } catch (thrown) {
    if (!(thrown instanceof FileFailure)) throw thrown;
    return isAbsent(thrown) || thrown.errno === "ESRCH" ? false : undefined;
  }
}
