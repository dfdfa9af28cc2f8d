import { type AsyncResult, Result } from "typescript-result";
import type { ReadableAttribute } from "./attributes/attribute.js";
import { type Codec, integer, text } from "./attributes/codec.js";
import { readOnly } from "./attributes/descriptor.js";
import type { HostContext } from "./context.js";
import { InvalidArgumentError, NotFoundError } from "./errors.js";
import type { Io } from "./file-system/io.js";
import type { OperationOptions } from "./file-system/limits.js";
import { inNaturalOrder, inNaturalOrderOf, noSuch, parseName, quote } from "./identifiers.js";
import { Inspection, linkValue, type Problem } from "./inspection.js";
import type { FoundDevice, FoundParent, LayoutName, TypeFact } from "./layouts/layout.js";
import { parentOwner, typeOwner } from "./layouts/owner.js";
import { findCard } from "./layouts/registry.js";
import { readTypeFact } from "./layouts/type-facts.js";
import { untilThere, waitFault, type WaitOptions } from "./lifecycle/appearance.js";
import { lockCard, type ParentLockError } from "./lifecycle/card-lock.js";
import type { MdevDevice } from "./mdev-device.js";
import type { DeviceApi, MdevType } from "./mdev-type.js";
import { baseName } from "./paths.js";
import { type PciFacts, readPciFacts } from "./pci.js";
import type { Lock } from "./state/lock.js";
import { type QueryError, SysfsObject } from "./sysfs-object.js";

/** Which types {@link Parent.findTypes} gives: those that all that is given holds for. */
export interface TypeQuery {
  /** The name for people, exactly, or a pattern of it: `GRID P40-2B`. As {@link MdevType.name}. */
  readonly name?: string | RegExp | undefined;
  /** What its devices are to a virtual machine: `vfio-pci`. As {@link MdevType.deviceApi}. */
  readonly deviceApi?: DeviceApi | undefined;
  /** Whether {@link MdevType.availableInstances} is above 0 (a hint: creating can fail all the same). */
  readonly available?: boolean | undefined;
}

/** All that a parent tells of itself: plain, frozen data. */
export interface ParentInfo {
  /** Its id: `0000:3b:00.0`, `mtty`. */
  readonly id: string;
  /** Its folder. */
  readonly path: string;
  /** The layout of its files. */
  readonly layout: LayoutName;
  /** As {@link Parent.driver}. */
  readonly driver: string | undefined;
  /** As {@link Parent.numaNode}. */
  readonly numaNode: number | undefined;
  /** What the PCI bus says; `undefined` on another bus. */
  readonly pci: PciFacts | undefined;
  /** The ids of its types. */
  readonly types: readonly string[];
  /** The ids of its devices. */
  readonly devices: readonly string[];
  /** What could not be read. */
  readonly problems: readonly Problem[];
}

// The kernel writes -1 where it knows of no node.
const numaNode: Codec<number | undefined> = {
  decode: (raw) => integer.decode(raw).map((node) => (node < 0 ? undefined : node)),
  encode: (node) => integer.encode(node ?? -1),
};
const NUMA_NODE = readOnly("numa_node", numaNode);

/**
 * A physical device that offers types of mediated devices: `/sys/class/mdev_bus/<parent>`, or an SR-IOV function of
 * NVIDIA's driver: `/sys/bus/pci/drivers/nvidia/<parent>`.
 *
 * A live handle: it holds no more than where the parent is, and asks the kernel each time.
 * Source: Linux, `Documentation/driver-api/vfio-mediated-device.rst`.
 */
export class Parent extends SysfsObject {
  /** Its folder: `/sys/devices/...`. */
  readonly path: string;
  /** The layout of its files. */
  readonly layout: LayoutName;
  /** The NUMA node that it is near to, from 0: the file `numa_node`; `undefined` where the kernel knows none and says -1. */
  readonly numaNode: ReadableAttribute<number | undefined>;
  readonly #found: FoundParent;

  /** @internal */
  constructor(context: HostContext, found: FoundParent) {
    const id = baseName(found.path);
    super(context, id, parentOwner(context, found));
    this.path = found.path;
    this.layout = found.layout.name;
    this.numaNode = this.attribute(NUMA_NODE);
    this.#found = found;
  }

  /**
   * Its types, in natural order: the folders in `mdev_supported_types`; on NVIDIA's interface for SR-IOV functions the rows of
   * `nvidia/creatable_vgpu_types`, and what `nvidia/current_vgpu_type` says.
   */
  types(options?: OperationOptions): AsyncResult<readonly MdevType[], QueryError> {
    return this.query("list the types", options, async (io) =>
      Result.ok(this.#handles(await this.#typeIds(io))),
    );
  }

  /**
   * Waits until it has types, those asked for or so many: a driver registers a parent before it offers anything, and
   * NVIDIA's lists types once a card is divided. Without a limit it waits as long as it takes.
   */
  waitForTypes(options?: WaitOptions): AsyncResult<readonly MdevType[], QueryError> {
    const fault = waitFault(options);
    return this.query("wait for types", options, async (io) => {
      if (fault !== undefined) {
        const tried = `wait for types of ${this.id}`;
        return Result.error(new InvalidArgumentError({ tried, reason: fault }));
      }
      const ids = await untilThere(
        io,
        () => this.#typeIds(io),
        (id) => id,
        options,
      );
      return Result.ok(this.#handles(ids));
    });
  }

  /**
   * One type, by its id: `nvidia-222`, `i915-GVTg_V5_4`. Looks for the folder `mdev_supported_types/<id>`; on NVIDIA's
   * interface for SR-IOV functions where {@link Parent.types} does. `not-found` has a `suggestion` where an id, or a type's name, is near.
   */
  type(id: string, options?: OperationOptions): AsyncResult<MdevType, NotFoundError | QueryError> {
    const find = async (io: Io): Promise<Result<MdevType, InvalidArgumentError | NotFoundError>> => {
      const name = parseName("type", id, `find a type of ${this.id}`);
      if (!name.ok) return Result.error(name.error);
      await this.owner.confirm(io);
      if (await this.#found.layout.hasType(io, this.path, id)) {
        return Result.ok(this.context.type(this.#found, id));
      }
      return Result.error(await this.#noSuchType(io, id));
    };
    return this.query("find a type", options, find);
  }

  /**
   * Its types that a query fits, in natural order, by their files `name`, `device_api` and `available_instances`. A type whose files
   * cannot be read fits none that asks for them.
   */
  findTypes(query: TypeQuery = {}, options?: OperationOptions): AsyncResult<readonly MdevType[], QueryError> {
    return this.query("find types", options, async (io) => {
      const fitting: string[] = [];
      for (const id of await this.#typeIds(io)) {
        if (await this.#fits(io, id, query)) fitting.push(id);
      }
      return Result.ok(this.#handles(fitting));
    });
  }

  /**
   * Its devices, in natural order, those included that are just being created or removed: the folders `<parent>/<uuid>`; on
   * NVIDIA's interface for SR-IOV functions the one that `nvidia/current_vgpu_type` tells of, or none.
   */
  devices(options?: OperationOptions): AsyncResult<readonly MdevDevice[], QueryError> {
    return this.query("list the devices", options, async (io) =>
      Result.ok((await this.#devices(io)).map((device) => this.context.device(device))),
    );
  }

  /**
   * The other parents on its card, in natural order: the functions that share its physical function (the links `physfn`
   * and `virtfn<N>`). None where it is no PCI function, or the only one.
   */
  siblings(options?: OperationOptions): AsyncResult<readonly Parent[], QueryError> {
    return this.query("find the siblings", options, async (io) => {
      await this.owner.confirm(io);
      const card = await findCard(io, this.context, this.path);
      const others = card.parents.filter(({ path }) => path !== this.path);
      return Result.ok(others.map((found) => this.context.parent(found)));
    });
  }

  /**
   * Takes the lock of its card, which its siblings share, and waits for it where another process has it, or another part
   * of this one. The kernel knows nothing of it: it keeps off those who take it too. It is an entry `lock.<card>` of the
   * host's store, on the local machine in `/run/vfio-mdev` ({@link MdevHostOptions.state}). Where it is still held when the
   * time limit passes, `conflict` names the holder.
   */
  lock(options?: OperationOptions): AsyncResult<Lock, ParentLockError> {
    return lockCard(this.context, this.path, options);
  }

  /** The name of its driver, from the link `driver`: `nvidia`, `i915`; `undefined` where it has none. */
  driver(options?: OperationOptions): AsyncResult<string | undefined, QueryError> {
    return this.query("find the driver", options, async (io) =>
      Result.ok(await linkValue(io, this.owner, "driver", text)),
    );
  }

  /**
   * What the PCI bus says of it: `vendor`, `device`, `class` and so on, and its part in SR-IOV (`sriov_totalvfs`, `physfn`, ...);
   * `undefined` where its link `subsystem` names another bus. Source: Linux, `Documentation/ABI/testing/sysfs-bus-pci`.
   */
  pci(options?: OperationOptions): AsyncResult<PciFacts | undefined, QueryError> {
    return this.query("read the PCI facts", options, async (io) =>
      Result.ok(await readPciFacts(io, new Inspection(io, this.owner), this.owner, this.id)),
    );
  }

  /** All that it tells of itself, as plain data. A part that cannot be read is `undefined` and a problem. */
  read(options?: OperationOptions): AsyncResult<ParentInfo, QueryError> {
    return this.query("read all", options, async (io) => {
      const { id, path, layout, owner } = this;
      const types = Object.freeze(await this.#typeIds(io));
      const inspection = new Inspection(io, owner);
      const parts = {
        driver: await inspection.link("driver", text),
        numaNode: await inspection.attribute(NUMA_NODE),
        pci: await inspection.part(`read the PCI facts of ${id}`, () =>
          readPciFacts(io, inspection, owner, id),
        ),
        devices: Object.freeze((await this.#devices(io)).map((device) => device.id)),
      };
      return Result.ok(Object.freeze({ id, path, layout, ...parts, types, problems: inspection.problems }));
    });
  }

  async #typeIds(io: Io): Promise<string[]> {
    await this.owner.confirm(io);
    return inNaturalOrder(await this.#found.layout.typeIds(io, this.path));
  }

  async #devices(io: Io): Promise<FoundDevice[]> {
    await this.owner.confirm(io);
    return inNaturalOrderOf(await this.#found.layout.devices(io, this.#found), ({ id }) => id);
  }

  #handles(ids: readonly string[]): readonly MdevType[] {
    return ids.map((id) => this.context.type(this.#found, id));
  }

  async #fits(io: Io, id: string, { name, deviceApi, available }: TypeQuery): Promise<boolean> {
    const inspection = new Inspection(io, typeOwner(this.context, this.#found, id));
    const fact = <F extends TypeFact>(wanted: F): ReturnType<typeof readTypeFact<F>> =>
      readTypeFact(inspection, this.#found, id, wanted);
    if (name !== undefined && !matches(name, await fact("name"))) return false;
    if (deviceApi !== undefined && (await fact("deviceApi")) !== deviceApi) return false;
    if (available === undefined) return true;
    const instances = await fact("availableInstances");
    return instances !== undefined && instances > 0 === available;
  }

  async #noSuchType(io: Io, wanted: string): Promise<NotFoundError> {
    const ids = await this.#typeIds(io);
    const tried = `find the type ${quote(wanted)} of ${this.id}`;
    const path = this.#found.layout.typePath(this.path, wanted) ?? this.path;
    for (const id of ids) {
      if (!(await this.#fits(io, id, { name: wanted }))) continue;
      const reason = "there is no type with this id";
      return new NotFoundError({ tried, reason, hint: `It is the name of ${id}.`, path, suggestion: id });
    }
    return noSuch("type", wanted, ids, { tried, path });
  }
}

function matches(wanted: string | RegExp, name: string | undefined): boolean {
  if (name === undefined) return false;
  // A fresh look each time: a pattern with the flag `g` remembers where it was.
  return typeof wanted === "string" ? name === wanted : name.search(wanted) >= 0;
}
