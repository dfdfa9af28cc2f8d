// @ts-check
/** The extension for that driver: what a stranger writes, with nothing but what `vfio-mdev` exports. */
import { count, integer, MdevDeviceExtension, MdevTypeExtension, pairs, readOnly, text } from "vfio-mdev";

/** @typedef {{ readonly cores: number | undefined, readonly memoryBytes: number | undefined, readonly cpus: number | undefined }} Split */

/** @type {import("vfio-mdev").PairField<number>} */
const memory = {
  key: "memory size",
  example: "16GB",
  decode: (size) => (/^[0-9]{1,6}GB$/.test(size) ? Number.parseInt(size) * 2 ** 30 : undefined),
  encode: (bytes) => (Number.isInteger(bytes / 2 ** 30) ? `${bytes / 2 ** 30}GB` : undefined),
};

/**
 * The description, of many lines. Keys that are not named here stay readable in `others`.
 *
 * @type {import("vfio-mdev").Codec<Split & import("vfio-mdev").OtherPairs>}
 */
export const ascendSplit = pairs(
  { cores: count("aicore num"), memoryBytes: memory, cpus: count("aicpu num") },
  { between: /\n/, joint: "\n", sign: ": " },
);

export class AscendType extends MdevTypeExtension {
  static description = readOnly("description", ascendSplit);
  static fits = (/** @type {import("vfio-mdev").MdevType} */ type) => type.id.startsWith("vascend-");

  description = this.attribute(AscendType.description);
}

export class AscendDevice extends MdevDeviceExtension {
  static vdavinciId = readOnly("hw_vdavinci/vdavinci_id", integer);
  static hwId = readOnly("hw_vdavinci/hw_id", text);
  static fits = (/** @type {import("vfio-mdev").MdevDevice} */ device) =>
    device.attribute(AscendDevice.vdavinciId).exists();

  vdavinciId = this.attribute(AscendDevice.vdavinciId);
  hwId = this.attribute(AscendDevice.hwId);
}
