import { type AsyncResult, Result } from "typescript-result";
import { VANISHING } from "../attributes/access.js";
import type { HostContext } from "../context.js";
import type { GoneError, InvalidArgumentError, OperationError, UnsupportedError } from "../errors.js";
import { FileFailure } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";
import { type OperationOptions, sharedLimits } from "../file-system/limits.js";
import { explain, operate } from "../file-system/operation.js";
import { inNaturalOrderOf, quote } from "../identifiers.js";
import { type Problem, problemOf } from "../inspection.js";
import type { FoundDevice } from "../layouts/layout.js";
import { probe } from "../layouts/probe.js";
import { log } from "../log.js";
import type { MdevDevice } from "../mdev-device.js";
import { type Claim, parseOwner } from "../ownership/claim.js";
import { pinned } from "../ownership/identity.js";
import { type Entry, forgetEntry, Ledger } from "../ownership/ledger.js";
import { removeDevice, type RemoveError, type RemoveOptions } from "./remove.js";

/**
 * What asking for an owner's devices can end in:
 *
 * - `unsupported`: the host has no store;
 * - `gone`: does not happen; a device that is gone is told of in {@link OwnedDevices.gone};
 * - what any operation can: {@link OperationError}. An entry that cannot be understood is a problem, and no `decode`.
 */
export type OwnedError = UnsupportedError | GoneError | OperationError;

/** What the ledger has of one owner. Frozen. */
export interface OwnedDevices {
  /** The devices that are his, in natural order: each is the very one that was created. */
  readonly devices: readonly MdevDevice[];
  /**
   * Devices that were about to be created for him when the process ended, or that somebody else claims too: they may be
   * his, which cannot be proven. {@link MdevHost.removeOwned} leaves them alone.
   */
  readonly unproven: readonly MdevDevice[];
  /** What he has noted of those devices ({@link CreateOptions.note}), by their ids. */
  readonly notes: Readonly<Record<string, string>>;
  /** The ids of devices that were his and are gone, replaced by somebody else's included. */
  readonly gone: readonly string[];
  /** What could not be read or understood. */
  readonly problems: readonly Problem[];
}

/** What became of one of an owner's devices. Frozen. */
export interface OwnedRemoval {
  /** The device's id. */
  readonly id: string;
  /** Its folder. */
  readonly path: string;
  /** Whether this call removed it; `false` without an error: it was gone already. */
  readonly removed: boolean;
  /** Why it could not be removed. */
  readonly error: RemoveError | OwnedError | undefined;
}

/** An owner's entries, by what they turned out to be. */
interface Found {
  readonly proven: { entry: Entry; device: FoundDevice }[];
  readonly unproven: FoundDevice[];
  readonly notes: Record<string, string>;
  readonly gone: Entry[];
  readonly problems: Problem[];
}

/** An owner's devices. */
export function ownedDevices(
  context: HostContext,
  owner: string,
  options: OperationOptions | undefined,
): AsyncResult<OwnedDevices, OwnedError> {
  const tried = `list the devices of ${quote(owner)}`;
  const list = async (
    io: Io,
  ): Promise<Result<OwnedDevices, InvalidArgumentError | UnsupportedError | GoneError>> => {
    const found = await find(io, context, owner, tried);
    if (!found.ok) return Result.error(found.error);
    const { proven, unproven, notes, gone, problems } = found.value;
    const handles = (devices: readonly FoundDevice[]): readonly MdevDevice[] =>
      Object.freeze(inNaturalOrderOf(devices, ({ id }) => id).map((device) => context.device(device)));
    return Result.ok(
      Object.freeze({
        devices: handles(proven.map(({ device }) => device)),
        unproven: handles(unproven),
        notes: Object.freeze(notes),
        gone: Object.freeze(inNaturalOrderOf(new Set(gone.map(({ claim }) => claim.device)), (id) => id)),
        problems: Object.freeze(problems),
      }),
    );
  };
  return operate(context, { tried, errnos: VANISHING, options }, list);
}

/** Removes an owner's devices. */
export function removeOwned(
  context: HostContext,
  owner: string,
  options: RemoveOptions | undefined,
): AsyncResult<readonly OwnedRemoval[], OwnedError> {
  const tried = `remove the devices of ${quote(owner)}`;
  const within = sharedLimits(options);
  const remove = async (): Promise<Result<readonly OwnedRemoval[], OwnedError>> => {
    const looking = { tried, errnos: VANISHING, options: within() };
    const found = await operate(context, looking, (io) => find(io, context, owner, tried));
    if (!found.ok) return Result.error(found.error);
    for (const entry of found.value.gone) {
      const forgotten = await forgetEntry(context, entry, tried);
      if (!forgotten.ok) log.remove("%s stays in the ledger: %s", entry.name, forgotten.error.message);
    }

    const removals: OwnedRemoval[] = [];
    for (const { entry, device } of inNaturalOrderOf(found.value.proven, (each) => each.device.id)) {
      const outcome = await removeDevice(context, device, { ...options, ...within(), owner });
      const forgotten = outcome.ok ? await forgetEntry(context, entry, tried) : undefined;
      const error = outcome.ok ? forgotten?.error : outcome.error;
      const removed = outcome.ok && outcome.value.removed;
      removals.push(Object.freeze({ id: device.id, path: device.path, removed, error }));
    }
    return Result.ok(Object.freeze(removals));
  };
  return Result.fromAsync(remove);
}

/** Looks up what an owner claims. */
async function find(
  io: Io,
  context: HostContext,
  owner: string,
  tried: string,
): Promise<Result<Found, InvalidArgumentError | UnsupportedError>> {
  const name = parseOwner(owner, tried);
  if (!name.ok) return Result.error(name.error);
  const ledger = Ledger.needed(io, context, tried);
  if (!ledger.ok) return Result.error(ledger.error);

  const found: Found = { proven: [], unproven: [], notes: {}, gone: [], problems: [] };
  const note = (failure: FileFailure): void =>
    void found.problems.push(problemOf(explain(failure, tried, VANISHING)));
  const { entries, broken } = await ledger.value.read();
  broken.forEach(note);
  for (const entry of entries.filter(({ claim }) => claim.owner === owner)) {
    const rivals = entries.filter(({ claim }) => claim.device === entry.claim.device);
    try {
      await judge(io, context, ledger.value, entry, rivals, found);
    } catch (thrown) {
      if (!(thrown instanceof FileFailure)) throw thrown;
      note(thrown);
    }
  }
  return Result.ok(found);
}

async function judge(
  io: Io,
  context: HostContext,
  ledger: Ledger,
  entry: Entry,
  rivals: readonly Entry[],
  found: Found,
): Promise<void> {
  if (ledger.isUnderWay(entry)) return;
  const device = (await ledger.isCurrent(entry)) ? await locate(io, context, entry.claim) : undefined;
  const proven = device && (await ledger.claimTo(device, rivals));
  const { identity, note } = entry.claim;
  if (device !== undefined && identity !== undefined && proven?.name === entry.name)
    found.proven.push({ entry, device: pinned(device, identity) });
  else if (device !== undefined && proven === undefined && (await ledger.mayMean(entry, device))) {
    // Each crash leaves an entry of its own.
    if (!found.unproven.some(({ path }) => path === device.path)) found.unproven.push(device);
  } else {
    found.gone.push(entry);
    return;
  }
  if (note !== undefined) found.notes[entry.claim.device] = note;
}

/** The device of the name that a claim has; `undefined` where there is none. */
async function locate(io: Io, context: HostContext, claim: Claim): Promise<FoundDevice | undefined> {
  const path = `${context.sysfs}/${claim.parent}`;
  if (!(await io.exists(path))) return undefined;
  const layout = await probe(io, path, context.layout);
  if (layout === undefined) {
    if (await io.exists(`${path}/${claim.device}`))
      throw new FileFailure("understand", path, "it has no layout that is known");
    return undefined;
  }
  const devices = await layout.devices(io, { path, layout });
  return devices.find(({ id }) => id === claim.device);
}
