import { InvalidArgumentError, type ParentInfo, Result, UnsupportedError } from "../../index.js";

/**
 * What the name of a libvirt node device stands for.
 * Source: libvirt, `nodeDeviceGenerateName` in `src/node_device/node_device_driver.c`.
 */
export type NodeDeviceName =
  | {
      /** A parent of mediated devices, or a device that could be one. */
      readonly kind: "parent";
      /** Its id, as `Parent.id` has it. */
      readonly parent: string;
    }
  | {
      /** A mediated device. */
      readonly kind: "mdev";
      /** Its UUID. */
      readonly uuid: string;
      /** The id of its parent, which libvirt puts into the name since 7.8; `undefined` where it does not show. */
      readonly parent: string | undefined;
    };

const PCI = /^([0-9a-f]{4,8})_([0-9a-f]{2})_([0-9a-f]{2})_([0-7])$/;
const SUBCHANNEL = /^([0-9a-f]{1,2})_([0-3])_([0-9a-f]{4})$/;
const MDEV = /^mdev_([0-9a-f]{8})_([0-9a-f]{4})_([0-9a-f]{4})_([0-9a-f]{4})_([0-9a-f]{12})(?:_(.+))?$/;

/**
 * The name of a parent as a libvirt node device: `pci_0000_3b_00_0`, `css_0_0_0052`, `ap_matrix`, `mtty_mtty`. libvirt
 * has no node device for other parents, such as those of the kernel's mdpy and mbochs: `unsupported`.
 * Source: libvirt, `src/node_device/node_device_udev.c`.
 *
 * @example
 * ```ts
 * import { parentNodeDeviceName } from "vfio-mdev/libvirt";
 *
 * console.log(parentNodeDeviceName({ id: "0000:3b:00.0" }).getOrThrow()); // prints: pci_0000_3b_00_0
 * console.log(parentNodeDeviceName({ id: "matrix" }).getOrThrow()); // prints: ap_matrix
 * ```
 */
export function parentNodeDeviceName(parent: Pick<ParentInfo, "id">): Result<string, UnsupportedError> {
  const { id } = parent;
  if (id === "matrix") return Result.ok("ap_matrix");
  if (id === "mtty") return Result.ok("mtty_mtty");
  const name = underscored(id);
  if (PCI.test(name) && id.includes(":")) return Result.ok(`pci_${name}`);
  if (SUBCHANNEL.test(name) && id.includes(".")) return Result.ok(`css_${name}`);
  const reason =
    "libvirt knows PCI devices, subchannels, the crypto matrix and mtty as parents, and no others";
  return Result.error(new UnsupportedError({ tried: `name ${id} for libvirt`, reason, missing: id }));
}

/**
 * The name of a mediated device as a libvirt node device: `mdev_<uuid>_<parent>` since libvirt 7.8, `mdev_<uuid>` before,
 * with every sign but letters and digits as `_`.
 * Source: libvirt, `nodeDeviceGenerateName` in `src/node_device/node_device_driver.c`.
 *
 * @param parent - the id of its parent; without one, the older form
 */
export function mdevNodeDeviceName(uuid: string, parent?: string): string {
  return `mdev_${underscored(parent === undefined ? uuid : `${uuid}_${parent}`)}`;
}

/**
 * Understands the name of a node device: of a mediated device in both forms, and of a parent. libvirt's names leave signs
 * out, so that they are only understood where what they stand for is certain: otherwise `invalid-argument`.
 */
export function parseNodeDeviceName(name: string): Result<NodeDeviceName, InvalidArgumentError> {
  const [, a, b, c, d, e, rest] = MDEV.exec(name) ?? [];
  if (a !== undefined) {
    const uuid = [a, b, c, d, e].join("-");
    const parent = rest === undefined ? undefined : parentOf(rest);
    return Result.ok(Object.freeze({ kind: "mdev", uuid, parent }));
  }
  const parent = name === "ap_matrix" ? "matrix" : parentOf(name.replace(/^(?:pci|css|mtty)_/, ""));
  if (parent !== undefined && underscored(name) === parentNodeDeviceName({ id: parent }).getOrNull())
    return Result.ok(Object.freeze({ kind: "parent", parent }));
  const reason = "it is neither that of a mediated device nor of a parent that libvirt knows";
  const tried = `understand the name ${JSON.stringify(name.slice(0, 80))} of a node device`;
  return Result.error(new InvalidArgumentError({ tried, reason }));
}

/** The id of a parent whose signs were replaced; `undefined` where that is not certain. */
function parentOf(name: string): string | undefined {
  if (name === "matrix" || name === "mtty") return name;
  const [, domain, bus, slot, fn] = PCI.exec(name) ?? [];
  if (domain !== undefined) return `${domain}:${bus ?? ""}:${slot ?? ""}.${fn ?? ""}`;
  return SUBCHANNEL.test(name) ? name.replaceAll("_", ".") : undefined;
}

function underscored(text: string): string {
  return text.replace(/[^A-Za-z0-9]/g, "_");
}
