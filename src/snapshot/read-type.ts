import { NOWHERE } from "../attributes/source.js";
import type { Answer, Folder } from "../file-system/folder.js";
import type { FoundParent, TypeFact } from "../layouts/layout.js";
import { typeOwner } from "../layouts/owner.js";
import { type FactValues, TYPE_FACTS } from "../layouts/type-facts.js";
import type { TypeSnapshot } from "./host-snapshot.js";
import { isLater, Visit, type Walk } from "./visit.js";

/** A type to read, and what it was where it is still the same. */
interface TypeToRead {
  readonly id: string;
  readonly home: Folder | undefined;
  readonly was: TypeSnapshot | undefined;
}

/** Reads a type; `undefined` where it vanished. What cannot have changed is not read again. */
export async function readType(
  walk: Walk,
  parent: FoundParent,
  { id, home, was }: TypeToRead,
): Promise<TypeSnapshot | undefined> {
  const { layout, path } = parent;
  const visit = new Visit(walk, home, () => typeOwner(walk.context, parent, id));
  const read: Read = (fact) =>
    visit.attribute(TYPE_FACTS[fact], layout.typeSource(path, id, fact), walk.known[fact]);
  // Nothing is waited for that is there at once: waiting takes longer than many a read.
  const name = was?.name ?? read("name");
  const nameNow = isLater(name) ? await name : name;
  const description = was?.description ?? read("description");
  const descriptionNow = isLater(description) ? await description : description;
  const deviceApi = was?.deviceApi ?? read("deviceApi");
  const deviceApiNow = isLater(deviceApi) ? await deviceApi : deviceApi;
  const instances = read("availableInstances");
  const instancesNow = isLater(instances) ? await instances : instances;
  const included = visit.included(walk.include.types);
  const attributes = isLater(included) ? await included : included;
  const isOf2016 = layout.typeSource(path, id, "requiresGroup") !== NOWHERE;
  const more = isOf2016 ? await factsOf2016(read) : undefined;
  const isThere = visit.end();
  if (!(isLater(isThere) ? await isThere : isThere)) return undefined;
  const type = {
    id: was?.id ?? id,
    name: nameNow,
    description: descriptionNow,
    deviceApi: deviceApiNow,
    availableInstances: instancesNow,
    attributes,
  };
  if (more !== undefined) return Object.freeze({ ...type, ...more });
  return was !== undefined && isSame(was, type) ? was : Object.freeze(type);
}

function isSame(was: TypeSnapshot, type: TypeSnapshot): boolean {
  return (
    was.availableInstances === type.availableInstances &&
    was.name === type.name &&
    was.description === type.description &&
    was.deviceApi === type.deviceApi &&
    was.attributes === type.attributes
  );
}

type Read = <F extends TypeFact>(fact: F) => Answer<FactValues[F] | undefined>;

async function factsOf2016(
  read: Read,
): Promise<Pick<TypeSnapshot, "requiresGroup" | "maxInstances" | "params">> {
  return {
    requiresGroup: await read("requiresGroup"),
    maxInstances: await read("maxInstances"),
    params: await read("params"),
  };
}
