import {
  type AttributeReadError,
  type MdevHost,
  type OperationOptions,
  type Problem,
  problemOf,
  type QueryError,
  Result,
  text,
} from "../index.js";
import type { DefinitionLookupError } from "./definition-store.js";
import type { MdevDefinition } from "./mdev-definition.js";

/** Two values that differ. */
export interface Difference {
  /** What the definition says. */
  readonly defined: string;
  /** What is. */
  readonly actual: string;
}

/** One attribute of a definition, and what its file shows. */
export interface AttributeDrift extends Difference {
  /** Its name. */
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
  /** The attributes whose files show something else than the last text that the definition writes to them. */
  readonly attributes: readonly AttributeDrift[];
  /**
   * The names of those that cannot be compared: files that cannot be read, such as `assign_adapter`, those that are not
   * there, and all of a device that is defined otherwise than it is.
   */
  readonly unknown: readonly string[];
  /** What could not be read, beside what is write-only. */
  readonly problems: readonly Problem[];
}

/** What comparing can end in. */
export type DriftError = DefinitionLookupError | QueryError;

/** Compares a definition with the device that is active under its UUID. */
export async function findDrift(
  host: MdevHost,
  definition: MdevDefinition,
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
  for (const [name, defined] of wanted) {
    const read = await device?.attribute(name, text).readRaw(within());
    if (read?.ok === false) {
      const { error } = read;
      if (error.type === "timeout" || error.type === "aborted") return Result.error(error);
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

function isWriteOnly(error: AttributeReadError): boolean {
  return error.type === "permission" || error.type === "unsupported";
}
