import { DecodeError, Result } from "../index.js";
import { configOf, type DefinitionConfig, placeIn, type ShapeFault } from "./config.js";
import { type Json, parseJson } from "./json.js";
import type { ListedDevice, ListedType } from "./listing.js";
import { uuidOf } from "./names.js";

/** What a text of `mdevctl list --dumpjson` holds. Source: what mdevctl 1.2.0 and 1.4.0 print. */
export type DeviceListing =
  | {
      /** Any number of devices: by parent, then by UUID, as they are listed. */
      readonly shape: "devices";
      /** They. */
      readonly devices: readonly ListedDevice[];
    }
  | {
      /** The one device that `--uuid` asked for: neither its UUID nor its parent is in the text. */
      readonly shape: "config";
      /** What the text says of it. */
      readonly config: DefinitionConfig;
    };

type Shape<T> = Result<T, ShapeFault>;

/** Reads what `mdevctl types --dumpjson` prints: the types, in the order of the text. `decode` where it is nothing such. */
export function parseTypesJson(text: string): Result<readonly ListedType[], DecodeError> {
  return parsed("read a list of types", text, (json) =>
    nested(json, (parent, id, value): Shape<ListedType> => {
      const members = value.kind === "object" ? value.members : undefined;
      if (members === undefined) return fault("has a type that is not an object", value);
      const [available, api, name, description] = [
        "available_instances",
        "device_api",
        "name",
        "description",
      ].map((key) => members.get(key));
      if (available?.kind !== "literal" || !/^-?[0-9]{1,10}$/.test(available.text))
        return fault("has a type without a number of available_instances", available ?? value);
      if (api?.kind !== "string") return fault("has a type without a device_api", api ?? value);
      return Result.ok(
        Object.freeze({
          parent,
          id,
          availableInstances: Number(available.text),
          deviceApi: api.value,
          name: name?.kind === "string" ? name.value : undefined,
          description: description?.kind === "string" ? description.value : undefined,
        }),
      );
    }),
  );
}

/**
 * Reads what `mdevctl list --dumpjson` prints, in either shape: which one it prints with `--uuid` depends on how many devices
 * it found. `decode` where the text is neither.
 *
 * @example
 * ```ts
 * import { parseDevicesJson } from "vfio-mdev/definitions";
 *
 * const listing = parseDevicesJson('{"mdev_type":"mtty-1","start":"auto","attrs":[]}').getOrThrow();
 * console.log(listing.shape === "config" && listing.config.type); // prints: mtty-1
 * ```
 */
export function parseDevicesJson(text: string): Result<DeviceListing, DecodeError> {
  return parsed("read a list of devices", text, (json): Shape<DeviceListing> => {
    if (json.kind === "object") {
      return configOf(json).map(({ type, start, attributes }) =>
        Object.freeze({ shape: "config", config: Object.freeze({ type, start, attributes }) } as const),
      );
    }
    const devices = nested(json, (parent, spelling, value): Shape<ListedDevice> => {
      const uuid = uuidOf(spelling);
      if (uuid === undefined) return fault("has a device that is not named by a UUID", value);
      return configOf(value).map(({ type, start, attributes }) =>
        Object.freeze({ parent, uuid, type, start, attributes }),
      );
    });
    return devices.map((all) => Object.freeze({ shape: "devices", devices: all } as const));
  });
}

/** An array of at most one object: by parent, arrays of objects with one member. */
function nested<T>(
  json: Json,
  read: (parent: string, key: string, value: Json) => Shape<T>,
): Shape<readonly T[]> {
  if (json.kind !== "array") return fault("is not an array", json);
  const found: T[] = [];
  for (const parents of json.items) {
    if (parents.kind !== "object") return fault("has an element that is not an object", parents);
    for (const [parent, list] of parents.members) {
      if (list.kind !== "array") return fault("has a parent without an array", list);
      for (const item of list.items) {
        const [entry, ...more] = item.kind === "object" ? item.members : [];
        if (entry === undefined || more.length > 0)
          return fault("has an entry that is not one name with one value", item);
        const value = read(parent, ...entry);
        if (!value.ok) return Result.error(value.error);
        found.push(value.value as T);
      }
    }
  }
  return Result.ok(Object.freeze(found));
}

function parsed<T>(tried: string, text: string, read: (json: Json) => Shape<T>): Result<T, DecodeError> {
  const failure = (reason: string, at: number): Result<never, DecodeError> => {
    const { line, column } = placeIn(text, at);
    return Result.error(
      new DecodeError({ tried, reason: `the text ${reason} (line ${line}, column ${column})`, raw: text }),
    );
  };
  if (typeof text !== "string")
    return Result.error(new DecodeError({ tried, reason: "it is not a text", raw: "" }));
  const json = parseJson(text);
  if (!json.ok) return failure(`is no JSON: ${json.error.reason}`, json.error.at);
  const value = read(json.value);
  return value.ok ? value : failure(value.error.reason, value.error.json.at ?? 0);
}

function fault(reason: string, json: Json): Result<never, ShapeFault> {
  return Result.error({ reason, json });
}
