import {
  AbortedError,
  type AsyncResult,
  type Codec,
  DecodeError,
  type FileSystem,
  integer,
  IoError,
  nodeFileSystem,
  type OperationError,
  type OperationOptions,
  PermissionError,
  Result,
  TimeoutError,
  UnsupportedError,
} from "../../index.js";
import type { ApHostFacts } from "./ap-conflicts.js";
import { apMask } from "./ap-mask.js";

/** Where the AP bus is read: the same as the `MdevHost` has. */
export interface ApHostOptions extends OperationOptions {
  /** The file system; the local one where it is not given. */
  readonly fs?: FileSystem | undefined;
  /** Where sysfs is mounted: `/sys`. */
  readonly sysfs?: string | undefined;
}

/** What reading the AP bus can end in; `unsupported`: there is none. */
export type ApHostError = UnsupportedError | OperationError;

const TRIED = "read the masks of the AP bus";

/**
 * The host's side of the AP bus: `/sys/bus/ap/{apmask,aqmask,ap_max_adapter_id,ap_max_domain_id}`.
 *
 * These files belong to no parent and no device, so that this takes the `fs` and `sysfs` that the host was made with. The
 * two masks are two files: somebody can change one between the two reads.
 *
 * @example
 * ```ts
 * import { readApHost } from "vfio-mdev/s390";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addMatrix({ adapters: [5, 6], domains: [4], freed: { adapters: [5, 6] } });
 * const { apmask } = await readApHost({ fs: simulated.fs }).getOrThrow();
 * console.log(apmask.slice(0, 6)); // prints: [ 0, 1, 2, 3, 4, 7 ]
 * ```
 */
export function readApHost({
  fs = nodeFileSystem,
  sysfs = "/sys",
  signal,
  timeout,
}: ApHostOptions = {}): AsyncResult<ApHostFacts, ApHostError> {
  const bus = `${sysfs.replace(/\/+$/, "")}/bus/ap`;
  const read = async (): Promise<Result<ApHostFacts, ApHostError>> => {
    const file = async <T>(name: string, codec: Codec<T>): Promise<T> => {
      const path = `${bus}/${name}`;
      const raw = await fs.readFile(path, "utf8").catch((thrown: unknown) => {
        throw failureOf(thrown, path);
      });
      const decoded: Result<unknown, string> = codec.decode(raw);
      if (decoded.ok) return decoded.value as T;
      throw new DecodeError({ tried: TRIED, reason: `${name} ${decoded.error}`, path, raw });
    };
    return Result.ok(
      Object.freeze({
        apmask: await file("apmask", apMask),
        aqmask: await file("aqmask", apMask),
        maxAdapterId: await file("ap_max_adapter_id", integer),
        maxDomainId: await file("ap_max_domain_id", integer),
      }),
    );
  };
  return Result.fromAsyncCatching(
    async () => withLimits(read, { signal, timeout }),
    (thrown) => failureOf(thrown, bus),
  );
}

/** What comes first: the outcome, or the caller's limit. */
async function withLimits<T>(run: () => Promise<T>, { signal, timeout }: OperationOptions): Promise<T> {
  let end = (): void => undefined;
  const struck = new Promise<never>((_, reject) => {
    const abort = (): void => {
      const facts = { tried: TRIED, reason: "the signal was aborted", cause: signal?.reason as unknown };
      reject(new AbortedError(facts));
    };
    if (signal?.aborted === true) abort();
    signal?.addEventListener("abort", abort, { once: true });
    const late = new TimeoutError({ tried: TRIED, reason: `the limit of ${timeout ?? 0} ms passed` });
    const timer = timeout === undefined ? undefined : setTimeout(() => reject(late), timeout);
    end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    };
  });
  try {
    return await Promise.race([struck, run()]);
  } finally {
    end();
  }
}

function failureOf(thrown: unknown, path: string): ApHostError {
  if (
    thrown instanceof UnsupportedError ||
    thrown instanceof DecodeError ||
    thrown instanceof PermissionError ||
    thrown instanceof IoError ||
    thrown instanceof TimeoutError ||
    thrown instanceof AbortedError
  ) {
    return thrown;
  }
  const code: unknown = (thrown as { readonly code?: unknown } | null | undefined)?.code;
  const errno = typeof code === "string" ? code : undefined;
  const facts = { tried: TRIED, path, errno, cause: thrown };
  if (errno === "ENOENT" || errno === "ENOTDIR")
    return new UnsupportedError({ ...facts, reason: "this machine does not show it", missing: path });
  if (errno === "EACCES" || errno === "EPERM")
    return new PermissionError({ ...facts, reason: "this process may not do that" });
  return new IoError({ ...facts, reason: thrown instanceof Error ? thrown.message : "it could not be read" });
}
