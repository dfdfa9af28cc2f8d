import { Result } from "../index.js";
import { type ConfigText, type DefinedAttribute, parseConfig, type StartMode } from "./config.js";
import { attributeNameFault, componentFault, quote } from "./names.js";

const START_MODES: readonly unknown[] = ["auto", "manual"] satisfies StartMode[];
const HALF_A_CHARACTER = /\p{Cs}/u;

/** One change to the list of attributes; an index counts from 0. */
export type AttributeEdit =
  | {
      /** Puts one in. */
      readonly edit: "insert";
      /** Before which one, an index from 0; at the end where it is not given. */
      readonly index?: number | undefined;
      /** What. */
      readonly attribute: DefinedAttribute;
    }
  | {
      /** Puts one in place of another. */
      readonly edit: "replace";
      /** Of which, an index from 0. */
      readonly index: number;
      /** What. */
      readonly attribute: DefinedAttribute;
    }
  | {
      /** Takes one away; of an empty list, where no index is given, nothing. */
      readonly edit: "delete";
      /** Which one, an index from 0; the last one where it is not given. */
      readonly index?: number | undefined;
    };

/** What a definition is to say: what is given here, or all that a JSON text says. */
export interface DefinitionContent {
  /** The id of the type. */
  readonly type?: string | undefined;
  /** When it is started. */
  readonly start?: StartMode | undefined;
  /** All its attributes. */
  readonly attributes?: readonly DefinedAttribute[] | undefined;
  /** The text of a definition, as mdevctl prints and takes it (`--jsonfile`); nothing else then. */
  readonly json?: string | undefined;
}

/** What is to change in a definition. Edits come after all else, in their order. */
export interface DefinitionChanges extends DefinitionContent {
  /** Changes to single attributes. */
  readonly edits?: readonly AttributeEdit[] | undefined;
}

/** The content with its JSON text read, or why it is refused, as a clause; before any I/O. */
export function checkContent(content: DefinitionChanges): Result<Partial<ConfigText>, string> {
  if (typeof content !== "object" || (content as unknown) === null)
    return Result.error("it is not an object");
  const { type, start, attributes, edits, json } = content;
  if (json !== undefined) {
    if ([type, start, attributes, edits].some((given) => given !== undefined))
      return Result.error("a JSON text goes with nothing else");
    if (typeof json !== "string") return Result.error("its JSON is not a text");
    const config = parseConfig(json);
    if (!config.ok) {
      const { reason, place } = config.error;
      return Result.error(`its JSON ${reason} (line ${place.line}, column ${place.column})`);
    }
    const fault = attributesFault(config.value.attributes) ?? typeFault(config.value.type);
    return fault === undefined ? Result.ok(config.value) : Result.error(fault);
  }
  const fault =
    (type === undefined ? undefined : typeFault(type)) ??
    (start === undefined || START_MODES.includes(start)
      ? undefined
      : `its start is neither auto nor manual`) ??
    (attributes === undefined ? undefined : attributesFault(attributes)) ??
    (edits === undefined ? undefined : editsFault(edits));
  if (fault !== undefined) return Result.error(fault);
  return Result.ok({
    ...(type !== undefined && { type }),
    ...(start !== undefined && { start }),
    ...(attributes !== undefined && { attributes }),
  });
}

/** The attributes after some edits, or which edit does not fit, as a clause. */
export function edited(
  attributes: readonly DefinedAttribute[],
  edits: readonly AttributeEdit[],
): Result<readonly DefinedAttribute[], string> {
  const list = [...attributes];
  for (const edit of edits) {
    const last = edit.edit === "insert" ? list.length : list.length - 1;
    const index = edit.index ?? last;
    if (edit.edit === "delete" && edit.index === undefined && list.length === 0) continue;
    if (index > last) return Result.error(`there is no index ${index} in ${list.length} attributes`);
    if (edit.edit === "delete") list.splice(index, 1);
    else list.splice(index, edit.edit === "insert" ? 0 : 1, edit.attribute);
  }
  return Result.ok(list);
}

function typeFault(type: unknown): string | undefined {
  const fault = componentFault(type);
  return fault === undefined ? undefined : `the type ${quote(type)} ${fault}`;
}

function attributesFault(attributes: unknown): string | undefined {
  if (!Array.isArray(attributes)) return "its attributes are not a list";
  return attributes.map(attributeFault).find((fault) => fault !== undefined);
}

function attributeFault(attribute: unknown): string | undefined {
  if (!Array.isArray(attribute) || attribute.length !== 2) return "an attribute is not a name and a value";
  const [name, value] = attribute as unknown[];
  const fault = attributeNameFault(name);
  if (fault !== undefined) return `the attribute name ${quote(name)} ${fault}`;
  if (typeof value !== "string" || HALF_A_CHARACTER.test(value))
    return `the value of the attribute ${quote(name)} is not a text`;
  return undefined;
}

function editsFault(edits: unknown): string | undefined {
  if (!Array.isArray(edits)) return "its edits are not a list";
  for (const each of edits as (Partial<Record<"edit" | "index" | "attribute", unknown>> | null)[]) {
    const { edit, index, attribute } = each ?? {};
    if (edit !== "insert" && edit !== "replace" && edit !== "delete")
      return "an edit is neither insert, replace nor delete";
    const isGiven = index !== undefined || edit === "replace";
    if (isGiven && !(Number.isSafeInteger(index) && (index as number) >= 0))
      return `the index of an edit is not a whole number from 0`;
    const fault = edit === "delete" ? undefined : attributeFault(attribute);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
