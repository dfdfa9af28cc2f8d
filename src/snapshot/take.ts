import { VANISHING } from "../attributes/access.js";
import type { HostContext } from "../context.js";
import { type Answer, isLater, when } from "../file-system/answer.js";
import { FileFailure, isVanished } from "../file-system/failure.js";
import type { Folder } from "../file-system/folder.js";
import type { Io } from "../file-system/io.js";
import { explain } from "../file-system/operation.js";
import { compareNaturally, inNaturalOrder, inNaturalOrderOf } from "../identifiers.js";
import { problemOf } from "../inspection.js";
import type { FoundParent } from "../layouts/layout.js";
import { parentOwner } from "../layouts/owner.js";
import { probeFolder } from "../layouts/probe.js";
import { devicesOnBus, driversOnBus, parentFoldersOf, registeredFolders } from "../layouts/registry.js";
import { TYPE_FACTS } from "../layouts/type-facts.js";
import { baseName } from "../paths.js";
import type {
  DeviceSnapshot,
  HostSnapshot,
  ParentSnapshot,
  SnapshotInclusions,
  TypeSnapshot,
} from "./host-snapshot.js";
import { inLanes } from "./lanes.js";
import { mergeInOrder } from "./merge.js";
import { Previous, telling } from "./previous.js";
import { readDevice } from "./read-device.js";
import { readType } from "./read-type.js";
import { Visit, type Walk } from "./visit.js";

// So many parents at the same time, and so many types or devices of each: where each call is waited for.
const [PARENT_LANES, ENTRY_LANES] = [8, 4];

const UUID_LENGTH = 36;

/** A parent with what belongs to it. */
interface Family {
  readonly parent: ParentSnapshot;
  readonly devices: readonly DeviceSnapshot[];
}

/** Reads a whole host. A broken part is a problem and no more; what vanishes on the way is left out. */
export async function takeSnapshot(
  io: Io,
  context: HostContext,
  {
    include = {},
    previous,
  }: { include?: SnapshotInclusions | undefined; previous?: HostSnapshot | undefined },
): Promise<HostSnapshot> {
  const drivers = await driversOnBus(io, context.paths);
  const known = Object.fromEntries(Object.keys(TYPE_FACTS).map((fact) => [fact, new Map()])) as Walk["known"];
  const walk = { io, context, include, drivers, problems: [], known, orders: new Map() };
  return new HostWalk(walk, new Previous(previous)).take();
}

/** Ids of devices are UUIDs or PCI addresses; the order of UUIDs is that of their texts. */
function byId({ id: a }: { readonly id: string }, { id: b }: { readonly id: string }): number {
  if (a.length !== UUID_LENGTH || b.length !== UUID_LENGTH) return compareNaturally(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}

class HostWalk {
  readonly #walk: Walk;
  readonly #io: Io;
  readonly #previous: Previous;
  /** Devices on the bus whose parent was not seen yet. */
  #orphans = new Set<string>();

  constructor(walk: Walk, previous: Previous) {
    this.#walk = walk;
    this.#io = walk.io;
    this.#previous = previous;
  }

  async take(): Promise<HostSnapshot> {
    const { paths } = this.#walk.context;
    const broken = (failure: FileFailure, path: string): void => {
      this.#note(failure, `look at ${path}`);
    };
    const folders = await registeredFolders(this.#io, paths, broken);
    this.#orphans = await devicesOnBus(this.#io, paths);
    const families = await this.#families(folders);
    // A parent that has another's name has no link of its own.
    const others = await parentFoldersOf(this.#io, paths, this.#orphans, broken);
    for (const folder of folders) others.delete(folder);
    families.push(...(await this.#families(others)));

    const inOrder = inNaturalOrderOf(families, ({ parent }) => parent.id);
    const lists = inOrder.map(({ devices }) => devices);
    return Object.freeze({
      parents: Object.freeze(inOrder.map(({ parent }) => parent)),
      devices: Object.freeze(await mergeInOrder(lists, byId, () => this.#io.turnWhenDue())),
      problems: Object.freeze(this.#walk.problems),
    });
  }

  async #families(folders: Iterable<string>): Promise<Family[]> {
    const families = await inLanes([...folders], Math.min(PARENT_LANES, this.#io.lanes), (path) =>
      this.#unlessBroken(`look at ${path}`, () => this.#family(path)),
    );
    return families.filter((family) => family !== undefined);
  }

  async #family(path: string): Promise<Family | undefined> {
    const home = await this.#io.folder(path);
    const names = (await this.#unlessBroken(`list ${path}`, () => home.names())) ?? [];
    const probed = await probeFolder(this.#io, home, this.#walk.context.layout);
    if (probed === undefined) return undefined;
    for (const name of names) this.#orphans.delete(name);
    const { layout, types: folder } = probed;
    const found: FoundParent = { path, layout };
    const inode = telling(await home.inode(layout.registration));
    const types = await this.#types(found, folder, this.#previous.types(found, inode));
    const devices = await this.#devices(found, home, names);
    const visit = new Visit(this.#walk, home, () => parentOwner(this.#walk.context, found));
    const included = visit.included(this.#walk.include.parents);
    const attributes = isLater(included) ? await included : included;
    if (inode === undefined) visit.doubt();
    if (!(await visit.end())) return undefined;
    const parent = { id: baseName(path), path, layout: layout.name, inode, types, attributes };
    return { parent: Object.freeze(parent), devices };
  }

  async #types(
    found: FoundParent,
    folder: Folder | undefined,
    was: readonly TypeSnapshot[],
  ): Promise<readonly TypeSnapshot[]> {
    const { layout, path } = found;
    const list = (): Promise<string[]> => folder?.names() ?? layout.typeIds(this.#io, path);
    const ids = await this.#unlessBroken(`list the types of ${baseName(path)}`, list);
    const types = await this.#inLanes(this.#inOrder(ids ?? []), (id, at) => {
      const before = was[at]?.id === id ? was[at] : was.find((type) => type.id === id);
      return readType(this.#walk, found, { id, home: folder?.folder(id), was: before });
    });
    return Object.freeze(types);
  }

  async #devices(
    found: FoundParent,
    home: Folder,
    names: readonly string[],
  ): Promise<readonly DeviceSnapshot[]> {
    const parentId = baseName(found.path);
    const list = (): ReturnType<typeof found.layout.devices> => found.layout.devices(this.#io, found, names);
    const listed = (await this.#unlessBroken(`list the devices of ${parentId}`, list)) ?? [];
    const was = this.#previous.devices(found);
    return this.#inLanes(listed.sort(byId), (device) => {
      const own = device.path === found.path ? home : home.folder(device.id);
      const leaveOut = (thrown: unknown): undefined => {
        this.#leftOut(thrown, `read the device ${device.id}`);
      };
      try {
        const read = readDevice(this.#walk, device, { home: own, parentId, was: was?.get(device.id) });
        return isLater(read) ? read.catch(leaveOut) : read;
      } catch (thrown) {
        leaveOut(thrown);
        return;
      }
    });
  }

  /** Names in their natural order. */
  #inOrder(names: readonly string[]): readonly string[] {
    const key = names.join("\0");
    let order = this.#walk.orders.get(key);
    if (order === undefined) this.#walk.orders.set(key, (order = inNaturalOrder(names)));
    return order;
  }

  async #inLanes<T, R>(
    things: readonly T[],
    read: (thing: T, at: number) => Answer<R | undefined>,
  ): Promise<R[]> {
    const all = await inLanes(things, Math.min(ENTRY_LANES, this.#io.lanes), (thing, at) =>
      when(this.#io.turnWhenDue(), () => read(thing, at)),
    );
    return all.includes(undefined) ? all.filter((entry) => entry !== undefined) : (all as R[]);
  }

  async #unlessBroken<T>(tried: string, look: () => Promise<T>): Promise<T | undefined> {
    try {
      return await look();
    } catch (thrown) {
      this.#leftOut(thrown, tried);
      return;
    }
  }

  #leftOut(thrown: unknown, tried: string): undefined {
    if (!(thrown instanceof FileFailure)) throw thrown;
    if (!isVanished(thrown)) this.#note(thrown, tried);
    return undefined;
  }

  #note(failure: FileFailure, tried: string): void {
    this.#walk.problems.push(problemOf(explain(failure, tried, VANISHING)));
  }
}
