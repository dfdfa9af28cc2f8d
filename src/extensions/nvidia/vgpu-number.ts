import { type Codec, Result } from "../../index.js";

/**
 * The text of `nvidia/placement_id` and `nvidia/gpu_instance_id`: a whole number from 0 to 999999999; `undefined` for
 * the words `Not Applicable`, which cannot be written.
 * Source: gentlemanautomaton/machina, `filesystem/mdevfs`, for `placement_id`; for the other, assumed to be alike.
 */
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
