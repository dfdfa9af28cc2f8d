import { Result } from "../../index.js";

/**
 * What a bus id of the channel subsystem says, `c.s.dddd`: of a subchannel (`0.0.0003`) and of the channel device behind
 * it (`0.0.1111`) alike. Plain data.
 * Sources: Linux, `drivers/s390/cio/{css,cio,device}.c`; libvirt and QEMU write addresses in the same form.
 */
export interface ChannelAddress {
  /**
   * The id of the channel subsystem, 0 to 255. Linux only ever says 0; QEMU's and libvirt's addresses for guests have
   * 254, `fe`.
   */
  readonly cssid: number;
  /** The id of the subchannel set, 0 to 3. */
  readonly ssid: number;
  /** The number in the set, 0 to 65535: of a subchannel its own, of a channel device the device number. */
  readonly number: number;
}

const ADDRESS = /^([0-9a-f]{1,2})\.([0-3])\.([0-9a-f]{4})$/i;
const LIMITS: readonly (readonly [keyof ChannelAddress, number])[] = [
  ["cssid", 0xff],
  ["ssid", 3],
  ["number", 0xffff],
];

/**
 * Understands a bus id such as `0.0.0313`: hexadecimal, in any case. Otherwise why not, as a clause. A bare device number
 * such as `0313` is refused: it does not tell the subchannel set.
 *
 * @example
 * ```ts
 * import { formatChannelAddress, parseChannelAddress } from "vfio-mdev/s390";
 *
 * const address = parseChannelAddress("0.1.0AB1").getOrThrow();
 * console.log(address.ssid, address.number); // prints: 1 2737
 * console.log(formatChannelAddress(address).getOrThrow()); // prints: 0.1.0ab1
 * ```
 */
export function parseChannelAddress(text: string): Result<ChannelAddress, string> {
  const [, cssid, ssid, number] = ADDRESS.exec(text.trim()) ?? [];
  if (cssid === undefined || ssid === undefined || number === undefined)
    return Result.error("is no bus id of the channel subsystem such as 0.0.0313");
  const digits = (hex: string): number => Number.parseInt(hex, 16);
  return Result.ok(Object.freeze({ cssid: digits(cssid), ssid: digits(ssid), number: digits(number) }));
}

/** The bus id of an address as the kernel writes it: `0.0.0313`. Otherwise why it has none, as a clause. */
export function formatChannelAddress(address: ChannelAddress): Result<string, string> {
  for (const [part, limit] of LIMITS) {
    const value = address[part];
    if (!Number.isInteger(value) || value < 0 || value > limit)
      return Result.error(`has a ${part} that is no whole number from 0 to ${limit}`);
  }
  const { cssid, ssid, number } = address;
  return Result.ok(`${cssid.toString(16)}.${ssid}.${number.toString(16).padStart(4, "0")}`);
}

/** The natural order of addresses, for `sort`: by channel subsystem, then set, then number. */
export function compareChannelAddresses(a: ChannelAddress, b: ChannelAddress): number {
  return a.cssid - b.cssid || a.ssid - b.ssid || a.number - b.number;
}
