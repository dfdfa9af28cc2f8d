import { Errno } from "../errno.js";

const DIGITS = { 8: /^[0-7]+/, 10: /^[0-9]+/, 16: /^[0-9a-f]+/i } as const;

/** The text up to its first NUL: what a kernel function that takes a C string sees. */
export function cString(text: string): string {
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

/**
 * A number as `kstrtoul(text, 0, …)` reads it: `1`, `0x1`, octal with a leading zero, one `+` before, one newline
 * after; everything else, and what does not fit into 64 bits, is EINVAL (`remove` makes EINVAL of ERANGE).
 */
export function kstrtoul(text: string): bigint {
  let rest = cString(text).replace(/^\+/u, "");
  const base = /^0x[0-9a-f]/iu.test(rest) ? 16 : rest.startsWith("0") ? 8 : 10;
  if (base === 16) rest = rest.slice(2);
  const digits = DIGITS[base].exec(rest)?.[0];
  if (digits === undefined) throw new Errno("EINVAL");
  const after = rest.slice(digits.length);
  const value = BigInt(base === 16 ? `0x${digits}` : base === 8 ? `0o${digits}` : digits);
  if ((after !== "" && after !== "\n") || value >= 1n << 64n) throw new Errno("EINVAL");
  return value;
}

/** A number as `kstrtol(text, 10, …)` reads it: decimal digits, one sign before, one newline after. */
export function kstrtol(text: string): bigint {
  const [, sign, digits] = /^([+-]?)([0-9]+)\n?$/u.exec(cString(text)) ?? [];
  if (digits === undefined) throw new Errno("EINVAL");
  const value = BigInt(`${sign === "-" ? "-" : ""}${digits}`);
  if (value !== BigInt.asIntN(64, value)) throw new Errno("ERANGE");
  return value;
}
