import {
  AlreadyExistsError,
  type AsyncResult,
  type ConflictError,
  DirectoryStore,
  GoneError,
  InvalidArgumentError,
  type Lock,
  type LockError,
  type MdevDevice,
  type MdevError,
  type NotFoundError,
  type OperationError,
  type OperationOptions,
  type QueryError,
  type RejectedError,
  Result,
  sharedLimits,
  type StateStore,
  takeLock,
} from "../index.js";
import type { CalloutAction } from "./callout-script.js";
import type { CalloutSession } from "./callout-session.js";
import { CalloutRun } from "./callout-run.js";
import { type Callouts, throughScripts } from "./callouts.js";
import { checkContent, type DefinitionChanges, type DefinitionContent, edited } from "./changes.js";
import { type ConfigText, type DefinitionConfig, formatConfig, parseConfig } from "./config.js";
import { DefinitionFiles, type DefinitionProblem } from "./definition-files.js";
import type { DefinitionFileSystem } from "./definition-file-system.js";
import type { DefinitionWatch, DefinitionWatchOptions } from "./definition-event.js";
import { Watch } from "./definition-watch.js";
import { asWanted, changedUnderneath, damageOf, findOne, notDefined, wantedFault } from "./lookup.js";
import { MdevDefinition } from "./mdev-definition.js";
import { quote, uuidOf } from "./names.js";
import { NodeDefinitionFileSystem } from "./node-definition-file-system.js";
import { type Limits, limitsFault, operate, type OperationFacts } from "./operation.js";
import { ProcessLocks } from "./process-locks.js";

/** Where mdevctl keeps definitions. */
const ROOT = "/etc/mdevctl.d";
/** Where {@link MdevHost} keeps its locks, too. */
const STATE = "/run/vfio-mdev";

/** How a store is reached; each has a default that means the local machine. */
export interface DefinitionStoreOptions {
  /** The file system that all files are reached through; the local one where it is not given. */
  readonly fs?: DefinitionFileSystem | undefined;
  /** The folder with a folder for each parent: `/etc/mdevctl.d`. It need not exist. */
  readonly root?: string | undefined;
  /**
   * Where the lock is kept that keeps others off who use this library. The folder `/run/vfio-mdev` where it is not given
   * and neither are `fs` and `root`; otherwise the lock is of this object alone.
   */
  readonly state?: StateStore | undefined;
  /** mdevctl's scripts, to be asked before each change and told of it; none are run where it is not given. */
  readonly callouts?: Callouts | undefined;
  /** The limit of operations that are given none, in milliseconds, from 0; there is none where it is not given. */
  readonly timeout?: number | undefined;
}

/** Which definitions are meant. */
export interface DefinitionQuery extends OperationOptions {
  /** Only those of this parent. */
  readonly parent?: string | undefined;
  /** Only those of this device; it can be defined under several parents. */
  readonly uuid?: string | undefined;
}

/** The parent of the definition that is meant; needed where the device is defined under several. */
export interface OfParent extends OperationOptions {
  /** Its id, exactly. */
  readonly parent?: string | undefined;
}

/** What {@link DefinitionStore.define} takes. */
export interface DefineOptions extends DefinitionContent, OperationOptions {
  /** The id of the parent, which need not exist. */
  readonly parent: string;
  /**
   * The UUID in any spelling that mdevctl reads: in any case, 32 digits without hyphens, in braces, after `urn:uuid:`; a random
   * one where it is not given.
   */
  readonly uuid?: string | undefined;
}

/** What {@link DefinitionStore.defineDevice} takes beside the device. */
export interface DefineDeviceOptions extends OperationOptions {
  /** When it is to be started; `manual` where it is not given. */
  readonly start?: DefinitionContent["start"];
  /**
   * Its attributes: sysfs does not tell what was written to them. Where they are not given, the store's `callouts` are asked;
   * without those it has none.
   */
  readonly attributes?: DefinitionContent["attributes"];
}

/** What a store holds. Frozen. */
export interface DefinitionList {
  /** The definitions, in the order of mdevctl's JSON: by the bytes of their parents, then by UUID. */
  readonly definitions: readonly MdevDefinition[];
  /** What is there and is no definition: broken files, links, other names. None of it keeps the rest from being listed. */
  readonly problems: readonly DefinitionProblem[];
}

/**
 * What looking for one definition can end in:
 *
 * - `not-found`: there is none of that device, or none under that parent;
 * - `conflict`: it is under several parents and none is named, or what has its name is a link or no file;
 * - `decode`: its file is no definition;
 * - what any operation can: {@link OperationError}.
 */
export type DefinitionLookupError = NotFoundError | ConflictError | OperationError;
/**
 * What defining can end in:
 *
 * - `already-exists`: it is defined under that parent; `existing` is the file;
 * - `conflict`: somebody else held the lock of the definitions until the time was over;
 * - `rejected`: a script refused it;
 * - what any operation can: {@link OperationError}.
 */
export type DefineError = AlreadyExistsError | ConflictError | RejectedError | OperationError;
/**
 * What defining what a device is can end in:
 *
 * - `gone`: the device is no longer there, or its type does not show;
 * - `decode`: also where what a script printed is no list of attributes;
 * - what defining can: {@link DefineError}.
 */
export type DefineDeviceError = DefineError | GoneError | QueryError;
/**
 * What changing or removing a definition can end in:
 *
 * - `conflict`: also where somebody else changed it at the same time, or held the lock until the time was over;
 * - `rejected`: a script refused it;
 * - what looking for it can: {@link DefinitionLookupError}.
 */
export type DefinitionChangeError = DefinitionLookupError | RejectedError;

/**
 * The persistent definitions of a host, in mdevctl's own files: `/etc/mdevctl.d/<parent>/<uuid>`. What this writes, mdevctl
 * and libvirt read, and the other way round. Nothing of it touches a device: {@link DefinedHost} does.
 *
 * A definition is replaced in one step, and is on the disk before the step and after it: whatever happens to the process, it
 * is the old one or the new one. Others who use this library wait for each other, by a lock in `/run/vfio-mdev`. mdevctl takes
 * no lock: what it changes at the same time is seen just before the step, and is `conflict`.
 *
 * Source: mdevctl, its man page and what 1.2.0 and 1.4.0 read and write; the tests run both beside it.
 *
 * @example
 * ```ts
 * import { DefinitionStore } from "vfio-mdev/definitions";
 * import { MemoryDefinitionFileSystem } from "vfio-mdev/testing";
 *
 * const store = new DefinitionStore({ fs: new MemoryDefinitionFileSystem() }); // without it: /etc/mdevctl.d
 * const { uuid } = await store.define({ parent: "mtty", type: "mtty-2", start: "auto" }).getOrThrow();
 * const { definitions } = await store.list({ uuid }).getOrThrow();
 * console.log(definitions.map(({ parent, type, start }) => `${parent} ${type} ${start}`)); // prints: [ 'mtty mtty-2 auto' ]
 * ```
 */
export class DefinitionStore {
  /** The folder with a folder for each parent: `/etc/mdevctl.d`. */
  readonly root: string;
  /** mdevctl's scripts, where they are run. */
  readonly callouts: Callouts | undefined;
  readonly #fs: DefinitionFileSystem;
  readonly #state: StateStore;
  readonly #timeout: number | undefined;

  /** Throws an {@link InvalidArgumentError} for a root that is not an absolute path, or a limit that is none. */
  constructor({ fs, root = ROOT, state, callouts, timeout }: DefinitionStoreOptions = {}) {
    const isPath = typeof root === "string" && /^\/.*[^/]$/su.test(root) && !root.includes("\0");
    const reason = isPath ? limitsFault({ timeout }) : `its root ${quote(root)} is not an absolute path`;
    if (reason !== undefined)
      throw new InvalidArgumentError({ tried: "make a store of definitions", reason });
    this.root = root;
    this.callouts = callouts;
    this.#fs = fs ?? new NodeDefinitionFileSystem();
    this.#state =
      state ?? (fs === undefined && root === ROOT ? new DirectoryStore(STATE) : new ProcessLocks());
    this.#timeout = timeout;
  }

  /** All definitions, or those that a query names. A folder that is not there holds none. */
  list(query?: DefinitionQuery): AsyncResult<DefinitionList, OperationError> {
    const tried = "list the definitions";
    return this.#read({ tried, options: query, fault: wantedFault(query) }, async (files) => {
      const { stored, broken } = await files.find(asWanted(query ?? {}), tried);
      const definitions = Object.freeze(stored.map(({ definition }) => definition));
      return Result.ok(
        Object.freeze({ definitions, problems: Object.freeze(broken.map(({ problem }) => problem)) }),
      );
    });
  }

  /** The definition of a device: `<root>/<parent>/<uuid>`, in whatever spelling mdevctl reads. */
  get(uuid: string, options?: OfParent): AsyncResult<MdevDefinition, DefinitionLookupError> {
    const tried = `find the definition of ${quote(uuid)}`;
    const wanted = { ...options, uuid };
    return this.#read({ tried, options, fault: uuidFault(uuid) ?? wantedFault(options) }, async (files) => {
      const found = await findOne(files, wanted, tried);
      return found.ok ? Result.ok(found.value.definition) : Result.error(found.error);
    });
  }

  /**
   * Stores a new definition; of parent and type, neither need exist. `already-exists` where the device is defined under
   * this parent; under others it may be. Like `mdevctl define`.
   */
  define(options: DefineOptions): AsyncResult<MdevDefinition, DefineError> {
    return this.#define(options, "define a device", false);
  }

  /**
   * Stores what a device is, so that it can be started again: its parent, its type and its UUID. What was written to its
   * attributes sysfs does not tell: give them. Like `mdevctl define --uuid` of an active device.
   */
  defineDevice(
    device: MdevDevice,
    options?: DefineDeviceOptions,
  ): AsyncResult<MdevDefinition, DefineDeviceError> {
    const tried = `define the device ${device.id}`;
    const within = sharedLimits(options);
    const define = async (): Promise<Result<MdevDefinition, DefineDeviceError>> => {
      const { uuid } = device;
      if (uuid === undefined)
        return Result.error(new InvalidArgumentError({ tried, reason: "it has no UUID" }));
      const parent = await device.parent(within());
      if (!parent.ok) return Result.error(parent.error);
      const type = await device.type(within());
      if (!type.ok) return Result.error(type.error);
      if (type.value === undefined)
        return Result.error(new GoneError({ tried, reason: "its type does not show", path: device.path }));
      const { start, attributes } = options ?? {};
      const [parentId, typeId] = [parent.value.id, type.value.id];
      const asked = { ...within(), parent: parentId, uuid, type: typeId, start, attributes };
      return this.#define(asked, tried, attributes === undefined);
    };
    return Result.fromAsync(define);
  }

  /**
   * Changes a definition, in one step; what is not given stays, and so does what mdevctl does not know. An index that does
   * not fit is `invalid-argument`. Like `mdevctl modify`.
   *
   * @example
   * ```ts
   * import { DefinitionStore } from "vfio-mdev/definitions";
   * import { MemoryDefinitionFileSystem } from "vfio-mdev/testing";
   *
   * const store = new DefinitionStore({ fs: new MemoryDefinitionFileSystem() });
   * const { uuid } = await store.define({ parent: "matrix", type: "vfio_ap-passthrough" }).getOrThrow();
   * const changed = await store
   *   .modify(uuid, {
   *     start: "auto",
   *     edits: [
   *       { edit: "insert", attribute: ["assign_adapter", "5"] },
   *       { edit: "insert", attribute: ["assign_domain", "0xab"] },
   *     ],
   *   })
   *   .getOrThrow();
   * console.log(changed.start, changed.attributes.length); // prints: auto 2
   * ```
   */
  modify(
    uuid: string,
    changes: DefinitionChanges,
    options?: OfParent,
  ): AsyncResult<MdevDefinition, DefinitionChangeError> {
    const tried = `modify the definition of ${quote(uuid)}`;
    const content = checkContent(changes);
    const fault = content.ok ? (uuidFault(uuid) ?? wantedFault(options)) : content.error;
    const modify = async (
      files: DefinitionFiles,
      limits: Limits,
    ): Promise<Result<MdevDefinition, DefinitionChangeError>> => {
      const found = await findOne(files, { ...options, uuid }, tried);
      if (!found.ok) return Result.error(found.error);
      const { definition } = found.value;
      const { others = definition.others, ...given } = content.getOrThrow();
      const { type, start, attributes: before } = definition;
      const config: DefinitionConfig = { type, start, attributes: before, ...given };
      const attributes = edited(config.attributes, changes.edits ?? []);
      if (!attributes.ok) return Result.error(new InvalidArgumentError({ tried, reason: attributes.error }));
      const changed = { ...config, attributes: attributes.value };
      const text = formatConfig(changed, others);
      const run = this.#run("modify", { uuid: definition.uuid, parent: definition.parent, ...changed });
      return this.#throughScripts(run, limits, tried, async () => {
        if (!(await files.replace(found.value, text)))
          return Result.error(changedUnderneath(definition, tried));
        return Result.ok(asStored(text, definition));
      });
    };
    return this.#rewrite({ tried, options, fault }, modify);
  }

  /**
   * Removes the definition of a device under a parent, or under each where none is named, and gives what it removed. The
   * device stays as it is, and so does the parent's folder. Like `mdevctl undefine`.
   */
  undefine(uuid: string, options?: OfParent): AsyncResult<readonly MdevDefinition[], DefinitionChangeError> {
    const tried = `undefine ${quote(uuid)}`;
    const fault = uuidFault(uuid) ?? wantedFault(options);
    const undefine = async (
      files: DefinitionFiles,
      limits: Limits,
    ): Promise<Result<readonly MdevDefinition[], DefinitionChangeError>> => {
      const wanted = asWanted({ ...options, uuid });
      const found = await files.find(wanted, tried);
      const damage = damageOf(found);
      if (damage !== undefined) return Result.error(damage);
      if (found.stored.length === 0) return Result.error(notDefined(wanted, this.root, tried));
      const session = this.callouts?.session();
      const twins = found.broken.flatMap(({ twin }) => twin ?? []);
      let failure: DefinitionChangeError | undefined;
      for (const stored of found.stored) {
        const { definition } = stored;
        const removed = await this.#throughScripts(
          this.#run("undefine", definition, session),
          limits,
          tried,
          async () => {
            // A second file for the same device goes first: the other way round it would come to count.
            const ofTheSame = twins.filter((twin) => twin.definition.parent === definition.parent);
            for (const each of [...ofTheSame, stored]) {
              if (!(await files.remove(each))) return Result.error(changedUnderneath(each.definition, tried));
            }
            return Result.ok();
          },
        );
        failure ??= removed.error; // the others can go all the same
      }
      if (failure !== undefined) return Result.error(failure);
      return Result.ok(Object.freeze(found.stored.map(({ definition }) => definition)));
    };
    return this.#rewrite({ tried, options, fault }, undefine);
  }

  /**
   * Tells what happens to the definitions, whoever changes them: first all of them, then each that is defined, changed or
   * undefined, and what is no definition. What comes and goes between two looks is not told. The local file system tells by
   * inotify when to look; others are polled, or tell it themselves.
   *
   * Throws an {@link InvalidArgumentError} for options that are none.
   *
   * @example
   * ```ts
   * import { DefinitionStore } from "vfio-mdev/definitions";
   * import { MemoryDefinitionFileSystem } from "vfio-mdev/testing";
   *
   * const store = new DefinitionStore({ fs: new MemoryDefinitionFileSystem() });
   * for await (const event of store.watch()) {
   *   console.log(event.type);
   *   if (event.type === "snapshot") await store.define({ parent: "mtty", type: "mtty-1" }).getOrThrow();
   *   if (event.type === "defined") break; // ends the watch
   *   // prints: snapshot
   *   // prints: defined
   * }
   * ```
   */
  watch(options?: DefinitionWatchOptions): DefinitionWatch {
    const { parent, uuid } = options ?? {};
    return new Watch(
      (limits) => this.list({ ...limits, parent, uuid }),
      this.#fs.changes?.(this.root),
      options,
    );
  }

  #define(options: DefineOptions, tried: string, asks: boolean): AsyncResult<MdevDefinition, DefineError> {
    const request = checkDefinition(options);
    const fault = request.ok ? undefined : request.error;
    const define = async (
      files: DefinitionFiles,
      limits: Limits,
    ): Promise<Result<MdevDefinition, DefineError>> => {
      const { parent, uuid, config, others } = request.getOrThrow();
      const exists = (path: string): Result<never, AlreadyExistsError> => {
        const reason = `the device is defined there already, by ${path}`;
        return Result.error(new AlreadyExistsError({ tried, reason, path, existing: path }));
      };
      const { stored, broken } = await files.find({ parent, uuid }, tried);
      const there = stored[0]?.definition.path ?? broken[0]?.problem.path;
      if (there !== undefined) return exists(there);
      const path = files.path(parent, uuid);
      const run = this.#run("define", { ...config, uuid, parent });
      return this.#throughScripts<MdevDefinition, DefineError>(run, limits, tried, async () => {
        const asked = asks ? await run?.attributes(limits.signal, tried) : undefined;
        if (asked?.ok === false) return Result.error(asked.error);
        const attributes = asked?.value ?? config.attributes;
        const text = formatConfig({ ...config, attributes }, others);
        if (!(await files.place(parent, uuid, text))) return exists(path);
        return Result.ok(asStored(text, { uuid, parent, path }));
      });
    };
    return this.#rewrite({ tried, options, fault }, define);
  }

  /** The scripts around a change of a definition, where there are any. */
  #run(
    action: CalloutAction,
    definition: DefinitionConfig & { readonly uuid: string; readonly parent: string },
    session: CalloutSession | undefined = this.callouts?.session(),
  ): CalloutRun | undefined {
    const { uuid, parent, type } = definition;
    return session && new CalloutRun(session, action, { uuid, parent, type }, definition);
  }

  #throughScripts<T, E extends MdevError>(
    run: CalloutRun | undefined,
    limits: Limits,
    tried: string,
    body: () => Promise<Result<T, E>>,
  ): Promise<Result<T, E | RejectedError>> {
    const before = (asked: CalloutRun): Promise<Result<void, RejectedError>> =>
      asked.before(limits.signal, tried);
    return throughScripts(run, before, async () => {
      const result = await body();
      if (run !== undefined && result.ok) limits.pending = "It is done, but not all scripts have been told.";
      return result;
    });
  }

  #read<T, E extends MdevError>(
    asked: Asked,
    body: (files: DefinitionFiles, limits: Limits) => Promise<Result<T, E>>,
  ): AsyncResult<T, E | OperationError> {
    const facts = { ...asked, timeout: this.#timeout };
    return operate(facts, (limits) => body(new DefinitionFiles(this.#fs, this.root, limits), limits));
  }

  #rewrite<T, E extends MdevError>(
    asked: Asked,
    body: (files: DefinitionFiles, limits: Limits) => Promise<Result<T, E>>,
  ): AsyncResult<T, E | ConflictError | OperationError> {
    const name = `definitions.${this.root.replaceAll(/[^A-Za-z0-9._-]/gu, "!").slice(-160)}`;
    const lock = (limits: OperationOptions | undefined): AsyncResult<Lock, LockError> =>
      takeLock(this.#state, name, limits);
    return this.#read({ ...asked, lock }, body);
  }
}

/** An operation as it was asked for, and what is wrong with that. */
type Asked = Omit<OperationFacts, "timeout">;

/** A definition to store. */
interface Request {
  readonly parent: string;
  readonly uuid: string;
  readonly config: DefinitionConfig;
  readonly others: ConfigText["others"] | undefined;
}

/** A definition to store, checked, or why it is refused, as a clause. */
function checkDefinition(options: DefineOptions): Result<Request, string> {
  const content = checkContent(options);
  if (!content.ok) return Result.error(content.error);
  const { type, start = "manual", attributes = [], others } = content.value;
  const { parent, uuid: spelling = globalThis.crypto.randomUUID() } = options;
  const uuid = uuidOf(spelling);
  const fault = wantedFault({ parent, uuid: spelling });
  if (fault !== undefined || uuid === undefined) return Result.error(fault ?? "its UUID is none");
  if (typeof parent !== "string") return Result.error("no parent is given");
  if (type === undefined) return Result.error("no type is given");
  return Result.ok({ parent, uuid, config: { type, start, attributes }, others });
}

function uuidFault(uuid: unknown): string | undefined {
  return uuidOf(uuid) === undefined ? `${quote(uuid)} is not a UUID` : undefined;
}

/** What was just written. */
function asStored(
  text: string,
  { uuid, parent, path }: { readonly uuid: string; readonly parent: string; readonly path: string },
): MdevDefinition {
  return new MdevDefinition({ ...parseConfig(text).getOrThrow(), uuid, parent, path });
}
