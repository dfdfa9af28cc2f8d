import { type AsyncResult, Result } from "typescript-result";
import type { HostContext } from "../context.js";
import { BusyError, type GoneError, type OperationError, type RejectedError } from "../errors.js";
import { Interruption, isVanished } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";
import type { OperationOptions } from "../file-system/limits.js";
import { operate } from "../file-system/operation.js";
import type { FoundDevice } from "../layouts/mdev-bus.js";
import { log } from "../log.js";
import { baseName } from "../paths.js";

/** What removing a device can end in. */
export type RemoveError = BusyError | GoneError | RejectedError | OperationError;

/** How a removal went. */
export interface RemoveOutcome {
  /** Whether this call removed it; `false`: it was gone already, or somebody else removed it meanwhile. */
  readonly removed: boolean;
}

/** Between two looks whether the device's folder is gone, in milliseconds. */
const LOOK_AGAIN = 10;
/** How long to look where the caller sets no limit, in milliseconds. */
const LOOK_LIMIT = 10_000;

/** Removes a device, and returns when its folder is gone. */
export function removeDevice(
  context: HostContext,
  device: FoundDevice,
  options: OperationOptions | undefined,
): AsyncResult<RemoveOutcome, RemoveError> {
  const { path, parent } = device;
  const { layout } = parent;
  const tried = `remove ${baseName(path)} from ${baseName(parent.path)}`;

  const remove = async (io: Io): Promise<Result<RemoveOutcome, RemoveError>> => {
    const state = await layout.stateOf(io, path, `${context.paths.mdevDevices}/${baseName(path)}`);
    log.remove("%s is %s", path, state ?? "gone");
    if (state === undefined) return Result.ok({ removed: false });
    if (state === "creating") {
      // The kernel would leave it there for good, with its `remove` file gone.
      const reason = "it is not completely created yet";
      return Result.error(new BusyError({ tried, reason, path, hint: "Try again when that is done." }));
    }
    const removed = state === "active" && (await command(io, context, device));
    await untilGone(io, path, options?.timeout ?? context.timeout ?? LOOK_LIMIT);
    return Result.ok({ removed });
  };
  return operate(context, { tried, errnos: layout.removeErrnos, options }, remove);
}

/** Tells the kernel; `false` where somebody else was faster. */
async function command(io: Io, { sysfs }: HostContext, { path, parent }: FoundDevice): Promise<boolean> {
  const { path: file, text } = parent.layout.remove(path);
  try {
    await io.writeDetached(await io.resolve(file, sysfs), text);
    return true;
  } catch (thrown) {
    if (isVanished(thrown)) return false;
    if (thrown instanceof Interruption && thrown.pending !== undefined) {
      thrown.pending = "The kernel may still remove it: it waits until nobody has the device open.";
    }
    throw thrown;
  }
}

/** Waits until the folder is gone: a link on the bus goes earlier, and some kernels answer before they are done. */
async function untilGone(io: Io, path: string, limit: number): Promise<void> {
  const end = performance.now() + limit;
  while (await io.exists(path)) {
    if (performance.now() > end) {
      const late = new Interruption("timeout", `its folder is still there after ${limit} ms`);
      late.pending = "Its removal is under way: the kernel waits until nobody has the device open.";
      throw late;
    }
    await io.pause(LOOK_AGAIN);
  }
}
