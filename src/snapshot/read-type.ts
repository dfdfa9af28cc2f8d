import { NOWHERE } from "../attributes/source.js";
import { type Answer, when } from "../file-system/answer.js";
import type { Folder } from "../file-system/folder.js";
import type { FoundParent, TypeFact } from "../layouts/layout.js";
import { typeOwner } from "../layouts/owner.js";
import { type FactValues, TYPE_FACTS } from "../layouts/type-facts.js";
import type { TypeSnapshot } from "./host-snapshot.js";
import { Visit, type Walk } from "./visit.js";

/** A type to read, and what it was where it is still the same. */
interface TypeToRead {
  readonly id: string;
  readonly home: Folder | undefined;
  readonly was: TypeSnapshot | undefined;
}

/** Reads a type; `undefined` where it vanished. What cannot have changed is not read again. */
export function readType(
  walk: Walk,
  parent: FoundParent,
  { id, home, was }: TypeToRead,
): Answer<TypeSnapshot | undefined> {
  const visit = new Visit(walk, home, () => typeOwner(walk.context, parent, id));
  return when(was?.name ?? fact(walk, visit, parent, id, "name"), (name) =>
    when(was?.description ?? fact(walk, visit, parent, id, "description"), (description) =>
      when(was?.deviceApi ?? fact(walk, visit, parent, id, "deviceApi"), (deviceApi) =>
        when(fact(walk, visit, parent, id, "availableInstances"), (availableInstances) =>
          when(visit.included(walk.include.types), (attributes) =>
            when(factsOf2016(walk, visit, parent, id), (of2016) =>
              when(visit.end(), (isThere) => {
                if (!isThere) return undefined;
                const type = {
                  id: was?.id ?? id,
                  name,
                  description,
                  deviceApi,
                  availableInstances,
                  attributes,
                };
                if (of2016 !== undefined) return Object.freeze({ ...type, ...of2016 });
                return was !== undefined && isSame(was, type) ? was : Object.freeze(type);
              }),
            ),
          ),
        ),
      ),
    ),
  );
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

function fact<F extends TypeFact>(
  walk: Walk,
  visit: Visit,
  { layout, path }: FoundParent,
  id: string,
  name: F,
): Answer<FactValues[F] | undefined> {
  return visit.attribute(TYPE_FACTS[name], layout.typeSource(path, id, name), walk.known[name]);
}

function factsOf2016(
  walk: Walk,
  visit: Visit,
  parent: FoundParent,
  id: string,
): Answer<Pick<TypeSnapshot, "requiresGroup" | "maxInstances" | "params"> | undefined> {
  if (parent.layout.typeSource(parent.path, id, "requiresGroup") === NOWHERE) return undefined;
  return when(fact(walk, visit, parent, id, "requiresGroup"), (requiresGroup) =>
    when(fact(walk, visit, parent, id, "maxInstances"), (maxInstances) =>
      when(fact(walk, visit, parent, id, "params"), (params) => ({ requiresGroup, maxInstances, params })),
    ),
  );
}
