import {
  type AbortedError,
  type AttributeReadError,
  type MdevDevice,
  type MdevError,
  type MdevHost,
  type OperationOptions,
  type Problem,
  problemOf,
  type QueryError,
  Result,
  text,
  type TimeoutError,
} from "../index.js";
import type { DefinedAttribute } from "./config.js";
import type { DefinitionLookupError, OfParent } from "./definition-store.js";
import type { MdevDefinition } from "./mdev-definition.js";

/** Two values that differ. */
export interface Difference {
  /** What the definition says, as text. */
  readonly defined: string;
  /** What is: the id of a parent or a type, or the text of the attribute's file. */
  readonly actual: string;
}

/** One attribute of a definition, and what its file shows. */
export interface AttributeDrift extends Difference {
  /** Its name: its path below the device's folder. */
  readonly name: string;
}

/** How a device differs from its definition. Frozen. */
export interface DriftReport {
  /** The definition. */
  readonly definition: MdevDefinition;
  /** Whether there is a device with this UUID at all. */
  readonly isActive: boolean;
  /** Whether it is as it is defined, as far as can be seen: nothing differs, and nothing is unknown. */
  readonly isSame: boolean;
  /** Its parent, where that is another one. */
  readonly parent: Difference | undefined;
  /** Its type, where that is another one. */
  readonly type: Difference | undefined;
  /**
   * The attributes whose files show something else than the last text that the definition writes to them, and those that are
   * compared in another way and differ.
   */
  readonly attributes: readonly AttributeDrift[];
  /**
   * The names of those that cannot be compared: files that cannot be read, such as `assign_adapter`, those that are not
   * there, and all of a device that is defined otherwise than it is.
   */
  readonly unknown: readonly string[];
  /** What could not be read, beside what is write-only. */
  readonly problems: readonly Problem[];
}

/**
 * Compares what a definition writes to attributes that cannot be read back with what its device shows of them elsewhere. Each
 * attribute that it can tell of comes once, also where nothing differs; of the others, and of devices that are not its own, it
 * tells nothing.
 */
export type AttributeComparison = (
  device: MdevDevice,
  attributes: readonly DefinedAttribute[],
  options?: OperationOptions,
) => PromiseLike<Result<readonly AttributeDrift[], MdevError>>;

/** What {@link DefinedHost.drift} takes. */
export interface DriftOptions extends OfParent {
  /** For attributes that cannot be read: `compareMatrix` of `vfio-mdev/s390` is one. */
  readonly compare?: readonly AttributeComparison[] | undefined;
}

/**
 * What comparing can end in: what looking for the definition and asking the host can, {@link DefinitionLookupError} and
 * {@link QueryError}. An attribute that cannot be read is a problem of the report.
 */
export type DriftError = DefinitionLookupError | QueryError;

/** Compares a definition with the device that is active under its UUID. */
export async function findDrift(
  host: MdevHost,
  definition: MdevDefinition,
  compare: readonly AttributeComparison[],
  within: () => OperationOptions | undefined,
): Promise<Result<DriftReport, DriftError>> {
  const snapshot = await host.snapshot(within());
  if (!snapshot.ok) return Result.error(snapshot.error);
  const entry = snapshot.value.devices.find(({ id }) => id === definition.uuid);
  // A name may be written several times: what was written last is what can still be seen.
  const wanted = new Map(definition.attributes);
  const parent = differing(definition.parent, entry?.parent);
  const type = differing(definition.type, entry?.type);

  const attributes: AttributeDrift[] = [];
  const unknown: string[] = [];
  const problems: Problem[] = [];
  const isComparable = entry !== undefined && parent === undefined && type === undefined;
  const device = isComparable ? host.deviceFrom(entry) : undefined;
  const told = new Map<string, AttributeDrift>();
  for (const each of compare) {
    if (device === undefined) break;
    const compared = await each(device, definition.attributes, within());
    if (compared.ok) for (const drift of compared.value) told.set(drift.name, drift);
    else if (isLimit(compared.error)) return Result.error(compared.error);
    else problems.push(problemOf(compared.error));
  }
  for (const [name, defined] of wanted) {
    const elsewhere = told.get(name);
    if (elsewhere !== undefined) {
      if (elsewhere.defined !== elsewhere.actual) attributes.push(elsewhere);
      continue;
    }
    const read = await device?.attribute(name, text).readRaw(within());
    if (read?.ok === false) {
      const { error } = read;
      if (isLimit(error)) return Result.error(error);
      if (!isWriteOnly(error)) problems.push(problemOf(error));
    }
    const actual = read?.value;
    if (actual === undefined) unknown.push(name);
    else if (actual.trim() !== defined.trim()) attributes.push(Object.freeze({ name, defined, actual }));
  }
  const isActive = entry !== undefined;
  const isSame = isComparable && attributes.length === 0 && unknown.length === 0;
  return Result.ok(
    Object.freeze({
      definition,
      isActive,
      isSame,
      parent,
      type,
      attributes: Object.freeze(attributes),
      unknown: Object.freeze(unknown),
      problems: Object.freeze(problems),
    }),
  );
}

function differing(defined: string, actual: string | undefined): Difference | undefined {
  return actual === undefined || actual === defined ? undefined : Object.freeze({ defined, actual });
}

function isLimit(error: MdevError): error is AbortedError | TimeoutError {
  return error.type === "timeout" || error.type === "aborted";
}

function isWriteOnly(error: AttributeReadError): boolean {
  return error.type === "permission" || error.type === "unsupported";
}
