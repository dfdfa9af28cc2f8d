import { type Codec, Result } from "../../index.js";

/** How many adapters, domains and control domains the AP architecture can number: their ids are 0 to 255. */
export const AP_IDS = 256;

/** Whether a value is the id of an adapter or of a domain: a whole number from 0 to 255. */
export function isApId(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < AP_IDS;
}

/** Ids as our types hold them: ascending, each once, frozen. */
export function apIds(ids: Iterable<number>): readonly number[] {
  return Object.freeze([...new Set(ids)].sort((a, b) => a - b));
}

/** Why a value is no list of ids, as a clause; `undefined`: it is one. */
export function apIdsFault(ids: unknown): string | undefined {
  if (!Array.isArray(ids)) return "is not a list of numbers";
  return ids.every(isApId) ? undefined : "holds something else than whole numbers from 0 to 255";
}

const FORMS = [
  [/^0x([0-9a-f]{1,16})$/i, 16],
  [/^0([0-7]{0,16})$/, 8],
  [/^([1-9][0-9]{0,15})$/, 10],
] as const;

/**
 * The number of an adapter or a domain, 0 to 255, as the files `assign_…` and `unassign_…` of vfio-ap take it: `0xab`.
 * What vfio-ap shows is hexadecimal without `0x`, what it takes is base-auto, so that a bare `10` would be ten and
 * `010` eight: it is always written with `0x`. Read in any of the kernel's bases (`kstrtoul(…, 0, …)`).
 * Source: Linux, `assign_adapter_store` in `drivers/s390/crypto/vfio_ap_ops.c`.
 */
export const apNumber: Codec<number> = {
  decode: (raw) => {
    for (const [form, base] of FORMS) {
      const digits = form.exec(raw.trim())?.[1];
      const value = digits === undefined ? undefined : Number.parseInt(digits === "" ? "0" : digits, base);
      if (isApId(value)) return Result.ok(value);
    }
    return Result.error("is not a number from 0 to 0xff");
  },
  encode: (value) =>
    isApId(value)
      ? Result.ok(`0x${value.toString(16)}`)
      : Result.error("is not a whole number from 0 to 255"),
};
