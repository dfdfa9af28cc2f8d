import { type AttributeOwner, readingErrnos, VANISHING } from "../attributes/access.js";
import type { Codec } from "../attributes/codec.js";
import type { Access, AttributeDescriptor } from "../attributes/descriptor.js";
import { type AttributeSource, file } from "../attributes/source.js";
import { DecodeFailure, FileFailure, isVanished } from "../file-system/failure.js";
import { type Answer, isLater } from "../file-system/answer.js";
import type { Folder } from "../file-system/folder.js";
import type { Io } from "../file-system/io.js";
import type { TypeFact } from "../layouts/layout.js";
import { type ErrnoTable, explain } from "../file-system/operation.js";
import { type Problem, problemOf } from "../inspection.js";
import { baseName } from "../paths.js";
import type { HostContext } from "../context.js";
import type { Inclusion, SnapshotInclusions } from "./host-snapshot.js";

const NOTHING = Object.freeze({});

/** What all visits of one snapshot share. */
export interface Walk {
  readonly io: Io;
  readonly context: HostContext;
  readonly include: SnapshotInclusions;
  /** The drivers of devices that one had when the walk began, by UUID. */
  readonly drivers: ReadonlyMap<string, string>;
  /** What could not be read. */
  readonly problems: Problem[];
  /** The values of the facts of types, by their texts. */
  readonly known: Readonly<Record<TypeFact, Map<string, unknown>>>;
  /** Names in their order, by all of them: many parents have the same types. */
  readonly orders: Map<string, readonly string[]>;
}

/** One object on the way of a snapshot: its parts, those that could not be read, and whether it vanished meanwhile. */
export class Visit {
  readonly #walk: Walk;
  readonly #home: Folder | undefined;
  readonly #owner: () => AttributeOwner;
  #problems: Problem[] | undefined;
  /** Something is not there: the object has no such thing, or is not there itself. */
  #doubtful = false;

  constructor(walk: Walk, home: Folder | undefined, owner: () => AttributeOwner) {
    this.#walk = walk;
    this.#home = home;
    this.#owner = owner;
  }

  /**
   * The value of an attribute; `undefined` where there is none. `known` holds values by their texts: those that many
   * objects have alike are decoded once, and are one value in memory.
   */
  attribute<T>(
    descriptor: AttributeDescriptor<T, Access>,
    source: AttributeSource,
    known?: Map<string, unknown>,
  ): Answer<T | undefined> {
    if (source.from === "nowhere") return undefined;
    try {
      const raw = source.from === "layout" ? source.derive(this.#walk.io) : this.#text(source.name);
      if (isLater(raw)) return this.#attributeLater(raw, descriptor, known);
      return this.#understand(raw, descriptor, known);
    } catch (thrown) {
      this.#failed(thrown, descriptor);
      return;
    }
  }

  /** What the name of a link's target says; `undefined` where there is no such link. */
  link<T>(name: string, codec: Codec<T>): Answer<T | undefined> {
    try {
      const target = this.#home?.link(name);
      return isLater(target) ? this.#linkLater(target, name, codec) : this.#follow(target, name, codec);
    } catch (thrown) {
      this.#note(thrown, `read the link ${name} of`, VANISHING);
      return;
    }
  }

  /** The attributes that somebody wants beside what is always read. */
  included(inclusion: Inclusion | undefined): Answer<Readonly<Record<string, unknown>>> {
    return inclusion === undefined ? NOTHING : this.#included(inclusion);
  }

  /** Doubts that the object is there, so that {@link Visit.end} asks. */
  doubt(): void {
    this.#doubtful = true;
  }

  /** Whether the object is still there; if it is, what could not be read is a problem. */
  end(): Answer<boolean> {
    return this.#doubtful ? this.#confirm() : this.#isThere();
  }

  async #included(inclusion: Inclusion): Promise<Readonly<Record<string, unknown>>> {
    const values: Record<string, unknown> = {};
    for (const [name, descriptor] of Object.entries(inclusion)) {
      await this.#walk.io.turnWhenDue();
      values[name] = await this.attribute(descriptor, file(descriptor.name));
    }
    return Object.freeze(values);
  }

  async #confirm(): Promise<boolean> {
    try {
      await this.#owner().confirm(this.#walk.io);
    } catch (thrown) {
      if (isVanished(thrown)) return false;
      this.#note(thrown, "look for", VANISHING);
    }
    return this.#isThere();
  }

  #isThere(): true {
    if (this.#problems !== undefined) this.#walk.problems.push(...this.#problems);
    return true;
  }

  #text(name: string): Answer<string | undefined> {
    if (this.#home === undefined) return undefined;
    // A folder on the way may be a link: that is looked at.
    return name.includes("/") ? this.#walk.io.textOf(`${this.#home.path}/${name}`) : this.#home.text(name);
  }

  #understand<T>(
    raw: string | undefined,
    { codec, name }: AttributeDescriptor<T, Access>,
    known: Map<string, unknown> | undefined,
  ): T | undefined {
    if (raw === undefined) {
      this.#doubtful = true;
      return undefined;
    }
    const before = known?.get(raw);
    if (before !== undefined) return before as T;
    const value = decode(codec, raw, () => this.#path(name));
    known?.set(raw, value);
    return value;
  }

  async #attributeLater<T>(
    raw: Promise<string | undefined>,
    descriptor: AttributeDescriptor<T, Access>,
    known: Map<string, unknown> | undefined,
  ): Promise<T | undefined> {
    try {
      return this.#understand(await raw, descriptor, known);
    } catch (thrown) {
      this.#failed(thrown, descriptor);
      return;
    }
  }

  #follow<T>(target: string | undefined, name: string, codec: Codec<T>): T | undefined {
    if (target !== undefined) return decode(codec, baseName(target), () => this.#path(name));
    this.#doubtful = true;
    return undefined;
  }

  async #linkLater<T>(
    target: Promise<string | undefined>,
    name: string,
    codec: Codec<T>,
  ): Promise<T | undefined> {
    try {
      return this.#follow(await target, name, codec);
    } catch (thrown) {
      this.#note(thrown, `read the link ${name} of`, VANISHING);
      return;
    }
  }

  #failed<T>(thrown: unknown, descriptor: AttributeDescriptor<T, Access>): undefined {
    this.#note(thrown, `read ${descriptor.name} of`, readingErrnos(descriptor));
  }

  #note(thrown: unknown, tried: string, errnos: ErrnoTable): undefined {
    if (!(thrown instanceof FileFailure)) throw thrown;
    if (isVanished(thrown)) this.#doubtful = true;
    (this.#problems ??= []).push(problemOf(explain(thrown, `${tried} ${this.#owner().label}`, errnos)));
    return undefined;
  }

  #path(name: string): string {
    return `${this.#owner().path ?? ""}/${name}`;
  }
}

function decode<T>(codec: Codec<T>, raw: string, path: () => string): T {
  const decoded = codec.decode(raw);
  if (decoded.ok) return decoded.value as T;
  throw new DecodeFailure(path(), raw, decoded.error);
}
