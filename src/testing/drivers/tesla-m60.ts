import { pciFunction, type PciFunction } from "./pci-function.js";

/** One of the two GPUs of a Tesla M60: the board of the proposals of 2016. */
export function teslaM60(address: string): PciFunction {
  return pciFunction({
    address,
    vendor: "10de",
    device: "13f2",
    subsystemVendor: "10de",
    subsystemDevice: "115e",
    class: "030000",
    revision: "a1",
    numaNode: -1,
  });
}
