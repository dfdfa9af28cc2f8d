import { Result } from "typescript-result";
import { type AttributeInput, toCommands } from "../attributes/descriptor.js";
import { InvalidArgumentError, UnsupportedError } from "../errors.js";
import type { OperationOptions } from "../file-system/limits.js";
import { parseUuid, quote } from "../identifiers.js";
import type { CreateFact, FoundParent } from "../layouts/layout.js";
import { noteFault, ownerFault } from "../ownership/claim.js";
import type { CreateRequest } from "./create.js";
import { READINESS, type Readiness } from "./ready.js";

/** What {@link MdevType.create} takes. */
export interface CreateOptions extends OperationOptions {
  /** The new device's UUID, 36 characters in any case, of any version; a random one where it is not given and the layout has UUIDs. */
  readonly uuid?: string | undefined;
  /**
   * The driver's parameters as one line, in the layouts of 2016: written to the new device's file `params` (general), or behind
   * the UUID to `create` (class-based). The form is our reading.
   */
  readonly params?: string | undefined;
  /** The group that the new device is to belong to, a word without a comma, in the layouts of 2016: as `params`, its file is `group`. */
  readonly group?: string | undefined;
  /**
   * What to write to the new device's attributes, in this order, before it is handed out: typed settings, made by
   * {@link AttributeDescriptor.to}, or names with the exact text. A name may come more than once.
   */
  readonly attributes?: readonly AttributeInput[] | undefined;
  /**
   * How far the device must be before its attributes are written and it is handed out: `complete` by default. Where that
   * takes longer than the limit (10 seconds where there is none), it is removed again, and this is `timeout`.
   */
  readonly waitFor?: Readiness | undefined;
  /**
   * For whom it is created: any text of 1 to 200 characters, kept in the host's ledger ({@link MdevHost.ownedDevices}). Only
   * who names the owner can remove the device then.
   */
  readonly owner?: string | undefined;
  /**
   * What the owner has to say of it, kept beside his name: any text of up to 1000 characters, such as what he calls it
   * ({@link OwnedDevices.notes}).
   */
  readonly note?: string | undefined;
}

const FACTS: readonly CreateFact[] = ["uuid", "params", "group"];
const OPTIONS: readonly string[] = [...FACTS, "attributes", "waitFor", "owner", "note", "signal", "timeout"];

/** Checks what is to be created, without any I/O. */
export function checkCreation(
  parent: FoundParent,
  typeId: string,
  options: CreateOptions,
  tried: string,
): Result<CreateRequest, InvalidArgumentError | UnsupportedError> {
  const invalid = (reason: string): Result<never, InvalidArgumentError> =>
    Result.error(new InvalidArgumentError({ tried, reason }));

  if (typeof options !== "object" || (options as unknown) === null)
    return invalid("its options are not an object");
  const unknown = Object.keys(options).find((key) => !OPTIONS.includes(key));
  if (unknown !== undefined) return invalid(`there is no option ${quote(unknown)}`);
  const { name, createFacts } = parent.layout;
  const missing = FACTS.find((fact) => options[fact] !== undefined && !createFacts.has(fact));
  if (missing !== undefined) {
    const reason = `the layout ${name} cannot create with a given ${missing}`;
    return Result.error(new UnsupportedError({ tried, reason, missing: `create option ${missing}` }));
  }
  const { uuid = globalThis.crypto.randomUUID(), params, group, attributes = [] } = options;
  const { waitFor = "complete" } = options;
  const parsed = parseUuid(uuid, tried);
  if (!parsed.ok) return Result.error(parsed.error);
  if (params !== undefined && !isLine(params))
    return invalid(`the params ${quote(params)} are not a line of text`);
  if (group !== undefined && (!isLine(group) || group.includes(","))) {
    return invalid(`the group ${quote(group)} is not a word`);
  }
  if (!READINESS.includes(waitFor)) return invalid(`it cannot wait for ${quote(waitFor)}`);
  const { owner } = options;
  const fault = owner === undefined ? undefined : ownerFault(owner);
  if (fault !== undefined) return invalid(`its owner ${fault}`);
  const { note } = options;
  if (note !== undefined && owner === undefined) return invalid("it has a note and no owner");
  const noted = note === undefined ? undefined : noteFault(note);
  if (noted !== undefined) return invalid(`its note ${noted}`);
  const commands = toCommands(attributes, tried);
  if (!commands.ok) return Result.error(commands.error);
  return Result.ok({
    parent,
    typeId,
    uuid: parsed.value,
    params,
    group,
    commands: commands.value,
    waitFor,
    owner,
    note,
  });
}

function isLine(value: unknown): boolean {
  return (
    typeof value === "string" && value.length > 0 && value.length < 4000 && !/[\p{Cc}\p{Cs}]/u.test(value)
  );
}
