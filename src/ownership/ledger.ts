import { type AsyncResult, Result } from "typescript-result";
import type { HostContext } from "../context.js";
import { ConflictError, type OperationError, UnsupportedError } from "../errors.js";
import { DecodeFailure, GoneFailure, StateFailure } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";
import { operate } from "../file-system/operation.js";
import { quote } from "../identifiers.js";
import type { FoundDevice } from "../layouts/layout.js";
import { log } from "../log.js";
import { fateOf, markOfThisProcess } from "../state/process-mark.js";
import { State } from "../state/state.js";
import { type Claim, claimName, formatClaim, isClaimName, parseClaim } from "./claim.js";
import { identityOf, isUnique } from "./identity.js";

/** A claim, and where it is written. */
export interface Entry {
  readonly name: string;
  readonly tag: string;
  readonly claim: Claim;
}

/** What keeps an entry from being understood. */
export type BrokenEntry = DecodeFailure | StateFailure;

/** What something that is no entry, but lies where one could, answers with. */
const FOREIGN: ReadonlySet<string | undefined> = new Set(["EBADMSG", "ENOTDIR"]);

/** What the ledger asks of a host. */
export type LedgerHost = Pick<HostContext, "state" | "sysfs">;

/** How long the ledger may take to forget an entry, in milliseconds. */
const FORGET_LIMIT = 10_000;
/** How much of the ledger is read before the event loop has its turn. */
const TURN = 100;

/**
 * Who owns which device, as one operation sees it. sysfs keeps no owners, so that the ledger does: an entry is written
 * before a device is created, and again with the device's identity when it is there. Entries have names of their own
 * and never change: writers do not meet.
 */
export class Ledger {
  readonly #io: Io;
  readonly #state: State;
  readonly #sysfs: string;

  private constructor(io: Io, state: State, sysfs: string) {
    this.#io = io;
    this.#state = state;
    this.#sysfs = sysfs;
  }

  /** The ledger of a host; `undefined` where it has no store. */
  static of(io: Io, { state, sysfs }: LedgerHost): Ledger | undefined {
    return state === undefined ? undefined : new Ledger(io, new State(state, io), sysfs);
  }

  /** The same where there has to be one. */
  static needed(io: Io, host: LedgerHost, tried: string): Result<Ledger, UnsupportedError> {
    const ledger = Ledger.of(io, host);
    return ledger === undefined ? Result.error(noStore(tried)) : Result.ok(ledger);
  }

  /** Before a device is created: says for whom. */
  async intend(owner: string, device: FoundDevice, type: string, note?: string): Promise<Entry> {
    return this.#write({
      owner,
      device: device.id,
      parent: this.#below(device.parent.path),
      type,
      boot: await this.#state.boot(),
      by: markOfThisProcess(),
      identity: undefined,
      note,
    });
  }

  /**
   * When it is there: writes down which one it is. That it could be created proves all earlier claims to its id void. A
   * device that somebody else has created and confirmed meanwhile is not ours: {@link GoneFailure}. `written` gets the entry
   * that takes the intent's place as soon as there are both.
   */
  async confirm(intent: Entry, device: FoundDevice, written?: (entry: Entry) => void): Promise<Entry> {
    const identity = await identityOf(this.#io, device);
    const others = (await this.#entries(device.id)).filter(({ name }) => name !== intent.name);
    const isTheirs = others.some(({ claim }) => claim.identity === identity && isUnique(identity ?? ""));
    if (identity === undefined || isTheirs) throw new GoneFailure(device.path);
    const entry = await this.#write({ ...intent.claim, identity });
    written?.(entry);
    if (!(await this.forget(intent))) {
      await this.forget(entry);
      throw new GoneFailure(device.path);
    }
    for (const other of others) await this.forget(other);
    log.create("%s belongs to %s: %s", device.path, quote(intent.claim.owner), identity);
    return entry;
  }

  /** When it was not created, or is removed: takes the entry away; whether it was still there. */
  forget({ name, tag }: Entry): Promise<boolean> {
    return this.#state.remove(name, tag);
  }

  /**
   * The proven claim to a device: of its very identity, in this boot. On a function, one that nobody else claims.
   * `entries` are those of its id, where they have been read already.
   */
  async claimTo(device: FoundDevice, entries?: readonly Entry[]): Promise<Entry | undefined> {
    const known = entries ?? (await this.#entries(device.id));
    if (known.length === 0) return undefined;
    const boot = await this.#state.boot();
    const parent = this.#below(device.parent.path);
    const current = known.filter(({ claim }) => claim.boot === boot && claim.parent === parent);
    const identity = await identityOf(this.#io, device);
    const claim = current.find((entry) => identity !== undefined && entry.claim.identity === identity);
    return claim === undefined || isUnique(identity ?? "") || current.length === 1 ? claim : undefined;
  }

  /** Whether a claim is of this boot. */
  async isCurrent({ claim }: Entry): Promise<boolean> {
    return claim.boot === (await this.#state.boot());
  }

  /** Whether a device is just being created under a claim, as far as can be seen. */
  isUnderWay({ claim }: Entry): boolean {
    return claim.identity === undefined && fateOf(claim.by) === "alive";
  }

  /** Whether a device may be the one that a claim means, though that is not proven. */
  async mayMean({ claim }: Entry, device: FoundDevice): Promise<boolean> {
    if (claim.identity !== undefined) return claim.identity === (await identityOf(this.#io, device));
    return device.typeId === undefined || device.typeId === claim.type;
  }

  /** All entries, and those that are none. */
  async read(device?: string): Promise<{ entries: Entry[]; broken: BrokenEntry[] }> {
    const entries: Entry[] = [];
    const broken: BrokenEntry[] = [];
    const names = (await this.#state.names()).filter((name) => isClaimName(name, device));
    for (const [index, name] of names.entries()) {
      if (index % TURN === TURN - 1) await this.#io.within(new Promise((resolve) => setImmediate(resolve)));
      try {
        const entry = await this.#state.read(name);
        if (entry === undefined) continue; // it has just gone
        const claim = parseClaim(entry.text);
        if (claim.ok) entries.push({ name, tag: entry.tag, claim: claim.value });
        else broken.push(new DecodeFailure(name, entry.text, claim.error));
      } catch (thrown) {
        if (!(thrown instanceof StateFailure)) throw thrown;
        broken.push(thrown);
      }
    }
    return { entries, broken };
  }

  #below(path: string): string {
    return path.slice(this.#sysfs.length + 1);
  }

  async #entries(device: string): Promise<Entry[]> {
    const { entries, broken } = await this.read(device);
    // It may be somebody's claim: not to know is not to be free.
    const unread = broken.find((failure) => failure instanceof StateFailure && !FOREIGN.has(failure.errno));
    if (unread !== undefined) throw unread;
    return entries.filter(({ claim }) => claim.device === device);
  }

  async #write(claim: Claim): Promise<Entry> {
    for (;;) {
      const name = claimName(claim.device);
      const tag = await this.#state.create(name, formatClaim(claim));
      if (tag !== undefined) return { name, tag, claim };
    }
  }
}

/** What speaks against removing a device for an owner: what the ledger proves of it is another one's. */
export function refusal(
  device: FoundDevice,
  claim: Entry | undefined,
  owner: string | undefined,
  tried: string,
): ConflictError | undefined {
  const actual = claim?.claim.owner;
  if (actual === owner) return undefined;
  const reason =
    actual === undefined
      ? `the ledger does not say that it belongs to ${quote(owner)}`
      : `it belongs to ${quote(actual)}`;
  const hint = actual === undefined ? undefined : "Its owner's name, as the option `owner`, removes it.";
  return new ConflictError({ tried, reason, path: device.path, hint });
}

/** Takes an entry away although the caller's time may be over: what is removed has to be forgotten. */
export function forgetEntry(
  context: HostContext,
  entry: Entry,
  tried: string,
): AsyncResult<void, UnsupportedError | OperationError> {
  return operate(context, { tried, errnos: {}, options: { timeout: FORGET_LIMIT } }, async (io) => {
    const ledger = Ledger.needed(io, context, tried);
    if (!ledger.ok) return Result.error(ledger.error);
    await ledger.value.forget(entry);
    return Result.ok();
  });
}

/** That a host has no place for what an operation has to keep. */
export function noStore(tried: string): UnsupportedError {
  return new UnsupportedError({
    tried,
    reason: "this host has no store for what sysfs does not keep",
    hint: "Give MdevHost a `state`.",
    missing: "option state",
  });
}
