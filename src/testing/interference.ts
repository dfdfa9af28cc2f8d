import { Errno, type ErrnoName, systemError } from "./errno.js";

/** The calls of a `FileSystem`. */
export type OperationName =
  "readFile" | "writeFile" | "writeDetached" | "readdir" | "readlink" | "realpath" | "lstat";

/** One call that was made of {@link SimulatedHost.fs}, before it has had any effect. */
export interface Operation {
  /** Which call. */
  readonly operation: OperationName;
  /** The path it was given. */
  readonly path: string;
  /** The text of a write; left out for all other calls. */
  readonly text?: string;
}

/** Which calls a failure or a delay is meant for. */
export interface OperationFilter {
  /** Only this call; any, when left out. `writeFile` stands for `writeDetached` too. */
  readonly operation?: OperationName;
  /** Only this path, or those that match. */
  readonly path?: string | RegExp;
  /** How many calls it is good for: of a failure 1 by default, of a delay all. */
  readonly times?: number;
}

/** Options of {@link SimulatedHost.failNext}. */
export interface FailureOptions extends OperationFilter {
  /** Only this path, or those that match. */
  readonly path: string | RegExp;
  /** What the kernel answers. */
  readonly errno: ErrnoName;
  /** The system call that fails: `open`, `read`, `write`…; by default the one that answers so on a real kernel. */
  readonly syscall?: string;
}

/** Options of {@link SimulatedHost.delay}. */
export interface DelayOptions extends OperationFilter {
  /** How long, in milliseconds; `"forever"` lasts until {@link Delay.end}. */
  readonly ms: number | "forever";
}

/** A delay that is in force. */
export interface Delay {
  /** Lets all calls that wait go on, and delays no further ones. */
  readonly end: () => void;
}

const FAILS_AT_OPEN = new Set<ErrnoName>([
  "ENOENT",
  "EACCES",
  "EPERM",
  "ENOTDIR",
  "ELOOP",
  "EROFS",
  "EMFILE",
]);
const SYSCALLS: Readonly<Record<OperationName, string>> = {
  readFile: "read",
  writeFile: "write",
  writeDetached: "write",
  readdir: "scandir",
  readlink: "readlink",
  realpath: "realpath",
  lstat: "lstat",
};

interface Rule {
  readonly filter: OperationFilter;
  left: number;
}

/** What a test does to the calls of a file system: watches them, makes them fail and makes them wait. */
export class Interference {
  readonly operations: Operation[] = [];
  readonly #listeners = new Set<(operation: Operation) => void>();
  readonly #failures: (Rule & { readonly error: FailureOptions })[] = [];
  readonly #delays: (Rule & { readonly ms: number | "forever"; readonly ended: Promise<void> })[] = [];

  listen(listener: (operation: Operation) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  fail(error: FailureOptions): void {
    this.#failures.push({ filter: error, left: error.times ?? 1, error });
  }

  delay({ ms, ...filter }: DelayOptions): Delay {
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const rule = { filter, left: filter.times ?? Infinity, ms, ended };
    this.#delays.push(rule);
    return {
      end: () => {
        rule.left = 0;
        end();
      },
    };
  }

  /** Notes a call and tells those who listen; what they throw, the call rejects with. */
  note(operation: Operation): void {
    this.operations.push(operation);
    for (const listener of [...this.#listeners]) listener(operation);
  }

  /** Holds a call up, and then lets it fail, where a test asked for it. */
  async meet(operation: Operation): Promise<void> {
    for (const rule of this.#delays.filter((each) => applies(each, operation))) {
      rule.left--;
      const timers: ReturnType<typeof setTimeout>[] = [];
      const over =
        rule.ms === "forever" ? [] : [new Promise((go) => timers.push(setTimeout(go, rule.ms as number)))];
      await Promise.race([rule.ended, ...over]);
      for (const timer of timers) clearTimeout(timer);
    }
    const failure = this.#failures.find((each) => applies(each, operation));
    if (failure === undefined) return;
    failure.left--;
    throw failureOf(operation, failure.error);
  }
}

function applies({ filter, left }: Rule, { operation, path }: Operation): boolean {
  const same =
    filter.operation === operation || (filter.operation === "writeFile" && operation === "writeDetached");
  if (left < 1 || (filter.operation !== undefined && !same)) return false;
  if (filter.path instanceof RegExp) return path.search(filter.path) >= 0;
  return filter.path === undefined || filter.path === path;
}

function failureOf({ operation, path }: Operation, { errno, syscall }: FailureOptions): Error {
  const last = SYSCALLS[operation];
  const moved = last === "read" || last === "write";
  const call = syscall ?? (moved && FAILS_AT_OPEN.has(errno) ? "open" : last);
  return systemError(errno, call, call === "read" || call === "write" ? undefined : path);
}

/** Runs a system call and turns what it refuses with into Node's error. */
export function asSyscall<T>(syscall: string, path: string | undefined, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw error instanceof Errno ? systemError(error.errno, syscall, path) : error;
  }
}
