import { InvalidArgumentError, NotFoundError, Result } from "../../index.js";
import { parseVgpuTypeName } from "../../extensions/nvidia/index.js";
import type { Inventory, InventoryCard } from "../inventory/inventory.js";
import type { WantedDevice, WantedState } from "../wanted/wanted-state.js";
import type { GpuIds, VgpuConfig, VgpuConfigEntry } from "./vgpu-configs.js";

/** Which configuration of a file is wanted, and by whom. */
export interface WantedVgpusOptions extends Omit<WantedState, "devices"> {
  /** The name of the configuration; needed where there are several. */
  readonly config?: string | undefined;
  /**
   * The PCI addresses of all NVIDIA GPUs of the host in their order, those without vGPUs too: `devices: [0]` means the first of them. Needed where GPUs
   * are chosen by index, since an inventory has only GPUs that offer vGPUs.
   */
  readonly gpus?: readonly string[] | undefined;
}

/** A type that is taken for another one. */
export interface VgpuSubstitution {
  /** The id of the card. */
  readonly card: string;
  /** The name in the file: `DC-1-24QGFX`. */
  readonly wanted: string;
  /** The name that the card has: `DC-1-24Q`. */
  readonly taken: string;
}

/** What a configuration of vgpu-device-manager means on a host. */
export interface WantedVgpus {
  /** The devices. Each entry is called `<card>/<type>`. */
  readonly state: WantedState;
  /** Where a card has a type without the suffix that the file gives it, which is taken then, as there. */
  readonly substitutions: readonly VgpuSubstitution[];
}

/**
 * Why a configuration cannot be wanted:
 *
 * - `not-found`: there is none of that name;
 * - `invalid-argument`: several are there and none is named; GPUs are chosen by index and `gpus` is not given; the snapshot was
 *   taken without {@link planningFacts}; several types of a card are meant by one name, or one type by two.
 */
export type WantedVgpusError = InvalidArgumentError | NotFoundError;

const NVIDIA = 0x10de;
const TRIED = "tell the vGPUs that a configuration wants";

/**
 * The wanted state that a configuration of vgpu-device-manager stands for on this host: a pure function. Of the entries that are for a
 * GPU the last one counts, as there, where each sets the GPU anew. A name means the type of the card whose name ends in that word; where there
 * is none, and the name has the suffix of a MIG attribute, the type without the suffix.
 *
 * Source: NVIDIA/vgpu-device-manager, `cmd/nvidia-vgpu-dm/assert` and `pkg/vgpu`.
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { inventoryOf, parseVgpuConfigs, planningFacts, wantedVgpus } from "vfio-mdev/planning";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
 * const host = new MdevHost({ fs: simulated.fs });
 * const inventory = inventoryOf(await host.snapshot({ include: planningFacts }).getOrThrow());
 *
 * const yaml = `
 * version: v1
 * vgpu-configs:
 *   small:
 *     - devices: all
 *       vgpu-devices: { P40-1Q: 4 }`;
 * const configs = await parseVgpuConfigs(yaml).getOrThrow();
 * const { state } = wantedVgpus(configs, inventory, { owner: "vgpu-device-manager" }).getOrThrow();
 * for (const { name, type, count } of state.devices) console.log(name, type.name, count); // prints: 0000:3b:00.0/P40-1Q GRID P40-1Q 4
 * ```
 */
export function wantedVgpus(
  configs: readonly VgpuConfig[],
  inventory: Inventory,
  { config, gpus, ...wanted }: WantedVgpusOptions,
): Result<WantedVgpus, WantedVgpusError> {
  const chosen = choose(configs, config);
  if (!chosen.ok) return Result.error(chosen.error);
  const { entries } = chosen.value;
  const fault = vaguenessOf(entries, inventory, gpus);
  if (fault !== undefined) return Result.error(fault);
  const devices: WantedDevice[] = [];
  const substitutions: VgpuSubstitution[] = [];
  for (const card of inventory.cards.filter(({ vendor }) => vendor === NVIDIA)) {
    const index = gpus?.indexOf(card.id);
    const taken = new Set<string>();
    for (const { type, count } of entries.findLast((entry) => isFor(entry, card, index))?.vgpuDevices ?? []) {
      const name = nameOn(card, type);
      if (!name.ok) return Result.error(name.error);
      const short = lastWord(name.value);
      if (taken.has(short)) {
        const reason = `two of its types mean ${name.value} on ${card.id}`;
        return Result.error(new InvalidArgumentError({ tried: TRIED, reason }));
      }
      taken.add(short);
      if (short !== type) substitutions.push(Object.freeze({ card: card.id, wanted: type, taken: short }));
      const device = { name: `${card.id}/${type}`, type: Object.freeze({ name: name.value }), count };
      devices.push(Object.freeze({ ...device, parent: Object.freeze({ card: card.id }) }));
    }
  }
  const state = Object.freeze({ ...wanted, devices: Object.freeze(devices) });
  return Result.ok(Object.freeze({ state, substitutions: Object.freeze(substitutions) }));
}

function choose(
  configs: readonly VgpuConfig[],
  name: string | undefined,
): Result<VgpuConfig, WantedVgpusError> {
  const names = configs
    .map((config) => config.name)
    .slice(0, 20)
    .join(", ");
  const [only] = configs;
  if (name === undefined && only !== undefined && configs.length > 1) {
    const facts = { tried: TRIED, reason: "there are several configurations", hint: `Choose one: ${names}.` };
    return Result.error(new InvalidArgumentError(facts));
  }
  const chosen = name === undefined ? only : configs.find((config) => config.name === name);
  if (chosen !== undefined) return Result.ok(chosen);
  const reason = name === undefined ? "there is no configuration" : `there is no ${JSON.stringify(name)}`;
  const hint = names === "" ? undefined : `There are ${names}.`;
  return Result.error(new NotFoundError({ tried: TRIED, reason, hint, suggestion: undefined }));
}

/** What has to be known of the host before it can be told which GPUs are meant. */
function vaguenessOf(
  entries: readonly VgpuConfigEntry[],
  { cards }: Inventory,
  gpus: readonly string[] | undefined,
): InvalidArgumentError | undefined {
  if (gpus === undefined && entries.some(({ devices }) => devices !== "all")) {
    const hint = "Give the addresses of all of the host's GPUs in `gpus`.";
    return new InvalidArgumentError({ tried: TRIED, reason: "it chooses GPUs by index", hint });
  }
  if (cards.length > 0 && cards.every(({ vendor }) => vendor === undefined)) {
    const hint = "Take the snapshot with { include: planningFacts }.";
    return new InvalidArgumentError({ tried: TRIED, reason: "no card tells its PCI vendor", hint });
  }
  return undefined;
}

function isFor(
  { devices, deviceFilter }: VgpuConfigEntry,
  card: InventoryCard,
  index: number | undefined,
): boolean {
  if (devices !== "all" && (index === undefined || !devices.includes(index))) return false;
  return deviceFilter.length === 0 || deviceFilter.some((ids) => hasIds(card, ids));
}

function hasIds(card: InventoryCard, ids: GpuIds): boolean {
  if (card.vendor !== ids.vendor || card.device !== ids.device) return false;
  if (ids.subsystemDevice === undefined) return true;
  return card.subsystemVendor === ids.subsystemVendor && card.subsystemDevice === ids.subsystemDevice;
}

/** The name, as its file has it, of the type that a short name means on a card; the short name itself where it means none. */
function nameOn({ id, parents }: InventoryCard, type: string): Result<string, InvalidArgumentError> {
  const names = new Set(parents.flatMap(({ types }) => types.flatMap(({ name }) => name?.trim() ?? [])));
  for (const short of [type, withoutAttribute(type)]) {
    const [name, ...others] = [...names].filter((known) => lastWord(known) === short);
    if (name !== undefined && others.length === 0) return Result.ok(name);
    if (name === undefined) continue;
    const reason = `${short} means several types of ${id}: ${[name, ...others].join(", ")}`;
    return Result.error(new InvalidArgumentError({ tried: TRIED, reason }));
  }
  return Result.ok(type);
}

/** `A100-1-5C` of `A100-1-5CME`. */
function withoutAttribute(type: string): string {
  const attribute = parseVgpuTypeName(type).fold(
    (name) => name.mig?.attribute,
    () => undefined,
  );
  return attribute === undefined ? type : type.slice(0, -attribute.length);
}

/** vgpu-device-manager calls a type by the last word of its name: `DC-48C` of `NVIDIA RTX Pro 6000 Blackwell DC-48C`. */
function lastWord(name: string): string {
  return name.slice(name.lastIndexOf(" ") + 1);
}
