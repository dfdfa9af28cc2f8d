import { type AsyncResult, Result } from "typescript-result";
import {
  type AttributeProgress,
  type BusyError,
  type ConflictError,
  type ConflictOwner,
  type DecodeError,
  type GoneError,
  type InvalidArgumentError,
  type OperationError,
  type RejectedError,
  UnsupportedError,
} from "../errors.js";
import { FileFailure, isAbsent } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";
import type { OperationOptions } from "../file-system/limits.js";
import { type ErrnoTable, operate, type OperationHost } from "../file-system/operation.js";
import { parseAttributeName } from "../identifiers.js";
import type { MdevDevice } from "../mdev-device.js";
import type { AttributeCommand, AttributeMeaning, AttributeOptions } from "./descriptor.js";
import type { AttributeSource } from "./source.js";

/**
 * What writing an attribute can end in:
 *
 * - `gone`: its object was there and vanished (ENOENT, ENODEV);
 * - `rejected`: the driver refused the value (EINVAL, ENXIO, E2BIG, EOVERFLOW, ERANGE);
 * - `busy`: the driver is busy (EAGAIN, EBUSY);
 * - `conflict`: somebody else has it (EADDRINUSE, EADDRNOTAVAIL of vfio-ap);
 * - `unsupported`: its object has no such attribute, it is a folder (EISDIR), or the driver has no such operation (ENOTSUP);
 * - what any operation can: {@link OperationError}.
 *
 * A descriptor can give errnos another meaning: {@link AttributeOptions.writeErrnos}.
 */
export type AttributeWriteError =
  GoneError | RejectedError | BusyError | ConflictError | UnsupportedError | OperationError;

/**
 * What reading an attribute can end in; that its object does not have it is no error, but `undefined`:
 *
 * - `decode`: its text was not understood; `readRaw` gets at it all the same;
 * - `rejected`: the driver refused (EINVAL, ENXIO);
 * - `unsupported`: it is a folder (EISDIR), or the driver has no such operation (ENOTSUP);
 * - `conflict`: only where a descriptor says so: {@link AttributeOptions.readErrnos};
 * - `gone`, `busy` and the rest as for writing: {@link AttributeWriteError}.
 */
export type AttributeReadError = DecodeError | AttributeWriteError;

/** The object that an attribute belongs to. */
export interface AttributeOwner {
  readonly host: OperationHost;
  /** Its folder; `undefined` where it has none. */
  readonly path: string | undefined;
  /** What messages call it. */
  readonly label: string;
  /** Whether its folder stays when it is gone, so that the folder's files may be those of another object. */
  readonly outlived: boolean;
  /** Fails when the object is no longer there. */
  confirm(io: Io): Promise<unknown>;
  /** The object, where it is a device. */
  device?(): MdevDevice;
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

const READING: ErrnoTable<AttributeMeaning> = {
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

/** An attribute as its object has it. */
export interface OwnedAttribute {
  readonly owner: AttributeOwner;
  readonly name: string;
  readonly source: AttributeSource;
  readonly options: AttributeOptions;
}

/** The file of an attribute; `undefined` where it has none. */
export function fileOf({ owner: { path }, source }: OwnedAttribute): string | undefined {
  return source.from === "file" && path !== undefined ? `${path}/${source.name}` : undefined;
}

/** Whether the object has the attribute. */
export function attributeExists(
  attribute: OwnedAttribute,
  options: OperationOptions | undefined,
): AsyncResult<boolean, GoneError | OperationError> {
  const { owner, name, source } = attribute;
  const tried = `look for ${name} of ${owner.label}`;
  return operate(owner.host, { tried, errnos: VANISHING, options }, async (io) => {
    const fault = nameFault(attribute, tried);
    if (fault !== undefined) return fault;
    if (source.from === "layout") return Result.ok((await readText(io, attribute)) !== undefined);
    return Result.ok((await unlessAbsent(io, attribute, (path) => io.resolve(path))) !== undefined);
  });
}

/** Reads an attribute and understands it; `undefined` where the object has none. */
export function readAttribute(
  attribute: OwnedAttribute,
  options: OperationOptions | undefined,
  understand: (raw: string, tried: string) => Result<unknown, DecodeError>,
): AsyncResult<unknown, AttributeReadError> {
  const { owner, name } = attribute;
  const tried = `read ${name} of ${owner.label}`;
  const read = async (io: Io): Promise<Result<unknown, DecodeError | InvalidArgumentError>> => {
    const fault = nameFault(attribute, tried);
    if (fault !== undefined) return fault;
    const raw = await readText(io, attribute);
    return raw === undefined ? Result.ok(undefined) : understand(raw, tried);
  };
  return operate(owner.host, { tried, errnos: readingErrnos(attribute), options }, read);
}

/** Writes a checked command to an attribute. */
export function writeAttribute(
  attribute: OwnedAttribute,
  check: (tried: string) => Result<AttributeCommand, InvalidArgumentError>,
  options: OperationOptions | undefined,
): AsyncResult<void, AttributeWriteError> {
  const { owner } = attribute;
  const tried = `write ${attribute.name} of ${owner.label}`;
  const command = check(tried);
  const write = async (io: Io): Promise<Result<void, InvalidArgumentError | UnsupportedError>> =>
    command.ok ? writeText(io, attribute, command.value.text, { tried }) : command;
  return operate(owner.host, { tried, errnos: writingErrnos(attribute), options }, write);
}

/** How long to look for the owner of what was refused, in milliseconds. */
const LOOK_LIMIT = 1_000;

/** What errnos mean when an attribute is read. */
export function readingErrnos({
  options: { readErrnos },
}: Pick<OwnedAttribute, "options">): ErrnoTable<AttributeMeaning> {
  return readErrnos === undefined ? READING : { ...READING, ...readErrnos };
}

/** What errnos mean when an attribute is written. */
export function writingErrnos({
  options: { writeErrnos },
}: Pick<OwnedAttribute, "options">): ErrnoTable<AttributeMeaning> {
  return writeErrnos === undefined ? WRITING : { ...WRITING, ...writeErrnos };
}

/** The text of an attribute; `undefined` where the object is there and has none. */
export async function readText(io: Io, attribute: OwnedAttribute): Promise<string | undefined> {
  const { owner, source } = attribute;
  if (source.from === "layout") await owner.confirm(io);
  return source.from === "layout"
    ? source.derive(io)
    : unlessAbsent(io, attribute, (path) => io.readFile(path));
}

/** A write as its error tells of it. */
export interface WriteFacts {
  readonly tried: string;
  readonly progress?: AttributeProgress;
  /** Gets the write itself, which goes on when the limits strike. */
  readonly begun?: (write: Promise<void>) => void;
}

/** Does one write. */
export async function writeText(
  io: Io,
  attribute: OwnedAttribute,
  text: string,
  { tried, progress, begun }: WriteFacts,
): Promise<Result<void, UnsupportedError>> {
  const written = await unlessAbsent(io, attribute, async (path) => {
    await io.writeFile(path, text, begun).catch(async (thrown: unknown) => {
      if (thrown instanceof FileFailure) thrown.owners = await ownersOf(io, attribute, text, thrown);
      throw thrown;
    });
    return true;
  });
  if (written !== undefined) return Result.ok();
  const missing = attribute.source.from === "file" ? attribute.source.name : attribute.name;
  const reason = "there is no such attribute to write";
  return Result.error(new UnsupportedError({ tried, reason, path: fileOf(attribute), missing, progress }));
}

/** Who has what a write was refused; nobody where that cannot be found out in time. */
async function ownersOf(
  io: Io,
  attribute: OwnedAttribute,
  text: string,
  { errno = "" }: FileFailure,
): Promise<readonly ConflictOwner[]> {
  const { owner, options } = attribute;
  const device = owner.device?.();
  if (device === undefined || writingErrnos(attribute)[errno]?.is !== "conflict") return [];
  const owners = options.ownersOf?.(device, text, { timeout: LOOK_LIMIT });
  // Where the caller's limit strikes now, it is still the refusal that he is told.
  return owners === undefined ? [] : io.within(owners.getOrDefault([])).catch(() => []);
}

function nameFault(
  { source }: OwnedAttribute,
  tried: string,
): Result.Error<InvalidArgumentError> | undefined {
  const name = source.from === "file" ? parseAttributeName(source.name, tried) : Result.ok();
  return name.ok ? undefined : name;
}

/** What can be done with the file of an attribute; `undefined` where the object is there and has no such file. */
async function unlessAbsent<T>(
  io: Io,
  attribute: OwnedAttribute,
  use: (path: string) => Promise<T>,
): Promise<T | undefined> {
  const { owner } = attribute;
  const path = fileOf(attribute);
  if (owner.outlived) await owner.confirm(io);
  try {
    if (path !== undefined) return await use(path);
  } catch (thrown) {
    if (!isAbsent(thrown)) throw thrown;
  }
  await owner.confirm(io);
  return undefined;
}
