import { type AsyncResult, Result } from "typescript-result";
import type { AttributeCommand } from "../attributes/descriptor.js";
import type { HostContext } from "../context.js";
import {
  AlreadyExistsError,
  type BusyError,
  type ConflictError,
  GoneError,
  NoInstancesError,
  type OperationError,
  type RejectedError,
  type RollbackFailedError,
  TimeoutError,
  type UnsupportedError,
} from "../errors.js";
import { FileFailure, GoneFailure, Interruption } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";
import type { OperationOptions } from "../file-system/limits.js";
import { explain, operate } from "../file-system/operation.js";
import { Inspection } from "../inspection.js";
import type { CreateTarget, FoundDevice } from "../layouts/layout.js";
import { deviceOwner, typeOwner } from "../layouts/owner.js";
import { findDevice } from "../layouts/registry.js";
import { readTypeFact } from "../layouts/type-facts.js";
import { log } from "../log.js";
import { baseName } from "../paths.js";
import { noteCreation } from "./creations.js";
import { type Entry, forgetEntry, Ledger, noStore } from "../ownership/ledger.js";
import { READY_LIMIT, type Readiness, untilReady } from "./ready.js";
import { removeDevice } from "./remove.js";
import { Undo, UNDO_LIMIT } from "./undo.js";
import { writeAttributes } from "./write-attributes.js";

/**
 * What creating a device can end in:
 *
 * - `already-exists`: that UUID is in use, on any parent (EEXIST);
 * - `no-instances`: nothing is left for the type (ENOSPC, EUSERS, ENOMEM; EIO and EPERM where none is available);
 * - `gone`: the parent or the type vanished (ENOENT, ENODEV), or the new device did at once;
 * - `rejected`: the driver refused the type (EINVAL, EIO) or the value of an attribute;
 * - `busy`: the driver is busy (EAGAIN, EBUSY);
 * - `conflict`: somebody else has what an attribute asks for (EADDRINUSE, EADDRNOTAVAIL of vfio-ap);
 * - `unsupported`: the layout has no such option, the device no such attribute, or the host no store for an `owner`;
 * - `rollback-failed`: an attribute could not be set, or the device was not ready in time, and it could not be removed again;
 * - what any operation can: {@link OperationError}; `timeout` also where the device is not ready in time.
 *
 * On NVIDIA's interface for SR-IOV functions, EIO and EPERM are always `no-instances`, and ENODEV is `rejected`.
 */
export type CreateError =
  | AlreadyExistsError
  | NoInstancesError
  | GoneError
  | RejectedError
  | BusyError
  | ConflictError
  | UnsupportedError
  | RollbackFailedError
  | OperationError;

/** A device to create, checked. */
export interface CreateRequest extends CreateTarget {
  /** What to write to the new device's attributes, in this order. */
  readonly commands: readonly AttributeCommand[];
  /** How far it must be before it is handed out. */
  readonly waitFor: Readiness;
  /** Whose it is to be. */
  readonly owner: string | undefined;
  /** What the owner has to say of it. */
  readonly note: string | undefined;
}

/** Creates a device and sets its attributes: all of it, or nothing. */
export function createDevice(
  context: HostContext,
  request: CreateRequest,
  options: OperationOptions | undefined,
): AsyncResult<FoundDevice, CreateError> {
  const { layout } = request.parent;
  const device = layout.target(request);
  const tried = `create ${device.id} of type ${request.typeId} on ${baseName(request.parent.path)}`;
  const commands = [...layout.settings(request), ...request.commands];
  const limit = options?.timeout ?? context.timeout ?? READY_LIMIT;

  const create = async (io: Io): Promise<Result<FoundDevice, CreateError>> => {
    const obstacle = await findObstacle(io, context, request, device, tried);
    if (obstacle !== undefined) return Result.error(obstacle);

    const ledger = request.owner === undefined ? undefined : Ledger.of(io, context);
    if (request.owner !== undefined && ledger === undefined) return Result.error(noStore(tried));
    const intent = await ledger?.intend(request.owner ?? "", device, request.typeId, request.note);
    const claims = intent === undefined ? [] : [intent];
    const undo = removal(context, device, claims);
    const command = layout.create(request);
    let made = false;
    try {
      await io.writeFile(command.path, command.text, (write) => {
        undo.after(write);
        noteCreation(context.fs, device.path, write);
      });
      made = true;
      log.create("%s: made", device.path);
      if (!(await layout.exists(io, device))) {
        const reason = "the kernel took it, but the device is not there";
        return Result.error(await undo.because(io, new GoneError({ tried, reason, path: device.path })));
      }
      if (intent !== undefined) await ledger?.confirm(intent, device, (claim) => claims.push(claim));
      const lacking = await untilReady(io, context, device, request.waitFor, limit);
      if (lacking !== undefined) {
        const late = new TimeoutError({
          tried,
          reason: `${lacking} after ${limit} ms`,
          path: device.path,
        });
        return Result.error(await undo.because(io, late));
      }
      const failure = await writeAttributes(io, deviceOwner(context, device), commands, tried);
      if (failure !== undefined) return Result.error(await undo.because(io, failure));
      return Result.ok(device);
    } catch (thrown) {
      if (thrown instanceof Interruption && !undo.instead(thrown))
        await forgetQuietly(context, claims, tried);
      if (!(thrown instanceof FileFailure)) throw thrown;
      if (!made || thrown instanceof GoneFailure) await forgetQuietly(context, claims, tried);
      if (!made) return Result.error(await explainRefusal(io, context, request, thrown, tried));
      if (thrown instanceof GoneFailure) return Result.error(explain(thrown, tried, layout.createErrnos));
      return Result.error(await undo.because(io, explain(thrown, tried, layout.createErrnos)));
    }
  };
  return operate(context, { tried, errnos: layout.createErrnos, options }, create);
}

/** The undoing of a creation, and of what the ledger says of it. */
function removal(context: HostContext, device: FoundDevice, claims: readonly Entry[]): Undo {
  const forget = (): Promise<void> => forgetQuietly(context, claims, `forget ${device.id}`);
  return new Undo({
    path: device.path,
    what: "removing the device again",
    leftBehind: `${device.path} is left behind.`,
    pending: `If the kernel made ${device.id}, or still makes it, it is removed again.`,
    needed: (made) => {
      if (!made) void forget();
      return made;
    },
    run: () => removeDevice(context, device, { timeout: UNDO_LIMIT }, "its maker").onSuccess(forget),
  });
}

/** Takes back what the ledger says. Where that fails, the claim proves nothing: its device is not there. */
async function forgetQuietly(context: HostContext, claims: readonly Entry[], tried: string): Promise<void> {
  for (const claim of claims) {
    const forgotten = await forgetEntry(context, claim, tried);
    if (!forgotten.ok) log.create("it stays in the ledger: %s", forgotten.error.message);
  }
}

/** What the kernel would only call EINVAL, ENOENT, EEXIST or EPERM. Availability is no obstacle: it is but a hint. */
async function findObstacle(
  io: Io,
  context: HostContext,
  { parent, typeId, uuid }: CreateRequest,
  device: FoundDevice,
  tried: string,
): Promise<AlreadyExistsError | GoneError | NoInstancesError | undefined> {
  const { path, layout } = parent;
  if (device.typeId !== undefined) {
    const held = await layout.typeIdOf(io, device);
    if (held === undefined) return undefined;
    return new NoInstancesError({
      tried,
      reason: `the function has a ${held} already`,
      path: device.path,
      available: 0,
    });
  }
  if (!(await layout.hasType(io, path, typeId))) {
    return new GoneError({
      tried,
      reason: "the type is no longer there",
      path: layout.typePath(path, typeId),
    });
  }
  const link = context.paths.mdevDevice(uuid);
  if (!(await io.exists(link))) return undefined;
  return alreadyExists(tried, link, await whereIs(io, context, uuid));
}

async function explainRefusal(
  io: Io,
  context: HostContext,
  { parent, typeId, uuid }: CreateRequest,
  failure: FileFailure,
  tried: string,
): Promise<CreateError> {
  const { layout } = parent;
  const error = explain(failure, tried, layout.createErrnos);
  if (error.type === "already-exists") {
    return alreadyExists(tried, failure.path, await whereIs(io, context, uuid), failure);
  }
  const mayBeFull = error.type === "no-instances" || layout.fullErrnos.has(failure.errno ?? "");
  if (!mayBeFull) return error;
  const inspection = new Inspection(io, typeOwner(context, parent, typeId));
  const available = await readTypeFact(inspection, parent, typeId, "availableInstances");
  if (error.type !== "no-instances" && !(available !== undefined && available <= 0)) return error;
  const { path, errno, cause } = error;
  const said = available === undefined ? "" : `, available_instances says ${available}`;
  return new NoInstancesError({
    tried,
    reason: `no instance of the type is left${said}`,
    hint: "The types of a parent share what it has: remove a device of any of them, or take another parent.",
    path,
    errno,
    cause,
    available,
  });
}

/** The folder of a device that exists; `undefined` where it cannot be seen. */
async function whereIs(io: Io, context: HostContext, uuid: string): Promise<string | undefined> {
  try {
    return (await findDevice(io, context, uuid))?.path;
  } catch (thrown) {
    if (thrown instanceof FileFailure) return undefined;
    throw thrown;
  }
}

function alreadyExists(
  tried: string,
  path: string,
  existing: string | undefined,
  failure?: FileFailure,
): AlreadyExistsError {
  const reason = `a device with this UUID exists already${existing === undefined ? "" : `, at ${existing}`}`;
  return new AlreadyExistsError({
    tried,
    reason,
    path,
    existing,
    errno: failure?.errno,
    cause: failure?.cause,
  });
}
