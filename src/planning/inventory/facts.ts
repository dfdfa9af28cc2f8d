import { type AttributeDescriptor, type Codec, hexadecimal, integer, readOnly, Result } from "../../index.js";

// The kernel writes -1 where it knows of no node.
const node: Codec<number | undefined> = {
  decode: (raw) => integer.decode(raw).map((number) => (number < 0 ? undefined : number)),
  encode: (number) => integer.encode(number ?? -1),
};

const address: Codec<string> = {
  decode: (raw) => {
    const found = /^PCI_SLOT_NAME=(\S+)$/m.exec(raw)?.[1];
    return found === undefined ? Result.error("has no line PCI_SLOT_NAME=") : Result.ok(found);
  },
  encode: (value) => Result.ok(`PCI_SLOT_NAME=${value}`),
};

/**
 * What planning knows of parents beside what is in every snapshot, by the names that {@link planningFacts} gives them. Source:
 * Linux, `Documentation/ABI/testing/sysfs-bus-pci`.
 */
export interface ParentFacts {
  /** The card of a virtual function, as a PCI address: `PCI_SLOT_NAME` in the file `physfn/uevent`. */
  readonly physicalFunction: AttributeDescriptor<string, "ro">;
  /** The NUMA node: the file `numa_node`; `undefined` where that says -1. */
  readonly numaNode: AttributeDescriptor<number | undefined, "ro">;
  /** The PCI vendor id: the file `vendor`. */
  readonly vendor: AttributeDescriptor<number, "ro">;
  /** The PCI device id: the file `device`. */
  readonly device: AttributeDescriptor<number, "ro">;
  /** The PCI vendor id of the board: the file `subsystem_vendor`. */
  readonly subsystemVendor: AttributeDescriptor<number, "ro">;
  /** The PCI id of the board: the file `subsystem_device`. */
  readonly subsystemDevice: AttributeDescriptor<number, "ro">;
}

/**
 * What a snapshot has to include so that cards, NUMA nodes and PCI ids can be planned with:
 * `host.snapshot({ include: planningFacts })`. Without it each parent is a card of its own.
 */
export const planningFacts: {
  /** The attributes of each parent. */
  readonly parents: ParentFacts & Record<string, AttributeDescriptor<unknown, "ro">>;
} = {
  parents: {
    physicalFunction: readOnly("physfn/uevent", address),
    numaNode: readOnly("numa_node", node),
    vendor: readOnly("vendor", hexadecimal),
    device: readOnly("device", hexadecimal),
    subsystemVendor: readOnly("subsystem_vendor", hexadecimal),
    subsystemDevice: readOnly("subsystem_device", hexadecimal),
  },
};
