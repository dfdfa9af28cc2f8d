import {
  type AsyncResult,
  GoneError,
  type LookupError,
  type MdevDevice,
  type MdevHost,
  type OperationOptions,
  type QueryError,
  type RejectedError,
  type RemoveError,
  type RemoveOptions,
  type RemoveOutcome,
  Result,
  sharedLimits,
} from "../index.js";
import { aroundScripts, type DefinedDevice } from "./defined-device.js";
import type { DefinitionProblem } from "./definition-files.js";
import type { DefinitionLookupError, DefinitionStore } from "./definition-store.js";
import { type DriftError, type DriftOptions, type DriftReport, findDrift } from "./drift.js";
import type { MdevDefinition } from "./mdev-definition.js";
import {
  type StartAutoOptions,
  type Started,
  type StartError,
  Starting,
  type StartOptions,
} from "./starting.js";

/**
 * What stopping can end in:
 *
 * - `not-found`: it is not active;
 * - `rejected`: the driver or a script refused;
 * - `gone`: it vanished while it was looked at, or its type does not show;
 * - what removing can: {@link RemoveError}.
 */
export type StopError = LookupError | RemoveError | QueryError | RejectedError;

/** What became of one automatic definition. Frozen. */
export interface AutoStart {
  /** It. */
  readonly definition: MdevDefinition;
  /** Its device, where that is active now. */
  readonly device: MdevDevice | undefined;
  /** Whether this call started it. */
  readonly started: boolean;
  /** Why its device is not active. */
  readonly error: StartError | undefined;
}

/** What became of the automatic definitions. Frozen. */
export interface AutoStarts {
  /** Each of them, in the order of the store. */
  readonly starts: readonly AutoStart[];
  /** What is in the store and is no definition: it could be one that was to be started. */
  readonly problems: readonly DefinitionProblem[];
}

/**
 * A host and the definitions of its devices: starts, stops and compares. What is stored is the store's, what is active is the
 * host's; neither is taken for the other. Where the store has {@link DefinitionStoreOptions.callouts}, they are asked before, and
 * told after.
 *
 * Source: mdevctl, its man page and what 1.2.0 and 1.4.0 do; the tests run both beside it.
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { DefinedHost, DefinitionStore } from "vfio-mdev/definitions";
 * import { MemoryDefinitionFileSystem, SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addMtty();
 * const store = new DefinitionStore({ fs: new MemoryDefinitionFileSystem() });
 * await store.define({ parent: "mtty", type: "mtty-2", start: "auto" }).getOrThrow();
 *
 * const defined = new DefinedHost({ host: new MdevHost({ fs: simulated.fs }), store });
 * for (let round = 0; round < 2; round++) {
 *   const { starts } = await defined.startAuto().getOrThrow();
 *   console.log(starts.map(({ started, error }) => `${started} ${error?.type}`));
 *   // prints: [ 'true undefined' ]
 *   // prints: [ 'false undefined' ]
 * }
 * ```
 */
export class DefinedHost {
  /** Where devices are active. */
  readonly host: MdevHost;
  /** Where they are defined. */
  readonly store: DefinitionStore;

  /** Made of where devices are active, and where they are defined; no I/O. */
  constructor({ host, store }: { readonly host: MdevHost; readonly store: DefinitionStore }) {
    this.host = host;
    this.store = store;
  }

  /**
   * Starts the device of a definition: creates it and writes its attributes, all of it or nothing. `already-exists` where
   * it is active. Like `mdevctl start`.
   */
  start(uuid: string, options?: StartOptions): AsyncResult<MdevDevice, StartError> {
    const within = sharedLimits(options);
    return this.store
      .get(uuid, { ...within(), parent: options?.parent })
      .map((definition) => this.#starting(options, within).create(definition));
  }

  /**
   * Sees to it that the device of a definition is active: starts it where it is not. One that is active on another parent
   * or with another type is `already-exists`, one that goes on coming or going is `busy`. Its attributes are not looked at:
   * {@link DefinedHost.drift} does.
   */
  ensureStarted(uuid: string, options?: StartOptions): AsyncResult<Started, StartError> {
    const within = sharedLimits(options);
    return this.store.get(uuid, { ...within(), parent: options?.parent }).map((definition) => {
      const starting = this.#starting(options, within);
      return Result.fromAsync(() => starting.ensure(definition));
    });
  }

  /**
   * Sees to it that the devices of the automatic definitions are active, of one parent or of all. One that cannot be started
   * keeps no other from it: what became of each is in the report. The time limit is one for all. Like
   * `mdevctl start-parent-mdevs`, which says nothing. All definitions are listed, so that there is no `not-found` or `conflict`.
   */
  startAuto(options?: StartAutoOptions): AsyncResult<AutoStarts, DefinitionLookupError> {
    const within = sharedLimits(options);
    return this.store.list({ ...within(), parent: options?.parent }).map(({ definitions, problems }) => {
      const start = async (): Promise<Result<AutoStarts, never>> => {
        const starts: AutoStart[] = [];
        const starting = this.#starting(options, within);
        for (const definition of definitions.filter((each) => each.start === "auto")) {
          const { value, error } = await starting.ensure(definition);
          const { device, started = false } = value ?? {};
          starts.push(Object.freeze({ definition, device, started, error }));
        }
        return Result.ok(Object.freeze({ starts: Object.freeze(starts), problems }));
      };
      return Result.fromAsync(start);
    });
  }

  /** Stops a device, defined or not: removes it, as {@link MdevDevice.remove} does. Like `mdevctl stop`. */
  stop(uuid: string, options?: RemoveOptions): AsyncResult<RemoveOutcome, StopError> {
    const within = sharedLimits(options);
    const remove = (device: MdevDevice): AsyncResult<RemoveOutcome, RemoveError> =>
      device.remove({ ...options, ...within() });
    return this.host.device(uuid, within()).map((device) => {
      const session = this.store.callouts?.session();
      // Without a UUID it is none that mdevctl knows.
      if (session === undefined || device.uuid === undefined) return remove(device);
      return Result.fromAsync(async (): Promise<Result<RemoveOutcome, StopError>> => {
        const subject = await subjectOf(device, within);
        if (!subject.ok) return Result.error(subject.error);
        return aroundScripts("stop", subject.value, session, within, () => remove(device));
      });
    });
  }

  /**
   * How a device differs from its definition: in its parent, its type, and the attributes that can be read. Nothing is
   * changed.
   *
   * @example
   * ```ts
   * import { MdevHost } from "vfio-mdev";
   * import { DefinedHost, DefinitionStore } from "vfio-mdev/definitions";
   * import { MemoryDefinitionFileSystem, SimulatedHost } from "vfio-mdev/testing";
   *
   * const simulated = new SimulatedHost();
   * const uuid = simulated.addMtty().create("mtty-2");
   * const store = new DefinitionStore({ fs: new MemoryDefinitionFileSystem() });
   * await store.define({ parent: "mtty", uuid, type: "mtty-1" }).getOrThrow();
   *
   * const defined = new DefinedHost({ host: new MdevHost({ fs: simulated.fs }), store });
   * const { isSame, type } = await defined.drift(uuid).getOrThrow();
   * console.log(isSame, type); // prints: false { defined: 'mtty-1', actual: 'mtty-2' }
   * ```
   */
  drift(uuid: string, options?: DriftOptions): AsyncResult<DriftReport, DriftError> {
    const within = sharedLimits(options);
    return this.store
      .get(uuid, { ...within(), parent: options?.parent })
      .map((definition) =>
        Result.fromAsync(() => findDrift(this.host, definition, options?.compare ?? [], within)),
      );
  }

  #starting(options: StartAutoOptions | undefined, within: () => OperationOptions | undefined): Starting {
    return new Starting(this.host, options, within, this.store.callouts?.session());
  }
}

/** What scripts are told of a device that is active: as mdevctl has it, neither its attributes nor whether it is automatic. */
async function subjectOf(
  device: MdevDevice,
  within: () => OperationOptions | undefined,
): Promise<Result<DefinedDevice, QueryError | GoneError>> {
  const parent = await device.parent(within());
  if (!parent.ok) return Result.error(parent.error);
  const type = await device.type(within());
  if (!type.ok) return Result.error(type.error);
  if (type.value === undefined) {
    const reason = "its type does not show";
    return Result.error(new GoneError({ tried: `stop ${device.id}`, reason, path: device.path }));
  }
  const { id: uuid } = device;
  return Result.ok({ uuid, parent: parent.value.id, type: type.value.id, start: "manual", attributes: [] });
}
