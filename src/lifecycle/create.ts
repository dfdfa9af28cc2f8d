import { type AsyncResult, Result } from "typescript-result";
import { writeCommand, writingErrnos } from "../attributes/access.js";
import type { AttributeCommand } from "../attributes/descriptor.js";
import type { HostContext } from "../context.js";
import {
  AlreadyExistsError,
  type BusyError,
  type ConflictError,
  GoneError,
  NoInstancesError,
  type NotFoundError,
  type OperationError,
  type RejectedError,
  RollbackFailedError,
  type UnsupportedError,
} from "../errors.js";
import { FileFailure, Interruption } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";
import type { OperationOptions } from "../file-system/limits.js";
import { explain, operate } from "../file-system/operation.js";
import { type FoundDevice, type FoundParent, findDevice } from "../layouts/mdev-bus.js";
import { log } from "../log.js";
import { baseName } from "../paths.js";
import { removeDevice } from "./remove.js";

/** What creating a device can end in. */
export type CreateError =
  | AlreadyExistsError
  | NoInstancesError
  | NotFoundError
  | GoneError
  | RejectedError
  | BusyError
  | ConflictError
  | UnsupportedError
  | RollbackFailedError
  | OperationError;

/** How long an undo may take before it counts as failed, in milliseconds. */
const UNDO_LIMIT = 10_000;

/** A device to create, checked. */
export interface CreateRequest {
  readonly parent: FoundParent;
  readonly typeId: string;
  readonly uuid: string;
  /** What to write to the new device's attributes, in this order. */
  readonly commands: readonly AttributeCommand[];
}

/** Creates a device and sets its attributes: all of it, or nothing. */
export function createDevice(
  context: HostContext,
  request: CreateRequest,
  options: OperationOptions | undefined,
): AsyncResult<FoundDevice, CreateError> {
  const { parent, typeId, uuid, commands } = request;
  const { layout } = parent;
  const tried = `create ${uuid} of type ${typeId} on ${baseName(parent.path)}`;
  const device: FoundDevice = { path: `${parent.path}/${uuid}`, parent };

  const create = async (io: Io): Promise<Result<FoundDevice, CreateError>> => {
    const obstacle = await findObstacle(io, context, request, tried);
    if (obstacle !== undefined) return Result.error(obstacle);

    const command = layout.create(parent.path, typeId, uuid);
    let write: Promise<void> | undefined;
    try {
      const file = await io.resolve(command.path, context.sysfs);
      await io.writeFile(file, command.text, (begun) => {
        write = begun;
      });
      log.create("%s: made", uuid);
      if (!(await io.exists(device.path))) {
        const reason = "the kernel took it, but the device is not there";
        return Result.error(new GoneError({ tried, reason, path: device.path }));
      }
      for (const [index, attribute] of commands.entries()) {
        const step = `${tried} with its attribute ${attribute.name} (${index + 1} of ${commands.length})`;
        const failure = await setAttribute(io, context, device, attribute, step);
        if (failure !== undefined) return Result.error(await rollBack(context, device, failure, step));
      }
      return Result.ok(device);
    } catch (thrown) {
      if (thrown instanceof Interruption && write !== undefined) {
        undoLater(context, device, write);
        thrown.pending = `If the kernel made ${uuid}, or still makes it, it is removed again.`;
      }
      if (!(thrown instanceof FileFailure)) throw thrown;
      return Result.error(await explainRefusal(io, context, request, thrown, tried));
    }
  };
  return operate(context, { tried, errnos: layout.createErrnos, options }, create);
}

/** What the kernel would only call EINVAL, ENOENT or EEXIST. Availability is no obstacle: it is but a hint. */
async function findObstacle(
  io: Io,
  { paths }: HostContext,
  { parent, typeId, uuid }: CreateRequest,
  tried: string,
): Promise<AlreadyExistsError | GoneError | undefined> {
  const folder = parent.layout.typePath(parent.path, typeId);
  if (!(await io.isDirectory(folder))) {
    return new GoneError({ tried, reason: "the type is no longer there", path: folder });
  }
  const link = `${paths.mdevDevices}/${uuid}`;
  if (!(await io.exists(link))) return undefined;
  return alreadyExists(tried, link, (await findDevice(io, paths, uuid))?.path);
}

async function explainRefusal(
  io: Io,
  { paths }: HostContext,
  { parent: { path: parent, layout }, typeId, uuid }: CreateRequest,
  failure: FileFailure,
  tried: string,
): Promise<CreateError> {
  const error = explain(failure, tried, layout.createErrnos);
  if (error.type === "already-exists") {
    return alreadyExists(tried, failure.path, (await findDevice(io, paths, uuid))?.path, failure);
  }
  const mayBeFull = error.type === "no-instances" || layout.fullErrnos.has(failure.errno ?? "");
  if (!mayBeFull) return error;
  const available = await layout.availableInstances(io, parent, typeId).catch(unlessInterrupted);
  if (error.type !== "no-instances" && !(available !== undefined && available <= 0)) return error;
  const { path, errno, cause } = error;
  return new NoInstancesError({
    tried,
    reason: `no instance of the type is left${available === undefined ? "" : `, available_instances says ${available}`}`,
    hint: "The types of a parent share what it has: remove a device of any of them, or take another parent.",
    path,
    errno,
    cause,
    available,
  });
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

async function setAttribute(
  io: Io,
  context: HostContext,
  { path }: FoundDevice,
  command: AttributeCommand,
  step: string,
): Promise<CreateError | undefined> {
  try {
    const written = await writeCommand(io, { host: context, path, label: baseName(path) }, command, step);
    return written.ok ? undefined : written.error;
  } catch (thrown) {
    if (thrown instanceof FileFailure) return explain(thrown, step, writingErrnos(command));
    throw thrown;
  }
}

/** Removes the device again. The error is why it failed, or that it is still there. */
async function rollBack(
  context: HostContext,
  device: FoundDevice,
  failure: CreateError,
  step: string,
): Promise<CreateError> {
  const undone = await undo(context, device);
  if (undone.ok) return failure;
  const reason = `${failure.message} Removing it again failed too: ${undone.error.message}`;
  const hint = `${device.path} is left behind.`;
  return new RollbackFailedError({
    tried: step,
    reason,
    hint,
    path: device.path,
    failure,
    undoFailure: undone.error,
    leftBehind: device.path,
  });
}

/** Removes the device as soon as its creation has come to an end; the caller does not wait for that. */
function undoLater(context: HostContext, device: FoundDevice, creation: Promise<void>): void {
  creation.then(
    async () => {
      const undone = await undo(context, device);
      log.create("%s: given up, %s", device.path, undone.ok ? "removed again" : undone.error.message);
    },
    () => log.create("%s: given up, and never made", device.path),
  );
}

function undo(context: HostContext, device: FoundDevice): ReturnType<typeof removeDevice> {
  return removeDevice(context, device, { timeout: UNDO_LIMIT });
}

function unlessInterrupted(thrown: unknown): undefined {
  if (thrown instanceof Interruption) throw thrown;
}
