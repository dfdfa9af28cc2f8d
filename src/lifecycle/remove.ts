import { type AsyncResult, Result } from "typescript-result";
import { VANISHING } from "../attributes/access.js";
import type { HostContext } from "../context.js";
import {
  BusyError,
  type ConflictError,
  InvalidArgumentError,
  type OperationError,
  type RejectedError,
  type UnsupportedError,
} from "../errors.js";
import { FileFailure, Interruption, isVanished } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";
import { isMilliseconds, type OperationOptions } from "../file-system/limits.js";
import { operate } from "../file-system/operation.js";
import type { FoundDevice } from "../layouts/layout.js";
import { quote } from "../identifiers.js";
import { log } from "../log.js";
import { baseName } from "../paths.js";
import { ownerFault } from "../ownership/claim.js";
import { identityOf, pinned } from "../ownership/identity.js";
import { creationOf } from "./creations.js";
import { type DeviceUse, findUse } from "./in-use.js";
import { type Entry, forgetEntry, Ledger, noStore, refusal } from "../ownership/ledger.js";

/**
 * What removing a device can end in; that it is gone already is no error:
 *
 * - `busy`: somebody has it open, as far as that is seen; the driver does not let it go (EBUSY, EPERM); or it is still being
 *   created (EAGAIN);
 * - `conflict`: it belongs to an owner who is not named, or is not known to be of the one who is: {@link RemoveOptions.owner};
 * - `rejected`: the driver refused (EINVAL; EIO on NVIDIA's interface for SR-IOV functions);
 * - `unsupported`: an `owner` is given, and the host has no store;
 * - what any operation can: {@link OperationError}; `timeout` also where it is still there 10 seconds after the kernel was told and
 *   no limit is given. `pending` says that the removal goes on.
 */
export type RemoveError = BusyError | ConflictError | RejectedError | UnsupportedError | OperationError;

/** What {@link MdevDevice.remove} takes. */
export interface RemoveOptions extends OperationOptions {
  /**
   * What to do while somebody has the device open ({@link MdevDevice.inUse} says `yes`): `fail` with `busy`, which is the
   * default, or `wait` until nobody has, as long as the limits allow; nothing is written before. Where it is not known who
   * uses the device, it is removed, and Linux may hold that up.
   */
  readonly ifBusy?: "fail" | "wait" | undefined;
  /**
   * How long to wait for the driver to remove the device by itself, in milliseconds, before it is told to: NVIDIA's does so
   * when a virtual machine stops. Not at all by default.
   */
  readonly waitForDriver?: number | undefined;
  /**
   * Whose the device must be, as the host's ledger has it: otherwise this is `conflict`. So is removing a device of any
   * owner without this option.
   */
  readonly owner?: string | undefined;
  /**
   * How often to try again what a driver refuses with EBUSY or EPERM: NVIDIA's does so for some seconds after a virtual
   * machine stopped. Not at all by default.
   */
  readonly retries?: number | undefined;
  /** How long to wait before each of them, in milliseconds; 1000 by default. */
  readonly retryInterval?: number | undefined;
}

/** How a removal went. */
export interface RemoveOutcome {
  /** Whether this call removed it; `false`: it was gone already, or somebody else removed it meanwhile. */
  readonly removed: boolean;
}

/** Between two looks how far the device is, in milliseconds. */
const LOOK_AGAIN = 10;
/** Between two looks whether it is still in use, which cost more, in milliseconds. */
const LOOK_FOR_USERS = 100;
/**
 * How long a device has been complete before it is removed, in milliseconds. Its creation, by whomever, has a few more
 * instructions to go then that nothing shows, and a removal before them would leave it there for good.
 */
const SETTLING = 5;
/** How long to wait for a creation that is under way, in milliseconds. */
const CREATION_LIMIT = 1_000;
/** How long to wait until it is gone where the caller sets no limit, in milliseconds. */
const REMOVAL_LIMIT = 10_000;
const UNDER_WAY = "Its removal is under way: the kernel waits until nobody has the device open.";

/** Removes a device, and returns when it is gone. */
export function removeDevice(
  context: HostContext,
  named: FoundDevice,
  options: RemoveOptions | undefined,
  whoever: "as the ledger says" | "its maker" = "as the ledger says",
): AsyncResult<RemoveOutcome, RemoveError> {
  const { id, path, parent } = named;
  const tried = `remove ${id} from ${baseName(parent.path)}`;

  const fault = optionsFault(options);
  const limit = options?.timeout ?? context.timeout ?? REMOVAL_LIMIT;

  const remove = async (io: Io): Promise<Result<RemoveOutcome, RemoveError>> => {
    if (fault !== undefined) return Result.error(new InvalidArgumentError({ tried, reason: fault }));
    const owner = options?.owner;
    if (owner !== undefined && context.state === undefined) return Result.error(noStore(tried));
    const identity = await identityOf(io, named);
    if (identity === undefined) return Result.ok({ removed: false });
    const device = pinned(named, identity); // one that is created under the same name meanwhile is not meant
    const { layout } = device.parent;
    if (await goesByItself(io, device, options?.waitForDriver ?? 0)) return Result.ok({ removed: false });
    for (;;) {
      // Removed before it is complete, the kernel would leave it there for good, with its `remove` file gone.
      const state = await settledState(io, context, device, limit);
      log.remove("%s is %s", path, state ?? "gone");
      if (state === undefined) return Result.ok({ removed: false });
      if (state === "creating") {
        const reason = "it is not completely created yet";
        return Result.error(new BusyError({ tried, reason, path, hint: "Try again when that is done." }));
      }
      await io.pause(SETTLING);
      const use = await findUse(io, context, device).catch(unlessVanished);
      if (use.state === "yes" && options?.ifBusy !== "wait") return Result.error(inUse(tried, path, use));
      if (use.state === "yes") {
        await io.pause(LOOK_FOR_USERS);
        continue;
      }
      const isMaker = whoever === "its maker";
      const claim = isMaker ? undefined : await Ledger.of(io, context)?.claimTo(device);
      const conflict = isMaker ? undefined : refusal(device, claim, owner, tried);
      // One that has gone meanwhile is nobody's, which its state will tell.
      if (conflict !== undefined && !(await layout.exists(io, device))) continue;
      if (conflict !== undefined) return Result.error(conflict);
      const removed = await carryOut(io, context, { device, claim, tried, limit, options });
      return Result.ok({ removed });
    }
  };
  return operate(context, { tried, errnos: parent.layout.removeErrnos, options }, remove);
}

/** A removal that nothing speaks against. */
interface Removal {
  readonly device: FoundDevice;
  /** Whose it is, which is forgotten with it. */
  readonly claim: Entry | undefined;
  readonly tried: string;
  readonly limit: number;
  readonly options: RemoveOptions | undefined;
}

/** Tells the kernel, and returns when the device is gone and its claim is; `false` where somebody else was faster. */
async function carryOut(io: Io, context: HostContext, removal: Removal): Promise<boolean> {
  const { device, limit, options } = removal;
  let write: Promise<void> | undefined;
  try {
    const removed = await command(io, device, options, (begun) => {
      write = begun;
    });
    await untilGone(io, device, limit);
    await forget(context, removal);
    return removed;
  } catch (thrown) {
    if (thrown instanceof Interruption) void forgetLater(context, removal, write);
    throw thrown;
  }
}

/** Forgets whose a device was; where that fails, the claim proves nothing: its device is not there. */
async function forget(context: HostContext, { device, claim, tried }: Removal): Promise<void> {
  const forgotten = claim === undefined ? undefined : await forgetEntry(context, claim, tried);
  if (forgotten?.ok === false) log.remove("%s stays in the ledger: %s", device.path, forgotten.error.message);
}

/** Who gave up does not wait; what the kernel removes all the same has to be forgotten all the same. */
async function forgetLater(
  context: HostContext,
  removal: Removal,
  write: Promise<void> | undefined,
): Promise<void> {
  const isObeyed = await write?.then(
    () => true,
    () => false,
  );
  if (isObeyed !== true) return;
  const { device, tried } = removal;
  const facts = { tried, errnos: VANISHING, options: { timeout: REMOVAL_LIMIT } };
  const look = async (io: Io): Promise<Result<boolean, never>> =>
    Result.ok(await device.parent.layout.exists(io, device));
  if ((await operate(context, facts, look)).value === false) await forget(context, removal);
}

/** Whether the driver removes the device by itself, within this time. */
async function goesByItself(io: Io, device: FoundDevice, time: number): Promise<boolean> {
  const begun = performance.now();
  while (performance.now() - begun < time) {
    if (!(await device.parent.layout.exists(io, device))) return true;
    await io.pause(LOOK_AGAIN);
  }
  return false;
}

/** What vanishes while it is looked at is nobody's; the kernel has the last word when it is told. */
function unlessVanished(thrown: unknown): DeviceUse {
  if (!isVanished(thrown)) throw thrown;
  return { state: "unknown", holders: [] };
}

function inUse(tried: string, path: string, { holders }: DeviceUse): BusyError {
  const who =
    holders.length === 0 ? "" : ` by the process${holders.length > 1 ? "es" : ""} ${holders.join(", ")}`;
  const hint = 'Stop its virtual machine, or remove it with `ifBusy: "wait"`.';
  return new BusyError({ tried, reason: `it is in use${who}`, path, hint, holders });
}

/** How far the device is, once that stays so: `undefined` when it is gone. */
async function settledState(
  io: Io,
  context: HostContext,
  device: FoundDevice,
  limit: number,
): Promise<"active" | "creating" | undefined> {
  const { layout } = device.parent;
  const begun = performance.now();
  while (creationOf(context.fs, device.path) !== undefined) {
    if (performance.now() - begun > CREATION_LIMIT) return "creating";
    await io.pause(LOOK_AGAIN);
  }
  let removing = false;
  try {
    while (await layout.exists(io, device)) {
      const state = await layout.stateOf(io, device);
      if (state === "active") return state;
      removing = state === "removing";
      const waited = performance.now() - begun;
      if (state === "creating" && waited > CREATION_LIMIT) return state;
      if (removing && waited > limit) throw stillThere(limit);
      await io.pause(LOOK_AGAIN);
    }
  } catch (thrown) {
    if (removing) sayUnderWay(thrown);
    throw thrown;
  }
  return undefined;
}

/** Tells the kernel; `false` where somebody else was faster. */
async function command(
  io: Io,
  device: FoundDevice,
  options: RemoveOptions | undefined,
  begun: (write: Promise<void>) => void,
): Promise<boolean> {
  const { layout } = device.parent;
  const { retries = 0, retryInterval = 1000 } = options ?? {};
  for (let tries = 0; ; tries++) {
    // A device that is another one by now must not be removed: look again before each try.
    if (tries > 0 && !(await layout.exists(io, device))) return false;
    try {
      const { path, text } = await layout.remove(io, device);
      await io.writeDetached(path, text, begun);
      return true;
    } catch (thrown) {
      if (thrown instanceof Interruption && thrown.pending !== undefined) {
        thrown.pending = "The kernel may still remove it: it waits until nobody has the device open.";
      }
      if (!(thrown instanceof FileFailure)) throw thrown;
      if (isVanished(thrown) || (await isGoneSoon(io, device))) return false;
      if (!layout.passingErrnos.has(thrown.errno ?? "") || tries >= retries) throw thrown;
      log.remove("%s: %s, trying again", device.path, thrown.errno);
      await io.pause(retryInterval);
    }
  }
}

/** Whether somebody else's removal was what made ours fail: it may be about to end. */
async function isGoneSoon(io: Io, device: FoundDevice): Promise<boolean> {
  const { layout } = device.parent;
  if (!(await layout.exists(io, device))) return true;
  await io.pause(LOOK_AGAIN);
  return !(await layout.exists(io, device));
}

/** Waits until the device is gone: a link on the bus goes earlier, and some kernels answer before they are done. */
async function untilGone(io: Io, device: FoundDevice, limit: number): Promise<void> {
  const begun = performance.now();
  try {
    while (await device.parent.layout.exists(io, device)) {
      if (performance.now() - begun > limit) throw stillThere(limit);
      await io.pause(LOOK_AGAIN);
    }
  } catch (thrown) {
    sayUnderWay(thrown);
  }
}

/** A limit that strikes while the device is going says that it is. */
function sayUnderWay(thrown: unknown): never {
  if (thrown instanceof Interruption) thrown.pending ??= UNDER_WAY;
  throw thrown;
}

function stillThere(limit: number): Interruption {
  const late = new Interruption("timeout", `it is still there after ${limit} ms`);
  late.pending = UNDER_WAY;
  return late;
}

function optionsFault(options: RemoveOptions | undefined): string | undefined {
  const { retries = 0, retryInterval = 0, waitForDriver = 0, ifBusy = "fail" } = options ?? {};
  if (!Number.isSafeInteger(retries) || retries < 0) return "its retries are not a number from 0";
  if (!isMilliseconds(retryInterval)) return "its retry interval is not in milliseconds";
  if (!isMilliseconds(waitForDriver)) return "how long it waits for the driver is not in milliseconds";
  const owner = options?.owner === undefined ? undefined : ownerFault(options.owner);
  if (owner !== undefined) return `its owner ${owner}`;
  return ["fail", "wait"].includes(ifBusy) ? undefined : `it knows no ifBusy ${quote(ifBusy)}`;
}
