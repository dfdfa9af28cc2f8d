import type { DeviceSnapshot, HostSnapshot, TypeSnapshot } from "../index.js";
import { configJson, type DefinedAttribute, type DefinitionConfig, formatConfig } from "./config.js";
import { compare } from "./definition-files.js";
import { formatJson, type Json, jsonArray, jsonObject, jsonString } from "./json.js";

/**
 * A device as `mdevctl list --dumpjson` shows it, active or defined: that does not show. Source: what mdevctl 1.2.0 and 1.4.0
 * print.
 */
export interface ListedDevice extends DefinitionConfig {
  /** The id of its parent. */
  readonly parent: string;
  /** Its UUID. */
  readonly uuid: string;
}

/** A type as `mdevctl types --dumpjson` shows it. Source: what mdevctl 1.2.0 and 1.4.0 print. */
export interface ListedType {
  /** The id of its parent. */
  readonly parent: string;
  /** Its id. */
  readonly id: string;
  /** How many more devices of it can be made: `available_instances`. */
  readonly availableInstances: number;
  /** What its devices are to a virtual machine, `vfio-pci`: `device_api`. */
  readonly deviceApi: string;
  /** Its name for people: `name`, where the driver gives one. */
  readonly name?: string | undefined;
  /** `description`, where the driver gives one; its lines joined by a comma. */
  readonly description?: string | undefined;
}

/** Which devices a listing is of. */
export interface ListingOptions {
  /** As `--uuid`: of one device the bare object is printed, without parent and UUID. */
  readonly uuid?: string | undefined;
}

const WHITE_SPACE = /^\p{White_Space}+|\p{White_Space}+$/gu;

/**
 * What `mdevctl types --dumpjson` prints of a host, byte for byte: the types of Linux' mediated devices, none of other
 * layouts. No newline at the end: mdevctl before 1.4 prints one, later ones do not. What mdevctl fails on, a type without a
 * readable `available_instances` or `device_api`, is left out. Source: what mdevctl 1.2.0 and 1.4.0 print.
 *
 * @param parent - as `--parent`: only this one
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { typesJson } from "vfio-mdev/definitions";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addMdpy({ count: 1 });
 * const snapshot = await new MdevHost({ fs: simulated.fs }).snapshot().getOrThrow();
 * console.log(Object.keys(JSON.parse(typesJson(snapshot))[0])); // prints: [ 'mdpy' ]
 * ```
 */
export function typesJson({ parents }: Pick<HostSnapshot, "parents">, parent?: string): string {
  const shown = parents
    .filter(({ id, layout }) => layout === "merged" && (parent === undefined || id === parent))
    .sort((a, b) => compare(a.id, b.id));
  if (shown.length === 0) return formatJson(jsonArray([]));
  const members = shown.map(({ id, types }) => {
    const sorted = [...types].sort((a, b) => compare(a.id, b.id));
    return [id, jsonArray(sorted.flatMap((type) => typeJson(type) ?? []))] as const;
  });
  return formatJson(jsonArray([jsonObject(members)]));
}

/**
 * What `mdevctl list --dumpjson` prints of devices, byte for byte, with or without `--defined`: give it definitions, or
 * {@link listedDevices} of a snapshot. No newline at the end: mdevctl before 1.4 prints one, later ones do not.
 *
 * @example
 * ```ts
 * import { DefinitionStore, devicesJson } from "vfio-mdev/definitions";
 * import { MemoryDefinitionFileSystem } from "vfio-mdev/testing";
 *
 * const store = new DefinitionStore({ fs: new MemoryDefinitionFileSystem() });
 * const definition = await store.define({ parent: "mtty", type: "mtty-1" }).getOrThrow();
 * const { uuid } = definition;
 * console.log(devicesJson([definition], { uuid }) === definition.json); // prints: true
 * ```
 */
export function devicesJson(devices: Iterable<ListedDevice>, options?: ListingOptions): string {
  const sorted = [...devices].sort((a, b) => compare(a.parent, b.parent) || compare(a.uuid, b.uuid));
  const [first] = sorted;
  if (first === undefined) return formatJson(jsonArray([]));
  if (options?.uuid !== undefined && sorted.length === 1) return formatConfig(first);
  const parents = new Map<string, Json[]>();
  for (const device of sorted) {
    const shown = parents.get(device.parent) ?? [];
    parents.set(device.parent, [...shown, jsonObject([[device.uuid, configJson(device)]])]);
  }
  return formatJson(
    jsonArray([jsonObject([...parents].map(([id, list]) => [id, jsonArray(list)] as const))]),
  );
}

/** What {@link listedDevices} takes. */
export interface ListedDevicesOptions {
  /** The definitions: they say when a device is started. */
  readonly definitions?: Iterable<ListedDevice> | undefined;
  /**
   * The attributes that an active device has, in the words of a definition: of what a snapshot's `include` read, as a rule.
   * sysfs does not tell which of its files they are; none where it is not given.
   */
  readonly attributesOf?: ((device: DeviceSnapshot) => readonly DefinedAttribute[]) | undefined;
}

/**
 * The active devices of a host as mdevctl lists them: type and attributes are those of the device, not of its definition;
 * whether it is started by itself is known of its definition. Devices without UUID or type, and those of other layouts than
 * Linux' mediated devices, are none of them.
 */
export function listedDevices(
  { devices }: Pick<HostSnapshot, "devices">,
  { definitions = [], attributesOf = () => [] }: ListedDevicesOptions = {},
): readonly ListedDevice[] {
  const keyOf = ({ parent, uuid }: { readonly parent: string; readonly uuid: string }): string =>
    `${parent}/${uuid}`;
  const starts = new Map(Array.from(definitions, (each) => [keyOf(each), each.start] as const));
  return devices.flatMap((device) => {
    const { id: uuid, parent, type, layout } = device;
    if (layout !== "merged" || type === undefined) return [];
    const start = starts.get(keyOf({ parent, uuid })) ?? "manual";
    return Object.freeze({ parent, uuid, type, start, attributes: attributesOf(device) });
  });
}

function typeJson({ id, availableInstances, deviceApi, name, description }: TypeSnapshot): Json | undefined {
  if (availableInstances === undefined || deviceApi === undefined) return undefined;
  const [title, details] = [trimmed(name), trimmed(description)?.replaceAll("\n", ", ")];
  const members: (readonly [string, Json])[] = [
    ["available_instances", { kind: "literal", text: String(availableInstances) }],
    ["device_api", jsonString(trimmed(deviceApi) ?? "")],
  ];
  if (title !== undefined) members.push(["name", jsonString(title)]);
  if (details !== undefined) members.push(["description", jsonString(details)]);
  return jsonObject([[id, jsonObject(members)]]);
}

/** Without white space around, as mdevctl has it; nothing is `undefined`. */
function trimmed(text: string | undefined): string | undefined {
  const bare = text?.replace(WHITE_SPACE, "");
  return bare === "" ? undefined : bare;
}
