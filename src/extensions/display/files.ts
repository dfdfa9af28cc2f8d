import {
  type AttributeDescriptor,
  type Codec,
  integer,
  readOnly,
  Result,
  type Resolution,
} from "../../index.js";
import { resolution } from "../samples/index.js";

const UNITS: Readonly<Record<string, number>> = { G: 2 ** 30, M: 2 ** 20, K: 2 ** 10, "": 1 };

/**
 * The text of `fb_length`, in bytes: `512M`, or a bare number of bytes. The units K, M and G are binary. Written with the
 * largest unit that divides it.
 * Sources: the column `framebuffer` of the proposal of August 2016 has `512M`; the other forms are our reading.
 */
export const byteLength: Codec<number> = {
  decode: (raw) => {
    const [, digits, unit = ""] = /^([0-9]{1,16})([KMG])?$/.exec(raw.trim()) ?? [];
    const bytes = digits === undefined ? NaN : Number(digits) * (UNITS[unit] ?? NaN);
    return Number.isSafeInteger(bytes) ? Result.ok(bytes) : Result.error("is no size such as 512M");
  },
  encode: (bytes) => {
    if (!Number.isSafeInteger(bytes) || bytes < 0) return Result.error("is not a whole number of bytes");
    const [unit, size] = Object.entries(UNITS).find(([, size]) => bytes > 0 && bytes % size === 0) ?? ["", 1];
    return Result.ok(`${bytes / size}${unit}`);
  },
};

const count: Codec<number> = {
  decode: (raw) => {
    const decoded = integer.decode(raw);
    return decoded.ok && decoded.value < 0 ? Result.error("is below 0") : decoded;
  },
  encode: integer.encode,
};

/** The memory for pictures, in bytes: the file `fb_length`. */
export const fbLength: AttributeDescriptor<number, "ro"> = readOnly("fb_length", byteLength);
/** The largest resolution: the file `resolution`, `2560x1600`. */
export const resolutionFile: AttributeDescriptor<Resolution, "ro"> = readOnly("resolution", resolution);
/** How many displays there are: the file `heads`. */
export const heads: AttributeDescriptor<number, "ro"> = readOnly("heads", count);
/** How many devices there can be: the file `max_instances`. */
export const maxInstances: AttributeDescriptor<number, "ro"> = readOnly("max_instances", count);
