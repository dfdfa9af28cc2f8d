import { type Codec, Result } from "../../index.js";

/**
 * Which of a subchannel's eight channel paths are what, by its file `pimpampom`: a byte each, its leftmost bit (`0x80`)
 * for the first path.
 */
export interface ChannelPathMasks {
  /** The path-installed mask: these paths exist. */
  readonly pim: number;
  /** The path-available mask: these are configured and usable as far as the channel subsystem knows. */
  readonly pam: number;
  /** The path-operational mask: these did not turn out to be broken when they were last used. */
  readonly pom: number;
}

/** One channel path of a subchannel, by its files `chpids` and `pimpampom`. */
export interface ChannelPath {
  /** The id of the channel path (CHPID), 0 to 255: the kernel shows `/sys/devices/css0/chp0.<id>`, the id in hexadecimal. */
  readonly chpid: number;
  /** Whether it is configured and usable as far as the channel subsystem knows, as {@link ChannelPathMasks.pam} has it. */
  readonly available: boolean;
  /** Whether it did not turn out to be broken when it was last used, as {@link ChannelPathMasks.pom} has it. */
  readonly operational: boolean;
}

/** The eight ids of the file `chpids`: `00 4a 00 00 00 00 00 00`. */
export const channelPathIds: Codec<readonly number[]> = bytes(8);

const masks = bytes(3);

/** The three masks of the file `pimpampom`: `80 80 ff`. */
export const channelPathMasks: Codec<ChannelPathMasks> = {
  decode: (raw) => masks.decode(raw).map(([pim = 0, pam = 0, pom = 0]) => Object.freeze({ pim, pam, pom })),
  encode: ({ pim, pam, pom }) => masks.encode([pim, pam, pom]),
};

/** The paths that are installed; the kernel shows the id 00 for the others, which is also an id. */
export function installedPaths(
  ids: readonly number[],
  { pim, pam, pom }: ChannelPathMasks,
): readonly ChannelPath[] {
  const paths = ids.map((chpid, index) => {
    const within = (mask: number): boolean => (mask & (0x80 >> index)) !== 0;
    const path = Object.freeze({ chpid, available: within(pam), operational: within(pom) });
    return within(pim) ? [path] : [];
  });
  return Object.freeze(paths.flat());
}

/** So many bytes as pairs of hexadecimal digits. */
function bytes(count: number): Codec<readonly number[]> {
  const form = new RegExp(`^[0-9a-f]{2}(?: [0-9a-f]{2}){${count - 1}}$`, "i");
  return {
    decode: (raw) => {
      const digits = raw.trim();
      return form.test(digits)
        ? Result.ok(Object.freeze(digits.split(" ").map((pair) => Number.parseInt(pair, 16))))
        : Result.error(`is not ${count} bytes as pairs of hexadecimal digits`);
    },
    encode: (values) =>
      values.length === count && values.every((value) => Number.isInteger(value) && value >= 0 && value < 256)
        ? Result.ok(values.map((value) => value.toString(16).padStart(2, "0")).join(" "))
        : Result.error(`is not ${count} bytes`),
  };
}
