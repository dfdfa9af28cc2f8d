import {
  type AsyncResult,
  type AttributeReadError,
  type AttributeWriteError,
  ConflictError,
  InvalidArgumentError,
  type LockError,
  type OperationOptions,
  Result,
  RollbackFailedError,
  sharedLimits,
} from "../../index.js";
import { type ApConfig, configFault, freezeConfig, sameConfig } from "./ap-config.js";
import type { VfioApDevice } from "./ap-device.js";
import { type ApConfigLock, lockApConfig } from "./ap-lock.js";
import type { ApMatrix } from "./ap-matrix.js";
import { type ApWrite, inverseOf, planApWrites } from "./ap-plan.js";

/** How long an undo may take before it counts as failed, in milliseconds. */
const UNDO_LIMIT = 10_000;

/** What a device is to have, in ids from 0 to 255. */
export interface WantedApConfig extends ApMatrix {
  /** Ids of its control domains; where they are left out, those that it has stay. */
  readonly controlDomains?: readonly number[] | undefined;
}

/** What {@link applyMatrix} takes. */
export interface ApplyMatrixOptions extends OperationOptions {
  /** The lock on the AP configuration, where you hold it already; {@link applyMatrix} leaves it with you. */
  readonly lock?: ApConfigLock | undefined;
  /**
   * The lock file to hold meanwhile: an absolute path. {@link AP_LOCK_FILE} where it is not given and the device is of the
   * local machine; none for a device that is reached through an `fs` or a `sysfs` of yours.
   */
  readonly lockFile?: string | undefined;
}

/** What {@link applyMatrix} did. Frozen. */
export interface ApplyMatrixOutcome {
  /** What was assigned before. */
  readonly before: ApConfig;
  /** What is assigned now. */
  readonly after: ApConfig;
  /** The writes that it took, in their order; none where the device had all of it. */
  readonly writes: readonly ApWrite[];
}

/**
 * What bringing a device to a matrix can end in: what reading and writing one of its files can ({@link VfioApDevice}),
 * and what taking the lock can. `conflict` is a queue that is somebody else's, a device that somebody changed
 * meanwhile, or a lock that was not to be had; `invalid-argument` an id that is not from 0 to 255; `unsupported` a
 * device that does not show what is assigned to it; `rollback-failed` a step that could not be taken back.
 */
export type ApplyMatrixError = RollbackFailedError | AttributeReadError | LockError;

/**
 * Brings a device to exactly a wanted configuration with the fewest writes to `ap_config`, or to `assign_…` and
 * `unassign_…`, in the order of {@link planApWrites}: all of it, or nothing. Where a step fails, those before it are
 * taken back, and the error is that of the step; where that fails too, it is `rollback-failed` with both.
 *
 * Where the kernel has `ap_config`, it is one write. Where it has not, somebody else may change the same device in
 * between: that is seen at the end, `conflict`, and only our own steps are taken back. When the caller's limit strikes
 * while the kernel holds a write up, that write may still take effect after the undo: `pending` says so.
 *
 * On the local machine it holds the lock of s390-tools meanwhile ({@link lockApConfig}): `conflict` where somebody else has
 * it until the time limit passes.
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { applyMatrix, VfioApDevice } from "vfio-mdev/s390";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * const hardware = simulated.addMatrix({ adapters: [5, 6], domains: [4, 0xab], freed: { adapters: [5, 6] } });
 * const uuid = hardware.create("vfio_ap-passthrough");
 * const device = await new MdevHost({ fs: simulated.fs }).device(uuid).getOrThrow();
 * const crypto = await device.as(VfioApDevice).getOrThrow();
 *
 * const { writes } = await applyMatrix(crypto, { adapters: [5, 6], domains: [4, 0xab] }).getOrThrow();
 * console.log(writes.length, (await crypto.matrix.read().getOrThrow())?.domains); // prints: 1 [ 4, 171 ]
 * ```
 */
export function applyMatrix(
  device: VfioApDevice,
  wanted: WantedApConfig,
  options?: ApplyMatrixOptions,
): AsyncResult<ApplyMatrixOutcome, ApplyMatrixError> {
  const tried = `bring ${device.device.id} to a matrix`;
  const within = sharedLimits(options);
  const apply = async (): Promise<Result<ApplyMatrixOutcome, ApplyMatrixError>> => {
    const fault = wantedFault(wanted);
    if (fault !== undefined)
      return Result.error(new InvalidArgumentError({ tried, reason: `the wanted configuration ${fault}` }));
    const whole = await device.apConfig.read(within());
    if (!whole.ok) return whole;
    const read = whole.value === undefined ? await device.config(within()) : Result.ok(whole.value);
    if (!read.ok) return read;
    const before = read.value;
    const after = freezeConfig({ ...wanted, controlDomains: wanted.controlDomains ?? before.controlDomains });
    const writes = planApWrites(before, after, { apConfig: whole.value !== undefined });

    for (const [index, write] of writes.entries()) {
      const written = await perform(device, write, within());
      if (written.ok) continue;
      // One that was given up in the middle can have been obeyed, or still be. To take it back does no harm.
      const isOpen = "pending" in written.error && written.error.pending !== undefined;
      const done = writes.slice(0, isOpen ? index + 1 : index);
      return Result.error(await rollBack({ device, tried, before, after, done }, written.error));
    }
    if (whole.value === undefined && writes.length > 0) {
      const now = await device.config(within());
      const failure = now.ok ? misfit(now.value, after, tried, device) : now.error;
      if (failure !== undefined)
        return Result.error(await rollBack({ device, tried, before, after, done: writes }, failure));
    }
    return Result.ok(Object.freeze({ before, after, writes: Object.freeze(writes) }));
  };
  const locked = async (): Promise<Result<ApplyMatrixOutcome, ApplyMatrixError>> => {
    const { lock: held, lockFile } = options ?? {};
    if (held !== undefined || (lockFile === undefined && !device.device.isLocal)) return apply();
    const lock = await lockApConfig({ ...within(), path: lockFile });
    if (!lock.ok) return lock;
    const applied = await apply();
    const released = await lock.value.release();
    // The matrix is applied; but who goes on has to know that the lock is not given back, or was no longer ours.
    return applied.ok && !released.ok ? Result.error(released.error) : applied;
  };
  return Result.fromAsync(locked);
}

function wantedFault(wanted: WantedApConfig | null): string | undefined {
  if (typeof wanted !== "object" || wanted === null) return "is not an object";
  return configFault({ ...wanted, controlDomains: wanted.controlDomains ?? [] });
}

function perform(
  device: VfioApDevice,
  write: ApWrite,
  options: OperationOptions | undefined,
): AsyncResult<void, AttributeWriteError> {
  switch (write.file) {
    case "ap_config":
      return device.apConfig.write(write.config, options);
    case "assign_adapter":
      return device.assignAdapter.write(write.id, options);
    case "unassign_adapter":
      return device.unassignAdapter.write(write.id, options);
    case "assign_domain":
      return device.assignDomain.write(write.id, options);
    case "unassign_domain":
      return device.unassignDomain.write(write.id, options);
    case "assign_control_domain":
      return device.assignControlDomain.write(write.id, options);
    case "unassign_control_domain":
      return device.unassignControlDomain.write(write.id, options);
  }
}

interface Attempt {
  readonly device: VfioApDevice;
  readonly tried: string;
  readonly before: ApConfig;
  readonly after: ApConfig;
  readonly done: readonly ApWrite[];
}

/** Takes the writes back that were done, the last first, whatever becomes of each. */
async function rollBack(attempt: Attempt, failure: AttributeReadError): Promise<ApplyMatrixError> {
  const { device, tried, before, after, done } = attempt;
  const limits = { timeout: UNDO_LIMIT };
  let undoFailure: AttributeReadError | undefined;
  for (const write of done.toReversed()) {
    if (write.file === "ap_config") {
      // It was given up in the middle. What somebody else wrote since then is not ours to take back.
      const now = await device.apConfig.read(limits);
      if (!now.ok) undoFailure ??= now.error;
      if (!now.ok || now.value === undefined || !sameConfig(now.value, after)) continue;
    }
    const undone = await perform(device, inverseOf(write, before), limits);
    if (!undone.ok) undoFailure ??= undone.error;
  }
  // A device that is gone has taken all of it along.
  if (undoFailure === undefined || undoFailure.type === "gone") return failure;
  const { path } = device.device;
  return new RollbackFailedError({
    tried,
    reason: "a step failed, and so did its undo",
    hint: `${path} has a part of it. The step: ${failure.message} The undo: ${undoFailure.message}`,
    path,
    failure,
    undoFailure,
    leftBehind: path,
  });
}

function misfit(
  now: ApConfig,
  after: ApConfig,
  tried: string,
  { device: { path } }: VfioApDevice,
): ConflictError | undefined {
  if (sameConfig(now, after)) return undefined;
  const reason = "somebody else changed the device at the same time";
  return new ConflictError({ tried, reason, path });
}
