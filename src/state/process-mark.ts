import { fs } from "../file-system/node-fs.js";

/** What tells a process from all others there were: enough to say later whether it still lives. Plain data. */
export interface ProcessMark {
  readonly pid: number;
  /** When it was started, in the kernel's ticks; a process number comes again, but not at the same time. */
  readonly started?: string | undefined;
  /** The namespaces in which `pid` and `started` mean something. */
  readonly namespace?: string | undefined;
  /** The boot id of the kernel that it runs on. */
  readonly kernel?: string | undefined;
}

/** The mark of this process. Whatever `/proc` does not show is left out: then nobody can say that it is dead. */
export function markOfThisProcess(): ProcessMark {
  // In a mount of another namespace's /proc the numbers are those of other processes.
  const isOurs = orUndefined(() => fs.readlinkSync("/proc/self")) === String(process.pid);
  if (!isOurs) return { pid: process.pid };
  return {
    pid: process.pid,
    started: statOf(process.pid)?.started,
    namespace: orUndefined(() => `${fs.readlinkSync("/proc/self/ns/pid")} ${timeNamespace()}`),
    kernel: orUndefined(() => fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
  };
}

/** Whether a process lives. `unknown` where that cannot be seen from here: another kernel, another pid namespace. */
export function fateOf(mark: ProcessMark): "alive" | "dead" | "unknown" {
  const here = markOfThisProcess();
  if (mark.kernel === undefined || mark.kernel !== here.kernel) return "unknown";
  if (mark.namespace === undefined || mark.namespace !== here.namespace) return "unknown";
  if (orUndefined(() => isThere(mark.pid)) === false) return "dead";
  const stat = statOf(mark.pid);
  if (stat === undefined) return "alive"; // there, but hidden from us (hidepid)
  if (stat.started !== mark.started) return mark.started === undefined ? "unknown" : "dead";
  return stat.isOver ? "dead" : "alive";
}

/** A mark as JSON has it; `undefined` where it is none. */
export function asProcessMark(value: unknown): ProcessMark | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { pid, started, namespace, kernel } = value as Record<string, unknown>;
  if (!Number.isSafeInteger(pid) || (pid as number) <= 0) return undefined;
  const text = (part: unknown): string | undefined => (typeof part === "string" ? part : undefined);
  return {
    pid: pid as number,
    started: text(started),
    namespace: text(namespace),
    kernel: text(kernel),
  };
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === "ESRCH") return false;
    throw thrown;
  }
}

/** What `/proc/<pid>/stat` says; its second field, the name, may hold anything. */
function statOf(pid: number): { started: string | undefined; isOver: boolean } | undefined {
  const text = orUndefined(() => fs.readFileSync(`/proc/${pid}/stat`, "utf8"));
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  if (fields === undefined) return undefined;
  const [state = "", threads, started] = [fields[0], fields[17], fields[19]];
  // A zombie whose other threads still are in the kernel is not over: one of them may be writing.
  return { started, isOver: "ZXx".includes(state) && Number(threads) <= 1 };
}

function timeNamespace(): string {
  return orUndefined(() => fs.readlinkSync("/proc/self/ns/time")) ?? "";
}

function orUndefined<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
