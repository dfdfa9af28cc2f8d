import { type AsyncResult, Result } from "typescript-result";
import {
  type BusyError,
  type ConflictError,
  type DecodeError,
  type GoneError,
  type InvalidArgumentError,
  type OperationError,
  type RejectedError,
  UnsupportedError,
} from "../errors.js";
import { isAbsent } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";
import type { OperationOptions } from "../file-system/limits.js";
import { type ErrnoTable, operate, type OperationHost } from "../file-system/operation.js";
import { parseAttributeName } from "../identifiers.js";
import type { AttributeCommand, AttributeMeaning, AttributeOptions } from "./descriptor.js";

/** What writing an attribute can end in. */
export type AttributeWriteError =
  GoneError | RejectedError | BusyError | ConflictError | UnsupportedError | OperationError;

/** What reading an attribute can end in. */
export type AttributeReadError = DecodeError | AttributeWriteError;

/** The object that an attribute belongs to. */
export interface AttributeOwner {
  readonly host: OperationHost & { readonly sysfs: string };
  /** Its folder. */
  readonly path: string;
  /** What messages call it. */
  readonly label: string;
}

/** What the errnos of something vanishing mean. */
export const VANISHING: ErrnoTable<"gone"> = {
  ENOENT: { is: "gone", because: "it is no longer there" },
  ENODEV: { is: "gone", because: "it is no longer there" },
};
const BUSY = { is: "busy", because: "the driver is busy with it" } as const;
const FOLDER = { is: "unsupported", because: "it is a folder and holds no value" } as const;
const UNSUPPORTED = { is: "unsupported", because: "the driver does not support it" } as const;
const REFUSED = { is: "rejected", because: "the driver refused it" } as const;
const TAKEN = { is: "conflict", because: "somebody else has it" } as const;

/** What errnos mean when an attribute is read. */
export const READING: ErrnoTable<AttributeMeaning> = {
  ...VANISHING,
  EAGAIN: BUSY,
  EBUSY: BUSY,
  EISDIR: FOLDER,
  EINVAL: REFUSED,
  ENXIO: REFUSED,
  ENOTSUP: UNSUPPORTED,
  EOPNOTSUPP: UNSUPPORTED,
};
const WRITING: ErrnoTable<AttributeMeaning> = {
  ...READING,
  E2BIG: REFUSED,
  EADDRINUSE: TAKEN,
  EADDRNOTAVAIL: TAKEN,
  EOVERFLOW: REFUSED,
  ERANGE: REFUSED,
};

/** Whether the object has the attribute. */
export function attributeExists(
  owner: AttributeOwner,
  name: string,
  options: OperationOptions | undefined,
): AsyncResult<boolean, GoneError | OperationError> {
  const tried = `look for ${name} of ${owner.label}`;
  return operate(owner.host, { tried, errnos: VANISHING, options }, async (io) => {
    const checked = parseAttributeName(name, tried);
    return checked.ok ? Result.ok((await resolveAttribute(io, owner, name)) !== undefined) : checked;
  });
}

/** Reads an attribute and understands it; `undefined` where the object has none. */
export function readAttribute(
  owner: AttributeOwner,
  { name, options: { readErrnos } }: { readonly name: string; readonly options: AttributeOptions },
  options: OperationOptions | undefined,
  understand: (raw: string, tried: string) => Result<unknown, DecodeError>,
): AsyncResult<unknown, AttributeReadError> {
  const tried = `read ${name} of ${owner.label}`;
  const errnos = readErrnos === undefined ? READING : { ...READING, ...readErrnos };
  const read = async (io: Io): Promise<Result<unknown, DecodeError | InvalidArgumentError>> => {
    const checked = parseAttributeName(name, tried);
    if (!checked.ok) return checked;
    const raw = await readText(io, owner, name);
    return raw === undefined ? Result.ok(undefined) : understand(raw, tried);
  };
  return operate(owner.host, { tried, errnos, options }, read);
}

/** Writes a checked command to an attribute. */
export function writeAttribute(
  owner: AttributeOwner,
  name: string,
  check: (tried: string) => Result<AttributeCommand, InvalidArgumentError>,
  options: OperationOptions | undefined,
): AsyncResult<void, AttributeWriteError> {
  const tried = `write ${name} of ${owner.label}`;
  const command = check(tried);
  const errnos = command.ok ? writingErrnos(command.value) : WRITING;
  const write = async (io: Io): Promise<Result<void, InvalidArgumentError | UnsupportedError>> =>
    command.ok ? writeCommand(io, owner, command.value, tried) : command;
  return operate(owner.host, { tried, errnos, options }, write);
}

/** What errnos mean to a command. */
export function writingErrnos({ options: { writeErrnos } }: AttributeCommand): ErrnoTable<AttributeMeaning> {
  return writeErrnos === undefined ? WRITING : { ...WRITING, ...writeErrnos };
}

/** Does one write. */
export async function writeCommand(
  io: Io,
  owner: AttributeOwner,
  { name, text }: AttributeCommand,
  tried: string,
): Promise<Result<void, UnsupportedError>> {
  const path = `${owner.path}/${name}`;
  const file = await resolveAttribute(io, owner, name);
  if (file === undefined) {
    return Result.error(
      new UnsupportedError({ tried, reason: "there is no such attribute", path, missing: name }),
    );
  }
  await io.writeFile(file, text);
  return Result.ok();
}

/** The text of an attribute; `undefined` where the object is there and has none. */
export async function readText(io: Io, owner: AttributeOwner, name: string): Promise<string | undefined> {
  const file = await resolveAttribute(io, owner, name);
  return file === undefined ? undefined : io.readFile(file);
}

/** The real path of an attribute; `undefined` where the object is there and has none. */
async function resolveAttribute(io: Io, owner: AttributeOwner, name: string): Promise<string | undefined> {
  try {
    return await io.resolve(`${owner.path}/${name}`, owner.host.sysfs);
  } catch (thrown) {
    if (!isAbsent(thrown)) throw thrown;
    await io.lstat(owner.path);
    return undefined;
  }
}
