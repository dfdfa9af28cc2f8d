import { Result } from "typescript-result";

/**
 * Turns the text of an attribute into a value and back: pure functions that never throw.
 *
 * @typeParam T - the value
 */
export interface Codec<T> {
  /** The value of a text as it was read, its newline included; or why it cannot be understood, as a clause. */
  decode(this: void, raw: string): Result<T, string>;
  /** The text to write, without its final newline; or why the value cannot be written, as a clause. */
  encode(this: void, value: T): Result<string, string>;
}

/** Text, without the newline (or other white space) at its end. An empty text is a value. */
export const text: Codec<string> = {
  decode: (raw) => Result.ok(raw.trimEnd()),
  encode: (value) => (typeof value === "string" ? Result.ok(value) : Result.error("is not a text")),
};

/** A whole decimal number, with its sign where it has one: `available_instances` can be below 0. */
export const integer: Codec<number> = {
  decode: (raw) => {
    const digits = raw.trim();
    const value = /^[+-]?[0-9]+$/.test(digits) ? Number(digits) : NaN;
    return Number.isSafeInteger(value) ? Result.ok(value) : Result.error("is not a whole decimal number");
  },
  encode: (value) =>
    Number.isSafeInteger(value)
      ? Result.ok(String(value))
      : Result.error("is not a whole number that can be held exactly"),
};

/** A number in hexadecimal, with or without `0x`, as PCI identities are: `0x10de`. Written with `0x`. */
export const hexadecimal: Codec<number> = {
  decode: (raw) => {
    const digits = /^(?:0x)?([0-9a-f]+)$/i.exec(raw.trim())?.[1];
    const value = digits === undefined ? NaN : Number.parseInt(digits, 16);
    return Number.isSafeInteger(value) ? Result.ok(value) : Result.error("is not a hexadecimal number");
  },
  encode: (value) =>
    Number.isSafeInteger(value) && value >= 0
      ? Result.ok(`0x${value.toString(16)}`)
      : Result.error("is not a whole number from 0 that can be held exactly"),
};

/** Yes or no: `1` or `0`, and `Y`, `N`, `yes`, `no` too when read. Written as `1` or `0`. */
export const flag: Codec<boolean> = {
  decode: (raw) => {
    const word = raw.trim();
    if (/^(?:1|y|yes)$/i.test(word)) return Result.ok(true);
    return /^(?:0|n|no)$/i.test(word) ? Result.ok(false) : Result.error("is neither yes nor no");
  },
  encode: (value) => Result.ok(value ? "1" : "0"),
};
