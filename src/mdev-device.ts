import { type AsyncResult, Result } from "typescript-result";
import { integer, text } from "./attributes/codec.js";
import type { HostContext } from "./context.js";
import { DecodeError } from "./errors.js";
import type { Io } from "./file-system/io.js";
import type { OperationOptions } from "./file-system/limits.js";
import { inNaturalOrder, isUuid, quote } from "./identifiers.js";
import { Inspection, linkName, type Problem } from "./inspection.js";
import type { DeviceState } from "./layouts/layout.js";
import type { FoundDevice } from "./layouts/mdev-bus.js";
import { removeDevice, type RemoveError, type RemoveOutcome } from "./lifecycle/remove.js";
import type { MdevType } from "./mdev-type.js";
import type { Parent } from "./parent.js";
import { baseName } from "./paths.js";
import { type QueryError, SysfsObject } from "./sysfs-object.js";

/** The nodes through which a program opens a device. */
export interface VfioNodes {
  /** The node of its IOMMU group, `/dev/vfio/<N>`; `undefined` where there is none. */
  readonly group: string | undefined;
  /** Its own node, `/dev/vfio/devices/vfio<M>` (Linux 6.6 and later); `undefined` where there is none. */
  readonly device: string | undefined;
}

/** All that a device tells of itself: plain, frozen data. */
export interface MdevDeviceInfo {
  readonly id: string;
  readonly uuid: string | undefined;
  readonly path: string;
  /** The id of its parent. */
  readonly parent: string;
  /** The id of its type; `undefined` while that does not show. */
  readonly type: string | undefined;
  readonly state: DeviceState;
  readonly driver: string | undefined;
  readonly iommuGroup: number | undefined;
  /** What could not be read. */
  readonly problems: readonly Problem[];
}

/**
 * One mediated device: `<parent>/<uuid>`, also `/sys/bus/mdev/devices/<uuid>`.
 *
 * A live handle: it holds no more than where the device is, and asks the kernel each time.
 * Source: Linux, `Documentation/driver-api/vfio-mediated-device.rst`.
 */
export class MdevDevice extends SysfsObject {
  /** Its UUID, in lower case as the kernel has it; `undefined` where the layout has none. */
  readonly uuid: string | undefined;
  /** Its folder: `/sys/devices/…/<parent>/<uuid>`. */
  readonly path: string;
  readonly #found: FoundDevice;

  /** @internal */
  constructor(context: HostContext, found: FoundDevice) {
    const id = baseName(found.path);
    super(context, id, found.path, id);
    this.path = found.path;
    this.uuid = isUuid(id) ? id : undefined;
    this.#found = found;
  }

  /** Its parent. */
  parent(options?: OperationOptions): AsyncResult<Parent, QueryError> {
    return this.query("find the parent", options, async (io) => {
      await io.lstat(this.path);
      return Result.ok(this.context.parent(this.#found.parent));
    });
  }

  /** Its type, from the link `mdev_type`; `undefined` while that does not show. */
  type(options?: OperationOptions): AsyncResult<MdevType | undefined, QueryError> {
    return this.query("find the type", options, async (io) => {
      const id = await this.#typeId(io);
      return Result.ok(id === undefined ? undefined : this.context.type(this.#found.parent, id));
    });
  }

  /** The name of its driver, from the link `driver`: `vfio_mdev`, `mtty`; `undefined` where none is bound. */
  driver(options?: OperationOptions): AsyncResult<string | undefined, QueryError> {
    return this.query("find the driver", options, async (io) =>
      Result.ok(await linkName(io, this.path, "driver")),
    );
  }

  /** The number of its IOMMU group, from the link `iommu_group`; `undefined` where it has none. */
  iommuGroup(options?: OperationOptions): AsyncResult<number | undefined, DecodeError | QueryError> {
    return this.query("find the IOMMU group", options, (io) => this.#iommuGroup(io));
  }

  /**
   * The nodes through which QEMU opens it: `/dev/vfio/<N>` by its IOMMU group, `/dev/vfio/devices/vfio<M>` by its folder
   * `vfio-dev/vfio<M>`. Those that are not there are `undefined`.
   */
  vfioNodes(options?: OperationOptions): AsyncResult<VfioNodes, DecodeError | QueryError> {
    const { paths } = this.context;
    return this.query("find the VFIO nodes", options, async (io): Promise<Result<VfioNodes, DecodeError>> => {
      const number = await this.#iommuGroup(io);
      if (!number.ok) return number;
      const group = number.value === undefined ? undefined : paths.vfioGroup(number.value);
      const [name] = inNaturalOrder(await io.namesIn(`${this.path}/vfio-dev`));
      const device = name === undefined ? undefined : `${paths.vfioDevices}/${name}`;
      return Result.ok(Object.freeze({ group: await present(io, group), device: await present(io, device) }));
    });
  }

  /** Whether it can be used: it shows in sysfs before it is complete, and while it goes. */
  state(options?: OperationOptions): AsyncResult<DeviceState, QueryError> {
    return this.query("find the state", options, async (io) => Result.ok(await this.#state(io)));
  }

  /** All that it tells of itself, as plain data. A part that cannot be read is `undefined` and a problem. */
  read(options?: OperationOptions): AsyncResult<MdevDeviceInfo, QueryError> {
    return this.query("read all", options, async (io) => {
      const state = await this.#state(io);
      const inspection = new Inspection(io, this.owner);
      const parts = {
        type: await inspection.part(`find the type of ${this.id}`, () => this.#typeId(io)),
        driver: await inspection.link("driver", text),
        iommuGroup: await inspection.link("iommu_group", integer),
      };
      const { id, uuid, path } = this;
      const parent = baseName(this.#found.parent.path);
      return Result.ok(
        Object.freeze({ id, uuid, path, parent, state, ...parts, problems: inspection.problems }),
      );
    });
  }

  /**
   * Removes it: writes `1` to its file `remove`, and returns when its folder is gone. One that is gone already counts as
   * success, `{ removed: false }`.
   *
   * While a virtual machine has it open, the kernel holds the write up until that lets go; nothing can interrupt it. A
   * limit then ends the waiting, not the removal: `timeout` and `aborted` say so in `pending`.
   */
  remove(options?: OperationOptions): AsyncResult<RemoveOutcome, RemoveError> {
    return removeDevice(this.context, this.#found, options);
  }

  async #typeId(io: Io): Promise<string | undefined> {
    const id = await this.#found.parent.layout.typeIdOf(io, this.path);
    if (id === undefined) await io.lstat(this.path);
    return id;
  }

  async #state(io: Io): Promise<DeviceState> {
    const { layout } = this.#found.parent;
    const state = await layout.stateOf(io, this.path, `${this.context.paths.mdevDevices}/${this.id}`);
    if (state === undefined) await io.lstat(this.path);
    return state ?? "removing";
  }

  async #iommuGroup(io: Io): Promise<Result<number | undefined, DecodeError>> {
    const raw = await linkName(io, this.path, "iommu_group");
    if (raw === undefined) return Result.ok(undefined);
    const group = integer.decode(raw);
    if (group.ok) return Result.ok(group.value);
    const facts = { tried: `find the IOMMU group of ${this.id}`, path: `${this.path}/iommu_group`, raw };
    return Result.error(new DecodeError({ ...facts, reason: `its name ${quote(raw)} ${group.error}` }));
  }
}

async function present(io: Io, node: string | undefined): Promise<string | undefined> {
  return node !== undefined && (await io.exists(node)) ? node : undefined;
}
