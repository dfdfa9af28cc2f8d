import { type AsyncResult, Result } from "typescript-result";
import { DecodeError, type GoneError, type OperationError } from "../errors.js";
import type { OperationOptions } from "../file-system/limits.js";
import { quote } from "../identifiers.js";
import {
  attributeExists,
  type AttributeOwner,
  type AttributeReadError,
  type AttributeWriteError,
  fileOf,
  type OwnedAttribute,
  readAttribute,
  writeAttribute,
} from "./access.js";
import { type Access, AttributeDescriptor, checkCommand, toCommand } from "./descriptor.js";
import type { Codec } from "./codec.js";
import { type AttributeSource, file } from "./source.js";

/** What all attributes have, however they can be accessed. */
abstract class BoundAttribute<T> {
  readonly #descriptor: AttributeDescriptor<T, Access>;
  readonly #owned: OwnedAttribute;

  /** @internal */
  constructor(owner: AttributeOwner, descriptor: AttributeDescriptor<T, Access>, source?: AttributeSource) {
    const { name, options } = descriptor;
    this.#descriptor = descriptor;
    this.#owned = { owner, name, options, source: source ?? file(name) };
  }

  /** @internal */
  protected get descriptor(): AttributeDescriptor<T, Access> {
    return this.#descriptor;
  }

  /** @internal */
  protected get owned(): OwnedAttribute {
    return this.#owned;
  }

  /** Its name: for a file, the path below its object's folder, `vendor/resolution`. */
  get name(): string {
    return this.#descriptor.name;
  }

  /** Its sysfs file; `undefined` where the layout has none: then the value is derived, or there is none. */
  get path(): string | undefined {
    return fileOf(this.#owned);
  }

  /** Whether its object has it, by looking for its file; `gone` where the object itself is no longer there (ENOENT, ENODEV). */
  exists(options?: OperationOptions): AsyncResult<boolean, GoneError | OperationError> {
    return attributeExists(this.#owned, options);
  }
}

/**
 * An attribute that can be read: `available_instances`, mode 0444.
 *
 * @typeParam T - its value
 */
export class ReadableAttribute<T> extends BoundAttribute<T> {
  /** The value; `undefined` where its object has no such attribute. Asks the kernel each time. */
  read(options?: OperationOptions): AsyncResult<T | undefined, AttributeReadError> {
    const { codec } = this.descriptor;
    const understand = (raw: string, tried: string): Result<unknown, DecodeError> => {
      const decoded: Result<unknown, string> = codec.decode(raw);
      if (decoded.ok) return decoded;
      const reason = `its text ${quote(raw)} ${decoded.error}`;
      return Result.error(new DecodeError({ tried, reason, path: this.path, raw }));
    };
    // typescript-result cannot see through a generic result type.
    return readAttribute(this.owned, options, understand) as AsyncResult<T | undefined, AttributeReadError>;
  }

  /** The exact text, its newline included; `undefined` where its object has no such attribute. */
  readRaw(options?: OperationOptions): AsyncResult<string | undefined, AttributeReadError> {
    const verbatim = (raw: string): Result<string, never> => Result.ok(raw);
    return readAttribute(this.owned, options, verbatim) as AsyncResult<
      string | undefined,
      AttributeReadError
    >;
  }
}

/**
 * An attribute that can only be written: `assign_adapter`, mode 0200.
 *
 * @typeParam T - its value
 */
export class WritableAttribute<T> extends BoundAttribute<T> {
  /** Writes a value and a newline as one command. An attribute that its object does not have is `unsupported`. */
  write(value: T, options?: OperationOptions): AsyncResult<void, AttributeWriteError> {
    return write(this.owned, this.descriptor, value, options);
  }

  /** Writes a text exactly as it is, as one command. It must not be empty, nor longer than 4096 bytes. */
  writeRaw(text: string, options?: OperationOptions): AsyncResult<void, AttributeWriteError> {
    return writeRaw(this.owned, text, options);
  }
}

/**
 * An attribute that can be read and written: `nvidia/vgpu_params`, mode 0644.
 *
 * @typeParam T - its value
 */
export class Attribute<T> extends ReadableAttribute<T> {
  /** Writes a value and a newline as one command. An attribute that its object does not have is `unsupported`. */
  write(value: T, options?: OperationOptions): AsyncResult<void, AttributeWriteError> {
    return write(this.owned, this.descriptor, value, options);
  }

  /** Writes a text exactly as it is, as one command. It must not be empty, nor longer than 4096 bytes. */
  writeRaw(text: string, options?: OperationOptions): AsyncResult<void, AttributeWriteError> {
    return writeRaw(this.owned, text, options);
  }
}

/** The attribute object that a descriptor's access calls for. */
export type AttributeFor<T, A extends Access> = A extends "ro"
  ? ReadableAttribute<T>
  : A extends "wo"
    ? WritableAttribute<T>
    : Attribute<T>;

const KINDS = { ro: ReadableAttribute, wo: WritableAttribute, rw: Attribute } as const;

/** The attribute of an object that a descriptor declares; its source is the file of its name where none is given. */
export function bind<T, A extends Access>(
  owner: AttributeOwner,
  descriptor: AttributeDescriptor<T, A>,
  source?: AttributeSource,
): AttributeFor<T, A> {
  return new KINDS[descriptor.access](owner, descriptor, source) as AttributeFor<T, A>;
}

/** The attribute of an object that a descriptor declares, or the file of a name. */
export function attributeOf<T>(
  owner: AttributeOwner,
  named: string | AttributeDescriptor<T, Access>,
  codec: Codec<T> | undefined,
): AttributeFor<T, Access> {
  return bind(
    owner,
    typeof named === "string" ? new AttributeDescriptor(named, "rw", codec as Codec<T>) : named,
  );
}

function write<T>(
  owned: OwnedAttribute,
  { codec }: AttributeDescriptor<T, Access>,
  value: T,
  options: OperationOptions | undefined,
): AsyncResult<void, AttributeWriteError> {
  const setting = { ...toSetting(owned), encode: () => codec.encode(value) };
  return writeAttribute(owned, (tried) => toCommand(setting, tried), options);
}

function writeRaw(
  owned: OwnedAttribute,
  text: string,
  options: OperationOptions | undefined,
): AsyncResult<void, AttributeWriteError> {
  return writeAttribute(owned, (tried) => checkCommand({ ...toSetting(owned), text }, tried), options);
}

/** What a check has to know: the file's name, which need not be the attribute's. */
function toSetting({ name, options, source }: OwnedAttribute): Pick<OwnedAttribute, "name" | "options"> {
  return { name: source.from === "file" ? source.name : name, options };
}
