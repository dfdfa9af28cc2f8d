import { type Codec, Result } from "../../index.js";

/** A whole number from 0, as the driver numbers places and GPU instances; `undefined` for its words `Not Applicable`. */
export const vgpuNumber: Codec<number | undefined> = {
  decode: (raw) => {
    const text = raw.trim();
    if (/^not applicable$/i.test(text)) return Result.ok(undefined);
    return /^[0-9]{1,9}$/.test(text)
      ? Result.ok(Number(text))
      : Result.error("is neither a whole number from 0 nor `Not Applicable`");
  },
  encode: (value) =>
    value !== undefined && Number.isInteger(value) && value >= 0 && value < 1e9
      ? Result.ok(String(value))
      : Result.error("is not a whole number from 0"),
};
