import { flag, integer, text } from "../attributes/codec.js";
import { type AttributeDescriptor, readOnly } from "../attributes/descriptor.js";
import type { Inspection } from "../inspection.js";
import type { DeviceApi } from "../mdev-type.js";
import type { FoundParent, TypeFact } from "./layout.js";

/** The values of the facts. */
export interface FactValues {
  readonly name: string;
  readonly description: string;
  readonly deviceApi: DeviceApi;
  readonly availableInstances: number;
  readonly requiresGroup: boolean;
  readonly maxInstances: number;
  readonly params: string;
}

/** What a type tells of itself: how each fact is called in sysfs, and understood. */
export const TYPE_FACTS: { readonly [F in TypeFact]: AttributeDescriptor<FactValues[F], "ro"> } = {
  name: readOnly("name", text),
  description: readOnly("description", text),
  deviceApi: readOnly<DeviceApi>("device_api", text),
  availableInstances: readOnly("available_instances", integer),
  requiresGroup: readOnly("requires_group", flag),
  maxInstances: readOnly("max_instances", integer),
  params: readOnly("params", text),
};

/** One fact of a type, as the inspection of the type reads it. */
export function readTypeFact<F extends TypeFact>(
  inspection: Inspection,
  { path, layout }: FoundParent,
  typeId: string,
  fact: F,
): Promise<FactValues[F] | undefined> {
  return inspection.attribute(TYPE_FACTS[fact], layout.typeSource(path, typeId, fact));
}
