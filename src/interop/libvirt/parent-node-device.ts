import type { Element } from "@xmldom/xmldom";
import {
  DecodeError,
  InvalidArgumentError,
  type MdevTypeInfo,
  type ParentInfo,
  type PciFacts,
  Result,
} from "../../index.js";
import type { NodeDeviceError } from "./mdev-node-device.js";
import { parentNodeDeviceName } from "./node-device-name.js";
import { formatPciAddress, parsePciAddress, pciAddressFrom } from "./pci-address.js";
import {
  attributeOf,
  childOf,
  childrenOf,
  formatXml,
  isWritable,
  parseXml,
  textOf,
  type XmlNode,
} from "./xml.js";

/** What libvirt says of a type of mediated devices: the texts of its files `name` and `device_api`, and how many are available. */
export type NodeDeviceType = Pick<MdevTypeInfo, "id" | "name" | "deviceApi" | "availableInstances">;

/**
 * A parent of mediated devices as a libvirt node device: plain, frozen data.
 * Source: libvirt, `docs/formatnode.rst`, `src/node_device/node_device_udev.c`; its schema `nodedev.rng`.
 */
export interface ParentNodeDevice {
  /** Always `parent`. */
  readonly kind: "parent";
  /** The node device's name: `pci_0000_3b_00_0`. */
  readonly name: string;
  /** Its id in sysfs, as `Parent.id` has it. */
  readonly id: string;
  /** Its folder in sysfs; `undefined` where the XML does not say. */
  readonly path: string | undefined;
  /** The name of the node device above it; `computer` is the top. `undefined` where the XML does not say. */
  readonly parent: string | undefined;
  /** The driver that has it, `nvidia`; `undefined` where none does. */
  readonly driver: string | undefined;
  /** What libvirt says of a PCI device, the rest of it `undefined`; `undefined` as a whole for other parents. */
  readonly pci: PciFacts | undefined;
  /** The number of the NUMA node that it is near to; `undefined` where none is known. */
  readonly numaNode: number | undefined;
  /** Its types. */
  readonly types: readonly NodeDeviceType[];
}

const APIS: ReadonlySet<string | undefined> = new Set(["vfio-pci", "vfio-ccw", "vfio-ap"]);

/**
 * A parent with its types, as `virsh nodedev-dumpxml` shows it: a PCI device, a subchannel, the crypto matrix, or mtty. A type that
 * does not tell its device API or its available instances is left out: libvirt demands both. `unsupported` where libvirt has no
 * node device for such a parent, `invalid-argument` where a PCI device does not tell its ids.
 *
 * @param parent - what `Parent.read()` says
 * @param types - what `MdevType.read()` says of its types
 */
export function parentNodeDevice(
  parent: Pick<ParentInfo, "id" | "path" | "driver" | "pci" | "numaNode">,
  types: readonly NodeDeviceType[],
): Result<ParentNodeDevice, NodeDeviceError> {
  const { id, path, driver, pci, numaNode } = parent;
  const name = parentNodeDeviceName(parent);
  if (!name.ok) return Result.error(name.error);
  const invalid = (reason: string): Result<never, InvalidArgumentError> =>
    Result.error(new InvalidArgumentError({ tried: `describe ${id} to libvirt`, reason }));
  if (name.value.startsWith("pci_") && (pci?.vendor === undefined || pci.device === undefined))
    return invalid("its PCI ids do not show");
  const told = types.filter((type) => APIS.has(type.deviceApi) && type.availableInstances !== undefined);
  for (const text of [path, driver ?? "", ...told.flatMap((type) => [type.id, type.name ?? ""])])
    if (!isWritable(text)) return invalid("a name holds a character that XML cannot carry");
  const above = path.split("/").at(-2) ?? "";
  const bridge = parsePciAddress(above) === undefined ? undefined : parentNodeDeviceName({ id: above });
  return Result.ok(
    Object.freeze({
      kind: "parent",
      name: name.value,
      id,
      path,
      parent: bridge?.getOrNull() ?? "computer",
      driver,
      pci,
      numaNode,
      types: Object.freeze(
        told.map(({ id: type, name: called, deviceApi, availableInstances }) =>
          Object.freeze({ id: type, name: called, deviceApi, availableInstances }),
        ),
      ),
    }),
  );
}

/** The XML of a parent, as libvirt writes it. libvirt reads none: parents come from the kernel. */
export function formatParentNodeDevice(device: ParentNodeDevice): string {
  const { name, path, parent, driver } = device;
  const leaf = (element: string, text: string | undefined) =>
    text === undefined ? undefined : { name: element, text };
  return formatXml({
    name: "device",
    children: [
      leaf("name", name),
      leaf("path", path),
      leaf("parent", parent),
      driver === undefined ? undefined : { name: "driver", children: [{ name: "name", text: driver }] },
      capabilityNode(device),
    ],
  });
}

function capabilityNode(device: ParentNodeDevice): XmlNode {
  const { id, types } = device;
  const offers: XmlNode | undefined = types.length === 0 ? undefined : typesNode(types);
  const capability = (type: string, children: readonly (XmlNode | undefined)[]): XmlNode => ({
    name: "capability",
    attributes: { type },
    children,
  });
  if (device.pci !== undefined) return capability("pci", pciNodes(device, device.pci, offers));
  const [cssid, ssid, devno] = id.split(".");
  if (cssid !== undefined && ssid !== undefined && devno !== undefined) {
    const address = { cssid: `0x${cssid}`, ssid: `0x${ssid}`, devno: `0x${devno}` };
    return capability("css", [...Object.entries(address).map(([name, text]) => ({ name, text })), offers]);
  }
  return capability(id === "matrix" ? "ap_matrix" : "mdev_types", [offers]);
}

function pciNodes(
  { id, numaNode }: ParentNodeDevice,
  pci: PciFacts,
  offers: XmlNode | undefined,
): (XmlNode | undefined)[] {
  const parts = parsePciAddress(id);
  const hex = (value: number | undefined, width: number) =>
    `0x${(value ?? 0).toString(16).padStart(width, "0")}`;
  const { sriov } = pci;
  return [
    pci.class === undefined ? undefined : { name: "class", text: hex(pci.class, 6) },
    ...Object.entries(parts ?? {}).map(([name, text]) => ({ name, text })),
    { name: "product", attributes: { id: hex(pci.device, 4) } },
    { name: "vendor", attributes: { id: hex(pci.vendor, 4) } },
    sriov?.role === "virtual"
      ? {
          name: "capability",
          attributes: { type: "phys_function" },
          children: [addressNode(sriov.physicalFunction)],
        }
      : undefined,
    sriov?.role === "physical"
      ? {
          name: "capability",
          attributes: { type: "virt_functions", maxCount: sriov.total },
          children: sriov.virtualFunctions.map(addressNode),
        }
      : undefined,
    offers,
    numaNode === undefined ? undefined : { name: "numa", attributes: { node: numaNode } },
  ];
}

function addressNode(address: string): XmlNode {
  return { name: "address", attributes: formatPciAddress(address) };
}

function typesNode(types: readonly NodeDeviceType[]): XmlNode {
  return {
    name: "capability",
    attributes: { type: "mdev_types" },
    children: types.map(({ id, name, deviceApi, availableInstances = 0 }) => ({
      name: "type",
      attributes: { id },
      children: [
        name === undefined ? undefined : { name: "name", text: name },
        { name: "deviceAPI", text: deviceApi },
        { name: "availableInstances", text: Math.max(0, availableInstances) },
      ],
    })),
  };
}

/**
 * Understands the XML of a node device that can be a parent of mediated devices; one without types offers none.
 * `decode`: it is no such XML, or has an address, a type or a number that is none.
 */
export function parseParentNodeDevice(xml: string): Result<ParentNodeDevice, DecodeError> {
  const refuse = (reason: string): Result<never, DecodeError> =>
    Result.error(new DecodeError({ tried: "understand libvirt's XML of a parent", reason, raw: xml }));
  const parsed = parseXml(xml);
  if (!parsed.ok) return refuse(`it ${parsed.error}`);
  const device = parsed.value;
  const name = textOf(device, "name");
  const capability = childrenOf(device, "capability").find((element) =>
    ["pci", "css", "ap_matrix", "mdev_types"].includes(attributeOf(element, "type") ?? ""),
  );
  if (device.nodeName !== "device" || name === undefined || capability === undefined)
    return refuse("it is none of a parent of mediated devices");
  const id = idOf(capability);
  if (id === undefined) return refuse("its address is none");
  const types = typesFrom(capability);
  if (typeof types === "string") return refuse(types);
  const numa = attributeOf(childOf(capability, "numa"), "node");
  const numaNode = numberFrom(numa);
  return Result.ok(
    Object.freeze({
      kind: "parent",
      name,
      id,
      path: textOf(device, "path"),
      parent: textOf(device, "parent"),
      driver: textOf(childOf(device, "driver"), "name"),
      pci: attributeOf(capability, "type") === "pci" ? pciFrom(capability, id) : undefined,
      numaNode,
      types,
    }),
  );
}

/** Its id in sysfs, from what the capability says of its address. */
function idOf(capability: Element): string | undefined {
  switch (attributeOf(capability, "type")) {
    case "pci": {
      const part = (name: string) => textOf(capability, name);
      return pciAddressFrom({
        domain: part("domain"),
        bus: part("bus"),
        slot: part("slot"),
        function: part("function"),
      });
    }
    case "css": {
      const [cssid, ssid, devno] = ["cssid", "ssid", "devno"].map((name) =>
        numberFrom(textOf(capability, name)),
      );
      if (cssid === undefined || ssid === undefined || devno === undefined) return undefined;
      return `${cssid.toString(16)}.${ssid}.${devno.toString(16).padStart(4, "0")}`;
    }
    case "ap_matrix":
      return "matrix";
    default:
      return "mtty"; // the one parent that libvirt shows like this
  }
}

function typesFrom(capability: Element): readonly NodeDeviceType[] | string {
  const offers = childrenOf(capability, "capability").filter(
    (element) => attributeOf(element, "type") === "mdev_types",
  );
  const types: NodeDeviceType[] = [];
  for (const element of offers.flatMap((offer) => childrenOf(offer, "type"))) {
    const id = attributeOf(element, "id");
    const available = textOf(element, "availableInstances");
    const availableInstances = numberFrom(available);
    if (id === undefined) return "it has a type without id";
    if (available !== undefined && availableInstances === undefined)
      return `the type ${JSON.stringify(id)} has no number of available instances`;
    const [name, deviceApi] = [textOf(element, "name"), textOf(element, "deviceAPI")];
    types.push(Object.freeze({ id, name, deviceApi, availableInstances }));
  }
  return Object.freeze(types);
}

function pciFrom(capability: Element, address: string): PciFacts {
  const inner = (type: string) =>
    childrenOf(capability, "capability").find((element) => attributeOf(element, "type") === type);
  const addresses = (element: Element | undefined) =>
    (element === undefined ? [] : childrenOf(element, "address")).flatMap((node) => {
      const part = (name: string) => attributeOf(node, name);
      const parts = {
        domain: part("domain"),
        bus: part("bus"),
        slot: part("slot"),
        function: part("function"),
      };
      return pciAddressFrom(parts) ?? [];
    });
  const [physicalFunction] = addresses(inner("phys_function"));
  const functions = inner("virt_functions");
  const virtualFunctions = Object.freeze(addresses(functions));
  const total = numberFrom(attributeOf(functions, "maxCount"));
  const physical = { role: "physical", total, enabled: virtualFunctions.length, virtualFunctions } as const;
  return Object.freeze({
    address,
    vendor: numberFrom(attributeOf(childOf(capability, "vendor"), "id")),
    device: numberFrom(attributeOf(childOf(capability, "product"), "id")),
    subsystemVendor: undefined,
    subsystemDevice: undefined,
    class: numberFrom(textOf(capability, "class")),
    revision: undefined,
    sriov:
      physicalFunction !== undefined
        ? Object.freeze({ role: "virtual", physicalFunction })
        : functions !== undefined
          ? Object.freeze(physical)
          : undefined,
  });
}

function numberFrom(text: string | undefined): number | undefined {
  return text !== undefined && /^(?:0x[0-9a-f]{1,8}|[0-9]{1,9})$/i.test(text) ? Number(text) : undefined;
}
