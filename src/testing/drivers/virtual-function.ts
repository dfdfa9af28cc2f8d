import { Errno } from "../errno.js";
import type { BusDeviceOptions } from "../kernel/bus-device.js";
import type { Directory } from "../kernel/kernfs.js";
import { kstrtoul } from "../kernel/kstrtoul.js";

/** A virtual function of an SR-IOV card, with whatever its driver makes of it. */
export interface VirtualFunction {
  readonly folder: Directory;
  /** The type of the vGPU that it has. */
  readonly typeId: string | undefined;
  /** Creates a vGPU at once, and gives its name. Throws where the driver would refuse. */
  create(typeId: string, uuid?: string): string;
  /** Removes the vGPU at once. Throws where the driver would refuse or block. */
  remove(): void;
  /** Takes the function out of the tree; waits while it is open. */
  unplug(): Promise<void>;
}

/** What a virtual function is made of: a PCI function, and a count of its resets. */
export interface VirtualFunctionOptions {
  readonly device: BusDeviceOptions;
  readonly physical: Directory;
  readonly onReset: () => void;
}

/** The file `reset` of a PCI function (`drivers/pci/pci.c`, `reset_store`) and the link `physfn`. */
export function addVirtualFiles(
  folder: Directory,
  { physical, onReset }: Pick<VirtualFunctionOptions, "physical" | "onReset">,
): void {
  folder.link("physfn", physical);
  folder.file("reset", 0o200, {
    write: (text) => {
      if (kstrtoul(text) !== 1n) throw new Errno("EINVAL");
      onReset();
    },
  });
}
