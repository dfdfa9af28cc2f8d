import type { TypeWords } from "../wanted/type-selector.js";

/** What planning keeps in the ledger of each device that it creates: `note` of `CreateOptions`. */
export interface DeviceNote {
  /** What the wanted state calls it. */
  readonly name: string;
  /** The id of its type. */
  readonly type: string;
  /** The name of that type, which NVIDIA's own interface need not show as long as there is a device of it. */
  readonly typeName: string | undefined;
}

/** The text of a note. */
export function formatNote(name: string, { id, name: typeName }: Pick<TypeWords, "id" | "name">): string {
  return JSON.stringify({ name, type: id, typeName });
}

/** The note that a text is; `undefined` where it is not one of planning's. */
export function parseNote(text: string | undefined): DeviceNote | undefined {
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { name, type, typeName } = value as Record<string, unknown>;
  if (typeof name !== "string" || typeof type !== "string") return undefined;
  return { name, type, typeName: typeof typeName === "string" ? typeName : undefined };
}
