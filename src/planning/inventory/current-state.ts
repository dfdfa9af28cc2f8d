import {
  type AsyncResult,
  type HostSnapshot,
  type InvalidArgumentError,
  type MdevDevice,
  type MdevHost,
  type OperationOptions,
  type OwnedError,
  type QueryError,
  Result,
  sharedLimits,
  text,
} from "../../index.js";
import { type AttributeTexts, type CheckedState, checkState } from "../wanted/checked-state.js";
import { planningFacts } from "./facts.js";
import { type DeviceNote, parseNote } from "./note.js";
import type { WantedState } from "../wanted/wanted-state.js";

/**
 * What reading the present state can end in:
 *
 * - `invalid-argument`: also where the wanted state is none;
 * - `unsupported`: the host has no store for a ledger ({@link OwnedError});
 * - what asking the host can: {@link QueryError}.
 */
export type ReadStateError = InvalidArgumentError | OwnedError | QueryError;

/** A device of the owner. */
export interface OwnedDevice {
  /** Its id. */
  readonly id: string;
  /** The folder of its parent. */
  readonly parentPath: string;
  /** What planning noted when it was created; `undefined` where something else created it. */
  readonly note: DeviceNote | undefined;
  /** The texts of the attributes that the wanted state has a say in; `undefined` where one cannot be read. */
  readonly attributes: Readonly<Record<string, string | undefined>>;
}

/** What plans begin with: plain, frozen, JSON-serialisable data. */
export interface CurrentState {
  /** The owner. */
  readonly owner: string;
  /** The whole host, with {@link planningFacts}. */
  readonly snapshot: HostSnapshot;
  /** The devices that the ledger proves to be the owner's. */
  readonly owned: readonly OwnedDevice[];
  /** Those that may be the owner's, which the ledger cannot prove: what a crash in the middle of a creation leaves. */
  readonly unproven: readonly OwnedDevice[];
}

/** The same with handles, which stand for these very devices. */
export interface LiveState {
  readonly state: CurrentState;
  /** The owned devices, by their folders. */
  readonly handles: ReadonlyMap<string, MdevDevice>;
}

/**
 * Reads what {@link plan} needs: the host ({@link MdevHost.snapshot}), and what of it is the owner's by the ledger
 * ({@link MdevHost.ownedDevices}). Attributes are read of the owner's devices alone, those that the wanted state names.
 */
export function readState(
  host: MdevHost,
  wanted: WantedState,
  options?: OperationOptions,
): AsyncResult<CurrentState, ReadStateError> {
  const checked = checkState(wanted);
  if (!checked.ok) return Result.fromAsync(async () => checked);
  return readLive(host, checked.value, options).map(({ state }) => state);
}

/** Reads the present state, for those who are to change it. */
export function readLive(
  host: MdevHost,
  checked: CheckedState,
  options?: OperationOptions,
): AsyncResult<LiveState, ReadStateError> {
  const within = sharedLimits(options);
  const { owner } = checked.wanted;
  const read = async (): Promise<Result<LiveState, ReadStateError>> => {
    const owns = await host.ownedDevices(owner, within());
    if (!owns.ok) return Result.error(owns.error);
    // After the ledger: what is created in between is then not taken for somebody else's.
    const snapshot = await host.snapshot({ ...within(), include: planningFacts });
    if (!snapshot.ok) return Result.error(snapshot.error);
    const { notes } = owns.value;
    const names = new Set([...checked.texts.values()].flatMap(namesOf));
    const [owned, unproven]: [OwnedDevice[], OwnedDevice[]] = [[], []];
    for (const [devices, into] of [
      [owns.value.devices, owned],
      [owns.value.unproven, unproven],
    ] as const) {
      for (const device of devices) {
        const attributes: Record<string, string | undefined> = {};
        for (const name of names) {
          const raw = await device.attribute(name, text).readRaw(within());
          if (!raw.ok && (raw.error.type === "aborted" || raw.error.type === "timeout"))
            return Result.error(raw.error);
          attributes[name] = raw.ok ? raw.value : undefined;
        }
        const { id } = device;
        const entry = { id, parentPath: parentPathOf(device), note: parseNote(notes[id]) };
        into.push(Object.freeze({ ...entry, attributes: Object.freeze(attributes) }));
      }
    }
    const state = Object.freeze({
      owner,
      snapshot: snapshot.value,
      owned: Object.freeze(owned),
      unproven: Object.freeze(unproven),
    });
    return Result.ok({ state, handles: new Map(owns.value.devices.map((device) => [device.path, device])) });
  };
  return Result.fromAsync(read);
}

/** The folder of the parent of a device: its own where it has no UUID. */
function parentPathOf({ path, uuid }: MdevDevice): string {
  return uuid === undefined ? path : path.slice(0, path.lastIndexOf("/"));
}

function namesOf(texts: AttributeTexts): readonly string[] {
  return texts.map(([name]) => name);
}
