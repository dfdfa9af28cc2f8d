/** QEMU's `OnOffAuto`. Source: QEMU, `qapi/common.json`. */
export type OnOffAuto = "on" | "off" | "auto";

const ADDR = /^(?:0x)?([0-9a-f]{1,2})(?:\.(?:0x)?([0-7]))?$/i;
const DEVNO = /^([0-9a-f]{1,2})\.([0-3])\.([0-9a-f]{4})$/i;

/** Whether QEMU takes a text for an id (QEMU, `util/id.c`). */
export function isIdentifier(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9._-]*$/.test(text);
}

/** Whether a value fits into QEMU's `uint32`. */
export function isUint32(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 2 ** 32;
}

/** Slot and function as libvirt writes them, `0x3` or `0x3.0x1`; `undefined` for what QEMU refuses. */
export function formatAddr(text: string): string | undefined {
  const [, slot = "", fn] = ADDR.exec(text) ?? [];
  const number = Number.parseInt(slot, 16);
  if (Number.isNaN(number) || number > 0x1f) return undefined;
  return `0x${number.toString(16)}${fn === undefined ? "" : `.0x${fn}`}`;
}

/** A number of the virtual channel subsystem, `fe.0.0001`; `undefined` for what QEMU refuses. */
export function formatDevno(text: string): string | undefined {
  return DEVNO.test(text) ? text.toLowerCase() : undefined;
}
