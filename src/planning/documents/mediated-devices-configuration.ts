import type { AsyncResult } from "../../index.js";
import type { Place } from "./place.js";
import { type DocumentError, readDocument } from "./read-document.js";

/** Types for the nodes that have some labels. */
export interface NodeMediatedDeviceTypes {
  /** The labels that a node must have, all of them; empty: every node. */
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** The types, by id or by name with `_` for a blank, in the order of the file. */
  readonly types: readonly string[];
}

/** What KubeVirt is told of the mediated devices that it shall make. */
export interface MediatedDevicesConfiguration {
  /** Whether KubeVirt handles mediated devices at all. */
  readonly enabled: boolean;
  /** The types for nodes that no other entry has types for. */
  readonly types: readonly string[];
  /** The types for some nodes. */
  readonly nodes: readonly NodeMediatedDeviceTypes[];
}

const TRIED = "understand KubeVirt's configuration of mediated devices";
const SECTION = "mediatedDevicesConfiguration";
const TYPES = ["mediatedDeviceTypes", "mediatedDevicesTypes"] as const;
const DISABLED = "DisableMDEVConfiguration";

/**
 * Reads what KubeVirt is told of mediated devices: a `KubeVirt` resource, or only its section `mediatedDevicesConfiguration`, with its name above
 * it or without. The old spelling `mediatedDevicesTypes` counts where the new one has no types, as there. Within the section a field that is not
 * known is refused, as `kubectl` does: a misspelt one would mean that nothing is wanted. Needs the package `js-yaml`.
 *
 * Source: KubeVirt, `pkg/virt-config/virt-config.go`, and the API reference of `MediatedDevicesConfiguration`.
 */
export function parseMediatedDevicesConfiguration(
  yaml: string,
): AsyncResult<MediatedDevicesConfiguration, DocumentError> {
  return readDocument(TRIED, yaml, (document: Place) => {
    if (document.member("kind") === undefined)
      return readSection(document.member(SECTION) === undefined ? document : only(document), true);
    if (document.member("kind")?.value !== "KubeVirt") document.member("kind")?.refuse("is not KubeVirt");
    const configuration = document.member("spec")?.member("configuration");
    const gates = configuration?.member("developerConfiguration")?.member("featureGates")?.items() ?? [];
    const enabled = !gates.some(({ value }) => value === DISABLED);
    return readSection(configuration?.member(SECTION), enabled);
  });
}

/** The section, where it is all that the document has. */
function only(document: Place): Place | undefined {
  return document.fields([SECTION])[SECTION];
}

function readSection(section: Place | undefined, enabledElsewhere: boolean): MediatedDevicesConfiguration {
  const fields = section?.fields(["enabled", ...TYPES, "nodeMediatedDeviceTypes"]) ?? {};
  const { enabled, nodeMediatedDeviceTypes: nodes } = fields;
  return Object.freeze({
    enabled: enabled === undefined || enabled.isEmpty ? enabledElsewhere : enabled.boolean(),
    types: readTypes(fields),
    nodes: Object.freeze(nodes === undefined || nodes.isEmpty ? [] : nodes.items().map(readNode)),
  });
}

function readNode(place: Place): NodeMediatedDeviceTypes {
  const fields = place.fields(["nodeSelector", ...TYPES]);
  if (fields.nodeSelector === undefined || fields.nodeSelector.isEmpty) place.refuse("has no nodeSelector");
  const labels = fields.nodeSelector.members().map(([key, value]) => [key, value.text()] as const);
  return Object.freeze({ nodeSelector: Object.freeze(Object.fromEntries(labels)), types: readTypes(fields) });
}

/** The types under the new spelling, or else under the old one. */
function readTypes(fields: Partial<Record<(typeof TYPES)[number], Place>>): readonly string[] {
  const lists = TYPES.map((name) => {
    const place = fields[name];
    return place === undefined || place.isEmpty ? [] : place.items().map(readType);
  });
  return Object.freeze(lists.find((types) => types.length > 0) ?? []);
}

function readType(place: Place): string {
  const type = place.text();
  if (type.trim() === "") place.refuse("is empty");
  return type;
}
