import type { Element } from "@xmldom/xmldom";
import {
  DecodeError,
  InvalidArgumentError,
  type MdevDeviceInfo,
  type MdevTypeInfo,
  Result,
  UnsupportedError,
} from "../../index.js";
import { formatPciAddress, parsePciAddress, pciAddressFrom } from "./pci-address.js";
import { attributeOf, childOf, childrenOf, formatXml, parseXml, type XmlNode } from "./xml.js";

/**
 * libvirt's models of mediated devices: what the kernel calls `device_api`.
 * Source: libvirt, `docs/formatdomain.rst`.
 */
export type HostdevModel = "vfio-pci" | "vfio-ccw" | "vfio-ap";

/** A mediated device in the XML of a domain, `<hostdev type="mdev">`: plain, frozen data. */
export interface MdevHostdev {
  /** Always `mdev`. */
  readonly kind: "mdev";
  /** Its UUID. */
  readonly uuid: string;
  /** What it is to the virtual machine. */
  readonly model: HostdevModel;
  /** Whether its display is shown; `undefined`: libvirt's default, `off`. */
  readonly display: "on" | "off" | undefined;
  /** Whether it has a framebuffer to boot with; `undefined`: libvirt's default, `off`. */
  readonly ramfb: "on" | "off" | undefined;
  /** Where the virtual machine has it: `0000:00:03.0`, or for `vfio-ccw` `fe.0.0001`; `undefined`: libvirt chooses. */
  readonly address: string | undefined;
}

/**
 * A PCI function in the XML of a domain, `<hostdev type="pci">`: a vGPU of NVIDIA's vendor interface, or anything else.
 * Plain, frozen data.
 */
export interface PciHostdev {
  /** Always `pci`. */
  readonly kind: "pci";
  /** Its address on the host: `0000:41:00.5`. */
  readonly host: string;
  /** Whether libvirt takes it from its driver and gives it back. It must not for a vGPU. */
  readonly managed: boolean;
  /** Where the virtual machine has it: `0000:00:03.0`; `undefined`: libvirt chooses. */
  readonly address: string | undefined;
}

/**
 * A device of the host in the XML of a domain.
 * Source: libvirt, `docs/formatdomain.rst`, "Host device assignment"; its schema `domaincommon.rng`.
 */
export type Hostdev = MdevHostdev | PciHostdev;

/** How a domain gets a device. What is not given is left to libvirt. */
export interface HostdevOptions {
  /** Of `vfio-pci`: whether its display is shown. The domain needs a `<graphics>` then. */
  readonly display?: "on" | "off" | undefined;
  /** Of `vfio-pci`, with a display: a framebuffer to boot with. */
  readonly ramfb?: "on" | "off" | undefined;
  /** Where the virtual machine has it: `0000:00:03.0`, or for `vfio-ccw` `fe.0.0001`. */
  readonly address?: string | undefined;
}

/** What {@link hostdev} can end in: `invalid-argument` or `unsupported`. */
export type HostdevError = InvalidArgumentError | UnsupportedError;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const CCW = /^(fe)\.([0-3])\.([0-9a-f]{4})$/;
const MODELS: ReadonlySet<unknown> = new Set(["vfio-pci", "vfio-ccw", "vfio-ap"]);

/**
 * What a domain's `<devices>` has to hold for a device. The model is its type's `device_api`, never a guess at the type's
 * name. A vGPU of NVIDIA's vendor interface becomes a PCI function that libvirt must not manage.
 *
 * `unsupported`: the device API is unknown or libvirt has no model for it, or the model has no such option.
 * `invalid-argument`: a value that libvirt or QEMU would refuse.
 * Source: libvirt, `docs/formatdomain.rst`, "Host device assignment".
 *
 * @param device - what `MdevDevice.read()` or a snapshot says of the device
 * @param type - what `MdevType.read()` or a snapshot says of its type
 *
 * @example
 * ```ts
 * import { formatHostdev, hostdev } from "vfio-mdev/libvirt";
 *
 * const vgpu = hostdev({ id: "0000:41:00.5" }, { deviceApi: "vfio-pci" }).getOrThrow();
 * console.log(formatHostdev(vgpu).split("\n")[0]); // prints: <hostdev mode="subsystem" type="pci" managed="no">
 * ```
 */
export function hostdev(
  device: Pick<MdevDeviceInfo, "id">,
  type: Pick<MdevTypeInfo, "deviceApi">,
  options: HostdevOptions = {},
): Result<Hostdev, HostdevError> {
  const id = device.id.toLowerCase();
  const tried = `give ${id} to libvirt`;
  const invalid = (reason: string): Result<never, InvalidArgumentError> =>
    Result.error(new InvalidArgumentError({ tried, reason }));
  const unsupported = (missing: string, reason: string): Result<never, UnsupportedError> =>
    Result.error(new UnsupportedError({ tried, reason, missing }));

  const isFunction = parsePciAddress(id) !== undefined;
  if (!isFunction && !UUID.test(id)) return invalid("its id is neither a UUID nor a PCI address");
  const model = type.deviceApi;
  if (model === undefined)
    return unsupported("device_api", "its type does not tell what it is to a virtual machine");
  if (!isModel(model)) return unsupported(model, `libvirt has no model for mediated devices of ${model}`);
  if (isFunction && model !== "vfio-pci") return invalid(`a PCI function is no ${model}`);

  const { display, ramfb } = options;
  for (const [name, value] of Object.entries({ display, ramfb })) {
    if (value === undefined) continue;
    if (isFunction || model !== "vfio-pci")
      return unsupported(name, `libvirt has no ${name} for ${isFunction ? "a PCI function" : model}`);
    if (!["on", "off"].includes(value)) return invalid(`the ${name} is not on or off`);
  }
  if (ramfb === "on" && display !== "on") return invalid("ramfb takes a display that is on");
  const address = options.address?.toLowerCase();
  if (address !== undefined && model === "vfio-ap")
    return unsupported("address", "libvirt has no address for vfio-ap");
  if (
    address !== undefined &&
    !(model === "vfio-ccw" ? CCW.test(address) : parsePciAddress(address) !== undefined)
  )
    return invalid(`the address is none such as ${model === "vfio-ccw" ? "fe.0.0001" : "0000:00:03.0"}`);
  return Result.ok(
    Object.freeze(
      isFunction
        ? { kind: "pci", host: id, managed: false, address }
        : { kind: "mdev", uuid: id, model, display, ramfb, address },
    ),
  );
}

/** The XML of a device in a domain's `<devices>`, as `virsh attach-device` takes it too. */
export function formatHostdev(device: Hostdev): string {
  const address = device.address === undefined ? undefined : addressNode(device.address);
  if (device.kind === "pci") {
    const attributes = { mode: "subsystem", type: "pci", managed: device.managed ? "yes" : "no" };
    const source = { name: "address", attributes: formatPciAddress(device.host) };
    return formatXml({
      name: "hostdev",
      attributes,
      children: [{ name: "source", children: [source] }, address],
    });
  }
  const { uuid, model, display, ramfb } = device;
  const attributes = { mode: "subsystem", type: "mdev", managed: "no", model, display, ramfb };
  const source = { name: "address", attributes: { uuid } };
  return formatXml({
    name: "hostdev",
    attributes,
    children: [{ name: "source", children: [source] }, address],
  });
}

/**
 * The mediated devices and PCI functions that a domain has, in their order; from the XML of a domain, of its `<devices>`, or of
 * one `<hostdev>`. Other devices are left out. `decode`: it is no such XML, or one of these devices has a UUID, a model, an
 * address or a switch that is none.
 */
export function parseHostdevs(xml: string): Result<readonly Hostdev[], DecodeError> {
  const refuse = (reason: string): Result<never, DecodeError> =>
    Result.error(new DecodeError({ tried: "find the devices of a domain in its XML", reason, raw: xml }));
  const parsed = parseXml(xml);
  if (!parsed.ok) return refuse(`it ${parsed.error}`);
  const root = parsed.value;
  const lists = root.nodeName === "domain" ? childrenOf(root, "devices") : [root];
  const elements =
    root.nodeName === "hostdev" ? [root] : lists.flatMap((list) => childrenOf(list, "hostdev"));
  if (!["domain", "devices", "hostdev"].includes(root.nodeName)) return refuse("it is none of a domain");
  const found: Hostdev[] = [];
  for (const element of elements) {
    const device = hostdevFrom(element);
    if (typeof device === "string") return refuse(device);
    if (device !== undefined) found.push(device);
  }
  return Result.ok(Object.freeze(found));
}

function hostdevFrom(element: Element): Hostdev | string | undefined {
  const source = childOf(childOf(element, "source"), "address");
  const address = guestAddress(childOf(element, "address"));
  switch (attributeOf(element, "type")) {
    case "mdev": {
      const uuid = attributeOf(source, "uuid")?.toLowerCase() ?? "";
      const model = attributeOf(element, "model");
      if (!UUID.test(uuid)) return "a mediated device has no UUID";
      if (!isModel(model)) return `${uuid} has no model that is known`;
      const [display, ramfb] = [attributeOf(element, "display"), attributeOf(element, "ramfb")];
      if (!isSwitch(display) || !isSwitch(ramfb))
        return `${uuid} has a display or a ramfb that is not on or off`;
      return Object.freeze({ kind: "mdev", uuid, model, display, ramfb, address });
    }
    case "pci": {
      const host = addressFrom(source);
      if (host === undefined) return "a PCI function has no address";
      return Object.freeze({
        kind: "pci",
        host,
        managed: attributeOf(element, "managed") === "yes",
        address,
      });
    }
    default:
      return undefined;
  }
}

function addressNode(address: string): XmlNode {
  const [, cssid, ssid, devno] = CCW.exec(address) ?? [];
  if (cssid === undefined)
    return { name: "address", attributes: { type: "pci", ...formatPciAddress(address) } };
  const attributes = { type: "ccw", cssid: `0x${cssid}`, ssid: `0x${ssid ?? ""}`, devno: `0x${devno ?? ""}` };
  return { name: "address", attributes };
}

/** Where a virtual machine has it; `undefined` for addresses of other kinds. */
function guestAddress(element: Element | undefined): string | undefined {
  if (attributeOf(element, "type") === "pci") return addressFrom(element);
  if (attributeOf(element, "type") !== "ccw") return undefined;
  const [cssid, ssid, devno] = ["cssid", "ssid", "devno"].map((name) =>
    Number(attributeOf(element, name)).toString(16),
  );
  const address = `${cssid ?? ""}.${ssid ?? ""}.${(devno ?? "").padStart(4, "0")}`;
  return CCW.test(address) ? address : undefined;
}

function addressFrom(element: Element | undefined): string | undefined {
  const part = (name: string) => attributeOf(element, name);
  return pciAddressFrom({
    domain: part("domain"),
    bus: part("bus"),
    slot: part("slot"),
    function: part("function"),
  });
}

function isModel(model: string | undefined): model is HostdevModel {
  return MODELS.has(model);
}

function isSwitch(value: string | undefined): value is "on" | "off" | undefined {
  return value === undefined || value === "on" || value === "off";
}
