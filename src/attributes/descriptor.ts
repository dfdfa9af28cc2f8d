import { type AsyncResult, Result } from "typescript-result";
import { type AnyMdevError, type ConflictOwner, InvalidArgumentError } from "../errors.js";
import type { OperationOptions } from "../file-system/limits.js";
import type { ErrnoTable } from "../file-system/operation.js";
import { parseAttributeName, quote } from "../identifiers.js";
import type { MdevDevice } from "../mdev-device.js";
import type { Codec } from "./codec.js";

/** The most that the kernel takes as one command: a page. Node would send the rest as a second one. */
const COMMAND_MAX = 4096;

/** How a driver declares an attribute: read-only (0444), write-only (0200) or both (0644). */
export type Access = "ro" | "wo" | "rw";

/** The errors that an errno of an attribute can mean. */
export type AttributeMeaning = "busy" | "conflict" | "gone" | "permission" | "rejected" | "unsupported";

/** What an attribute's descriptor can tell beyond its name and codec. */
export interface AttributeOptions {
  /** The errnos that mean something else than usual when this attribute is read, by symbolic name. */
  readonly readErrnos?: ErrnoTable<AttributeMeaning>;
  /** The same for writing it. */
  readonly writeErrnos?: ErrnoTable<AttributeMeaning>;
  /**
   * Who has what a device was refused with `conflict`, for {@link ConflictError.owners}: is asked with the text that was written, just
   * after the refusal. What it cannot find out is left out.
   */
  readonly ownersOf?: (
    device: MdevDevice,
    text: string,
    options: OperationOptions,
  ) => AsyncResult<readonly ConflictOwner[], AnyMdevError>;
  /** Newlines inside a value are part of it. Otherwise such a value is refused. */
  readonly multiline?: boolean;
}

/**
 * One attribute of a kind of object, declared once: it makes the attributes of instances, and the settings that
 * {@link MdevType.create} takes.
 *
 * @typeParam T - its value
 * @typeParam A - its access
 */
export class AttributeDescriptor<T, A extends Access> {
  /** Its path below the object's folder: `nvidia/vgpu_params`. */
  readonly name: string;
  /** How the driver lets it be accessed. */
  readonly access: A;
  /** How its text is understood. */
  readonly codec: Codec<T>;
  /** What else there is to say of it. */
  readonly options: AttributeOptions;

  /** As {@link readOnly}, {@link writeOnly} and {@link readWrite} do it, which read better. */
  constructor(name: string, access: A, codec: Codec<T>, options: AttributeOptions = {}) {
    this.name = name;
    this.access = access;
    this.codec = codec;
    this.options = options;
  }

  /** A value for this attribute, to be set when a device is created. It is checked there, before any I/O. */
  to(this: AttributeDescriptor<T, "wo" | "rw">, value: T): AttributeSetting {
    return { name: this.name, options: this.options, encode: () => this.codec.encode(value) };
  }
}

/** A descriptor of an attribute that can only be read. */
export function readOnly<T>(
  name: string,
  codec: Codec<T>,
  options?: AttributeOptions,
): AttributeDescriptor<T, "ro"> {
  return new AttributeDescriptor(name, "ro", codec, options);
}

/** A descriptor of an attribute that can only be written. */
export function writeOnly<T>(
  name: string,
  codec: Codec<T>,
  options?: AttributeOptions,
): AttributeDescriptor<T, "wo"> {
  return new AttributeDescriptor(name, "wo", codec, options);
}

/** A descriptor of an attribute that can be read and written. */
export function readWrite<T>(
  name: string,
  codec: Codec<T>,
  options?: AttributeOptions,
): AttributeDescriptor<T, "rw"> {
  return new AttributeDescriptor(name, "rw", codec, options);
}

/** A value for an attribute, made by {@link AttributeDescriptor.to}. */
export interface AttributeSetting {
  /** The attribute's path below the object's folder. */
  readonly name: string;
  /** What else its descriptor says. */
  readonly options: AttributeOptions;
  /** The text of the value, without its final newline. */
  encode(): Result<string, string>;
}

/** What to write to an attribute: a typed setting, or its name and the exact text. */
export type AttributeInput = AttributeSetting | readonly [name: string, text: string];

/** A write to an attribute that was checked and can be done. */
export interface AttributeCommand {
  readonly name: string;
  readonly text: string;
  readonly options: AttributeOptions;
}

/** Checks what is to be written, without any I/O. */
export function toCommand(
  input: AttributeInput,
  tried: string,
): Result<AttributeCommand, InvalidArgumentError> {
  const refuse = (reason: string): Result<never, InvalidArgumentError> =>
    Result.error(new InvalidArgumentError({ tried, reason }));

  if (isPair(input)) return checkCommand({ name: input[0], text: input[1], options: {} }, tried);
  if (typeof (input as Partial<AttributeSetting> | null | undefined)?.encode !== "function") {
    return refuse("an attribute is neither a setting nor a pair of a name and a text");
  }
  const { name, options } = input;
  const encoded = input.encode();
  if (!encoded.ok) return refuse(`the value for ${quote(name)} ${encoded.error}`);
  // Drivers expect a line: NVIDIA's drops the last byte of what it gets.
  return checkCommand({ name, options, text: encoded.value === "" ? "" : `${encoded.value}\n` }, tried);
}

/** Checks a list of what is to be written, in this order, without any I/O. */
export function toCommands(
  inputs: readonly AttributeInput[],
  tried: string,
): Result<readonly AttributeCommand[], InvalidArgumentError> {
  if (!Array.isArray(inputs)) {
    return Result.error(new InvalidArgumentError({ tried, reason: "its attributes are not a list" }));
  }
  const commands: AttributeCommand[] = [];
  for (const input of inputs as readonly AttributeInput[]) {
    const command = toCommand(input, tried);
    if (!command.ok) return Result.error(command.error);
    commands.push(command.value);
  }
  return Result.ok(commands);
}

/** Checks an exact text. */
export function checkCommand(
  command: AttributeCommand,
  tried: string,
): Result<AttributeCommand, InvalidArgumentError> {
  const name = parseAttributeName(command.name, tried);
  if (!name.ok) return Result.error(name.error);
  const fault = textFault(command.text, command.options);
  if (fault === undefined) return Result.ok(command);
  return Result.error(
    new InvalidArgumentError({ tried, reason: `the text for ${quote(command.name)} ${fault}` }),
  );
}

function textFault(value: string, { multiline = false }: AttributeOptions): string | undefined {
  if (typeof value !== "string") return "is not a string";
  if (value === "") return "is empty, which writes nothing";
  if (Buffer.byteLength(value) > COMMAND_MAX) return `is longer than the ${COMMAND_MAX} bytes of one command`;
  if (/\p{Cs}/u.test(value)) return "holds half a surrogate pair";
  if (value.includes("\0")) return "holds a NUL";
  if (!multiline && value.slice(0, -1).includes("\n")) return "holds a newline before its end";
  return undefined;
}

function isPair(input: AttributeInput): input is readonly [name: string, text: string] {
  return Array.isArray(input);
}
