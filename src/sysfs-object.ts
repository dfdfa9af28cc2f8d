import { type AsyncResult, Result } from "typescript-result";
import { type AttributeOwner, type AttributeReadError, VANISHING } from "./attributes/access.js";
import { type Attribute, type AttributeFor, attributeOf } from "./attributes/attribute.js";
import type { Codec } from "./attributes/codec.js";
import type { Access, AttributeDescriptor } from "./attributes/descriptor.js";
import type { HostContext } from "./context.js";
import { type GoneError, type MdevError, type OperationError, UnsupportedError } from "./errors.js";
import type { ExtensionClass } from "./extension.js";
import type { Io } from "./file-system/io.js";
import type { OperationOptions } from "./file-system/limits.js";
import { operate } from "./file-system/operation.js";

/**
 * What asking an object about itself can end in:
 *
 * - `gone`: it was there and vanished, or is just going (ENOENT, ENODEV);
 * - what any operation can: {@link OperationError}.
 */
export type QueryError = GoneError | OperationError;

/**
 * What taking an object for an extension can end in:
 *
 * - `unsupported`: the extension does not fit it;
 * - what looking whether it fits can: {@link AttributeReadError}.
 */
export type ExtensionError = UnsupportedError | AttributeReadError;

/** What parents, types and devices have in common: a folder in sysfs, and attributes in it. */
export abstract class SysfsObject {
  /** Its name in sysfs: that of its folder (a device's is its UUID), or what NVIDIA's list makes of a row: `nvidia-1145`. */
  readonly id: string;
  readonly #context: HostContext;
  readonly #owner: AttributeOwner;

  /** @internal */
  constructor(context: HostContext, id: string, owner: AttributeOwner) {
    this.id = id;
    this.#context = context;
    this.#owner = owner;
  }

  /**
   * Whether it is of this very machine: its host was given no `fs` and no `sysfs`. Only then may an extension consult what
   * is beside sysfs.
   */
  get isLocal(): boolean {
    return this.#context.isLocal;
  }

  /** @internal */
  protected get context(): HostContext {
    return this.#context;
  }

  /** @internal */
  protected get owner(): AttributeOwner {
    return this.#owner;
  }

  /** The attribute that a descriptor declares, by its path below the object's folder. No I/O. */
  attribute<T, A extends Access>(descriptor: AttributeDescriptor<T, A>): AttributeFor<T, A>;
  /**
   * Any file below the object's folder: `vendor/resolution`. A name that could lead out of the folder is refused when
   * the attribute is used, and so is a link in it that leads out of the sysfs root.
   */
  attribute<T>(name: string, codec: Codec<T>): Attribute<T>;
  attribute<T>(named: string | AttributeDescriptor<T, Access>, codec?: Codec<T>): AttributeFor<T, Access> {
    return attributeOf(this.#owner, named, codec);
  }

  /** This object with the typed attributes of an extension; `unsupported` where that does not fit it. */
  as<Extension>(extension: ExtensionClass<this, Extension>): AsyncResult<Extension, ExtensionError> {
    const check = async (): Promise<Result<unknown, ExtensionError>> => {
      const fits = await extension.fits(this);
      if (typeof fits !== "boolean" && !fits.ok) return fits;
      if (fits === true || (fits !== false && fits.value)) return Result.ok(new extension(this));
      const facts = { tried: `take ${this.owner.label} for a ${extension.name}`, path: this.owner.path };
      return Result.error(new UnsupportedError({ ...facts, reason: "it is none", missing: extension.name }));
    };
    // typescript-result cannot see through a generic result type.
    return Result.fromAsync(check) as AsyncResult<Extension, ExtensionError>;
  }

  /** @internal */
  protected query<T, E extends MdevError = never>(
    what: string,
    options: OperationOptions | undefined,
    ask: (io: Io) => Promise<Result<T, E>>,
  ): AsyncResult<T, E | QueryError> {
    const tried = `${what} of ${this.owner.label}`;
    return operate(this.context, { tried, errnos: VANISHING, options }, ask);
  }
}
