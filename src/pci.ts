import { hexadecimal, integer } from "./attributes/codec.js";
import type { Io } from "./file-system/io.js";
import { inNaturalOrder } from "./identifiers.js";
import { type Inspection, linkName } from "./inspection.js";

/** What the PCI bus says of a parent. Source: Linux, `Documentation/ABI/testing/sysfs-bus-pci`. */
export interface PciFacts {
  /** `0000:3b:00.0` */
  readonly address: string;
  /** The file `vendor`: 0x10de. */
  readonly vendor: number | undefined;
  /** The file `device`. */
  readonly device: number | undefined;
  /** The file `subsystem_vendor`. */
  readonly subsystemVendor: number | undefined;
  /** The file `subsystem_device`. */
  readonly subsystemDevice: number | undefined;
  /** The file `class`, 24 bits: 0x030000 is a VGA controller. */
  readonly class: number | undefined;
  /** The file `revision`. */
  readonly revision: number | undefined;
  /** Its part in SR-IOV; `undefined` where it has none. */
  readonly sriov: SriovFacts | undefined;
}

/** A part in SR-IOV: a physical function with its virtual ones, or one of those. */
export type SriovFacts = PhysicalFunction | VirtualFunction;

/** A function that others are made from: it has `sriov_totalvfs`. */
export interface PhysicalFunction {
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
  readonly role: "virtual";
  /** The address of the function that it was made from. */
  readonly physicalFunction: string;
}

/** Reads what the PCI bus says; `undefined` where the parent is on another bus. */
export async function readPciFacts(
  io: Io,
  inspection: Inspection,
  address: string,
  folder: string,
): Promise<PciFacts | undefined> {
  if ((await linkName(io, folder, "subsystem")) !== "pci") return undefined;
  return Object.freeze({
    address,
    vendor: await inspection.attribute("vendor", hexadecimal),
    device: await inspection.attribute("device", hexadecimal),
    subsystemVendor: await inspection.attribute("subsystem_vendor", hexadecimal),
    subsystemDevice: await inspection.attribute("subsystem_device", hexadecimal),
    class: await inspection.attribute("class", hexadecimal),
    revision: await inspection.attribute("revision", hexadecimal),
    sriov: await readSriovFacts(io, inspection, folder),
  });
}

async function readSriovFacts(
  io: Io,
  inspection: Inspection,
  folder: string,
): Promise<SriovFacts | undefined> {
  const physicalFunction = await linkName(io, folder, "physfn");
  if (physicalFunction !== undefined) return Object.freeze({ role: "virtual", physicalFunction });
  const total = await inspection.attribute("sriov_totalvfs", integer);
  if (total === undefined) return undefined;
  const links = inNaturalOrder((await io.readdir(folder)).filter((name) => /^virtfn[0-9]+$/.test(name)));
  const virtualFunctions: string[] = [];
  for (const link of links) {
    const address = await linkName(io, folder, link);
    if (address !== undefined) virtualFunctions.push(address);
  }
  const enabled = await inspection.attribute("sriov_numvfs", integer);
  return Object.freeze({
    role: "physical",
    total,
    enabled,
    virtualFunctions: Object.freeze(virtualFunctions),
  });
}
