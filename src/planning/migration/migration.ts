import {
  type DeviceSnapshot,
  type HostSnapshot,
  InvalidArgumentError,
  NotFoundError,
  Result,
} from "../../index.js";
import { sameVgpuName } from "../../extensions/nvidia/index.js";
import { type HostVersions, tooOld } from "./live-migration.js";
import type { InventoryParent } from "../inventory/inventory.js";
import type { MigrationMap, Move, Obstacle } from "./migration-map.js";
import { place, type PlaceOptions } from "../plan/planning.js";
import type { PlaceRejection } from "../placement/placer.js";
import type { PlanError, Unplaced } from "../plan/plan.js";
import type { TypeWords } from "../wanted/type-selector.js";
import type { WantedDevice } from "../wanted/wanted-state.js";

/** What {@link migrationMap} takes beside the two hosts. */
export interface MigrationOptions extends PlaceOptions {
  /** Devices of the target that nobody uses, which may be taken over: what a manager keeps in reserve. */
  readonly free?: readonly string[] | undefined;
  /** With how many devices a virtual machine can be migrated: 1 for KubeVirt. */
  readonly maxDevices?: number | undefined;
  /** What runs on the two hosts, where the virtual machine is to go on running: it is compared with what that takes. */
  readonly live?:
    | {
        /** Where it runs now. */
        readonly source?: HostVersions;
        /** Where it is to run. */
        readonly target?: HostVersions;
      }
    | undefined;
}

/**
 * What {@link migrationMap} can end in; that a migration is not possible is none of it:
 *
 * - `not-found`: the source has no device with that id;
 * - `invalid-argument`: a device is named twice, or what placing can end in: {@link PlanError}.
 */
export type MigrationError = PlanError | NotFoundError;

const TRIED = "map devices to another host";
const NO_PARENTS: Obstacle["parents"] = Object.freeze({});
const ofVendor = (parent: Pick<InventoryParent, "layout">): boolean => parent.layout === "nvidia-vfio";
const ofMdev = (parent: Pick<InventoryParent, "layout">): boolean => !ofVendor(parent);

/**
 * Where the devices of a virtual machine go when it moves to another host, or why they cannot: a pure function of two snapshots,
 * always the same for the same. A device goes to a type with the same name, where it has one, and the same device API; ids
 * of types differ from driver to driver. Mediated devices go to mediated devices, functions to functions, each to a place of its own,
 * which is chosen as {@link place} does. The target's snapshot should include {@link planningFacts}.
 *
 * Whether a driver can migrate a device does not show in sysfs.
 * Source: OpenStack Nova, `nova/virt/libvirt`: one to one, by equal types, and the versions; KubeVirt, `vgpuhook`: one vGPU alone.
 *
 * @param devices - the ids of the devices of the virtual machine
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { migrationMap, planningFacts } from "vfio-mdev/planning";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const [here, there] = [new SimulatedHost(), new SimulatedHost()];
 * const vgpu = here.addNvidiaGpu({ address: "0000:3b:00.0" }).create("nvidia-156");
 * there.addNvidiaGpu({ address: "0000:af:00.0" });
 * const snapshotOf = ({ fs }: SimulatedHost) => new MdevHost({ fs }).snapshot({ include: planningFacts }).getOrThrow();
 * const map = migrationMap(await snapshotOf(here), [vgpu], await snapshotOf(there)).getOrThrow();
 * if (map.possible) for (const { parent, type } of map.moves) console.log(parent, type); // prints: 0000:af:00.0 nvidia-156
 * ```
 */
export function migrationMap(
  source: HostSnapshot,
  devices: readonly string[],
  target: HostSnapshot,
  { free = [], maxDevices, live, ...options }: MigrationOptions = {},
): Result<MigrationMap, MigrationError> {
  const found = findDevices(source, devices);
  if (!found.ok) return Result.error(found.error);
  const obstacles: Obstacle[] = [
    ...tooOld("source", live?.source ?? {}),
    ...tooOld("target", live?.target ?? {}),
  ].map((reason) => obstacle("too-old", undefined, reason));
  if (maxDevices !== undefined && devices.length > maxDevices)
    obstacles.push(
      obstacle("too-many", undefined, `it has ${devices.length} devices, and can have ${maxDevices}`),
    );
  const movable: Movable[] = [];
  for (const device of found.value) {
    const { id, state, type } = device;
    if (state !== "active") obstacles.push(obstacle("not-active", id, `${id} is ${state}`));
    else if (type === undefined)
      obstacles.push(obstacle("unknown-type", id, `the type of ${id} does not show`));
    else movable.push({ device, type: wordsOf(source, device.parentPath, type) });
  }

  const moves = new Map<string, Move>();
  const spare = target.devices.filter(({ id, state }) => state === "active" && free.includes(id));
  for (const one of movable) {
    const at = spare.findIndex((device) => canTakeOver(one, device, target));
    const [taken] = at === -1 ? [] : spare.splice(at, 1);
    if (taken === undefined) continue;
    const { id, parent, parentPath, type = "" } = taken;
    moves.set(
      one.device.id,
      Object.freeze({ device: one.device.id, id, existing: true, parent, parentPath, type }),
    );
  }
  const wanted = movable.filter(({ device }) => !moves.has(device.id)).map(wantedOf);
  const places = place(target, wanted, options);
  if (!places.ok) return Result.error(places.error);
  const taken = new Set(target.devices.map(({ id }) => id));
  const layouts = new Map(target.parents.map(({ path, layout }) => [path, layout]));
  for (const { name: device, parent, parentPath, type } of places.value.placed) {
    const own = taken.has(device) ? undefined : device;
    const id = layouts.get(parentPath) === "nvidia-vfio" ? parent : own;
    moves.set(device, Object.freeze({ device, id, existing: false, parent, parentPath, type }));
  }
  obstacles.push(...places.value.unplaced.map((unplaced) => noPlace(unplaced, movable)));
  if (obstacles.length > 0)
    return Result.ok(Object.freeze({ possible: false, obstacles: Object.freeze(obstacles) }));
  return Result.ok(
    Object.freeze({ possible: true, moves: Object.freeze(devices.flatMap((id) => moves.get(id) ?? [])) }),
  );
}

/** A device that can go somewhere, and what its type says of itself. */
interface Movable {
  readonly device: DeviceSnapshot;
  readonly type: TypeWords;
}

function findDevices(
  { devices }: HostSnapshot,
  ids: readonly string[],
): Result<readonly DeviceSnapshot[], InvalidArgumentError | NotFoundError> {
  const known = new Map(devices.map((device) => [device.id, device]));
  if (new Set(ids).size < ids.length)
    return Result.error(new InvalidArgumentError({ tried: TRIED, reason: "one of them is named twice" }));
  const missing = ids.find((id) => !known.has(id));
  if (missing !== undefined)
    return Result.error(new NotFoundError({ tried: TRIED, reason: `the source has no device ${missing}` }));
  return Result.ok(ids.flatMap((id) => known.get(id) ?? []));
}

/** What a type says of itself; on NVIDIA's own interface it need not be listed. */
function wordsOf({ parents }: HostSnapshot, path: string, id: string): TypeWords {
  const known = parents.find((parent) => parent.path === path)?.types.find((type) => type.id === id);
  return known ?? { id, name: undefined, description: undefined, deviceApi: undefined };
}

function wantedOf({ device, type: { id, name, deviceApi } }: Movable): WantedDevice {
  return {
    name: device.id,
    type: { ...(name === undefined ? { id } : { name }), deviceApi },
    parent: { where: ofVendor(device) ? ofVendor : ofMdev },
  };
}

function canTakeOver({ device, type }: Movable, spare: DeviceSnapshot, target: HostSnapshot): boolean {
  if (spare.type === undefined || ofVendor(spare) !== ofVendor(device)) return false;
  const words = wordsOf(target, spare.parentPath, spare.type);
  if (words.deviceApi !== type.deviceApi) return false;
  if (type.name === undefined) return words.id === type.id;
  return words.name !== undefined && sameVgpuName(words.name, type.name);
}

function noPlace({ name, parents }: Unplaced, movable: readonly Movable[]): Obstacle {
  const type = movable.find(({ device }) => device.id === name)?.type;
  const label = type?.name ?? type?.id ?? "its type";
  const kinds = Object.keys(parents) as PlaceRejection[];
  const kind = kinds.every((reason) => reason === "no-type" || reason === "not-selected")
    ? "no-type"
    : "no-room";
  const reason = kind === "no-type" ? `the target has no ${label}` : `the target has no room for ${label}`;
  return obstacle(kind, name, reason, parents);
}

function obstacle(
  kind: Obstacle["kind"],
  device: string | undefined,
  reason: string,
  parents: Obstacle["parents"] = NO_PARENTS,
): Obstacle {
  return Object.freeze({ kind, device, reason, parents });
}
