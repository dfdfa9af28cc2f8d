import type { Maskable, RecordedEntry } from "./recording.js";

const UUIDS = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;
/** Files that hold a serial number, by what drivers call them. */
const SERIAL_FILE = /^(?:serial|serial_?(?:no|nr|num|number)|sn|uid|unique_id)$/i;
/** Lines of a file `uevent` that do. */
const SERIAL_LINE = /^([A-Z0-9_]*SERIAL[A-Z0-9_]*=)(.*)$/gm;
/** The name of the virtual machine, of NVIDIA's driver; the group that a user put a device into, of the general layout. */
const VM_NAME_FILE = /^(?:vm_name|group)$/;

type Entries = ReadonlyMap<string, RecordedEntry>;

/**
 * The same entries without what is to be masked. What is the same stays the same, wherever it is: the masked UUID of a device
 * is in its path, in the links to it and in what its files say; and UUIDs keep their order.
 */
export function masked(entries: Entries, what: ReadonlySet<Maskable>): Entries {
  const uuids = what.has("uuids") ? uuidMask(entries) : (text: string) => text;
  const serial = numbered("serial");
  const vm = numbered("vm");
  const textOf = (path: string, text: string): string => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (what.has("serial-numbers")) {
      if (SERIAL_FILE.test(name)) return serial(text);
      if (name === "uevent")
        return uuids(text.replace(SERIAL_LINE, (_, key: string, value: string) => key + serial(value)));
    }
    if (what.has("vm-names") && VM_NAME_FILE.test(name)) return vm(text);
    return uuids(text);
  };
  const result = new Map<string, RecordedEntry>();
  for (const [path, entry] of entries) {
    if (entry.kind === "link") result.set(uuids(path), { ...entry, target: uuids(entry.target) });
    else if (entry.kind === "file" && entry.text !== undefined)
      result.set(uuids(path), { ...entry, text: textOf(path, entry.text) });
    else result.set(uuids(path), entry);
  }
  return result;
}

/** `serial-1` for the first text, and so on; white space around it stays, and an empty one too. */
function numbered(prefix: string): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    const bare = text.trim();
    if (bare === "") return text;
    const mask = known.get(bare) ?? `${prefix}-${known.size + 1}`;
    known.set(bare, mask);
    return text.replace(bare, () => mask);
  };
}

/** Puts a number in the place of each UUID that is anywhere in the entries, by their order. */
function uuidMask(entries: Entries): (text: string) => string {
  const found = new Set<string>();
  for (const [path, entry] of entries) {
    const texts = [
      path,
      entry.kind === "link" ? entry.target : "",
      entry.kind === "file" ? (entry.text ?? "") : "",
    ];
    for (const text of texts) for (const [uuid] of text.matchAll(UUIDS)) found.add(uuid.toLowerCase());
  }
  const masks = new Map(
    [...found]
      .sort()
      .map((uuid, at) => [uuid, `00000000-0000-8000-8000-${(at + 1).toString(16).padStart(12, "0")}`]),
  );
  return (text) => text.replace(UUIDS, (uuid) => masks.get(uuid.toLowerCase()) ?? uuid);
}
