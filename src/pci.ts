import type { AttributeOwner } from "./attributes/access.js";
import { hexadecimal, integer, text } from "./attributes/codec.js";
import { readOnly } from "./attributes/descriptor.js";
import type { Io } from "./file-system/io.js";
import { inNaturalOrder, isVirtualFunctionLink } from "./identifiers.js";
import { type Inspection, linkValue } from "./inspection.js";

/**
 * What the PCI bus says of a parent; a file that is not there is `undefined`. Source: Linux,
 * `Documentation/ABI/testing/sysfs-bus-pci`.
 */
export interface PciFacts {
  /** Where it is, the name of its folder: `0000:3b:00.0`, domain, bus, device and function in hexadecimal. */
  readonly address: string;
  /** The PCI vendor id, 16 bits: the file `vendor`; 0x10de is NVIDIA. */
  readonly vendor: number | undefined;
  /** The PCI device id, 16 bits: the file `device`. */
  readonly device: number | undefined;
  /** The PCI vendor id of the board's maker, 16 bits: the file `subsystem_vendor`. */
  readonly subsystemVendor: number | undefined;
  /** That maker's id of the board, 16 bits: the file `subsystem_device`. */
  readonly subsystemDevice: number | undefined;
  /** The file `class`, 24 bits: 0x030000 is a VGA controller. */
  readonly class: number | undefined;
  /** The revision, 8 bits: the file `revision`. */
  readonly revision: number | undefined;
  /** Its part in SR-IOV; `undefined` where it has none. */
  readonly sriov: SriovFacts | undefined;
}

/** A part in SR-IOV: a physical function with its virtual ones, or one of those. */
export type SriovFacts = PhysicalFunction | VirtualFunction;

/** A function that others are made from: it has `sriov_totalvfs`. */
export interface PhysicalFunction {
  /** Others are made from it. */
  readonly role: "physical";
  /** How many virtual functions it can have: the file `sriov_totalvfs`. */
  readonly total: number | undefined;
  /** How many it has: the file `sriov_numvfs`. */
  readonly enabled: number | undefined;
  /** The addresses of those that there are, in their own order: the links `virtfn<N>`. */
  readonly virtualFunctions: readonly string[];
}

/** A function that was made from another: it has the link `physfn`. */
export interface VirtualFunction {
  /** It was made from another. */
  readonly role: "virtual";
  /** The address of the function that it was made from: `0000:41:00.0`. */
  readonly physicalFunction: string;
}

const VENDOR = readOnly("vendor", hexadecimal);
const DEVICE = readOnly("device", hexadecimal);
const SUBSYSTEM_VENDOR = readOnly("subsystem_vendor", hexadecimal);
const SUBSYSTEM_DEVICE = readOnly("subsystem_device", hexadecimal);
const CLASS = readOnly("class", hexadecimal);
const REVISION = readOnly("revision", hexadecimal);
const TOTAL = readOnly("sriov_totalvfs", integer);
const ENABLED = readOnly("sriov_numvfs", integer);

/** Reads what the PCI bus says; `undefined` where the parent is on another bus. */
export async function readPciFacts(
  io: Io,
  inspection: Inspection,
  owner: AttributeOwner,
  address: string,
): Promise<PciFacts | undefined> {
  if ((await linkValue(io, owner, "subsystem", text)) !== "pci") return undefined;
  return Object.freeze({
    address,
    vendor: await inspection.attribute(VENDOR),
    device: await inspection.attribute(DEVICE),
    subsystemVendor: await inspection.attribute(SUBSYSTEM_VENDOR),
    subsystemDevice: await inspection.attribute(SUBSYSTEM_DEVICE),
    class: await inspection.attribute(CLASS),
    revision: await inspection.attribute(REVISION),
    sriov: await readSriovFacts(io, inspection, owner),
  });
}

async function readSriovFacts(
  io: Io,
  inspection: Inspection,
  owner: AttributeOwner,
): Promise<SriovFacts | undefined> {
  const physicalFunction = await linkValue(io, owner, "physfn", text);
  if (physicalFunction !== undefined) return Object.freeze({ role: "virtual", physicalFunction });
  if (!(await io.exists(`${owner.path ?? ""}/${TOTAL.name}`))) return undefined;
  const total = await inspection.attribute(TOTAL);
  const links = (await io.namesIn(owner.path ?? "")).filter(isVirtualFunctionLink);
  const virtualFunctions: string[] = [];
  for (const link of inNaturalOrder(links)) {
    const address = await linkValue(io, owner, link, text);
    if (address !== undefined) virtualFunctions.push(address);
  }
  const enabled = await inspection.attribute(ENABLED);
  return Object.freeze({
    role: "physical",
    total,
    enabled,
    virtualFunctions: Object.freeze(virtualFunctions),
  });
}
