/** The parts of a PCI address as libvirt's XML has them, decimal or hexadecimal. */
export type PciAddressParts = Readonly<Record<"domain" | "bus" | "slot" | "function", string | undefined>>;

const ADDRESS = /^([0-9a-f]{4,8}):([0-9a-f]{2}):([01][0-9a-f])\.([0-7])$/;
const NUMBER = /^(?:0x[0-9a-f]{1,8}|[0-9]{1,9})$/i;

/** The parts of an address such as `0000:3b:00.0`, as numbers; `undefined` where it is none. */
export function parsePciAddress(
  address: string,
): Readonly<Record<keyof PciAddressParts, number>> | undefined {
  const [, domain, bus, slot, fn] = ADDRESS.exec(address) ?? [];
  if (domain === undefined) return undefined;
  const hex = (digits = "0") => Number.parseInt(digits, 16);
  return { domain: hex(domain), bus: hex(bus), slot: hex(slot), function: hex(fn) };
}

/** The attributes of libvirt's `<address>`: `domain="0x0000" bus="0x3b" slot="0x00" function="0x0"`. */
export function formatPciAddress(address: string): PciAddressParts {
  const [, domain, bus, slot, fn] = ADDRESS.exec(address) ?? [];
  const hex = (digits: string | undefined) => (digits === undefined ? undefined : `0x${digits}`);
  return { domain: hex(domain), bus: hex(bus), slot: hex(slot), function: hex(fn) };
}

/** An address from its parts. A missing domain is 0, as for libvirt; `undefined` where they make none. */
export function pciAddressFrom(parts: PciAddressParts): string | undefined {
  const { domain = "0", bus, slot, function: fn } = parts;
  const texts = [domain, bus, slot, fn ?? "0"];
  if (!texts.every((text) => text !== undefined && NUMBER.test(text))) return undefined;
  const [d = "", b = "", s = "", f = ""] = texts.map((text) => Number(text).toString(16));
  const address = `${d.padStart(4, "0")}:${b.padStart(2, "0")}:${s.padStart(2, "0")}.${f}`;
  return ADDRESS.test(address) ? address : undefined;
}
