import { type AsyncResult, Result } from "typescript-result";
import { type AttributeOwner, type AttributeWriteError, readText, VANISHING } from "../attributes/access.js";
import { type AttributeCommand, type AttributeInput, toCommands } from "../attributes/descriptor.js";
import { file } from "../attributes/source.js";
import type { HostContext } from "../context.js";
import { type RollbackFailedError, UnsupportedError } from "../errors.js";
import { FileFailure, Interruption } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";
import type { OperationOptions } from "../file-system/limits.js";
import { operate } from "../file-system/operation.js";
import type { FoundDevice } from "../layouts/layout.js";
import { deviceOwner } from "../layouts/owner.js";
import { Undo, UNDO_LIMIT } from "./undo.js";
import { writeAttributes } from "./write-attributes.js";

/**
 * What setting several attributes of a device can end in; `progress` says which of them failed:
 *
 * - `rollback-failed`: one could not be written, and those before it not be set back;
 * - what writing one can: {@link AttributeWriteError}.
 */
export type SetAttributesError = RollbackFailedError | AttributeWriteError;

/** Writes attributes of a device that exists: all of them, or none as far as they can be read. */
export function setAttributes(
  context: HostContext,
  device: FoundDevice,
  inputs: readonly AttributeInput[],
  options: OperationOptions | undefined,
): AsyncResult<void, SetAttributesError> {
  const owner = deviceOwner(context, device);
  const tried = `set attributes of ${device.id}`;
  const commands = toCommands(inputs, tried);

  const set = async (io: Io): Promise<Result<void, SetAttributesError>> => {
    if (!commands.ok) return commands;
    await owner.confirm(io);
    const before = await textsOf(io, owner, commands.value);
    const written: AttributeCommand[] = [];
    const undo = new Undo({
      path: device.path,
      what: "setting them back",
      leftBehind: `Not all attributes of ${device.path} have the values that they had.`,
      pending: "What was written is set back, as far as it could be read before.",
      needed: (succeeded) => {
        if (!succeeded) written.pop(); // what the kernel refused has no effect
        return written.length > 0;
      },
      run: () => setBack(context, device, written, before),
    });
    try {
      const failure = await writeAttributes(io, owner, commands.value, tried, (command, write) => {
        written.push(command);
        undo.after(write);
      });
      if (failure === undefined) return Result.ok();
      written.length = failure.progress?.written.length ?? 0;
      return Result.error(written.length === 0 ? failure : await undo.because(io, failure));
    } catch (thrown) {
      if (thrown instanceof Interruption) undo.instead(thrown);
      throw thrown;
    }
  };
  return operate(context, { tried, errnos: VANISHING, options }, set);
}

/** The texts of the attributes, by name; those that cannot be read are left out. */
async function textsOf(
  io: Io,
  owner: AttributeOwner,
  commands: readonly AttributeCommand[],
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for (const { name, options } of commands) {
    if (texts.has(name)) continue;
    try {
      const text = await readText(io, { owner, name, options, source: file(name) });
      if (text !== undefined) texts.set(name, text);
    } catch (thrown) {
      if (!(thrown instanceof FileFailure)) throw thrown;
    }
  }
  return texts;
}

/** Writes the former texts again, the last one first. */
function setBack(
  context: HostContext,
  device: FoundDevice,
  written: readonly AttributeCommand[],
  before: ReadonlyMap<string, string>,
): AsyncResult<void, AttributeWriteError> {
  const tried = `set back attributes of ${device.id}`;
  const former = new Map<string, AttributeCommand>();
  for (const command of [...written].reverse()) {
    const text = before.get(command.name);
    // A write of nothing would not reach the driver.
    if (text !== undefined) former.set(command.name, { ...command, text: text === "" ? "\n" : text });
  }
  const write = async (io: Io): Promise<Result<void, AttributeWriteError>> => {
    const failure = await writeAttributes(io, deviceOwner(context, device), [...former.values()], tried);
    if (failure?.type === "gone") return Result.ok(); // and its attributes with it
    if (failure !== undefined) return Result.error(failure);
    const lost = written.find(({ name }) => !before.has(name));
    if (lost === undefined) return Result.ok();
    const reason = `what ${lost.name} was before cannot be read`;
    const path = `${device.path}/${lost.name}`;
    return Result.error(new UnsupportedError({ tried, reason, path, missing: `reading ${lost.name}` }));
  };
  return operate(context, { tried, errnos: VANISHING, options: { timeout: UNDO_LIMIT } }, write);
}
