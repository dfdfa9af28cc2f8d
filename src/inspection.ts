import { type AttributeOwner, READING, readText } from "./attributes/access.js";
import type { Codec } from "./attributes/codec.js";
import { DecodeError, MdevError, type MdevErrorType } from "./errors.js";
import { FileFailure, isAbsent } from "./file-system/failure.js";
import type { Io } from "./file-system/io.js";
import { explain } from "./file-system/operation.js";
import { quote } from "./identifiers.js";
import { baseName } from "./paths.js";

/** A part of an object that could not be read; the rest is beside it. Plain data. */
export interface Problem {
  /** The file concerned. */
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

  /** The value of an attribute. */
  attribute<T>(name: string, codec: Codec<T>): Promise<T | undefined> {
    return this.part(`read ${name} of ${this.#owner.label}`, async (tried) => {
      const raw = await readText(this.#io, this.#owner, name);
      return raw === undefined ? undefined : decode(codec, raw, tried, `${this.#owner.path}/${name}`);
    });
  }

  /** What the name of a link's target says. */
  link<T>(name: string, codec: Codec<T>): Promise<T | undefined> {
    return this.part(`read the link ${name} of ${this.#owner.label}`, async (tried) => {
      const target = await linkName(this.#io, this.#owner.path, name);
      return target === undefined ? undefined : decode(codec, target, tried, `${this.#owner.path}/${name}`);
    });
  }

  /** Any other part. */
  async part<T>(tried: string, look: (tried: string) => Promise<T>): Promise<T | undefined> {
    try {
      return await look(tried);
    } catch (thrown) {
      const error = thrown instanceof FileFailure ? explain(thrown, tried, READING) : thrown;
      if (!(error instanceof MdevError)) throw thrown;
      this.#problems.push(toProblem(error));
      return undefined;
    }
  }
}

/** The name of what a link of an object leads to; `undefined` where the object is there and has no such link. */
export async function linkName(io: Io, folder: string, name: string): Promise<string | undefined> {
  try {
    return baseName(await io.readlink(`${folder}/${name}`));
  } catch (thrown) {
    if (!isAbsent(thrown)) throw thrown;
    await io.lstat(folder);
    return undefined;
  }
}

function decode<T>(codec: Codec<T>, raw: string, tried: string, path: string): T {
  const decoded = codec.decode(raw);
  if (decoded.ok) return decoded.value as T;
  throw new DecodeError({ tried, reason: `its text ${quote(raw)} ${decoded.error}`, path, raw });
}

function toProblem(error: MdevError): Problem {
  const { path, type, message } = error;
  return Object.freeze(
    error instanceof DecodeError ? { path, type, message, raw: error.raw } : { path, type, message },
  );
}
