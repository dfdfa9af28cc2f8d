import { type Codec, Result } from "../../index.js";
import { AP_IDS, apIds, apIdsFault } from "./ap-numbers.js";

const DIGITS = AP_IDS / 4;

/**
 * A mask of 256 bits as a list of ids: `/sys/bus/ap/apmask`, `aqmask`, and each third of a device's `ap_config`.
 *
 * **The leftmost bit is id 0.** A shorter mask is padded on the right, by the kernel and here: `0x8` is id 0, `0x41` are
 * the ids 1 and 7. It is always written with 64 digits.
 * Source: Linux, `Documentation/arch/s390/vfio-ap.rst`; `ap_hex2bitmap` in `drivers/s390/crypto/ap_bus.c`.
 *
 * @example
 * ```ts
 * import { apMask } from "vfio-mdev/s390";
 *
 * const reserved = apMask.decode("0x7d00000000000000000000000000000000000000000000000000000000000000\n");
 * console.log(reserved.getOrThrow()); // prints: [ 1, 2, 3, 4, 5, 7 ]
 * ```
 */
export const apMask: Codec<readonly number[]> = {
  decode: (raw) => {
    const digits = /^(?:0x)?([0-9a-f]+)$/i.exec(raw.trim())?.[1];
    if (digits === undefined) return Result.error("is no mask such as 0x41");
    if (digits.length > DIGITS) return Result.error(`is a mask of more than ${DIGITS} digits`);
    const bits = [...digits].map((digit) => Number.parseInt(digit, 16).toString(2).padStart(4, "0")).join("");
    return Result.ok(apIds([...bits].flatMap((bit, id) => (bit === "1" ? [id] : []))));
  },
  encode: (ids) => {
    const fault = apIdsFault(ids);
    if (fault !== undefined) return Result.error(fault);
    const set = new Set(ids);
    const bits = Array.from({ length: AP_IDS }, (_, id) => (set.has(id) ? "1" : "0")).join("");
    return Result.ok(`0x${bits.replace(/.{4}/g, (four) => Number.parseInt(four, 2).toString(16))}`);
  },
};
