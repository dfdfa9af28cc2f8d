import { type AsyncResult, Result } from "typescript-result";
import { VANISHING } from "./attributes/access.js";
import { type Attribute, type AttributeFor, attributeOf } from "./attributes/attribute.js";
import type { Codec } from "./attributes/codec.js";
import type { Access, AttributeDescriptor } from "./attributes/descriptor.js";
import type { HostContext } from "./context.js";
import { InvalidArgumentError, type MdevError, type NotFoundError, UnsupportedError } from "./errors.js";
import { isSaidToBeUsed } from "./extension.js";
import { defaultSource } from "./events/default-source.js";
import type { HostWatch, WatchOptions } from "./events/host-event.js";
import { type Look, Watch } from "./events/watch.js";
import type { Io } from "./file-system/io.js";
import type { OperationOptions } from "./file-system/limits.js";
import { operate } from "./file-system/operation.js";
import {
  inNaturalOrderOf,
  isPciAddress,
  noSuch,
  parseAttributeName,
  parseDeviceId,
  parseName,
  quote,
} from "./identifiers.js";
import type { Card } from "./card.js";
import { draftOf } from "./layouts/draft.js";
import type { FoundParent } from "./layouts/layout.js";
import {
  type FoundCard,
  findCard,
  findDevice,
  findDevices,
  findFolder,
  findParents,
  hasParents,
  virtualFunctionsOf,
} from "./layouts/registry.js";
import { layoutNamed, probe } from "./layouts/probe.js";
import { untilThere, waitFault, type WaitOptions } from "./lifecycle/appearance.js";
import {
  type OwnedDevices,
  type OwnedError,
  ownedDevices,
  type OwnedRemoval,
  removeOwned,
} from "./lifecycle/owned.js";
import type { RemoveOptions } from "./lifecycle/remove.js";
import { MdevDevice } from "./mdev-device.js";
import { MdevType } from "./mdev-type.js";
import { Parent } from "./parent.js";
import { baseName, type Paths } from "./paths.js";
import { type MdevHostOptions, reach } from "./reach.js";
import type {
  DeviceSnapshot,
  HostSnapshot,
  ParentSnapshot,
  SnapshotInclusions,
  SnapshotOptions,
  TypeSnapshot,
} from "./snapshot/host-snapshot.js";
import { inclusionsFault } from "./snapshot/inclusions.js";
import { takeSnapshot } from "./snapshot/take.js";
import type { QueryError } from "./sysfs-object.js";

/** What a host has of the frameworks that this library is about: plain, frozen data. */
export interface HostSupport {
  /** The mdev bus, `/sys/bus/mdev`: the kernel's module is loaded. */
  readonly mdev: boolean;
  /** Whether there is any parent, in whatever layout. */
  readonly parents: boolean;
  /** The VFIO container node, `/dev/vfio/vfio`. */
  readonly vfio: boolean;
  /** VFIO device nodes, `/dev/vfio/devices` (Linux 6.6 and later). */
  readonly vfioDevices: boolean;
  /** The iommufd node, `/dev/iommu`. */
  readonly iommufd: boolean;
}

/** What {@link MdevHost.waitForParents} takes. */
export interface WaitForParentsOptions extends WaitOptions {
  /** Only the virtual functions of this physical one count: its PCI address, as the link `physfn` of each says. */
  readonly physicalFunction?: string | undefined;
}

/**
 * What looking for a thing by its id can end in:
 *
 * - `not-found`: there is none with that id; `suggestion` is one that is near;
 * - what asking any object can: {@link QueryError}.
 */
export type LookupError = NotFoundError | QueryError;

/**
 * What looking for a parent can end in:
 *
 * - `unsupported`: it has one of the interfaces from before September 2016, where `mdev_supported_types` is a file;
 * - what any lookup can: {@link LookupError}.
 */
export type ParentLookupError = UnsupportedError | LookupError;

const REVIVE = "take an object from a snapshot";

/**
 * One machine's mediated devices: `/sys/class/mdev_bus`, `/sys/bus/mdev`, and the functions of `/sys/bus/pci/drivers/nvidia`.
 * Source: Linux, `Documentation/driver-api/vfio-mediated-device.rst`.
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addMdpy();
 * const host = new MdevHost({ fs: simulated.fs }); // new MdevHost() is the local machine
 * for (const parent of await host.parents().getOrThrow()) {
 *   for (const type of await parent.types().getOrThrow()) {
 *     console.log(`${parent.id} ${type.id}`);
 *     // prints: mdpy mdpy-hd
 *     // prints: mdpy mdpy-vga
 *     // prints: mdpy mdpy-xga
 *   }
 * }
 * ```
 */
export class MdevHost {
  readonly #context: HostContext;
  readonly #paths: Paths;
  readonly #snapshots = new WeakSet<HostSnapshot>();

  /**
   * Throws an {@link InvalidArgumentError} for a root that is not an absolute path, a limit that is none, a layout that there is
   * not, or extensions that are no list of classes.
   */
  constructor(options: MdevHostOptions = {}) {
    const { extensions, ...reached } = reach(options);
    this.#paths = reached.paths;
    const context: HostContext = {
      ...reached,
      isSaidToBeUsed: (found) => isSaidToBeUsed(new MdevDevice(context, found), extensions),
      parent: (found) => new Parent(context, found),
      type: (parent, id) => new MdevType(context, parent, id),
      device: (found) => new MdevDevice(context, found),
    };
    this.#context = context;
  }

  /** The attribute that a descriptor declares, by its path below the sysfs root: `/sys/<name>`. No I/O. */
  attribute<T, A extends Access>(descriptor: AttributeDescriptor<T, A>): AttributeFor<T, A>;
  /** Any file of sysfs that belongs to no parent, type or device: `bus/ap/apmask`. Links must not lead out of sysfs. */
  attribute<T>(name: string, codec: Codec<T>): Attribute<T>;
  attribute<T>(named: string | AttributeDescriptor<T, Access>, codec?: Codec<T>): AttributeFor<T, Access> {
    const { sysfs } = this.#paths;
    const confirm = (io: Io): Promise<unknown> => io.lstat(sysfs === "" ? "/" : sysfs);
    return attributeOf(
      { host: this.#context, path: sysfs, label: "the host", outlived: false, confirm },
      named,
      codec,
    );
  }

  /**
   * What this host has, by what is there: `/sys/bus/mdev`, `/dev/vfio/vfio`, `/dev/vfio/devices`, `/dev/iommu`, and any parent.
   * A host without any of it is no error.
   */
  support(options?: OperationOptions): AsyncResult<HostSupport, QueryError> {
    return this.#operate("find what the host supports", options, async (io) => {
      const { mdevBus, vfioContainer, vfioDevices, iommufd } = this.#paths;
      return Result.ok(
        Object.freeze({
          mdev: await io.exists(mdevBus),
          parents: await hasParents(io, this.#context),
          vfio: await io.exists(vfioContainer),
          vfioDevices: await io.exists(vfioDevices),
          iommufd: await io.exists(iommufd),
        }),
      );
    });
  }

  /**
   * All parents, in natural order: `/sys/class/mdev_bus`, those that only their devices lead to, and the SR-IOV functions
   * of NVIDIA's driver, `/sys/bus/pci/drivers/nvidia`.
   */
  parents(options?: OperationOptions): AsyncResult<readonly Parent[], QueryError> {
    return this.#operate("list the parents", options, async (io) => {
      const found = inOrder(await findParents(io, this.#context));
      return Result.ok(found.map((parent) => this.#context.parent(parent)));
    });
  }

  /**
   * Waits until parents are there, those asked for or so many: virtual functions appear up to half a minute after their
   * driver was told to make them. Gives all that are there then, in natural order; with `physicalFunction` only its virtual
   * functions. Without a limit it waits as long as it takes.
   *
   * @example
   * ```ts
   * import { MdevHost } from "vfio-mdev";
   * import { SimulatedHost } from "vfio-mdev/testing";
   *
   * const simulated = new SimulatedHost();
   * const host = new MdevHost({ fs: simulated.fs });
   * setTimeout(() => simulated.addNvidiaSriovGpu({ address: "0000:41:00.0", functions: 4 }), 50);
   * const functions = await host
   *   .waitForParents({ physicalFunction: "0000:41:00.0", count: 4, timeout: 60_000 })
   *   .getOrThrow();
   * console.log(functions.length); // prints: 4
   * ```
   */
  waitForParents(options?: WaitForParentsOptions): AsyncResult<readonly Parent[], QueryError> {
    const tried = "wait for parents";
    const physical = options?.physicalFunction;
    const known = physical === undefined || (typeof physical === "string" && isPciAddress(physical));
    const fault = known ? waitFault(options) : `${quote(physical)} is not a PCI address`;
    return this.#operate(tried, options, async (io) => {
      if (fault !== undefined) return Result.error(new InvalidArgumentError({ tried, reason: fault }));
      const look = async (): Promise<readonly FoundParent[]> => {
        const found = inOrder(await findParents(io, this.#context));
        return physical === undefined ? found : virtualFunctionsOf(io, physical.toLowerCase(), found);
      };
      const found = await untilThere(io, look, ({ path }) => baseName(path), options);
      return Result.ok(found.map((parent) => this.#context.parent(parent)));
    });
  }

  /**
   * One parent, by its name: `0000:3b:00.0`, `0.0.0313`, `matrix`, `mtty`. Looks for `/sys/class/mdev_bus/<parent>`, for devices
   * that lead to it, and in `/sys/bus/pci/drivers/nvidia`. `not-found` has a `suggestion` where a name is near.
   */
  parent(id: string, options?: OperationOptions): AsyncResult<Parent, ParentLookupError> {
    const tried = `find the parent ${quote(id)}`;
    const find = async (
      io: Io,
    ): Promise<Result<Parent, NotFoundError | InvalidArgumentError | UnsupportedError>> => {
      const name = parseName("parent", id, tried);
      if (!name.ok) return Result.error(name.error);
      const path = await findFolder(io, this.#context, name.value);
      const layout = path === undefined ? undefined : await probe(io, path, this.#context.layout);
      if (path !== undefined && layout !== undefined)
        return Result.ok(this.#context.parent({ path, layout }));
      const draft = path === undefined ? undefined : await draftOf(io, path, this.#paths);
      if (draft !== undefined) {
        const reason = `it has the interface of ${draft}, which no released kernel had`;
        return Result.error(
          new UnsupportedError({ tried, reason, path, missing: "a folder mdev_supported_types" }),
        );
      }
      const known = (await findParents(io, this.#context)).map((parent) => baseName(parent.path));
      return Result.error(noSuch("parent", id, known, { tried, path: this.#paths.mdevClass }));
    };
    return this.#operate(tried, options, find);
  }

  /**
   * All cards, in natural order: the parents by the hardware that they share, which the links `physfn` of PCI functions tell
   * (source: Linux, `Documentation/ABI/testing/sysfs-bus-pci`). Any other parent is a card of its own.
   */
  cards(options?: OperationOptions): AsyncResult<readonly Card[], QueryError> {
    return this.#operate("list the cards", options, async (io) => {
      const cards = new Map<string, FoundCard>();
      const covered = new Set<string>();
      for (const { path } of await findParents(io, this.#context)) {
        if (covered.has(path)) continue;
        const card = await findCard(io, this.#context, path);
        for (const parent of card.parents) covered.add(parent.path);
        cards.set(card.path, card);
      }
      const handles = inOrder([...cards.values()]).map(({ path, parents }) =>
        Object.freeze({
          id: baseName(path),
          path,
          parents: parents.map((found) => this.#context.parent(found)),
        }),
      );
      return Result.ok(handles);
    });
  }

  /**
   * All devices, in natural order: `/sys/bus/mdev/devices`, those whose link there is gone already while they are being
   * removed, and the vGPUs of NVIDIA's SR-IOV functions.
   */
  devices(options?: OperationOptions): AsyncResult<readonly MdevDevice[], QueryError> {
    return this.#operate("list the devices", options, async (io) => {
      const found = inNaturalOrderOf(await findDevices(io, this.#context), ({ id }) => id);
      return Result.ok(found.map((device) => this.#context.device(device)));
    });
  }

  /**
   * One device, by its UUID in any case: `/sys/bus/mdev/devices/<uuid>`, or the folder of a parent where that link is gone already.
   * Where devices have no UUID, by the PCI address of the function.
   */
  device(id: string, options?: OperationOptions): AsyncResult<MdevDevice, LookupError> {
    const tried = `find the device ${quote(id)}`;
    const find = async (io: Io): Promise<Result<MdevDevice, NotFoundError | InvalidArgumentError>> => {
      const parsed = parseDeviceId(id, tried);
      if (!parsed.ok) return Result.error(parsed.error);
      const found = await findDevice(io, this.#context, parsed.value);
      if (found !== undefined) return Result.ok(this.#context.device(found));
      return Result.error(noSuch("device", id, [], { tried, path: this.#paths.mdevDevices }));
    };
    return this.#operate(tried, options, find);
  }

  /**
   * The devices that are proven to be an owner's: what the ledger has of `create({ owner })`, as far as each is still the
   * very device that was created. Others may be his too, and are not among them. The ledger is in the host's store, on the
   * local machine the folder `/run/vfio-mdev` ({@link MdevHostOptions.state}).
   */
  ownedDevices(owner: string, options?: OperationOptions): AsyncResult<OwnedDevices, OwnedError> {
    return ownedDevices(this.#context, owner, options);
  }

  /**
   * Removes an owner's devices, one after the other, as {@link MdevDevice.remove} does; only those that are proven to be
   * his, looked at again just before. One that cannot be removed does not stop the others. The time limit is one for all.
   */
  removeOwned(owner: string, options?: RemoveOptions): AsyncResult<readonly OwnedRemoval[], OwnedError> {
    return removeOwned(this.#context, owner, options);
  }

  /**
   * The whole host in one pass: its parents with their types and all that these tell, its devices with their types, states,
   * drivers and IOMMU groups, and the attributes that `include` names, from the files of those members. Plain, frozen data; a
   * part that cannot be read is `undefined`, or left out, and a problem.
   *
   * @example
   * ```ts
   * import { MdevHost } from "vfio-mdev";
   * import { NvidiaVgpuDevice } from "vfio-mdev/nvidia";
   * import { SimulatedHost } from "vfio-mdev/testing";
   *
   * const simulated = new SimulatedHost();
   * const uuid = simulated.addNvidiaGpu({ address: "0000:3b:00.0" }).create("nvidia-156");
   * simulated.open(uuid, { vmName: "desktop-7" });
   * const host = new MdevHost({ fs: simulated.fs });
   *
   * const include = { devices: { vmName: NvidiaVgpuDevice.vmName } };
   * const { parents, devices } = await host.snapshot({ include }).getOrThrow();
   * console.log(parents[0]?.types.find(({ id }) => id === "nvidia-156")?.availableInstances); // prints: 11
   * for (const { type, state, iommuGroup, attributes } of devices) {
   *   console.log(type, state, iommuGroup, attributes.vmName); // prints: nvidia-156 active 1 desktop-7
   * }
   * ```
   */
  snapshot<I extends SnapshotInclusions = SnapshotInclusions>(
    options?: SnapshotOptions<I>,
  ): AsyncResult<HostSnapshot<I>, QueryError> {
    const tried = "take a snapshot";
    const take = async (io: Io): Promise<Result<HostSnapshot, InvalidArgumentError>> => {
      const fault = inclusionsFault(options?.include) ?? this.#previousFault(options?.previous);
      if (fault !== undefined) return Result.error(new InvalidArgumentError({ tried, reason: fault }));
      const snapshot = await takeSnapshot(io, this.#context, options ?? {});
      this.#snapshots.add(snapshot);
      return Result.ok(snapshot);
    };
    // What was included is known by its names alone.
    return this.#operate(tried, options, take) as AsyncResult<HostSnapshot<I>, QueryError>;
  }

  /**
   * What happens to the host from now on: the first event is a snapshot, the next ones are what changes and what goes wrong.
   * Nothing begins before the first event is asked for, and from then on nothing is lost: while its consumer is busy, changes
   * are put together to what has changed since its last event. What came and went meanwhile is left out.
   *
   * Throws an {@link InvalidArgumentError} for options that are none. All that goes wrong later is an event.
   *
   * @example
   * ```ts
   * import { MdevHost } from "vfio-mdev";
   * import { SimulatedHost } from "vfio-mdev/testing";
   *
   * const simulated = new SimulatedHost();
   * const mdpy = simulated.addMdpy({ count: 1 });
   * const host = new MdevHost({ fs: simulated.fs }); // new MdevHost() asks udev by itself
   * for await (const event of host.watch({ source: simulated.changes })) {
   *   switch (event.type) {
   *     case "snapshot":
   *       console.log(event.snapshot.devices.length); // prints: 0
   *       mdpy.create("mdpy-hd"); // another program does
   *       break;
   *     case "availability-changed":
   *       console.log(event.mdevType.id, event.before, event.after);
   *       // prints: mdpy-hd 1 0
   *       // prints: mdpy-vga 1 0
   *       // prints: mdpy-xga 1 0
   *       break;
   *     case "problem":
   *       console.error(event.problem.message);
   *       break;
   *   }
   *   if (event.type === "device-ready") break; // ends the watch
   * }
   * ```
   */
  watch<I extends SnapshotInclusions = SnapshotInclusions>(options?: WatchOptions<I>): HostWatch<I> {
    const include = options?.include;
    const look: Look = (limits, previous) => this.snapshot({ ...limits, include, previous });
    return new Watch(look, defaultSource(this.#context.isLocal), options) as HostWatch<I>;
  }

  /** The live object of a parent in a snapshot; no I/O. Throws an {@link InvalidArgumentError} for what is none of this host. */
  parentFrom(entry: Pick<ParentSnapshot, "path" | "layout">): Parent {
    return this.#context.parent(this.#parentOf(entry));
  }

  /** The live object of a type in a snapshot, by its parent's entry and its own; no I/O. Throws as {@link MdevHost.parentFrom} does. */
  typeFrom(parent: Pick<ParentSnapshot, "path" | "layout">, entry: Pick<TypeSnapshot, "id">): MdevType {
    return this.#context.type(this.#parentOf(parent), checkedId(parseName("type", entry.id, REVIVE)));
  }

  /** The live object of a device in a snapshot; no I/O. Throws as {@link MdevHost.parentFrom} does. */
  deviceFrom(entry: Pick<DeviceSnapshot, "id" | "parentPath" | "layout" | "type">): MdevDevice {
    const parent = this.#parentOf({ path: entry.parentPath, layout: entry.layout });
    const id = checkedId(parseDeviceId(entry.id, REVIVE));
    return this.#context.device(parent.layout.deviceAt(parent, id, entry.type));
  }

  #previousFault(previous: unknown): string | undefined {
    if (previous === undefined || this.#snapshots.has(previous as HostSnapshot)) return undefined;
    return "what is given as the previous snapshot is none that this host object made";
  }

  #parentOf({ path, layout: name }: Pick<ParentSnapshot, "path" | "layout">): FoundParent {
    const layout = layoutNamed(name);
    const { sysfs } = this.#paths;
    if (typeof path === "string" && path.startsWith(`${sysfs}/`) && layout !== undefined) {
      const name = parseAttributeName(path.slice(sysfs.length + 1), REVIVE);
      if (name.ok) return { path, layout };
    }
    const reason = `${quote(path)} in the layout ${quote(name)} is no parent of this host`;
    throw new InvalidArgumentError({ tried: REVIVE, reason });
  }

  #operate<T, E extends MdevError = never>(
    tried: string,
    options: OperationOptions | undefined,
    body: (io: Io) => Promise<Result<T, E>>,
  ): AsyncResult<T, E | QueryError> {
    return operate(this.#context, { tried, errnos: VANISHING, options }, body);
  }
}

/** An id that was checked; throws where it is none. */
function checkedId(id: Result<string, InvalidArgumentError>): string {
  if (id.ok) return id.value;
  throw id.error;
}

function inOrder<T extends { readonly path: string }>(found: readonly T[]): T[] {
  return inNaturalOrderOf(found, ({ path }) => baseName(path));
}
