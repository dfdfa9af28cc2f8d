import { type AttributeOwner, type OwnedAttribute, readingErrnos, readText } from "./attributes/access.js";
import type { Codec } from "./attributes/codec.js";
import type { Access, AttributeDescriptor } from "./attributes/descriptor.js";
import { type AttributeSource, file } from "./attributes/source.js";
import { DecodeError, type MdevError, type MdevErrorType } from "./errors.js";
import { DecodeFailure, FileFailure, isAbsent } from "./file-system/failure.js";
import type { Io } from "./file-system/io.js";
import { explain } from "./file-system/operation.js";
import { baseName } from "./paths.js";

/** A part of an object that could not be read; the rest is beside it. Plain data. */
export interface Problem {
  /** The file or folder concerned, where there is one. */
  readonly path: string | undefined;
  /** The tag of the error. */
  readonly type: MdevErrorType;
  /** The error, as a sentence. */
  readonly message: string;
  /** The text that could not be understood, where that was it. */
  readonly raw?: string;
}

/** Reads the parts of one object: a broken one spoils only itself. */
export class Inspection {
  readonly #io: Io;
  readonly #owner: AttributeOwner;
  readonly #problems: Problem[] = [];

  constructor(io: Io, owner: AttributeOwner) {
    this.#io = io;
    this.#owner = owner;
  }

  /** What could not be read, so far. */
  get problems(): readonly Problem[] {
    return Object.freeze([...this.#problems]);
  }

  /** The value of an attribute; its source is the file of its name where none is given. */
  attribute<T>(
    { name, codec, options }: AttributeDescriptor<T, Access>,
    source: AttributeSource = file(name),
  ): Promise<T | undefined> {
    const attribute = { owner: this.#owner, name, options, source };
    const read = async (): Promise<T | undefined> => {
      const raw = await readText(this.#io, attribute);
      return raw === undefined ? undefined : decode(codec, raw, `${this.#owner.path ?? ""}/${name}`);
    };
    return this.part(`read ${name} of ${this.#owner.label}`, read, attribute);
  }

  /** What the name of a link's target says. */
  link<T>(name: string, codec: Codec<T>): Promise<T | undefined> {
    return this.part(`read the link ${name} of ${this.#owner.label}`, () =>
      linkValue(this.#io, this.#owner, name, codec),
    );
  }

  /** Any other part. */
  async part<T>(tried: string, look: () => Promise<T>, attribute?: OwnedAttribute): Promise<T | undefined> {
    try {
      return await look();
    } catch (thrown) {
      if (!(thrown instanceof FileFailure)) throw thrown;
      const errnos = readingErrnos(attribute ?? { options: {} });
      this.#problems.push(problemOf(explain(thrown, tried, errnos)));
      return undefined;
    }
  }
}

/** What the name of the target of one of an object's links says; `undefined` where the object has no such link. */
export async function linkValue<T>(
  io: Io,
  owner: AttributeOwner,
  name: string,
  codec: Codec<T>,
): Promise<T | undefined> {
  const path = `${owner.path ?? ""}/${name}`;
  if (owner.outlived) await owner.confirm(io);
  try {
    return decode(codec, baseName(await io.readlink(path)), path);
  } catch (thrown) {
    if (!isAbsent(thrown)) throw thrown;
    await owner.confirm(io);
    return undefined;
  }
}

function decode<T>(codec: Codec<T>, raw: string, path: string): T {
  const decoded = codec.decode(raw);
  if (decoded.ok) return decoded.value as T;
  throw new DecodeFailure(path, raw, decoded.error);
}

/** What an error tells, as the plain data that `problems` hold. */
export function problemOf(error: MdevError): Problem {
  const { path, type, message } = error;
  return Object.freeze(
    error instanceof DecodeError ? { path, type, message, raw: error.raw } : { path, type, message },
  );
}
