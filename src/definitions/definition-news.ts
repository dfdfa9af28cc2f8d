import { formatConfig } from "./config.js";
import type { DefinitionEvent } from "./definition-event.js";
import type { DefinitionProblem } from "./definition-files.js";
import type { DefinitionList } from "./definition-store.js";
import type { MdevDefinition } from "./mdev-definition.js";

/**
 * A look with what a problem may have hidden from it: a definition that was there before, and whose file is there though it
 * is no definition now. Broken is not gone: mdevctl empties a file before it writes it.
 */
export function withoutDoubt(before: DefinitionList, after: DefinitionList): DefinitionList {
  const broken = new Set(after.problems.map(({ path }) => path));
  const seen = new Set(after.definitions.map(placeOf));
  const hidden = before.definitions.filter((was) => broken.has(was.path) && !seen.has(placeOf(was)));
  return { ...after, definitions: [...after.definitions, ...hidden] };
}

/** What has happened between two looks, and what is there that is no definition. */
export function newsOf(before: DefinitionList, after: DefinitionList): readonly DefinitionEvent[] {
  const [was, is] = [byPlace(before), byPlace(after)];
  const known = new Set(before.problems.map(keyOf));
  return [
    ...after.problems.flatMap((problem) =>
      known.has(keyOf(problem)) ? [] : { type: "problem" as const, problem },
    ),
    ...before.definitions.flatMap((definition) =>
      is.has(placeOf(definition)) ? [] : { type: "undefined" as const, definition },
    ),
    ...after.definitions.flatMap((definition): DefinitionEvent[] => {
      const previous = was.get(placeOf(definition));
      if (previous === undefined) return [{ type: "defined", definition }];
      return isSame(previous, definition) ? [] : [{ type: "changed", before: previous, definition }];
    }),
  ];
}

function byPlace({ definitions }: DefinitionList): ReadonlyMap<string, MdevDefinition> {
  return new Map(definitions.map((each) => [placeOf(each), each]));
}

/** What makes a definition the same one, whatever it says. */
function placeOf({ parent, uuid }: MdevDefinition): string {
  return `${parent}/${uuid}`;
}

function isSame(a: MdevDefinition, b: MdevDefinition): boolean {
  return a.path === b.path && formatConfig(a, a.others) === formatConfig(b, b.others);
}

function keyOf({ path, message }: DefinitionProblem): string {
  return `${path ?? ""}\n${message}`;
}
