import type { SimulatedAttribute, SimulatedParentOptions } from "../definitions.js";

const ADDRESS = /^([0-9a-f]{4}:[0-9a-f]{2}):[0-9a-f]{2}\.[0-7]$/u;

/** What a PCI function says of itself: numbers without `0x`, in lower case. */
export interface PciIdentity {
  readonly address: string;
  readonly vendor: string;
  readonly device: string;
  readonly subsystemVendor: string;
  readonly subsystemDevice: string;
  readonly class: string;
  readonly revision: string;
  readonly numaNode: number;
}

/** The part of a device that every PCI function has. */
export interface PciFunction extends Pick<
  SimulatedParentOptions,
  "path" | "subsystem" | "uevent" | "iommuGroup"
> {
  readonly attributes: Readonly<Record<string, SimulatedAttribute>>;
}

/** The device of a PCI function: `/sys/devices/pci0000:3b/0000:3b:00.0`. */
export function pciFunction(pci: PciIdentity): PciFunction {
  const bus = ADDRESS.exec(pci.address)?.[1];
  if (bus === undefined) throw new Error(`${pci.address} is no PCI address like 0000:3b:00.0`);
  const upper = (id: string): string => id.toUpperCase();
  const long = (id: string): string => upper(id).padStart(8, "0");
  const classes = [0, 2, 4].map((at) => pci.class.slice(at, at + 2));
  const modalias =
    `pci:v${long(pci.vendor)}d${long(pci.device)}sv${long(pci.subsystemVendor)}sd${long(pci.subsystemDevice)}` +
    `bc${upper(classes[0] ?? "")}sc${upper(classes[1] ?? "")}i${upper(classes[2] ?? "")}`;
  const says = (text: string): SimulatedAttribute => ({ read: () => `${text}\n` });
  return {
    path: `devices/pci${bus}/${pci.address}`,
    subsystem: "bus/pci",
    iommuGroup: true,
    uevent: [
      `PCI_CLASS=${upper(pci.class).replace(/^0+/u, "")}`,
      `PCI_ID=${upper(pci.vendor)}:${upper(pci.device)}`,
      `PCI_SUBSYS_ID=${upper(pci.subsystemVendor)}:${upper(pci.subsystemDevice)}`,
      `PCI_SLOT_NAME=${pci.address}`,
      `MODALIAS=${modalias}`,
    ],
    attributes: {
      vendor: says(`0x${pci.vendor}`),
      device: says(`0x${pci.device}`),
      subsystem_vendor: says(`0x${pci.subsystemVendor}`),
      subsystem_device: says(`0x${pci.subsystemDevice}`),
      class: says(`0x${pci.class}`),
      revision: says(`0x${pci.revision}`),
      numa_node: says(String(pci.numaNode)),
      modalias: says(modalias),
    },
  };
}

const FIRST_VIRTUAL = 4;

/** The address of a virtual function of NVIDIA's: the first is 4 functions behind the physical one, 8 to a device. */
export function virtualAddress(physical: string, index: number): string {
  const [domain = "", bus = "", device = "", function_ = ""] = physical.split(/[:.]/u);
  const hex = (number: number): string => number.toString(16).padStart(2, "0");
  const place =
    Number(`0x${bus}`) * 256 + Number(`0x${device}`) * 8 + Number(function_) + FIRST_VIRTUAL + index;
  return `${domain}:${hex(place >> 8)}:${hex((place >> 3) % 32)}.${place % 8}`;
}
