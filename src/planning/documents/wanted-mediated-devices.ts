import { kubevirtTypeName } from "../../interop/kubevirt/index.js";
import type { Inventory, InventoryCard } from "../inventory/inventory.js";
import type { WantedDevice, WantedState } from "../wanted/wanted-state.js";
import type { MediatedDevicesConfiguration } from "./mediated-devices-configuration.js";

/**
 * The wanted state that KubeVirt's configuration stands for on a node: a pure function. `undefined` where KubeVirt is told to leave mediated
 * devices alone.
 *
 * Each card gets one type, and as many devices of it as it has room for. A card that has devices of a wanted type keeps that; the others
 * take the types that they offer in turn, in the order of the list, where KubeVirt's own order is random. A type that no card offers is
 * passed over, as there. Each entry is called `<card>/<type>`.
 * Source: KubeVirt, `GetDesiredMDEVTypes` and `pkg/virt-handler/device-manager/mediated_devices_types.go`.
 *
 * @param labels - of the node: `{ "kubernetes.io/hostname": "n1" }`
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { inventoryOf, parseMediatedDevicesConfiguration, planningFacts, wantedMediatedDevices } from "vfio-mdev/planning";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
 * simulated.addNvidiaGpu({ address: "0000:af:00.0" });
 * const host = new MdevHost({ fs: simulated.fs });
 * const inventory = inventoryOf(await host.snapshot({ include: planningFacts }).getOrThrow());
 *
 * const yaml = "mediatedDeviceTypes: [nvidia-156, GRID_P40-1Q]";
 * const configuration = await parseMediatedDevicesConfiguration(yaml).getOrThrow();
 * const state = wantedMediatedDevices(configuration, {}, inventory, { owner: "virt-handler" });
 * for (const { name, count } of state?.devices ?? []) console.log(name, count);
 * // prints: 0000:3b:00.0/nvidia-156 all
 * // prints: 0000:af:00.0/nvidia-46 all
 * ```
 */
export function wantedMediatedDevices(
  configuration: MediatedDevicesConfiguration,
  labels: Readonly<Record<string, string>>,
  { cards }: Inventory,
  wanted: Omit<WantedState, "devices">,
): WantedState | undefined {
  if (!configuration.enabled) return undefined;
  const desired = desiredTypes(configuration, labels);
  const choices = cards.map((card) => ({ card, types: idsOn(card, desired) }));
  const chosen = new Map<InventoryCard, string>();
  const uses = desired.map(() => 0);
  const choose = (card: InventoryCard, { id, rank }: Choice): void => {
    chosen.set(card, id);
    uses[rank] = usesOf(rank) + 1;
  };
  const usesOf = (rank: number): number => uses[rank] ?? 0;
  // Those that have devices come first, so that a second run, after a first one that did not end, comes to the same.
  for (const { card, types } of choices) {
    const there = new Set(card.parents.flatMap(({ devices }) => devices.map(({ type }) => type)));
    const kept = types.find(({ id }) => there.has(id));
    if (kept !== undefined) choose(card, kept);
  }
  for (const { card, types } of choices) {
    const [first, ...others] = types;
    if (first === undefined || chosen.has(card)) continue;
    choose(
      card,
      others.reduce((best, next) => (usesOf(next.rank) < usesOf(best.rank) ? next : best), first),
    );
  }
  const devices = cards.flatMap((card) => {
    const id = chosen.get(card);
    return id === undefined ? [] : wantedOn(card.id, id);
  });
  return Object.freeze({ ...wanted, devices: Object.freeze(devices) });
}

/** A type of a card that is wanted, and its place in the list. */
interface Choice {
  readonly id: string;
  readonly rank: number;
}

/** The types for a node: those of all entries that are for it, and where they have none, those for all nodes. */
function desiredTypes(
  { types, nodes }: MediatedDevicesConfiguration,
  labels: Readonly<Record<string, string>>,
): readonly string[] {
  const fitting = nodes.filter(({ nodeSelector }) =>
    Object.entries(nodeSelector).every(([key, value]) => labels[key] === value),
  );
  const own = new Set(fitting.flatMap((node) => node.types));
  return [...(own.size > 0 ? own : new Set(types))];
}

/** The wanted types that a card offers, in the order of the list. KubeVirt takes a type's id or its own name for it. */
function idsOn({ parents }: InventoryCard, desired: readonly string[]): readonly Choice[] {
  const types = parents.flatMap((parent) => parent.types);
  return desired.flatMap((wanted, rank) => {
    const type = types.find((known) => known.id === wanted || kubevirtTypeName(known) === wanted);
    return type === undefined ? [] : { id: type.id, rank };
  });
}

function wantedOn(card: string, id: string): WantedDevice {
  const [type, parent] = [Object.freeze({ id }), Object.freeze({ card })];
  return Object.freeze({ name: `${card}/${id}`, type, parent, count: "all" });
}
