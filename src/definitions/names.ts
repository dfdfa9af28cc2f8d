const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const AROUND = /^(?:urn:uuid:(.+)|\{(.+)\})$/s;
const DIGITS = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/;
// `c`: control characters; `s`: lone surrogates, which UTF-8 cannot carry.
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;
const NAME_MAX = 255;
/** The folder of mdevctl's scripts, beside those of parents. */
const SCRIPTS = "scripts.d";

/**
 * The UUID that a text spells, as the kernel writes it; `undefined` where it spells none. mdevctl reads any case, 32 digits
 * without hyphens, and with them braces or `urn:uuid:` around.
 */
export function uuidOf(spelling: unknown): string | undefined {
  if (typeof spelling !== "string") return undefined;
  const [, urn, braced] = AROUND.exec(spelling) ?? [];
  const lower = (urn ?? braced ?? spelling).toLowerCase();
  if (UUID.test(lower)) return lower;
  return lower.length === spelling.length ? DIGITS.exec(lower)?.slice(1).join("-") : undefined;
}

/** What keeps a text from being one component of a path, as a clause. */
export function componentFault(component: unknown): string | undefined {
  if (typeof component !== "string") return "is not a text";
  if (component === "") return "is empty";
  if (component === "." || component === "..") return "would lead elsewhere";
  if (component.includes("/")) return "holds a slash";
  if (UNPRINTABLE.test(component)) return "holds a control character";
  return Buffer.byteLength(component) > NAME_MAX ? `is longer than ${NAME_MAX} bytes` : undefined;
}

/** What keeps a text from being the name of a parent's folder. */
export function parentFault(parent: unknown): string | undefined {
  if (parent === SCRIPTS) return "is the folder of mdevctl's scripts";
  if (typeof parent === "string" && parent.startsWith(".")) return "begins with a dot";
  return componentFault(parent);
}

/** What keeps a text from being the name of a device's attribute: components joined by `/`. */
export function attributeNameFault(name: unknown): string | undefined {
  if (typeof name !== "string") return "is not a text";
  if (name.startsWith("/")) return "is an absolute path";
  return name
    .split("/")
    .map(componentFault)
    .find((fault) => fault !== undefined);
}

/** A value as a message shows it. */
export function quote(value: unknown): string {
  if (typeof value !== "string") return `a value of type ${typeof value}`;
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}
