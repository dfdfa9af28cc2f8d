import type { Access, AttributeDescriptor } from "../attributes/descriptor.js";
import { parseAttributeName, quote } from "../identifiers.js";

const KINDS: ReadonlySet<string> = new Set(["parents", "types", "devices"]);

/** Why something cannot be included in a snapshot; `undefined` where it can. */
export function inclusionsFault(include: unknown): string | undefined {
  if (include === undefined) return undefined;
  if (typeof include !== "object" || include === null) return "what to include is no object";
  for (const [kind, inclusion] of Object.entries(include) as [string, unknown][]) {
    if (!KINDS.has(kind)) return `there is no ${quote(kind)} to include attributes of`;
    if (inclusion === undefined) continue;
    if (typeof inclusion !== "object" || inclusion === null)
      return `what to include of the ${kind} is no object`;
    for (const [name, descriptor] of Object.entries(inclusion) as [string, unknown][]) {
      const fault = descriptorFault(descriptor);
      if (fault !== undefined) return `${quote(name)} of the ${kind} ${fault}`;
    }
  }
  return undefined;
}

function descriptorFault(descriptor: unknown): string | undefined {
  // By what it has: a descriptor of the CommonJS build is one for the ES module build.
  const { name, access, codec } = (descriptor ?? {}) as Partial<AttributeDescriptor<unknown, Access>>;
  if (typeof name !== "string" || typeof codec?.decode !== "function")
    return "is no descriptor of an attribute";
  if (access === "wo") return "can only be written";
  return parseAttributeName(name, "include it").ok ? undefined : "has a name that could lead elsewhere";
}
