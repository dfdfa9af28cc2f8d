import { Result } from "../index.js";
import { type Json, formatJson, jsonArray, jsonObject, jsonString, parseJson } from "./json.js";
import { quote } from "./names.js";

/** Whether a device is started by itself: when its parent is registered, or only when somebody asks for it. */
export type StartMode = "auto" | "manual";

/**
 * One attribute to write when the device is started: its name below the device's folder, and the exact text. Nothing is
 * added to it: NVIDIA's `vgpu_params` wants a newline at its end.
 */
export type DefinedAttribute = readonly [name: string, value: string];

/** What a definition says of its device, beside which one it is. Source: mdevctl's JSON. */
export interface DefinitionConfig {
  /** The id of its type: `mdev_type` of the file. */
  readonly type: string;
  /** When it is started: `start` of the file. */
  readonly start: StartMode;
  /** What is written to its attributes, in this order; a name may come more than once: `attrs` of the file. */
  readonly attributes: readonly DefinedAttribute[];
}

/** A place in a JSON text. */
export interface JsonPlace {
  /** The line, from 1. */
  readonly line: number;
  /** The character in the line, from 1. */
  readonly column: number;
}

/** A configuration with what else its text holds, which mdevctl does not know. */
export interface ConfigText extends DefinitionConfig {
  readonly others: ReadonlyMap<string, Json>;
}

/** Why a text is no configuration. */
export interface ConfigFault {
  readonly reason: string;
  readonly place: JsonPlace;
}

const KNOWN: ReadonlySet<string> = new Set(["mdev_type", "start", "attrs"]);

/** Reads the text of a definition, by the rules of mdevctl: its whole file, or the object that `list --dumpjson` prints. */
export function parseConfig(text: string): Result<ConfigText, ConfigFault> {
  const parsed = parseJson(text);
  if (!parsed.ok)
    return Result.error({
      reason: `is no JSON: ${parsed.error.reason}`,
      place: placeIn(text, parsed.error.at),
    });
  const config = configOf(parsed.value);
  if (config.ok) return Result.ok(config.value);
  return Result.error({ reason: config.error.reason, place: placeIn(text, config.error.json.at ?? 0) });
}

/** Why a JSON value is no configuration, and which part of it. */
export interface ShapeFault {
  readonly reason: string;
  readonly json: Json;
}

/** The configuration that a JSON value is. */
export function configOf(json: Json): Result<ConfigText, ShapeFault> {
  const fault = (reason: string, at: Json): Result<never, ShapeFault> => Result.error({ reason, json: at });
  if (json.kind !== "object") return fault("is not an object", json);
  const { members } = json;
  const [type, start, attrs] = [members.get("mdev_type"), members.get("start"), members.get("attrs")];
  if (isNothing(type)) return fault("has no mdev_type", type ?? json);
  if (type.kind !== "string") return fault("has an mdev_type that is not a text", type);
  if (isNothing(start)) return fault("has no start", start ?? json);

  const attributes = isNothing(attrs) ? Result.ok([]) : attributesOf(attrs);
  if (!attributes.ok) return Result.error(attributes.error);
  return Result.ok({
    type: type.value,
    // Whatever else is there counts as manual, as for mdevctl.
    start: start.kind === "string" && start.value === "auto" ? "auto" : "manual",
    attributes: Object.freeze(attributes.value),
    others: new Map([...members].filter(([key]) => !KNOWN.has(key))),
  });
}

/** The attributes that a JSON value lists. */
export function attributesOf(json: Json): Result<readonly DefinedAttribute[], ShapeFault> {
  const fault = (reason: string, at: Json): Result<never, ShapeFault> => Result.error({ reason, json: at });
  if (json.kind !== "array") return fault("has attrs that are not an array", json);
  const attributes: DefinedAttribute[] = [];
  for (const item of json.items) {
    if (item.kind !== "object") return fault("has an attribute that is not an object", item);
    const [entry, ...more] = item.members;
    if (entry === undefined || more.length > 0)
      return fault("has an attribute that is not one name with one value", item);
    const [name, value] = entry;
    if (value.kind !== "string")
      return fault(`has an attribute ${quote(name)} whose value is not a text`, value);
    attributes.push(Object.freeze([name, value.value] as const));
  }
  return Result.ok(attributes);
}

function isNothing(json: Json | undefined): json is undefined | (Json & { kind: "literal" }) {
  return json === undefined || (json.kind === "literal" && json.text === "null");
}

/** The configuration as JSON: what mdevctl knows, in its order, then the rest. */
export function configJson(
  { type, start, attributes }: DefinitionConfig,
  others?: ReadonlyMap<string, Json>,
): Json {
  return jsonObject([
    ["mdev_type", jsonString(type)],
    ["start", jsonString(start)],
    ["attrs", jsonArray(attributes.map(([name, value]) => jsonObject([[name, jsonString(value)]])))],
    ...(others ?? []),
  ]);
}

/** The text of a definition, byte for byte as mdevctl writes it. */
export function formatConfig(config: DefinitionConfig, others?: ReadonlyMap<string, Json>): string {
  return formatJson(configJson(config, others));
}

/** The line and the column of a place in a text. */
export function placeIn(text: string, at: number): JsonPlace {
  const lines = text.slice(0, at).split("\n");
  return Object.freeze({ line: lines.length, column: [...(lines.at(-1) ?? "")].length + 1 });
}
