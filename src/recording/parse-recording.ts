import { DecodeError, Result } from "../index.js";
import { areMaskable, FORMAT, MASKABLE, type RecordedEntry, type Recording, VERSION } from "./recording.js";

const TRIED = "read a recording";
const ERRNO = /^E[A-Z0-9]{1,30}$/;
const PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[^/\0]+)+$/;
const TOO_NEW = "Take the version of vfio-mdev that made it, or a later one.";

type Fields = Readonly<Record<string, unknown>>;

/** Understands a recording, as a text or as what `JSON.parse` made of one; it may have been changed since it was made. */
export function parseRecording(given: unknown): Result<Recording, DecodeError> {
  const raw = typeof given === "string" ? given : "";
  const refuse = (reason: string, hint?: string): Result<never, DecodeError> =>
    Result.error(new DecodeError({ tried: TRIED, reason, hint, raw }));
  let document: unknown;
  try {
    document = typeof given === "string" ? JSON.parse(given) : given;
  } catch (cause) {
    return refuse(`the text is no JSON: ${cause instanceof Error ? cause.message : "it was refused"}`);
  }
  if (!isFields(document) || document["format"] !== FORMAT)
    return refuse(`it has no format ${JSON.stringify(FORMAT)}`);
  const { version, kernel, masked, complete, entries } = document;
  if (!Number.isSafeInteger(version) || Number(version) < 1)
    return refuse("its version is no number above 0");
  if (Number(version) > VERSION)
    return refuse(`it is of version ${String(version)}, and those up to ${VERSION} are understood`, TOO_NEW);
  if (kernel !== undefined && typeof kernel !== "string") return refuse("its kernel is not a text");
  if (!areMaskable(masked)) return refuse(`its masked is not a list of ${MASKABLE.join(", ")}`);
  if (typeof complete !== "boolean") return refuse("its complete is neither true nor false");
  if (!isFields(entries)) return refuse("its entries are not an object");
  for (const [path, entry] of Object.entries(entries)) {
    const fault = PATH.test(path) ? entryFault(entry) : "has no absolute path without . and ..";
    if (fault !== undefined) return refuse(`its entry ${JSON.stringify(path.slice(0, 200))} ${fault}`);
    const above = path.slice(0, path.lastIndexOf("/"));
    const folder = Object.hasOwn(entries, above) ? (entries[above] as Partial<RecordedEntry>) : undefined;
    if (folder !== undefined && folder.kind !== "folder")
      return refuse(`its entry ${JSON.stringify(path.slice(0, 200))} is below something that is no folder`);
  }
  return Result.ok(document as unknown as Recording);
}

/** What is wrong with an entry, as a clause. */
function entryFault(entry: unknown): string | undefined {
  if (!isFields(entry)) return "is not an object";
  const { kind, mode, ino, text, target, errno, partial } = entry;
  if (errno !== undefined && !(typeof errno === "string" && ERRNO.test(errno)))
    return "has an errno that is no name of one";
  if (kind === "unknown") return errno === undefined ? "is unknown and has no errno" : undefined;
  if (typeof mode !== "string" || !/^[0-7]{4}$/.test(mode)) return "has a mode that is not four octal digits";
  if (ino !== undefined && !(Number.isSafeInteger(ino) && Number(ino) > 0))
    return "has an ino that is no number above 0";
  switch (kind) {
    case "folder":
      return partial === undefined || partial === true ? undefined : "has a partial that is not true";
    case "file":
      return text === undefined || typeof text === "string" ? undefined : "has a text that is none";
    case "link":
      return typeof target === "string" && target !== "" ? undefined : "is a link without a target";
    case "node":
      return undefined;
    default:
      return "is of no kind that is known";
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
