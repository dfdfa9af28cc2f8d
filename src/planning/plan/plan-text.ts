import type { Plan, PlanStep, Unplaced } from "./plan.js";

/**
 * A plan for people, a line for each step and for each device that cannot be had.
 *
 * @example
 * ```ts
 * import { formatPlan, place, plan } from "vfio-mdev/planning";
 *
 * const wanted = { owner: "me", devices: [{ name: "vm-7", type: { id: "nvidia-47" } }] };
 * const nothing = { owner: "me", snapshot: { parents: [], devices: [], problems: [] }, owned: [], unproven: [] };
 * console.log(formatPlan(plan(nothing, wanted).getOrThrow())); // prints: no place for vm-7: there is no parent
 * ```
 */
export function formatPlan({ steps, unplaced, unproven }: Plan): string {
  const lines = [
    ...steps.map(formatStep),
    ...unplaced.map(formatUnplaced),
    ...unproven.map((path) => `leave ${path}: it may be the owner's, which is not proven`),
  ];
  return lines.length === 0 ? "nothing is wanted, and nothing is there" : lines.join("\n");
}

/** A step in words. */
function formatStep(step: PlanStep): string {
  const { kind, name, device, parent, type = "of an unknown type", typeName } = step;
  const what = `${kind} ${name ?? device}: ${type}${typeName === undefined ? "" : ` (${typeName})`} on ${parent}`;
  const as = device === parent ? what : `${what} as ${device}`;
  switch (step.kind) {
    case "keep": {
      const notes = [
        ...(step.proven ? [] : ["not proven to be the owner's"]),
        ...(step.unknown.length === 0 ? [] : [`${step.unknown.join(", ")} cannot be compared`]),
      ];
      return notes.length === 0 ? as : `${as} (${notes.join("; ")})`;
    }
    case "remove":
      return step.replaced ? `${as}, to be replaced` : as;
    case "configure":
    case "create":
      return [as, ...step.attributes.map(([name, text]) => `${name}=${JSON.stringify(text)}`)].join(", ");
  }
}

/** Why a device cannot be had, in words. */
function formatUnplaced({ name, reason, parents, path }: Unplaced): string {
  switch (reason) {
    case "no-place": {
      const reasons = Object.entries(parents).map(([why, count]) => `${why} on ${count}`);
      const because = reasons.length === 0 ? "there is no parent" : reasons.join(", ");
      return `no place for ${name}: ${because}${path === undefined ? "" : `; ${path} stays as it is`}`;
    }
    case "taken":
      return `no place for ${name}: ${path} has its UUID and is not proven to be the owner's`;
    case "unproven":
      return `no place for ${name}: ${path} may be it, which is not proven, and is not as it is wanted`;
    case "leaving":
      return `no place for ${name}: ${path} is just being created or removed`;
  }
}
