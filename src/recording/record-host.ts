import { posix } from "node:path";
import {
  type AbortedError,
  type AsyncResult,
  type FileSystem,
  InvalidArgumentError,
  MdevError,
  type OperationOptions,
  Result,
  type TimeoutError,
} from "../index.js";
import { Limits, LONGEST } from "./limits.js";
import { masked } from "./mask.js";
import { Recorder } from "./recorder.js";
import {
  areMaskable,
  FORMAT,
  type Maskable,
  MASKABLE,
  type RecordedEntry,
  type Recording,
  VERSION,
} from "./recording.js";
import { Survey } from "./survey.js";

const TRIED = "record a host";
/** Enough for some thousand devices; compressed, what a bug tracker takes. */
const MAX_BYTES = 32 * 2 ** 20;
const MASKED: readonly Maskable[] = ["serial-numbers", "vm-names"];

/** Options of {@link recordHost}. */
export interface RecordOptions extends OperationOptions {
  /** Where sysfs is mounted: `/sys`. In the recording it is at `/sys` in any case. */
  readonly sysfs?: string | undefined;
  /** Where the device nodes are: `/dev`. In the recording they are at `/dev` in any case. */
  readonly dev?: string | undefined;
  /**
   * What to mask: serial numbers and the names of virtual machines where it is not given; `[]` masks nothing. The same text gets
   * the same mask everywhere, so that the replay works as the host does, and UUIDs keep their order.
   *
   * - `serial-numbers`: the texts of files with such a name (`serial`, `serial_number` and the like), and such lines of `uevent`.
   * - `vm-names`: the texts of the files `vm_name` and `group` of devices.
   * - `uuids`: each UUID, in paths, links and texts.
   */
  readonly mask?: readonly Maskable[] | undefined;
  /** Files below a parent's folder that are read too, by their names: those that an extension of your own reads. */
  readonly attributes?: readonly string[] | undefined;
  /** How large the recording may be, in bytes of JSON: 32 MiB where it is not given. See {@link Recording.complete}. */
  readonly maxBytes?: number | undefined;
}

/**
 * What recording can end in; what cannot be read is part of the recording, and no error:
 *
 * - `invalid-argument`: its options are none;
 * - `timeout`, `aborted`: the limit in milliseconds passed, or the signal was aborted. Nothing is pending then.
 */
export type RecordError = InvalidArgumentError | TimeoutError | AbortedError;

/**
 * Reads all that the library reads of a host, and gives it as one JSON document: parents with their types and devices, PCI and
 * SR-IOV facts, drivers, IOMMU groups, device nodes, the AP and the CSS bus, in all layouts. It writes nothing, and opens no
 * device node. What could not be read is in the document by the kernel's error, what vanished meanwhile is not. Beside sysfs and
 * the names in `/dev` it reads `/proc/sys/kernel/osrelease`.
 *
 * Root sees the most; the recording of another user holds what that user may see. Look through it before you publish it.
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { recordHost, replay } from "vfio-mdev/recording";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addMtty().create("mtty-2");
 * const recording = await recordHost(simulated.fs).getOrThrow(); // recordHost(nodeFileSystem): the local machine
 * const json = JSON.stringify(recording); // what goes into the bug report
 *
 * const host = new MdevHost({ fs: replay(json).getOrThrow() });
 * const { devices } = await host.snapshot().getOrThrow();
 * console.log(devices.map(({ type }) => type)); // prints: [ 'mtty-2' ]
 * ```
 */
export function recordHost(fs: FileSystem, options: RecordOptions = {}): AsyncResult<Recording, RecordError> {
  const run = async (): Promise<Recording> => {
    const reason = faultOf(options);
    if (reason !== undefined) throw new InvalidArgumentError({ tried: TRIED, reason });
    const { sysfs = "/sys", dev = "/dev", mask = MASKED, attributes = [], maxBytes = MAX_BYTES } = options;
    const limits = new Limits(TRIED, options);
    const mounts = { sysfs: root(sysfs), dev: root(dev) };
    const recorder = new Recorder(fs, mounts, { check: () => limits.check(), maxBytes });
    const work = async (): Promise<string | undefined> => {
      await new Survey(recorder, attributes).take();
      return (await recorder.textOf("/proc/sys/kernel/osrelease"))?.trim();
    };
    const kernel = await limits.within(work());
    return Object.freeze({
      format: FORMAT,
      version: VERSION,
      ...(kernel === undefined ? {} : { kernel }),
      masked: Object.freeze(MASKABLE.filter((each) => mask.includes(each))),
      complete: recorder.complete,
      entries: sorted(masked(recorder.entries, new Set(mask))),
    });
  };
  return Result.fromAsyncCatching(run, (thrown) => {
    if (thrown instanceof MdevError) return thrown as RecordError;
    throw thrown; // a bug of ours
  });
}

function sorted(entries: ReadonlyMap<string, RecordedEntry>): Recording["entries"] {
  const byPath = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.freeze(Object.fromEntries(byPath.map(([path, entry]) => [path, Object.freeze(entry)])));
}

function root(path: string): string {
  return posix.resolve(path).replace(/\/$/, "");
}

/** What is wrong with options that a caller gave, as a clause. */
function faultOf(options: RecordOptions): string | undefined {
  if (typeof options !== "object" || (options as unknown) === null) return "its options are not an object";
  const { sysfs, dev, mask, attributes, maxBytes, timeout } = options;
  const signal = options.signal as Partial<AbortSignal> | null | undefined;
  if (![sysfs, dev].every((path) => path === undefined || isRoot(path)))
    return "a root is not an absolute path";
  if (mask !== undefined && !areMaskable(mask)) return `its mask is not a list of ${MASKABLE.join(", ")}`;
  if (attributes !== undefined && !(Array.isArray(attributes) && attributes.every(isAttribute)))
    return "its attributes are not a list of names of files below a parent";
  if (maxBytes !== undefined && !(maxBytes > 0)) return "its maxBytes is not a number above 0";
  if (signal !== undefined && typeof signal?.addEventListener !== "function")
    return "its signal is not an AbortSignal";
  if (timeout === undefined || timeout === Infinity) return undefined;
  const isTime = typeof timeout === "number" && timeout >= 0 && timeout <= LONGEST;
  return isTime ? undefined : `its timeout is not a number of milliseconds from 0 to ${LONGEST}`;
}

function isRoot(path: unknown): boolean {
  return typeof path === "string" && path.startsWith("/") && !path.includes("\0");
}

/** Whether a name leads to a file below the folder, and nowhere else. */
function isAttribute(name: unknown): boolean {
  return typeof name === "string" && name.split("/").every((part) => /^(?!\.\.?$)[^\0]+$/.test(part));
}
