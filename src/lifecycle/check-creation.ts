import { Result } from "typescript-result";
import { type AttributeCommand, type AttributeInput, toCommand } from "../attributes/descriptor.js";
import { InvalidArgumentError, UnsupportedError } from "../errors.js";
import type { OperationOptions } from "../file-system/limits.js";
import { parseUuid, quote } from "../identifiers.js";
import type { CreateFact, FoundParent } from "../layouts/layout.js";
import type { CreateRequest } from "./create.js";

/** What {@link MdevType.create} takes. */
export interface CreateOptions extends OperationOptions {
  /** The new device's UUID, in any case; a random one where it is not given and the layout has UUIDs. */
  readonly uuid?: string | undefined;
  /** The driver's parameters as one text, in the layouts of 2016. */
  readonly params?: string | undefined;
  /** The group that the new device is to belong to, in the layouts of 2016. */
  readonly group?: string | undefined;
  /**
   * What to write to the new device's attributes, in this order, before it is handed out: typed settings, made by
   * {@link AttributeDescriptor.to}, or names with the exact text. A name may come more than once.
   */
  readonly attributes?: readonly AttributeInput[] | undefined;
}

const FACTS: readonly CreateFact[] = ["uuid", "params", "group"];
const OPTIONS: readonly string[] = [...FACTS, "attributes", "signal", "timeout"];

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
  const parsed = parseUuid(uuid, tried);
  if (!parsed.ok) return Result.error(parsed.error);
  if (params !== undefined && !isLine(params))
    return invalid(`the params ${quote(params)} are not a line of text`);
  if (group !== undefined && (!isLine(group) || group.includes(","))) {
    return invalid(`the group ${quote(group)} is not a word`);
  }
  if (!Array.isArray(attributes)) return invalid("its attributes are not a list");
  const commands: AttributeCommand[] = [];
  for (const input of attributes as readonly AttributeInput[]) {
    const command = toCommand(input, tried);
    if (!command.ok) return Result.error(command.error);
    commands.push(command.value);
  }
  return Result.ok({ parent, typeId, uuid: parsed.value, params, group, commands });
}

function isLine(value: unknown): boolean {
  return (
    typeof value === "string" && value.length > 0 && value.length < 4000 && !/[\p{Cc}\p{Cs}]/u.test(value)
  );
}
