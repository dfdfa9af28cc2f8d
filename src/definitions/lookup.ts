import { ConflictError, NotFoundError, type OperationError, Result } from "../index.js";
import type { DefinitionFiles, Found, StoredDefinition, Wanted } from "./definition-files.js";
import type { MdevDefinition } from "./mdev-definition.js";
import { parentFault, quote, uuidOf } from "./names.js";

/** What is wrong with a parent or a UUID that a caller gave, as a clause; either need not be given. */
export function wantedFault(wanted: unknown): string | undefined {
  if (wanted === undefined) return undefined;
  if (typeof wanted !== "object" || wanted === null) return "its options are not an object";
  const { parent, uuid } = wanted as Record<"parent" | "uuid", unknown>;
  if (uuid !== undefined && uuidOf(uuid) === undefined) return `${quote(uuid)} is not a UUID`;
  const fault = parent === undefined ? undefined : parentFault(parent);
  return fault === undefined ? undefined : `the parent id ${quote(parent)} ${fault}`;
}

/** What is wanted, with the UUID as the kernel writes it. */
export function asWanted({ parent, uuid }: Wanted): Wanted {
  return { parent, uuid: uuid === undefined ? undefined : uuidOf(uuid) };
}

/** The one definition of a device. */
export async function findOne(
  files: DefinitionFiles,
  wanted: Wanted,
  tried: string,
): Promise<Result<StoredDefinition, NotFoundError | ConflictError | OperationError>> {
  const found = await files.find(asWanted(wanted), tried);
  const [first, second] = found.stored;
  const damage = damageOf(found);
  if (damage !== undefined) return Result.error(damage);
  if (first === undefined) return Result.error(notDefined(wanted, files.root, tried));
  if (second === undefined) return Result.ok(first);
  const parents = found.stored.map(({ definition }) => definition.parent).join(", ");
  const reason = `the device is defined under several parents: ${parents}`;
  return Result.error(new ConflictError({ tried, reason, hint: "Say which parent is meant." }));
}

/** The error of the first file that should be a definition of the wanted device and is none. */
export function damageOf({ broken }: Found): ConflictError | OperationError | undefined {
  return broken.find(({ twin }) => twin === undefined)?.error;
}

/** There is no such definition. */
export function notDefined({ parent }: Wanted, root: string, tried: string): NotFoundError {
  const path = parent === undefined ? root : `${root}/${parent}`;
  return new NotFoundError({ tried, reason: `there is no definition of it in ${path}`, path });
}

/** Somebody who takes no lock has changed the file since it was read. */
export function changedUnderneath({ path }: MdevDefinition, tried: string): ConflictError {
  const reason = `somebody else changed ${path} at the same time`;
  return new ConflictError({ tried, reason, path, hint: "Look at it again, and try again." });
}
