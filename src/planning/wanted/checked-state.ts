import { type AttributeInput, derivedUuid, InvalidArgumentError, Result } from "../../index.js";
import { listOf } from "../placement/placer.js";
import type { Placement } from "../placement/placement.js";
import type { WantedDevice, WantedState } from "./wanted-state.js";

// Version 5 of `vfio-mdev/planning` in the namespace of URLs (RFC 9562): where the owners' own namespaces come from.
const OWNERS = "c5ab47e0-1c1c-5d0f-9d55-0f0d5a2a8a4e";
const LONGEST_NAME = 400;

/** The text of each attribute to write, in order. */
export type AttributeTexts = readonly (readonly [name: string, text: string])[];

/** A wanted state that can be planned with. */
export interface CheckedState {
  readonly wanted: WantedState;
  /** The texts of the attributes of each entry. */
  readonly texts: ReadonlyMap<WantedDevice, AttributeTexts>;
  /** The UUID of a device. */
  readonly uuidOf: (name: string, entry: WantedDevice) => string;
}

const KEYS: Readonly<Record<"state" | "device" | "type" | "parent" | "placement", readonly string[]>> = {
  state: ["owner", "namespace", "devices", "placement", "cards", "unproven"],
  device: ["name", "type", "parent", "uuid", "count", "per", "attributes", "placement"],
  type: ["id", "name", "vgpu", "display", "deviceApi", "prefer"],
  parent: ["id", "card", "vendor", "device", "subsystemVendor", "subsystemDevice", "numaNode", "where"],
  placement: ["strategy", "numaNode", "score"],
};
const RULES: readonly unknown[] = [undefined, "auto", "one-type", "one-size", "mixed"];
const STRATEGIES: readonly unknown[] = [undefined, "compact", "separate", "grouped"];
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Checks a wanted state, which may have come from a file, without a look at any host. */
export function checkState(wanted: WantedState): Result<CheckedState, InvalidArgumentError> {
  const tried = "plan a wanted state";
  const refuse = (reason: string): Result<never, InvalidArgumentError> =>
    Result.error(new InvalidArgumentError({ tried, reason }));
  const fault = stateFault(wanted);
  if (fault !== undefined) return refuse(fault);
  const texts = new Map<WantedDevice, AttributeTexts>();
  const names = new Set<string>();
  for (const entry of wanted.devices) {
    const reason = deviceFault(entry);
    if (reason !== undefined) return refuse(`the device ${JSON.stringify(nameOf(entry))} ${reason}`);
    if (names.has(entry.name)) return refuse(`there are two devices ${JSON.stringify(entry.name)}`);
    names.add(entry.name);
    const encoded = textsOf(entry.attributes ?? []);
    if (typeof encoded === "string")
      return refuse(`an attribute of ${JSON.stringify(entry.name)} ${encoded}`);
    texts.set(entry, encoded);
  }
  const namespace = wanted.namespace ?? derivedUuid(OWNERS, wanted.owner);
  const uuidOf = (name: string, { uuid }: WantedDevice): string =>
    uuid?.toLowerCase() ?? derivedUuid(namespace, name);
  return Result.ok({ wanted, texts, uuidOf });
}

function stateFault(wanted: unknown): string | undefined {
  if (!isObject(wanted)) return "it is not an object";
  const { owner, namespace, devices, placement, cards, unproven } = wanted;
  const unknown = unknownKey(wanted, KEYS.state);
  if (unknown !== undefined) return `it has an unknown key ${unknown}`;
  if (typeof owner !== "string" || owner === "") return "it has no owner";
  if (/\p{Cs}/u.test(owner)) return "its owner holds half a character";
  if (namespace !== undefined && !isUuid(namespace)) return "its namespace is not a UUID";
  if (!Array.isArray(devices)) return "its devices are not a list";
  if (unproven !== undefined && unproven !== "leave" && unproven !== "take")
    return "what it does with the unproven is neither leave nor take";
  if (!RULES.includes(cards)) return "its rule for cards is not one of auto, one-type, one-size, mixed";
  return placementFault(placement);
}

function deviceFault(entry: unknown): string | undefined {
  if (!isObject(entry)) return "is not an object";
  const { name, type, parent, uuid, count, per, attributes, placement } = entry as Partial<WantedDevice>;
  const unknown = unknownKey(entry, KEYS.device);
  if (unknown !== undefined) return `has an unknown key ${unknown}`;
  if (typeof name !== "string" || name === "") return "has no name";
  if (name.length > LONGEST_NAME) return `has a name that is longer than ${LONGEST_NAME} characters`;
  if (/[\p{Cc}\p{Cs}]/u.test(name)) return "has a name with a control character";
  if (!isObject(type) || Object.values(type).every((value) => value === undefined))
    return "does not say which type it is of";
  const strange = unknownKey(type, KEYS.type);
  if (strange !== undefined) return `has a selector of its type with an unknown key ${strange}`;
  for (const selector of listOf(parent)) {
    if (!isObject(selector)) return "has a selector of parents that is not an object";
    const key = unknownKey(selector, KEYS.parent);
    if (key !== undefined) return `has a selector of parents with an unknown key ${key}`;
  }
  if (uuid !== undefined && !isUuid(uuid)) return "has a UUID that is none";
  if (uuid !== undefined && (count !== undefined || per !== undefined)) return "has one UUID for several";
  if (count !== undefined && count !== "all" && !(Number.isSafeInteger(count) && count >= 0))
    return 'has a count that is neither a number from 0 nor "all"';
  if (per !== undefined && (per as unknown) !== "card") return 'has a per that is not "card"';
  if (attributes !== undefined && !Array.isArray(attributes)) return "has attributes that are not a list";
  const fault = placementFault(placement);
  return fault === undefined ? undefined : `is to be placed so that ${fault}`;
}

function placementFault(placement: unknown): string | undefined {
  if (placement === undefined) return undefined;
  if (!isObject(placement)) return "its placement is not an object";
  const unknown = unknownKey(placement, KEYS.placement);
  if (unknown !== undefined) return `its placement has an unknown key ${unknown}`;
  const { strategy, score } = placement as Partial<Placement>;
  if (!STRATEGIES.includes(strategy)) return "its strategy is not one of compact, separate, grouped";
  return score === undefined || typeof score === "function" ? undefined : "its score is not a function";
}

/** The texts to write; otherwise what is wrong with one. */
function textsOf(attributes: readonly AttributeInput[]): AttributeTexts | string {
  const texts: (readonly [string, string])[] = [];
  for (const input of attributes) {
    if (isPair(input)) {
      const parts: readonly unknown[] = input;
      if (parts.length !== 2 || !parts.every((part) => typeof part === "string"))
        return "is not a name and a text";
      texts.push([input[0], input[1]]);
      continue;
    }
    if (!isObject(input) || typeof input.encode !== "function") return "is neither a setting nor a pair";
    const encoded = input.encode();
    if (!encoded.ok) return `has a value that ${encoded.error}`;
    texts.push([input.name, encoded.value === "" ? "" : `${encoded.value}\n`]);
  }
  return texts;
}

function isPair(input: AttributeInput): input is readonly [name: string, text: string] {
  return Array.isArray(input);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isUuid(value: unknown): boolean {
  return typeof value === "string" && UUID.test(value);
}

function nameOf(entry: unknown): unknown {
  return isObject(entry) ? entry["name"] : entry;
}

function unknownKey(value: object, known: readonly string[]): string | undefined {
  const key = Object.keys(value).find((name) => !known.includes(name));
  return key === undefined ? undefined : JSON.stringify(key);
}
