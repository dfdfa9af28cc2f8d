import { Result } from "typescript-result";
import { InvalidArgumentError } from "../errors.js";
import { isName, isPciAddress, isUuid, quote } from "../identifiers.js";
import { asProcessMark, type ProcessMark } from "../state/process-mark.js";

/** What somebody claims: one entry of the ledger. Plain data, as JSON has it. */
export interface Claim {
  readonly owner: string;
  /** The device's id. */
  readonly device: string;
  /** The parent's path below the sysfs root: another process may see that mounted elsewhere. */
  readonly parent: string;
  /** The id of its type. */
  readonly type: string;
  /** The machine's boot in which it is made: a device does not survive it. */
  readonly boot: string;
  /** The process that creates it. */
  readonly by: ProcessMark;
  /** What tells the device from one of the same name; `undefined` while it is only about to be created. */
  readonly identity: string | undefined;
  /** What the owner has to say of it. */
  readonly note?: string | undefined;
}

const PREFIX = "owned.";
const LONGEST_OWNER = 200;
const LONGEST_NOTE = 1000;

/** The name of a new entry for a device. The rest makes it the only one, so that writers never meet. */
export function claimName(device: string): string {
  return `${PREFIX}${device}.${globalThis.crypto.randomUUID()}`;
}

/** Whether a name is that of an entry of the ledger; of one for this device, where that is given. */
export function isClaimName(name: string, device?: string): boolean {
  return name.startsWith(device === undefined ? PREFIX : `${PREFIX}${device}.`);
}

/** The text of a claim. */
export function formatClaim(claim: Claim): string {
  return `${JSON.stringify(claim)}\n`;
}

/** The claim that a text is; otherwise why it is none, as a clause. */
export function parseClaim(text: string): Result<Claim, string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return Result.error("is not JSON");
  }
  if (typeof value !== "object" || value === null) return Result.error("is not an object");
  const { owner, device, parent, type, boot, by, identity, note } = value as Record<string, unknown>;
  if (ownerFault(owner) !== undefined) return Result.error("names no owner");
  if (typeof device !== "string" || !(isUuid(device) || isPciAddress(device)))
    return Result.error("names no device");
  if (typeof parent !== "string" || !parent.split("/").every(isName)) return Result.error("names no parent");
  if (typeof type !== "string" || !isName(type)) return Result.error("names no type");
  if (typeof boot !== "string") return Result.error("names no boot");
  if (identity !== undefined && typeof identity !== "string")
    return Result.error("has an identity that is no text");
  if (note !== undefined && noteFault(note) !== undefined) return Result.error("has a note that is none");
  const mark = asProcessMark(by);
  if (mark === undefined) return Result.error("names no process");
  const claim = { owner: owner as string, device, parent, type, boot, by: mark, identity };
  return Result.ok(note === undefined ? claim : { ...claim, note: note as string });
}

/** An owner: any text of 1 to 200 characters. */
export function parseOwner(owner: unknown, tried: string): Result<string, InvalidArgumentError> {
  const fault = ownerFault(owner);
  if (fault === undefined) return Result.ok(owner as string);
  return Result.error(new InvalidArgumentError({ tried, reason: `the owner ${quote(owner)} ${fault}` }));
}

/** What is wrong with an owner, as a clause. */
export function ownerFault(owner: unknown): string | undefined {
  if (typeof owner !== "string") return "is not a string";
  if (owner === "") return "is empty";
  if (owner.length > LONGEST_OWNER) return `is longer than ${LONGEST_OWNER} characters`;
  return /\p{Cs}/u.test(owner) ? "holds half a character" : undefined;
}

/** What is wrong with a note, as a clause. */
export function noteFault(note: unknown): string | undefined {
  if (typeof note !== "string") return "is not a string";
  if (note.length > LONGEST_NOTE) return `is longer than ${LONGEST_NOTE} characters`;
  return /\p{Cs}/u.test(note) ? "holds half a character" : undefined;
}
