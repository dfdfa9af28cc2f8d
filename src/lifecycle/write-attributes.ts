import {
  type AttributeOwner,
  type AttributeWriteError,
  writeText,
  writingErrnos,
} from "../attributes/access.js";
import type { AttributeCommand } from "../attributes/descriptor.js";
import { file } from "../attributes/source.js";
import type { AttributeProgress } from "../errors.js";
import { FileFailure, Interruption } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";
import { explain } from "../file-system/operation.js";

/** Writes attributes one after the other, until one fails: its error says which it was and what was written before it. */
export async function writeAttributes(
  io: Io,
  owner: AttributeOwner,
  commands: readonly AttributeCommand[],
  tried: string,
  begun?: (command: AttributeCommand, write: Promise<void>) => void,
): Promise<AttributeWriteError | undefined> {
  for (const [index, command] of commands.entries()) {
    const { name, text, options } = command;
    const step = `${tried} with its attribute ${name} (${index + 1} of ${commands.length})`;
    const written = Object.freeze(commands.slice(0, index).map((before) => before.name));
    const progress: AttributeProgress = Object.freeze({ failed: name, written });
    const attribute = { owner, name, options, source: file(name) };
    try {
      const outcome = await writeText(io, attribute, text, {
        tried: step,
        progress,
        begun: (write) => begun?.(command, write),
      });
      if (!outcome.ok) return outcome.error;
    } catch (thrown) {
      if (thrown instanceof Interruption) thrown.progress = progress;
      if (!(thrown instanceof FileFailure)) throw thrown;
      return explain(thrown, step, writingErrnos(attribute), progress);
    }
  }
  return undefined;
}
