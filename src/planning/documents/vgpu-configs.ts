import type { AsyncResult } from "../../index.js";
import { parseVgpuTypeName } from "../../extensions/nvidia/index.js";
import type { Place } from "./place.js";
import { type DocumentError, readDocument } from "./read-document.js";

/** The ids by which a GPU is chosen, named as in `PciFacts`. */
export interface GpuIds {
  /** The PCI vendor id of the GPU, 16 bits: 0x10de. */
  readonly vendor: number;
  /** The PCI device id of the GPU, 16 bits: 0x1eb8. */
  readonly device: number;
  /** The PCI vendor id of the board, 16 bits, where the filter asks for the board. */
  readonly subsystemVendor: number | undefined;
  /** The PCI id of the board, 16 bits, where the filter asks for it. */
  readonly subsystemDevice: number | undefined;
}

/** How many vGPUs of a type a GPU gets. */
export interface VgpuCount {
  /** The short name of the type: `T4-1Q`. */
  readonly type: string;
  /** How many, at least one. */
  readonly count: number;
}

/** An entry of a configuration: some GPUs, and what each of them gets. */
export interface VgpuConfigEntry {
  /** The GPUs by their index from 0, in the order of their PCI addresses; or all of them. */
  readonly devices: "all" | readonly number[];
  /** Only GPUs with one of these ids; empty: with any. */
  readonly deviceFilter: readonly GpuIds[];
  /** What each of them gets; empty: no vGPUs at all. */
  readonly vgpuDevices: readonly VgpuCount[];
}

/** One named configuration of a file. */
export interface VgpuConfig {
  /** Its name, by which one of the file is chosen. */
  readonly name: string;
  /** Its entries; where two are for the same GPU, the later one counts. */
  readonly entries: readonly VgpuConfigEntry[];
}

const TRIED = "understand the vGPU configurations";
const ID = /^0x([0-9a-f]{1,8})$/i;

/**
 * Reads the configuration file of NVIDIA's vgpu-device-manager: its named configurations, in the order of the file. As there, the version has
 * to be `v1`, a field that is not known is an error, and so are a type whose name is not in one of the two grammars, a count below
 * one, and MIG-backed types beside time-sliced ones on one GPU. A `device-filter` that is no id is refused too; there it fits no GPU.
 * Needs the package `js-yaml`.
 *
 * Source: NVIDIA/vgpu-device-manager, `api/spec/v1/spec.go` and `pkg/types`.
 */
export function parseVgpuConfigs(yaml: string): AsyncResult<readonly VgpuConfig[], DocumentError> {
  return readDocument(TRIED, yaml, (document: Place) => {
    const { version, "vgpu-configs": configs } = document.fields(["version", "vgpu-configs"]);
    if (version === undefined) document.refuse("has no version");
    if (version.text() !== "v1") version.refuse("is no version that is known; there is v1");
    if (configs === undefined) return Object.freeze([]);
    const named = configs.members();
    if (named.length === 0) configs.refuse("is empty");
    return Object.freeze(named.map(([name, entries]) => readConfig(name, entries)));
  });
}

function readConfig(name: string, place: Place): VgpuConfig {
  const entries = place.items();
  if (entries.length === 0) place.refuse("is empty");
  return Object.freeze({ name, entries: Object.freeze(entries.map(readEntry)) });
}

function readEntry(place: Place): VgpuConfigEntry {
  const fields = place.fields(["device-filter", "devices", "vgpu-devices"]);
  const { devices, "device-filter": filter, "vgpu-devices": counts } = fields;
  if (devices === undefined) place.refuse("has no devices");
  if (counts === undefined) place.refuse("has no vgpu-devices");
  return Object.freeze({
    devices: readDevices(devices),
    deviceFilter: Object.freeze(filter === undefined || filter.isEmpty ? [] : readFilter(filter)),
    vgpuDevices: Object.freeze(counts.isEmpty ? [] : readCounts(counts)),
  });
}

function readDevices(place: Place): "all" | readonly number[] {
  if (place.value === "all") return "all";
  if (!Array.isArray(place.value)) place.refuse('is neither "all" nor a list of indexes');
  return Object.freeze(place.items().map((index) => index.wholeNumber(0)));
}

function readFilter(place: Place): readonly GpuIds[] {
  if (place.value === "") return [];
  return (Array.isArray(place.value) ? place.items() : [place]).map(readIds);
}

/** `0x<device><vendor>`, and behind a colon the same of the board. */
function readIds(place: Place): GpuIds {
  const [ids, board, ...more] = place
    .text()
    .split(":")
    .map((part) => {
      const number = Number.parseInt(ID.exec(part)?.[1] ?? place.refuse("is no id such as 0x1EB810DE"), 16);
      return { device: number >>> 16, vendor: number & 0xffff };
    });
  if (ids === undefined || more.length > 0) place.refuse("has more than two ids");
  return Object.freeze({ ...ids, subsystemVendor: board?.vendor, subsystemDevice: board?.device });
}

function readCounts(place: Place): readonly VgpuCount[] {
  const counts = place.members().map(([type, count]) => {
    const kind = kindOf(type) ?? count.refuse("is no name of a vGPU type such as A100-4C or A100-1-5CME");
    return { kind, type, count: count.wholeNumber(1) };
  });
  if (new Set(counts.map(({ kind }) => kind)).size > 1)
    place.refuse("has MIG-backed types and time-sliced ones, which one GPU cannot have");
  return counts.map(({ type, count }) => Object.freeze({ type, count }));
}

/** The grammar that a name is in: that of NVIDIA's names, without what vgpu-device-manager leaves out of them. */
function kindOf(type: string): "mig" | "time-sliced" | undefined {
  const name = parseVgpuTypeName(type);
  if (!name.ok || name.value.brand !== undefined || name.value.variant !== undefined) return undefined;
  const { product, mig } = name.value;
  if (type.trim() !== type) return undefined;
  if (mig !== undefined) return /^[A-Z0-9]+$/.test(product) ? "mig" : undefined;
  return /^[A-Z0-9]+(?:-[A-Za-z]+)*$/.test(product) ? "time-sliced" : undefined;
}
