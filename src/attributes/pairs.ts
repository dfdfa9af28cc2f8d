import { Result } from "typescript-result";
import type { Codec } from "./codec.js";

const MIB = 2 ** 20;

/** The size of a picture, in pixels. */
export interface Resolution {
  /** Pixels in a line. */
  readonly width: number;
  /** Lines. */
  readonly height: number;
}

/**
 * One value of a text of pairs.
 *
 * @typeParam T - the value
 */
export interface PairField<T> {
  /** Its key there. */
  readonly key: string;
  /** How it is written, for messages. */
  readonly example: string;
  /** The value of exactly its text; `undefined` where that is none. */
  decode(this: void, text: string): T | undefined;
  /** The text of a value; `undefined` where it cannot be written. */
  encode(this: void, value: T): string | undefined;
}

/**
 * The values of a text of pairs, by the names that they get.
 *
 * @typeParam T - the values by their names
 */
export type PairFields<T> = { readonly [Name in keyof T]: PairField<NonNullable<T[Name]>> };

/**
 * What a text of pairs gives: a value that is missing there is `undefined`.
 *
 * @typeParam T - the values by their names
 */
export type PairValues<T> = { readonly [Name in keyof T]: T[Name] | undefined };

/** How the pairs stand in the text. */
export interface PairForm {
  /** What stands between the pairs when they are read. */
  readonly between: RegExp;
  /** What stands between them when they are written. */
  readonly joint: string;
  /** What stands between a key and its value: the first one counts. */
  readonly sign: "=" | ": ";
}

/** The pairs of a text that have other keys. */
export interface OtherPairs {
  /** They, as they stand in the text. */
  readonly others: Readonly<Record<string, string>>;
}

/** `4`: a whole number from 0. */
export const count: (key: string) => PairField<number> = (key) => ({
  key,
  example: "4",
  decode: (text) => (/^[0-9]{1,15}$/.test(text) ? Number(text) : undefined),
  encode: (value) => (isWhole(value, 1e15) ? String(value) : undefined),
});

/** `2048` and its unit, in bytes: what drivers call MB and M are 2^20 of them. */
export const mebibytes: (key: string, unit: "M" | "MB") => PairField<number> = (key, unit) => ({
  key,
  example: `2048${unit}`,
  decode: (text) => {
    const [, digits, found] = /^([0-9]{1,9})([A-Z]+)$/.exec(text) ?? [];
    return found === unit ? Number(digits) * MIB : undefined;
  },
  encode: (bytes) => (isWhole(bytes / MIB, 1e9) ? `${bytes / MIB}${unit}` : undefined),
});

/** `1920x1200`. */
export const pixels: (key: string) => PairField<Resolution> = (key) => ({
  key,
  example: "1920x1200",
  decode: (text) => {
    const [, width, height] = /^([0-9]{1,9})x([0-9]{1,9})$/.exec(text) ?? [];
    if (width === undefined || height === undefined) return undefined;
    return Object.freeze({ width: Number(width), height: Number(height) });
  },
  encode: ({ width, height }) =>
    isWhole(width, 1e9) && isWhole(height, 1e9) ? `${width}x${height}` : undefined,
});

/**
 * A text of pairs of keys and values, as many drivers describe their types, to and from frozen data. A key that is
 * missing gives `undefined`, those that are not known are kept; a malformed value is a reason not to understand the text.
 *
 * @example
 * ```ts
 * import { count, mebibytes, pairs } from "vfio-mdev";
 *
 * const fields = { cores: count("cores"), memoryBytes: mebibytes("memory", "MB") };
 * const description = pairs<{ cores: number; memoryBytes: number }>(fields, {
 *   between: /\n/,
 *   joint: "\n",
 *   sign: ": ",
 * });
 * const { cores, memoryBytes, others } = description.decode("cores: 8\nmemory: 4MB\nclock: fast\n").getOrThrow();
 * console.log(cores, memoryBytes, others["clock"]); // prints: 8 4194304 fast
 * ```
 */
export function pairs<T>(
  fields: PairFields<T>,
  { between, joint, sign }: PairForm,
): Codec<PairValues<T> & OtherPairs> {
  const known = Object.entries<PairField<unknown>>(fields);
  const keys = new Set(known.map(([, { key }]) => key));

  const decode = (raw: string): Result<object, string> => {
    const found = new Map<string, string>();
    for (const part of raw.split(between).map((text) => text.trim())) {
      if (part === "") continue;
      const at = part.indexOf(sign.trim());
      const key = part.slice(0, at).trimEnd();
      if (at === -1 || key === "") return Result.error(`holds ${quote(part)}, which is no pair`);
      if (found.has(key)) return Result.error(`holds ${quote(key)} twice`);
      found.set(key, part.slice(at + 1).trimStart());
    }
    const values: Record<string, unknown> = {};
    for (const [name, { key, example, decode: decodeValue }] of known) {
      const text = found.get(key);
      values[name] = text === undefined ? undefined : decodeValue(text);
      if (text !== undefined && values[name] === undefined)
        return Result.error(`has no ${key} such as ${example}`);
      found.delete(key);
    }
    return Result.ok(Object.freeze({ ...values, others: Object.freeze(Object.fromEntries(found)) }));
  };

  const encode = ({
    others,
    ...values
  }: OtherPairs & Readonly<Record<string, unknown>>): Result<string, string> => {
    const written: string[] = [];
    for (const [name, { key, example, encode: encodeValue }] of known) {
      if (values[name] === undefined) continue;
      const text = encodeValue(values[name]);
      if (text === undefined) return Result.error(`has a ${name} that cannot be written such as ${example}`);
      written.push(`${key}${sign}${text}`);
    }
    for (const [key, value] of Object.entries(others)) {
      const isBare = [key, value].every((text) => text === text.trim() && !between.test(text));
      if (!isBare || key === "" || key.includes(sign.trim()) || keys.has(key)) {
        return Result.error(`has an unknown pair ${quote(key)} that cannot be written`);
      }
      written.push(`${key}${sign}${value}`);
    }
    return Result.ok(written.join(joint));
  };

  // The fields say which names there are, with which types; the compiler cannot follow that through the loops.
  return { decode, encode } as Codec<PairValues<T> & OtherPairs>;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

function isWhole(value: number, limit: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < limit;
}
