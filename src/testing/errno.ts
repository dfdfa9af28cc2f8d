// Number, and the words libuv has for it (EUSERS: none, and so Node has no name for it either).
const KNOWN: Readonly<Record<ErrnoName, readonly [number: number, words: string | undefined]>> = {
  EPERM: [1, "operation not permitted"],
  ENOENT: [2, "no such file or directory"],
  EINTR: [4, "interrupted system call"],
  EIO: [5, "i/o error"],
  ENXIO: [6, "no such device or address"],
  E2BIG: [7, "argument list too long"],
  EAGAIN: [11, "resource temporarily unavailable"],
  ENOMEM: [12, "not enough memory"],
  EACCES: [13, "permission denied"],
  EBUSY: [16, "resource busy or locked"],
  EEXIST: [17, "file already exists"],
  ENODEV: [19, "no such device"],
  ENOTDIR: [20, "not a directory"],
  EISDIR: [21, "illegal operation on a directory"],
  EINVAL: [22, "invalid argument"],
  EMFILE: [24, "too many open files"],
  ENOSPC: [28, "no space left on device"],
  EROFS: [30, "read-only file system"],
  ERANGE: [34, "result too large"],
  ENAMETOOLONG: [36, "name too long"],
  ENOSYS: [38, "function not implemented"],
  ELOOP: [40, "too many symbolic links encountered"],
  EUSERS: [87, undefined],
  ENOTSUP: [95, "operation not supported on socket"],
  EADDRINUSE: [98, "address already in use"],
  EADDRNOTAVAIL: [99, "address not available"],
  ETIMEDOUT: [110, "connection timed out"],
};

/** The kernel's errors that the simulation knows, by their symbolic names. */
export type ErrnoName =
  | "EPERM"
  | "ENOENT"
  | "EINTR"
  | "EIO"
  | "ENXIO"
  | "E2BIG"
  | "EAGAIN"
  | "ENOMEM"
  | "EACCES"
  | "EBUSY"
  | "EEXIST"
  | "ENODEV"
  | "ENOTDIR"
  | "EISDIR"
  | "EINVAL"
  | "EMFILE"
  | "ENOSPC"
  | "EROFS"
  | "ERANGE"
  | "ENAMETOOLONG"
  | "ENOSYS"
  | "ELOOP"
  | "EUSERS"
  | "ENOTSUP"
  | "EADDRINUSE"
  | "EADDRNOTAVAIL"
  | "ETIMEDOUT";

/** All of them. */
export const ERRNO_NAMES: readonly ErrnoName[] = Object.keys(KNOWN) as ErrnoName[];

/**
 * What a driver's read or write handler throws to refuse, as a kernel function returns `-EINVAL`. The reader or
 * writer gets the error that Node makes of it.
 *
 * @example
 * ```ts
 * import { MdevHost, integer, writeOnly } from "vfio-mdev";
 * import { Errno, SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * const fan = simulated.addParent({
 *   path: "devices/platform/fan.0",
 *   subsystem: "bus/platform",
 *   deviceDriver: "fan_mdev",
 *   types: [{ id: "fan-slow" }],
 *   deviceAttributes: {
 *     speed: {
 *       write: () => {
 *         throw new Errno("EINVAL");
 *       },
 *     },
 *   },
 * });
 *
 * const device = await new MdevHost({ fs: simulated.fs }).device(fan.create("fan-slow")).getOrThrow();
 * const written = await device.attribute(writeOnly("speed", integer)).write(9_000);
 * console.log(!written.ok && written.error.errno); // prints: EINVAL
 * ```
 */
export class Errno extends Error {
  /** The error's symbolic name. */
  readonly errno: ErrnoName;

  /** An error as Node's own calls throw it, with this errno. */
  constructor(errno: ErrnoName) {
    super(errno);
    this.name = "Errno";
    this.errno = errno;
  }
}

/** The error that `node:fs/promises` rejects with; `path` only where the system call was given one. */
export function systemError(name: ErrnoName, syscall: string, path?: string): Error {
  const [number, words] = KNOWN[name];
  const unnamed = `Unknown system error -${number}`;
  const code = words === undefined ? unnamed : name;
  const where = path === undefined ? "" : ` '${path}'`;
  const error = new Error(`${code}: ${words ?? unnamed}, ${syscall}${where}`);
  return Object.assign(error, { errno: -number, code, syscall, ...(path === undefined ? {} : { path }) });
}
