import { Errno } from "../errno.js";
import { cString, kstrtoul } from "../kernel/kstrtoul.js";

/** How many adapters and how many domains there can be. */
export const AP_IDS = 256;
/** What sysfs shows of a file at the most: a page, less the byte at its end. */
const SHOWN = 4095;

/** Which adapters or domains. */
export type ApSet = ReadonlySet<number>;

/** A number as `kstrtoul(text, 0, …)` reads it, with its own error for one that is too big. */
export function parseApNumber(text: string): number {
  try {
    return Number(kstrtoul(text));
  } catch (error) {
    const isNumber = /^\+?(?:0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)\n?$/iu.test(cString(text));
    throw isNumber ? new Errno("ERANGE") : error;
  }
}

/** A mask as `ap_hex2bitmap` reads it: the leftmost bit is id 0, and what is short is padded on the right. */
export function parseHexMask(text: string): Set<number> {
  const digits = /^(?:0x|x)?([0-9a-fA-F]*)\n?$/u.exec(cString(text))?.[1];
  if (digits === undefined || digits.length > AP_IDS / 4) throw new Errno("EINVAL");
  const ids = new Set<number>();
  for (const [place, digit] of [...digits].entries()) {
    for (let bit = 0; bit < 4; bit++) if (Number.parseInt(digit, 16) & (8 >> bit)) ids.add(4 * place + bit);
  }
  return ids;
}

/** What a write to `apmask` or `aqmask` makes of it: a whole mask, or a list such as `+0-15,-0x20`. */
export function parseMaskChange(text: string, mask: ApSet): Set<number> {
  if (!/^[+-]/u.test(text)) return parseHexMask(text);
  const changed = new Set(mask);
  let rest = cString(text);
  while (rest !== "") {
    const [whole, sign, first, last] =
      /^([+-])(0x[0-9a-f]+|[0-9]+)(?:-(0x[0-9a-f]+|[0-9]+))?[,\n]*/iu.exec(rest) ?? [];
    if (whole === undefined || first === undefined) throw new Errno("EINVAL");
    const [from, to] = [bitNumber(first), bitNumber(last ?? first)];
    if (from > to || to >= AP_IDS) throw new Errno("EINVAL");
    for (let id = from; id <= to; id++) {
      if (sign === "+") changed.add(id);
      else changed.delete(id);
    }
    rest = rest.slice(whole.length);
  }
  return changed;
}

/** `simple_strtoul(…, 0)`, which stops at what is no digit; nothing that could follow here is right. */
function bitNumber(digits: string): number {
  if (/^0x/iu.test(digits)) return Number.parseInt(digits, 16);
  if (!digits.startsWith("0")) return Number(digits);
  if (/[89]/u.test(digits)) throw new Errno("EINVAL");
  return Number.parseInt(digits, 8);
}

/** `0x` and 64 digits. */
export function showMask(ids: ApSet): string {
  let mask = 0n;
  for (const id of ids) mask |= 1n << BigInt(AP_IDS - 1 - id);
  return `0x${mask.toString(16).padStart(AP_IDS / 4, "0")}`;
}

/** `matrix` and `guest_matrix`. */
export function showMatrix(adapters: ApSet, domains: ApSet): string {
  const left = ascending(adapters).map((id) => id.toString(16).padStart(2, "0"));
  const right = ascending(domains).map((id) => id.toString(16).padStart(4, "0"));
  if (left.length === 0) return right.map((domain) => `.${domain}\n`).join("");
  if (right.length === 0) return left.map((adapter) => `${adapter}.\n`).join("");
  return left
    .flatMap((adapter) => right.map((domain) => `${adapter}.${domain}\n`))
    .join("")
    .slice(0, SHOWN);
}

/** `control_domains`. */
export function showDomains(ids: ApSet): string {
  return ascending(ids)
    .map((id) => `${id.toString(16).padStart(4, "0")}\n`)
    .join("");
}

/** `05.0004`: how a queue is called. */
export function queueName(adapter: number, domain: number): string {
  return `${adapter.toString(16).padStart(2, "0")}.${domain.toString(16).padStart(4, "0")}`;
}

/** Ids from the lowest on. */
export function ascending(ids: Iterable<number>): number[] {
  return [...ids].sort((a, b) => a - b);
}
