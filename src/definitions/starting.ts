import {
  AlreadyExistsError,
  type AsyncResult,
  BusyError,
  type CreateError,
  type CreateOptions,
  type DeviceSnapshot,
  type MdevDevice,
  type MdevHost,
  type OperationOptions,
  type ParentLookupError,
  type QueryError,
  Result,
} from "../index.js";
import type { CalloutSession } from "./callout-session.js";
import { aroundScripts } from "./defined-device.js";
import type { DefinitionLookupError, OfParent } from "./definition-store.js";
import type { MdevDefinition } from "./mdev-definition.js";

/** What starting takes beside which definition is meant. */
export interface StartOptions extends OfParent {
  /** As {@link CreateOptions.waitFor}. */
  readonly waitFor?: CreateOptions["waitFor"];
  /** As {@link CreateOptions.owner}. */
  readonly owner?: CreateOptions["owner"];
}

/** What {@link DefinedHost.startAuto} takes. */
export interface StartAutoOptions extends Omit<StartOptions, "parent"> {
  /** Only the definitions of this parent. */
  readonly parent?: string | undefined;
}

/**
 * What starting can end in:
 *
 * - `not-found`: the device is not defined, or the host has no such parent or type;
 * - `already-exists`: the device is active, perhaps elsewhere or with another type;
 * - `rejected`: the driver or a script refused;
 * - `busy`: also where it goes on being created or removed for 10 seconds;
 * - what looking for the definition, for the parent and creating can: {@link DefinitionLookupError},
 *   {@link ParentLookupError}, {@link CreateError}.
 */
export type StartError = DefinitionLookupError | ParentLookupError | CreateError;

/** A device that is active as it is defined. Frozen. */
export interface Started {
  /** Its definition. */
  readonly definition: MdevDefinition;
  /** It. */
  readonly device: MdevDevice;
  /** Whether this call started it; `false`: it was active. */
  readonly started: boolean;
}

/** Between two looks at a device that is on its way, in milliseconds. */
const LOOK_AGAIN = 20;
/** How long it may be on its way, in milliseconds, where the caller sets no limit. */
const ON_ITS_WAY = 10_000;

/** Starts devices as they are defined, with one session of the scripts and one limit for all of them. */
export class Starting {
  readonly #host: MdevHost;
  readonly #options: StartAutoOptions | undefined;
  readonly #within: () => OperationOptions | undefined;
  readonly #session: CalloutSession | undefined;

  constructor(
    host: MdevHost,
    options: StartAutoOptions | undefined,
    within: () => OperationOptions | undefined,
    session: CalloutSession | undefined,
  ) {
    this.#host = host;
    this.#options = options;
    this.#within = within;
    this.#session = session;
  }

  /** Creates the device of a definition. */
  create(definition: MdevDefinition): AsyncResult<MdevDevice, StartError> {
    const { uuid, parent, type, attributes } = definition;
    const [session, within] = [this.#session, this.#within];
    const { signal, waitFor, owner } = this.#options ?? {};
    const create = (): AsyncResult<MdevDevice, StartError> =>
      this.#host
        .parent(parent, within())
        .map((found) => found.type(type, within()))
        .map((found) =>
          found.create({ signal, timeout: within()?.timeout, uuid, attributes, waitFor, owner }),
        );
    if (session === undefined) return create();
    return Result.fromAsync(() => aroundScripts("start", definition, session, within, create));
  }

  /** Sees to it that the device of a definition is active. */
  async ensure(definition: MdevDefinition): Promise<Result<Started, StartError>> {
    const outcome = (device: MdevDevice, started: boolean): Result<Started, never> =>
      Result.ok(Object.freeze({ definition, device, started }));
    const end = performance.now() + ON_ITS_WAY;
    for (;;) {
      const active = await this.#active(definition, this.#within());
      if (!active.ok) return Result.error(active.error);
      const { value: entry } = active;
      if (entry === undefined) {
        const created = await this.create(definition);
        if (created.ok) return outcome(created.value, true);
        // Somebody was faster: then it is as good as started by us, if it is the same.
        if (created.error.type !== "already-exists") return Result.error(created.error);
      } else if (entry.state === "active" && entry.type !== undefined) {
        const fault = differenceOf(definition, entry);
        return fault === undefined ? outcome(this.#host.deviceFrom(entry), false) : Result.error(fault);
      }
      if (performance.now() > end) return Result.error(onItsWay(definition));
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
    }
  }

  /** The device of a definition, wherever and however far it is. */
  #active(
    { uuid }: MdevDefinition,
    options: OperationOptions | undefined,
  ): AsyncResult<DeviceSnapshot | undefined, QueryError> {
    return this.#host.snapshot(options).map(({ devices }) => devices.find(({ id }) => id === uuid));
  }
}

function differenceOf(
  { uuid, parent, type }: MdevDefinition,
  entry: DeviceSnapshot,
): AlreadyExistsError | undefined {
  if (entry.parent === parent && entry.type === type) return undefined;
  const existing = `${entry.parentPath}/${uuid}`;
  return new AlreadyExistsError({
    tried: `start ${uuid} of type ${type} on ${parent}`,
    reason: `it is active on ${entry.parent} with the type ${entry.type ?? "of nobody knows what"}`,
    path: existing,
    existing,
  });
}

function onItsWay({ uuid, parent }: MdevDefinition): BusyError {
  return new BusyError({
    tried: `start ${uuid} on ${parent}`,
    reason: "it goes on being created or removed",
  });
}
