import { inNaturalOrderOf } from "../identifiers.js";
import { baseName } from "../paths.js";
import { placeOf } from "../snapshot/diff.js";
import type { HostSnapshot, ParentSnapshot } from "../snapshot/host-snapshot.js";

/**
 * A snapshot with what a problem may have hidden from it: parents, types and devices that were there before and are not now,
 * though their files could not be read rather than were not there. Broken is not gone.
 */
export function withoutDoubt(before: HostSnapshot, after: HostSnapshot): HostSnapshot {
  const paths = after.problems.flatMap(({ path }) => path ?? []);
  if (paths.length === 0) return after;
  const hidden = (path: string): boolean => paths.some((problem) => conceals(problem, path));

  const parents = new Map(after.parents.map((parent) => [parent.path, parent]));
  for (const was of before.parents) {
    const now = parents.get(was.path);
    if (now !== undefined) parents.set(was.path, withHiddenTypes(was, now, paths));
    else if (hidden(was.path)) parents.set(was.path, was);
  }
  const seen = new Set(after.parents.map(({ path }) => path));
  const devices = new Map(after.devices.map((device) => [placeOf(device), device]));
  for (const was of before.devices) {
    if (devices.has(placeOf(was)) || !parents.has(was.parentPath)) continue;
    if (!seen.has(was.parentPath) || hidden(placeOf(was))) devices.set(placeOf(was), was);
  }
  return Object.freeze({
    ...after,
    parents: inNaturalOrderOf(parents.values(), ({ id }) => id),
    devices: inNaturalOrderOf(devices.values(), ({ id }) => id),
  });
}

function withHiddenTypes(
  was: ParentSnapshot,
  now: ParentSnapshot,
  problems: readonly string[],
): ParentSnapshot {
  const below = problems.filter((path) => `${path}/`.startsWith(`${was.path}/`));
  const ids = new Set(now.types.map(({ id }) => id));
  // Where types are no folders, one file has all of them.
  const hidden = was.types.filter(
    ({ id }) => !ids.has(id) && below.some((path) => ids.size === 0 || path.split("/").includes(id)),
  );
  if (hidden.length === 0) return now;
  const types = inNaturalOrderOf([...now.types, ...hidden], ({ id }) => id);
  return Object.freeze({ ...now, types: Object.freeze(types) });
}

/** Whether a problem may be why something does not show: one of a folder above it, below it, or of a link to it. */
function conceals(problem: string, path: string): boolean {
  return isAtOrBelow(path, problem) || isAtOrBelow(problem, path) || baseName(problem) === baseName(path);
}

function isAtOrBelow(path: string, folder: string): boolean {
  return `${path}/`.startsWith(`${folder}/`);
}
