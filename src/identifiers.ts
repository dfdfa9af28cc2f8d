import { Result } from "typescript-result";
import { InvalidArgumentError, NotFoundError } from "./errors.js";

// `c`: control characters; `s`: lone surrogates, which UTF-8 cannot carry.
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;
const NAME_MAX = 255;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether a name has the form that the kernel gives to mediated devices: a UUID in lower case. */
export function isUuid(name: string): boolean {
  return UUID.test(name);
}

/**
 * A UUID in the kernel's form: 8-4-4-4-12 hex digits, lower case. Any version and variant is fine, the nil UUID too;
 * braces, a missing dash or a blank are not (Linux `guid_parse`, `drivers/vfio/mdev/mdev_sysfs.c`).
 */
export function parseUuid(value: string, tried: string): Result<string, InvalidArgumentError> {
  const uuid = typeof value === "string" ? value.toLowerCase() : "";
  if (isUuid(uuid)) return Result.ok(uuid);
  return refuse(tried, `${quote(value)} is not a UUID`, "Write it as 8-4-4-4-12 hex digits.");
}

/** The id of a device: a UUID, or the PCI address of a function; in lower case. */
export function parseDeviceId(value: string, tried: string): Result<string, InvalidArgumentError> {
  const lower = typeof value === "string" ? value.toLowerCase() : "";
  return isPciAddress(lower) ? Result.ok(lower) : parseUuid(value, tried);
}

/** Whether a text can be one component of a path, and leads nowhere else. */
export function isName(name: string): boolean {
  return componentFault(name) === undefined;
}

/** The name of a parent or a type: one component of a path. */
export function parseName(
  kind: "parent" | "type",
  value: string,
  tried: string,
): Result<string, InvalidArgumentError> {
  const fault = typeof value === "string" ? componentFault(value) : "is not a string";
  return fault === undefined ? Result.ok(value) : refuse(tried, `the ${kind} id ${quote(value)} ${fault}`);
}

/** The name of an attribute below its object: components joined by `/`, none of them leading upwards. */
export function parseAttributeName(value: string, tried: string): Result<string, InvalidArgumentError> {
  if (typeof value !== "string") return refuse(tried, "the attribute name is not a string");
  if (value.startsWith("/")) return refuse(tried, `the attribute name ${quote(value)} is an absolute path`);
  for (const component of value.split("/")) {
    const fault = componentFault(component);
    if (fault !== undefined) {
      return refuse(
        tried,
        `the component ${quote(component)} of the attribute name ${quote(value)} ${fault}`,
      );
    }
  }
  return Result.ok(value);
}

const PCI_ADDRESS = /^([0-9a-f]{4,8}):([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$/i;
const SUBCHANNEL = /^[0-9a-f]{1,2}\.[0-9a-f]\.[0-9a-f]{4}$/i;
const TRAILING_NUMBER = /[0-9]+$/;
const WIDEST_NUMBER = 20;

/** Whether a name is a PCI address: `0000:3b:00.0`. */
export function isPciAddress(name: string): boolean {
  return PCI_ADDRESS.test(name);
}

/** Whether a name is that of a physical function's link to one of its virtual ones: `virtfn0`. */
export function isVirtualFunctionLink(name: string): boolean {
  return /^virtfn[0-9]+$/.test(name);
}

/** Names in their natural order: PCI addresses and trailing numbers by value, so that `nvidia-9` comes before `nvidia-10`. */
export function inNaturalOrder(names: Iterable<string>): string[] {
  return inNaturalOrderOf(names, (name) => name);
}

/** Which of two names comes first in the natural order: below 0, the first. */
export function compareNaturally(a: string, b: string): number {
  return compare(orderKey(a), orderKey(b)) || compare(a, b);
}

/** Things in the natural order of their names. */
export function inNaturalOrderOf<T>(things: Iterable<T>, nameOf: (thing: T) => string): T[] {
  const keyed = Array.from(things, (thing) => ({ thing, key: orderKey(nameOf(thing)), name: nameOf(thing) }));
  keyed.sort((a, b) => compare(a.key, b.key) || compare(a.name, b.name));
  return keyed.map(({ thing }) => thing);
}

function orderKey(name: string): string {
  if (isUuid(name) || SUBCHANNEL.test(name)) return name;
  const domain = PCI_ADDRESS.exec(name)?.[1];
  if (domain !== undefined) return name.padStart(16, "0");
  return name.replace(TRAILING_NUMBER, (digits) => digits.replace(/^0+/, "").padStart(WIDEST_NUMBER, "0"));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The one of the known names that was most likely meant. */
export function nearest(wanted: string, known: readonly string[]): string | undefined {
  const folded = wanted.toLowerCase();
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const name of known) {
    const distance = editDistance(folded, name.toLowerCase(), bestDistance);
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

/** Says that there is no such thing, and which of those that there are may have been meant. */
export function noSuch(
  kind: "parent" | "type" | "device",
  wanted: string,
  known: readonly string[],
  facts: { readonly tried: string; readonly path: string },
): NotFoundError {
  const suggestion = nearest(wanted, known);
  const hint = suggestion === undefined ? undefined : `Did you mean ${suggestion}?`;
  return new NotFoundError({ ...facts, reason: `there is no such ${kind}`, hint, suggestion });
}

/** Levenshtein's distance, given up at `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [line, character] of [...a].entries()) {
    const next = [line + 1];
    for (let column = 1; column <= b.length; column++) {
      const substituted = (row[column - 1] ?? 0) + (character === b[column - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? limit;
}

function componentFault(component: string): string | undefined {
  if (component === "") return "is empty";
  if (component === "." || component === "..") return "would lead elsewhere";
  if (component.includes("/")) return "holds a slash";
  if (UNPRINTABLE.test(component)) return "holds a control character";
  if (component.length > NAME_MAX) return `is longer than ${NAME_MAX} characters`;
  return undefined;
}

function refuse(tried: string, reason: string, hint?: string): Result<never, InvalidArgumentError> {
  return Result.error(new InvalidArgumentError({ tried, reason, hint }));
}

/** A value as it can be shown in a message: control characters visible, never longer than a line. */
export function quote(value: unknown): string {
  if (typeof value !== "string") return `a value of type ${typeof value}`;
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}
