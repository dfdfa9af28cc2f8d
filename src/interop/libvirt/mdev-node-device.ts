import {
  DecodeError,
  InvalidArgumentError,
  type MdevDeviceInfo,
  type MdevTypeInfo,
  Result,
  type UnsupportedError,
} from "../../index.js";
import { mdevNodeDeviceName, parentNodeDeviceName } from "./node-device-name.js";
import { attributeOf, childOf, childrenOf, formatXml, isWritable, parseXml, textOf } from "./xml.js";

/** An attribute that libvirt has mdevctl write to a new device: its name below the device, and the exact text. */
export type NodeDeviceAttribute = readonly [name: string, value: string];

/**
 * A mediated device as a libvirt node device: plain, frozen data.
 * Source: libvirt, `docs/formatnode.rst`; its schema `nodedev.rng`.
 */
export interface MdevNodeDevice {
  /** Always `mdev`. */
  readonly kind: "mdev";
  /** The node device's name, as {@link mdevNodeDeviceName} makes it; `undefined` where libvirt is to make one. */
  readonly name: string | undefined;
  /** Its folder in sysfs; `undefined` but for a device that there is. */
  readonly path: string | undefined;
  /** The name of the parent's node device: `pci_0000_3b_00_0`. */
  readonly parent: string;
  /** The id of its parent in sysfs, `parent_addr`; libvirt writes it since 7.8, and does not read it. */
  readonly parentAddress: string | undefined;
  /** The driver that has it, `vfio_mdev`; `undefined` where none does. */
  readonly driver: string | undefined;
  /** The id of its type: `nvidia-156`. */
  readonly type: string;
  /** Its UUID; `undefined`: libvirt is to choose one. libvirt before 7.3 never says it, but for the name. */
  readonly uuid: string | undefined;
  /** The number of its IOMMU group; `undefined` where it shows none. */
  readonly iommuGroup: number | undefined;
  /** Attributes in the order of writing. The same name may come again, as vfio-ap's `assign_adapter` does. */
  readonly attributes: readonly NodeDeviceAttribute[];
}

/** A device for libvirt to define or to create. */
export interface MdevNodeDeviceOptions {
  /** Its UUID; without one, libvirt chooses. */
  readonly uuid?: string | undefined;
  /** What is written to it after it was made, in this order. */
  readonly attributes?: readonly NodeDeviceAttribute[] | undefined;
}

/**
 * What making a node device can end in: `invalid-argument`, a value that libvirt or XML does not take; `unsupported`, a
 * parent that libvirt has no node device for.
 */
export type NodeDeviceError = InvalidArgumentError | UnsupportedError;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
// libvirt calls it so itself until it knows better; its schema asks for a name, and its parser does not read it.
const UNNAMED = "new device";

/**
 * A device that there is, as `virsh nodedev-dumpxml` shows it. Where libvirt has no node device for its parent, the next one
 * above stands for it; the top is `computer`. `invalid-argument` where it has no UUID (a vGPU of NVIDIA's vendor interface is
 * a PCI function to libvirt) or no type yet.
 *
 * @param device - what `MdevDevice.read()` says
 * @param attributes - what libvirt would show of its definition; the kernel does not tell
 */
export function mdevNodeDevice(
  device: Pick<MdevDeviceInfo, "id" | "path" | "parent" | "type" | "driver" | "iommuGroup">,
  attributes: readonly NodeDeviceAttribute[] = [],
): Result<MdevNodeDevice, NodeDeviceError> {
  const { id, path, driver, iommuGroup } = device;
  const tried = `describe ${id} to libvirt`;
  if (!UUID.test(id)) return invalid(tried, "it has no UUID, so that it is no mediated device to libvirt");
  if (device.type === undefined) return invalid(tried, "its type does not show");
  const above = [device.parent, ...path.split("/").reverse()];
  const names = above.map((name) => parentNodeDeviceName({ id: name }).getOrNull());
  return assemble(
    tried,
    {
      name: mdevNodeDeviceName(id, device.parent),
      path,
      parent: names.find((name) => name !== null) ?? "computer",
      parentAddress: device.parent,
      driver,
      type: device.type,
      uuid: id,
      iommuGroup,
    },
    attributes,
  );
}

/**
 * A device to be: for `virsh nodedev-define` (libvirt 7.3 and later, with mdevctl), which keeps it, or `virsh nodedev-create` (6.5), which does not.
 * `unsupported` where libvirt has no node device for the parent; `invalid-argument`: the UUID or an attribute is none.
 *
 * @param type - what `MdevType.read()` says of its type
 *
 * @example
 * ```ts
 * import { formatMdevNodeDevice, newMdevNodeDevice } from "vfio-mdev/libvirt";
 *
 * const device = newMdevNodeDevice(
 *   { id: "vfio_ap-passthrough", parent: "matrix" },
 *   { uuid: "11f92c9d-b0b0-4016-b306-a8071277f8b9", attributes: [["assign_adapter", "5"]] },
 * ).getOrThrow();
 * console.log(device.parent, device.name); // prints: ap_matrix mdev_11f92c9d_b0b0_4016_b306_a8071277f8b9_matrix
 * console.log(formatMdevNodeDevice(device).includes(`<attr name="assign_adapter" value="5"/>`)); // prints: true
 * ```
 */
export function newMdevNodeDevice(
  type: Pick<MdevTypeInfo, "id" | "parent">,
  options: MdevNodeDeviceOptions = {},
): Result<MdevNodeDevice, NodeDeviceError> {
  const tried = `describe a new ${type.id} to libvirt`;
  const uuid = options.uuid?.toLowerCase();
  if (uuid !== undefined && !UUID.test(uuid)) return invalid(tried, "the UUID is none");
  const parent = parentNodeDeviceName({ id: type.parent });
  if (!parent.ok) return Result.error(parent.error);
  return assemble(
    tried,
    {
      name: uuid === undefined ? undefined : mdevNodeDeviceName(uuid, type.parent),
      path: undefined,
      parent: parent.value,
      parentAddress: undefined,
      driver: undefined,
      type: type.id,
      uuid,
      iommuGroup: undefined,
    },
    options.attributes ?? [],
  );
}

/** The XML of a node device, as `nodedev-dumpxml` shows it, and `nodedev-define` and `nodedev-create` take it. */
export function formatMdevNodeDevice(device: MdevNodeDevice): string {
  const { name = UNNAMED, path, driver, type, uuid, parentAddress, iommuGroup } = device;
  const attributes = device.attributes.map(([key, value]) => ({
    name: "attr",
    attributes: { name: key, value },
  }));
  const leaf = (element: string, text: string | undefined) =>
    text === undefined ? undefined : { name: element, text };
  return formatXml({
    name: "device",
    children: [
      leaf("name", name),
      leaf("path", path),
      leaf("parent", device.parent),
      driver === undefined ? undefined : { name: "driver", children: [{ name: "name", text: driver }] },
      {
        name: "capability",
        attributes: { type: "mdev" },
        children: [
          { name: "type", attributes: { id: type } },
          leaf("uuid", uuid),
          leaf("parent_addr", parentAddress),
          iommuGroup === undefined ? undefined : { name: "iommuGroup", attributes: { number: iommuGroup } },
          ...attributes,
        ],
      },
    ],
  });
}

/**
 * Understands the XML of a mediated device; libvirt before 7.3 has its UUID in the name alone. `decode`: it is no such
 * XML, lacks a type or a parent, or has a UUID, an IOMMU group or an attribute that is none.
 */
export function parseMdevNodeDevice(xml: string): Result<MdevNodeDevice, DecodeError> {
  const refuse = (reason: string): Result<never, DecodeError> =>
    Result.error(
      new DecodeError({ tried: "understand libvirt's XML of a mediated device", reason, raw: xml }),
    );
  const parsed = parseXml(xml);
  if (!parsed.ok) return refuse(`it ${parsed.error}`);
  const device = parsed.value;
  const capability = childrenOf(device, "capability").find(
    (element) => attributeOf(element, "type") === "mdev",
  );
  if (device.nodeName !== "device" || capability === undefined)
    return refuse("it is none of a mediated device");
  const type = attributeOf(childOf(capability, "type"), "id");
  const parent = textOf(device, "parent");
  if (type === undefined || type === "") return refuse("it has no type");
  if (parent === undefined || parent === "") return refuse("it has no parent");
  const name = textOf(device, "name");
  const fromName = /^mdev_(.{8})_(.{4})_(.{4})_(.{4})_(.{12})(?:_|$)/
    .exec(name ?? "")
    ?.slice(1)
    .join("-");
  const uuid = (textOf(capability, "uuid") ?? fromName)?.toLowerCase();
  if (uuid !== undefined && !UUID.test(uuid)) return refuse("its UUID is none");
  const group = attributeOf(childOf(capability, "iommuGroup"), "number");
  if (group !== undefined && !/^[0-9]{1,9}$/.test(group)) return refuse("its IOMMU group is no number");
  const path = textOf(device, "path");
  const attributes: NodeDeviceAttribute[] = [];
  for (const element of childrenOf(capability, "attr")) {
    const [key, value] = [attributeOf(element, "name"), attributeOf(element, "value")];
    if (key === undefined || value === undefined) return refuse("it has an attribute without name or value");
    attributes.push(Object.freeze([key, value] as const));
  }
  return Result.ok(
    Object.freeze({
      kind: "mdev",
      name: name === UNNAMED ? undefined : name,
      path,
      parent,
      parentAddress: textOf(capability, "parent_addr"),
      driver: textOf(childOf(device, "driver"), "name"),
      type,
      uuid,
      // Of a device that is not there, libvirt says 0.
      iommuGroup: group === undefined || path === undefined ? undefined : Number(group),
      attributes: Object.freeze(attributes),
    }),
  );
}

function assemble(
  tried: string,
  facts: Omit<MdevNodeDevice, "kind" | "attributes">,
  attributes: readonly NodeDeviceAttribute[],
): Result<MdevNodeDevice, NodeDeviceError> {
  for (const [name, value] of attributes) {
    if (!/^[^/\s][^\s]*$/.test(name) || name.split("/").includes(".."))
      return invalid(tried, `${JSON.stringify(name)} is no name of an attribute`);
    if (!isWritable(value))
      return invalid(tried, `the value of ${name} holds a character that XML cannot carry`);
  }
  const { type, path = "", driver = "" } = facts;
  for (const text of [type, path, driver, ...attributes.map(([name]) => name)]) {
    if (!isWritable(text)) return invalid(tried, "a name holds a character that XML cannot carry");
  }
  const frozen = attributes.map(([name, value]) => Object.freeze([name, value] as const));
  return Result.ok(Object.freeze({ kind: "mdev", ...facts, attributes: Object.freeze(frozen) }));
}

function invalid(tried: string, reason: string): Result<never, InvalidArgumentError> {
  return Result.error(new InvalidArgumentError({ tried, reason }));
}
