import {
  type AsyncResult,
  DirectoryStore,
  InvalidArgumentError,
  type Lock,
  type LockError,
  type OperationOptions,
  Result,
  sharedLimits,
  takeLock,
} from "../../index.js";
import { ApLockFile, holderOfApLock } from "./ap-lock-file.js";

/** Where s390-tools keep their lock. Source: s390-tools, `include/lib/ap.h`. */
export const AP_LOCK_FILE = "/run/lock/s390apconfig.lock";

/** What {@link lockApConfig} takes. */
export interface ApLockOptions extends OperationOptions {
  /** The lock file, an absolute path; {@link AP_LOCK_FILE} where it is not given. */
  readonly path?: string | undefined;
}

/**
 * The lock on the AP configuration of the machine, held. Programs of s390-tools wait for it, `chzdev` and what mdevctl
 * calls among them, and so do {@link lockApConfig} and {@link applyMatrix}.
 * Source: s390-tools, `libutil/util_lockfile.c`, `libap/ap.c`.
 */
export class ApConfigLock {
  readonly #locks: readonly Lock[];

  /** @internal */
  constructor(locks: readonly Lock[]) {
    this.#locks = locks;
  }

  /** Gives it back; `conflict` where somebody had taken it away. */
  release(): AsyncResult<void, LockError> {
    const release = async (): Promise<Result<void, LockError>> => {
      let failure: LockError | undefined;
      for (const lock of this.#locks) failure ??= (await lock.release()).error;
      return failure === undefined ? Result.ok() : Result.error(failure);
    };
    return Result.fromAsync(release);
  }
}

/**
 * Takes the lock that s390-tools hold while they change the AP configuration: the file `/run/lock/s390apconfig.lock`,
 * in their format: the process number and a newline. {@link applyMatrix} does so by itself. It is for what is more than
 * one call: to look who has which queues, and then to assign some. Where somebody else holds it until the time limit
 * passes, that is `conflict`, with his process number; a path that is not absolute is `invalid-argument`.
 *
 * Beside the file lies, while it is held, an entry of a {@link DirectoryStore}: processes that use this library exclude each
 * other by that, as their file cannot be taken over from the dead without a race.
 * Source: s390-tools, `libutil/util_lockfile.c`, `libap/ap.c`.
 *
 * @example
 * ```ts
 * import { mkdtempSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { MdevHost } from "vfio-mdev";
 * import { applyMatrix, lockApConfig, VfioApDevice } from "vfio-mdev/s390";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * const matrix = simulated.addMatrix({ adapters: [5], domains: [4], freed: { adapters: [5] } });
 * const uuid = matrix.create("vfio_ap-passthrough");
 * const device = await new MdevHost({ fs: simulated.fs }).device(uuid).getOrThrow();
 * const crypto = await device.as(VfioApDevice).getOrThrow();
 *
 * // Without `path` it is the lock of the local machine, which takes root.
 * const path = `${mkdtempSync(`${tmpdir()}/example-`)}/s390apconfig.lock`;
 * const lock = await lockApConfig({ path, timeout: 30_000 }).getOrThrow();
 * try {
 *   await applyMatrix(crypto, { adapters: [5], domains: [4] }, { lock }).getOrThrow();
 * } finally {
 *   await lock.release().getOrThrow();
 * }
 * console.log((await crypto.config().getOrThrow()).adapters); // prints: [ 5 ]
 * ```
 */
export function lockApConfig(options?: ApLockOptions): AsyncResult<ApConfigLock, LockError> {
  const { path = AP_LOCK_FILE } = options ?? {};
  const within = sharedLimits(options);
  const take = async (): Promise<Result<ApConfigLock, LockError>> => {
    if (typeof path !== "string" || !/^\/.*[^/]$/su.test(path)) {
      const reason = "the path of its file is not an absolute one";
      return Result.error(new InvalidArgumentError({ tried: "lock the AP configuration", reason }));
    }
    const file = new ApLockFile(path);
    const guard = await takeLock(new DirectoryStore(file.folder), `${file.name}.vfio-mdev`, within());
    if (!guard.ok) return guard;
    const lock = await takeLock(file, file.name, { ...within(), holderOf: holderOfApLock });
    if (lock.ok) return Result.ok(new ApConfigLock([lock.value, guard.value]));
    const released = await guard.value.release();
    return Result.error(released.ok ? lock.error : released.error);
  };
  return Result.fromAsync(take);
}
