import { type AsyncResult, Result } from "typescript-result";
import type { AttributeWriteError } from "./attributes/access.js";
import { type Attribute, type AttributeFor, bind } from "./attributes/attribute.js";
import { flag, integer, text } from "./attributes/codec.js";
import {
  type Access,
  type AttributeDescriptor,
  type AttributeInput,
  readWrite,
  writeOnly,
} from "./attributes/descriptor.js";
import type { HostContext } from "./context.js";
import type { Io } from "./file-system/io.js";
import type { OperationOptions } from "./file-system/limits.js";
import { isUuid } from "./identifiers.js";
import { Inspection, linkValue, type Problem } from "./inspection.js";
import type { DeviceFact, DeviceState, FoundDevice } from "./layouts/layout.js";
import { deviceOwner } from "./layouts/owner.js";
import { type DeviceUse, findUse, type UseOptions } from "./lifecycle/in-use.js";
import { findNodes, type VfioNodes } from "./lifecycle/nodes.js";
import {
  removeDevice,
  type RemoveError,
  type RemoveOptions,
  type RemoveOutcome,
} from "./lifecycle/remove.js";
import { setAttributes, type SetAttributesError } from "./lifecycle/set-attributes.js";
import type { MdevType } from "./mdev-type.js";
import type { Parent } from "./parent.js";
import { baseName } from "./paths.js";
import { type QueryError, SysfsObject } from "./sysfs-object.js";

/** What can be asked of a device in one layout or another: the union is closed. */
export type DeviceOperation = "remove" | DeviceFact;

/** All that a device tells of itself: plain, frozen data. */
export interface MdevDeviceInfo {
  /** Its id: the UUID, or the PCI address of its function. */
  readonly id: string;
  /** As {@link MdevDevice.uuid}. */
  readonly uuid: string | undefined;
  /** Its folder. */
  readonly path: string;
  /** The id of its parent. */
  readonly parent: string;
  /** The id of its type; `undefined` while that does not show, and in the class-based layout. */
  readonly type: string | undefined;
  /** As {@link MdevDevice.state}. */
  readonly state: DeviceState;
  /** As {@link MdevDevice.driver}. */
  readonly driver: string | undefined;
  /** As {@link MdevDevice.iommuGroup}. */
  readonly iommuGroup: number | undefined;
  /** As {@link MdevDevice.online}. */
  readonly online: boolean | undefined;
  /** As {@link MdevDevice.group}. */
  readonly group: string | undefined;
  /** As {@link MdevDevice.priority}. */
  readonly priority: number | undefined;
  /** As {@link MdevDevice.weight}. */
  readonly weight: number | undefined;
  /** As {@link MdevDevice.params}. */
  readonly params: string | undefined;
  /** What could not be read. */
  readonly problems: readonly Problem[];
}

const ONLINE = readWrite("online", flag);
const RESET = writeOnly("reset", integer);
const GROUP = readWrite("group", text);
const PRIORITY = readWrite("priority", integer);
const WEIGHT = readWrite("weight", integer);
const PARAMS = readWrite("params", text);

/**
 * One mediated device: `<parent>/<uuid>`, also `/sys/bus/mdev/devices/<uuid>`. On NVIDIA's interface for SR-IOV
 * functions, the vGPU that a function has.
 *
 * A live handle: it holds no more than where the device is, and asks the kernel each time.
 * Source: Linux, `Documentation/driver-api/vfio-mediated-device.rst`, `drivers/vfio/mdev/mdev_core.c`; what is said of the
 * layouts of 2016: the proposal, which gives names and no formats.
 */
export class MdevDevice extends SysfsObject {
  /** Its UUID, in lower case as the kernel has it; `undefined` where the layout has none. */
  readonly uuid: string | undefined;
  /** Its folder: `/sys/devices/.../<parent>/<uuid>`; that of its function where it has no UUID. */
  readonly path: string;
  /**
   * Whether it is started: the file `online` of the general layout, `1` or `0` by our reading; `undefined` in others, where
   * opening starts it.
   */
  readonly online: Attribute<boolean>;
  /** The group of devices that it belongs to, a word: the file `group` of the general layout, where the driver has it. */
  readonly group: Attribute<string>;
  /** Its priority, a whole number of no known scale: the file `priority` of the general layout, where the driver has it. */
  readonly priority: Attribute<number>;
  /** Its weight, a whole number of no known scale: the file `weight` of the general layout, where the driver has it. */
  readonly weight: Attribute<number>;
  /** The driver's parameters as one text: the file `params` of the general layout, where the driver has it. */
  readonly params: Attribute<string>;
  readonly #found: FoundDevice;

  /** @internal */
  constructor(context: HostContext, found: FoundDevice) {
    super(context, found.id, deviceOwner(context, found));
    this.path = found.path;
    this.uuid = isUuid(found.id) ? found.id : undefined;
    this.#found = found;
    this.online = this.#fact("online", ONLINE);
    this.group = this.#fact("group", GROUP);
    this.priority = this.#fact("priority", PRIORITY);
    this.weight = this.#fact("weight", WEIGHT);
    this.params = this.#fact("params", PARAMS);
  }

  /**
   * Whether its layout and its driver can do something: by the files that are there (`remove` or what {@link MdevDevice.remove}
   * writes to, `online`, `reset`, ...), without trying it.
   */
  can(operation: DeviceOperation, options?: OperationOptions): AsyncResult<boolean, QueryError> {
    const { layout } = this.#found.parent;
    return this.query(`find whether there is ${operation}`, options, async (io) => {
      await this.owner.confirm(io);
      if (operation === "remove")
        return Result.ok(await io.exists((await layout.remove(io, this.#found)).path));
      const source = layout.deviceSource(operation);
      return Result.ok(source.from === "file" && (await io.exists(`${this.path}/${source.name}`)));
    });
  }

  /**
   * Resets it: writes `1` to its file `reset`, which the general layout has, and a PCI function. A mediated device of
   * Linux is reset by who has it open: then this is `unsupported`.
   */
  reset(options?: OperationOptions): AsyncResult<void, AttributeWriteError> {
    return this.#fact("reset", RESET).write(1, options);
  }

  /** Its parent: the folder that its own is in; its function itself where it has no UUID. */
  parent(options?: OperationOptions): AsyncResult<Parent, QueryError> {
    return this.query("find the parent", options, async (io) => {
      await this.owner.confirm(io);
      return Result.ok(this.context.parent(this.#found.parent));
    });
  }

  /**
   * Its type: the link `mdev_type`; in the general layout the link `type`, on NVIDIA's interface for SR-IOV functions the
   * file `nvidia/current_vgpu_type`. `undefined` while that does not show, and where the layout does not tell.
   */
  type(options?: OperationOptions): AsyncResult<MdevType | undefined, QueryError> {
    return this.query("find the type", options, async (io) => {
      const id = await this.#typeId(io);
      return Result.ok(id === undefined ? undefined : this.context.type(this.#found.parent, id));
    });
  }

  /** The name of its driver, from the link `driver`: `vfio_mdev`, `mtty`; `undefined` where none is bound. */
  driver(options?: OperationOptions): AsyncResult<string | undefined, QueryError> {
    return this.query("find the driver", options, async (io) =>
      Result.ok(await linkValue(io, this.owner, "driver", text)),
    );
  }

  /** The number of its IOMMU group, from the link `iommu_group`; `undefined` where it has none. */
  iommuGroup(options?: OperationOptions): AsyncResult<number | undefined, QueryError> {
    return this.query("find the IOMMU group", options, async (io) =>
      Result.ok(await linkValue(io, this.owner, "iommu_group", integer)),
    );
  }

  /**
   * The nodes through which QEMU opens it: `/dev/vfio/<N>` by its link `iommu_group`, `/dev/vfio/devices/vfio<M>` by its folder
   * `vfio-dev/vfio<M>`. Those that are not there are `undefined`. Source: Linux, `drivers/vfio/{group,device_cdev}.c`.
   */
  vfioNodes(options?: OperationOptions): AsyncResult<VfioNodes, QueryError> {
    return this.query("find the VFIO nodes", options, async (io) =>
      Result.ok(await findNodes(io, this.context, this.#found)),
    );
  }

  /**
   * Whether somebody has it open: a virtual machine, as a rule. sysfs does not tell, least of all the link `driver`. The
   * evidence is what processes have open, `/proc/<pid>/fd` (`/dev/vfio/<N>`, `/dev/vfio/devices/vfio<M>`, and on recent
   * kernels `vfio-device-syspath` in `fdinfo`), and what the host's extensions know of it ({@link DeviceExtensionClass.inUse}).
   *
   * `no` takes the sight of every process: root, and the first process namespace; what only the kernel still holds (a
   * mapping of a device whose descriptor is closed) is not seen. All else is `unknown`.
   */
  inUse(options?: UseOptions): AsyncResult<DeviceUse, QueryError> {
    return this.query("find the users", options, async (io) => {
      await this.owner.confirm(io);
      return Result.ok(await findUse(io, this.context, this.#found, options));
    });
  }

  /**
   * Whether it can be used: it shows in sysfs before it is complete, and while it goes. By its file `remove` and its link
   * `mdev_type`, whose order was recorded on real kernels; in the general layout by `destroy` and `type`. In others it is always
   * `active`.
   */
  state(options?: OperationOptions): AsyncResult<DeviceState, QueryError> {
    return this.query("find the state", options, async (io) => Result.ok(await this.#state(io)));
  }

  /** All that it tells of itself, as plain data. A part that cannot be read is `undefined` and a problem. */
  read(options?: OperationOptions): AsyncResult<MdevDeviceInfo, QueryError> {
    return this.query("read all", options, async (io) => {
      const { id, uuid, path } = this;
      const { parent } = this.#found;
      const state = await this.#state(io);
      const inspection = new Inspection(io, this.owner);
      const fact = <T>(
        name: DeviceFact,
        descriptor: AttributeDescriptor<T, Access>,
      ): Promise<T | undefined> => inspection.attribute(descriptor, parent.layout.deviceSource(name));
      const parts = {
        type: await inspection.part(`find the type of ${id}`, () => this.#typeId(io)),
        driver: await inspection.link("driver", text),
        iommuGroup: await inspection.link("iommu_group", integer),
        online: await fact("online", ONLINE),
        group: await fact("group", GROUP),
        priority: await fact("priority", PRIORITY),
        weight: await fact("weight", WEIGHT),
        params: await fact("params", PARAMS),
      };
      const { problems } = inspection;
      return Result.ok(
        Object.freeze({ id, uuid, path, parent: baseName(parent.path), state, ...parts, problems }),
      );
    });
  }

  /**
   * Writes several attributes, in this order: typed settings, made by {@link AttributeDescriptor.to}, or names with the
   * exact text. All of them, or none: when one fails, those before it are set back to the texts that were read before, the
   * last one first. What cannot be read (a write-only file) cannot be set back: then it is `rollback-failed`.
   */
  setAttributes(
    attributes: readonly AttributeInput[],
    options?: OperationOptions,
  ): AsyncResult<void, SetAttributesError> {
    return setAttributes(this.context, this.#found, attributes, options);
  }

  /**
   * Removes it, and returns when it is gone: writes `1` to its file `remove` (general layout: `destroy`), its UUID to the
   * parent's `mdev_destroy` (class-based layout), `0` to `nvidia/current_vgpu_type`. One that is gone already counts as
   * success, `{ removed: false }`; so does one in whose place there is another by now, which is left alone: the inode of its
   * folder tells, or on a function the type. One that is just being created is waited for, up to a second.
   *
   * While a virtual machine has it open, Linux holds the write up until that lets go; nothing can interrupt it. A limit
   * then ends the waiting, not the removal: `timeout` and `aborted` say so in `pending`.
   */
  remove(options?: RemoveOptions): AsyncResult<RemoveOutcome, RemoveError> {
    return removeDevice(this.context, this.#found, options);
  }

  #fact<T, A extends Access>(fact: DeviceFact, descriptor: AttributeDescriptor<T, A>): AttributeFor<T, A> {
    return bind(this.owner, descriptor, this.#found.parent.layout.deviceSource(fact));
  }

  async #typeId(io: Io): Promise<string | undefined> {
    const id = await this.#found.parent.layout.typeIdOf(io, this.#found);
    if (id === undefined || this.owner.outlived) await this.owner.confirm(io);
    return id;
  }

  async #state(io: Io): Promise<DeviceState> {
    await this.owner.confirm(io);
    return this.#found.parent.layout.stateOf(io, this.#found);
  }
}
