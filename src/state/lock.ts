import { type AsyncResult, Result } from "typescript-result";
import { ConflictError, InvalidArgumentError, type OperationError } from "../errors.js";
import { Interruption } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";
import type { OperationOptions } from "../file-system/limits.js";
import { nodeFileSystem } from "../file-system/node-file-system.js";
import { operate } from "../file-system/operation.js";
import { quote } from "../identifiers.js";
import { log } from "../log.js";
import { asProcessMark, fateOf, markOfThisProcess } from "./process-mark.js";
import { State } from "./state.js";
import { isStateName, type StateStore } from "./state-store.js";

/** Who holds a lock. */
export interface LockHolder {
  /** Who it is, as part of a sentence: `process 4711`. */
  readonly name: string;
  /** Whether it lives; `unknown`: that cannot be seen from here, so that it is waited for. */
  readonly fate: "alive" | "dead" | "unknown";
}

/** What {@link takeLock} takes. A lock that is still held when the time limit passes is `conflict`. */
export interface LockOptions extends OperationOptions {
  /** Who a lock's text is of: for a store whose texts are not this library's. */
  readonly holderOf?: ((text: string) => LockHolder) | undefined;
}

/**
 * What taking a lock, or giving it back, can end in:
 *
 * - `conflict`: somebody held it until the time was over; or, when it is given back, it had been taken away;
 * - what any operation can: {@link OperationError}. `permission`: the process may not use the store; `decode` does not happen.
 */
export type LockError = ConflictError | OperationError;

/** Between two looks at a lock that is held, in milliseconds: at first, and at most. */
const [FIRST_LOOK, LAST_LOOK] = [4, 100];
/** How long giving a lock back may take, in milliseconds. */
const RELEASE_LIMIT = 10_000;

/** How often what is free is tried to be taken before the event loop has its turn. */
const AT_ONCE = 5;
const LEFT: LockHolder = { name: "somebody who has just left", fate: "dead" };

/**
 * A lock that is held. Whoever takes it again, this process included, waits until it is released. One whose process has
 * ended is no longer held.
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { MemoryStore, SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addMtty();
 * const host = new MdevHost({ fs: simulated.fs, state: new MemoryStore() });
 * const parent = await host.parent("mtty").getOrThrow();
 * const lock = await parent.lock({ timeout: 5_000 }).getOrThrow();
 * const second = await parent.lock({ timeout: 10 });
 * console.log(second.ok ? "" : second.error.type); // prints: conflict
 * await lock.release().getOrThrow();
 * ```
 */
export class Lock {
  /** The name of its entry in the store. */
  readonly name: string;
  readonly #store: StateStore;
  readonly #tag: string;
  #isReleased = false;

  /** @internal */
  constructor(store: StateStore, name: string, tag: string) {
    this.name = name;
    this.#store = store;
    this.#tag = tag;
  }

  /** Gives it back; a second time does nothing. `conflict` where it had been taken away: somebody else's is left alone. */
  release(): AsyncResult<void, LockError> {
    const tried = `release the lock ${this.name}`;
    return operateIn(tried, { timeout: RELEASE_LIMIT }, async (io) => {
      if (this.#isReleased) return Result.ok();
      const wasOurs = await new State(this.#store, io).remove(this.name, this.#tag);
      this.#isReleased = true;
      log.lock("%s: released", this.name);
      return wasOurs ? Result.ok() : Result.error(takenAway(tried));
    });
  }

  /** Gives it back at the end of an `await using` (Node 20.4 and later); what {@link Lock.release} would return is thrown. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release().getOrThrow();
  }
}

/**
 * Takes a lock by its name in a store, and waits for it where somebody has it. {@link Parent.lock} does so for a card;
 * this is for what else processes must not do at once.
 *
 * @example
 * ```ts
 * import { takeLock } from "vfio-mdev";
 * import { MemoryStore } from "vfio-mdev/testing";
 *
 * const store = new MemoryStore(); // new DirectoryStore("/run/my-manager"): all processes of this machine
 * const lock = await takeLock(store, "reconcile", { timeout: 60_000 }).getOrThrow();
 * const second = await takeLock(store, "reconcile", { timeout: 100 });
 * console.log(!second.ok && second.error.type); // prints: conflict
 * await lock.release().getOrThrow();
 * ```
 */
export function takeLock(
  store: StateStore,
  name: string,
  options?: LockOptions,
): AsyncResult<Lock, LockError> {
  const tried = `take the lock ${quote(name)}`;
  return operateIn(tried, options, async (io) => acquire(io, store, name, { ...options, tried }));
}

/** The same as a part of an operation. */
export async function acquire(
  io: Io,
  store: StateStore,
  name: string,
  { tried, holderOf }: { readonly tried: string; readonly holderOf?: LockOptions["holderOf"] },
): Promise<Result<Lock, ConflictError | InvalidArgumentError>> {
  if (!isStateName(name))
    return Result.error(new InvalidArgumentError({ tried, reason: "it cannot have this name" }));
  const state = new State(store, io);
  const boot = await state.boot();
  const text = formatMark(boot);
  let wait = FIRST_LOOK;
  for (let tries = 1; ; tries++) {
    const tag = await state.create(name, text);
    if (tag !== undefined) {
      log.lock("%s: taken", name);
      return Result.ok(new Lock(store, name, tag));
    }
    const entry = await state.read(name);
    const holder = entry === undefined ? LEFT : (holderOf?.(entry.text) ?? holderIn(entry.text, boot));
    if (entry !== undefined && holder.fate === "dead") {
      log.lock("%s: %s is dead", name, holder.name);
      await state.remove(name, entry.tag);
    }
    // Free by now, so try again at once: but not for ever where many do, or a store lies.
    if (holder.fate === "dead" && tries % AT_ONCE !== 0) continue;
    try {
      await io.pause(wait * (0.5 + Math.random() / 2));
      wait = Math.min(2 * wait, LAST_LOOK);
    } catch (thrown) {
      if (!(thrown instanceof Interruption) || thrown.kind !== "timeout") throw thrown;
      return Result.error(isHeld(tried, holder, thrown.message));
    }
  }
}

/** What a lock's text says: who holds it, in which boot of the machine, since when. */
function formatMark(boot: string): string {
  return `${JSON.stringify({ ...markOfThisProcess(), boot, since: new Date().toISOString() })}\n`;
}

function holderIn(text: string, boot: string): LockHolder {
  let mark: unknown;
  try {
    mark = JSON.parse(text);
  } catch {
    mark = undefined;
  }
  const by = asProcessMark(mark);
  if (by === undefined) return { name: "somebody whose mark cannot be understood", fate: "unknown" };
  const { boot: then, since } = mark as { readonly boot?: unknown; readonly since?: unknown };
  const name = `process ${by.pid}${typeof since === "string" ? `, since ${quote(since)}` : ""}`;
  if (typeof then === "string" && then !== boot) return { name, fate: "dead" };
  return { name, fate: fateOf(by) };
}

function isHeld(tried: string, { name, fate }: LockHolder, limit: string): ConflictError {
  if (fate !== "unknown") return new ConflictError({ tried, reason: `it is held by ${name}, and ${limit}` });
  const hint = "When it is known to be over, remove the entry from the store.";
  const reason = `it is held by ${name}, which cannot be seen from here, and ${limit}`;
  return new ConflictError({ tried, reason, hint });
}

function takenAway(tried: string): ConflictError {
  return new ConflictError({ tried, reason: "it was no longer ours: somebody had removed it by hand" });
}

/** An operation on a store alone. */
function operateIn<T>(
  tried: string,
  options: OperationOptions | undefined,
  body: (io: Io) => Promise<Result<T, ConflictError | InvalidArgumentError>>,
): AsyncResult<T, LockError> {
  const nowhere = { fs: nodeFileSystem, sysfs: "/sys", timeout: undefined };
  return operate(nowhere, { tried, errnos: {}, options }, body);
}
