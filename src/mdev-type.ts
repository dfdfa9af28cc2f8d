import { type AsyncResult, Result } from "typescript-result";
import { type AttributeFor, bind, type ReadableAttribute } from "./attributes/attribute.js";
import type { Access, AttributeDescriptor } from "./attributes/descriptor.js";
import type { HostContext } from "./context.js";
import { UnsupportedError } from "./errors.js";
import type { Io } from "./file-system/io.js";
import type { OperationOptions } from "./file-system/limits.js";
import { inNaturalOrderOf } from "./identifiers.js";
import { Inspection, type Problem } from "./inspection.js";
import type { CreateFact, FoundDevice, FoundParent, TypeFact } from "./layouts/layout.js";
import { typeOwner } from "./layouts/owner.js";
import { readTypeFact, TYPE_FACTS } from "./layouts/type-facts.js";
import { checkCreation, type CreateOptions } from "./lifecycle/check-creation.js";
import { createDevice, type CreateError } from "./lifecycle/create.js";
import type { MdevDevice } from "./mdev-device.js";
import type { Parent } from "./parent.js";
import { baseName } from "./paths.js";
import { type QueryError, SysfsObject } from "./sysfs-object.js";

/** The kernel's names of what a device is to a virtual machine (source: Linux, `include/uapi/linux/vfio.h`); others may come. */
export type DeviceApi = "vfio-pci" | "vfio-platform" | "vfio-amba" | "vfio-ccw" | "vfio-ap" | (string & {});

/** All that a type tells of itself: plain, frozen data. */
export interface MdevTypeInfo {
  /** Its id: `nvidia-222`, `mtty-1`. */
  readonly id: string;
  /** Its folder; `undefined` where the layout has none. */
  readonly path: string | undefined;
  /** The id of its parent. */
  readonly parent: string;
  /** As {@link MdevType.name}. */
  readonly name: string | undefined;
  /** As {@link MdevType.description}. */
  readonly description: string | undefined;
  /** As {@link MdevType.deviceApi}. */
  readonly deviceApi: DeviceApi | undefined;
  /** As {@link MdevType.availableInstances}. */
  readonly availableInstances: number | undefined;
  /** As {@link MdevType.requiresGroup}. */
  readonly requiresGroup: boolean | undefined;
  /** As {@link MdevType.maxInstances}. */
  readonly maxInstances: number | undefined;
  /** As {@link MdevType.params}. */
  readonly params: string | undefined;
  /** The ids of its devices; `undefined` where devices do not tell their type. */
  readonly devices: readonly string[] | undefined;
  /** What could not be read. */
  readonly problems: readonly Problem[];
}

/**
 * One type of device that a parent offers: `<parent>/mdev_supported_types/<driver>-<name>`. On NVIDIA's interface for
 * SR-IOV functions, a row of `nvidia/creatable_vgpu_types`.
 *
 * A live handle: it holds no more than where the type is, and asks the kernel each time.
 * Source: Linux, `Documentation/ABI/testing/sysfs-bus-vfio-mdev`, `drivers/vfio/mdev/mdev_sysfs.c`; what is said of the layouts
 * of 2016: the proposal, which gives names and no formats.
 */
export class MdevType extends SysfsObject {
  /** Its folder; `undefined` where the layout has none. */
  readonly path: string | undefined;
  /** Its parent, whose folder it was found in; no I/O. */
  readonly parent: Parent;
  /**
   * Its name for people: the file `name`, which drivers before Linux 6.1 need not have; the name of its folder in the
   * general layout; its row in `nvidia/creatable_vgpu_types` of the function, or of another one of the card.
   */
  readonly name: ReadableAttribute<string>;
  /**
   * Its description: the file `description`, where the driver has one; not in the layouts of 2016, nor on NVIDIA's interface
   * for SR-IOV functions. Often several lines or `key=value` pairs.
   */
  readonly description: ReadableAttribute<string>;
  /**
   * What its devices are to a virtual machine: the file `device_api`; always `vfio-pci` on NVIDIA's interface for SR-IOV
   * functions; unknown in the layouts of 2016.
   */
  readonly deviceApi: ReadableAttribute<DeviceApi>;
  /**
   * How many more devices of it can be made: the file `available_instances`; on NVIDIA's interface for SR-IOV functions 1 where
   * the function is free and lists the type, else 0; unknown in the class-based layout. The types of a parent share what it
   * has, so creating one lowers the others too. A hint only: it can be below 0, and creating can fail above 0.
   */
  readonly availableInstances: ReadableAttribute<number>;
  /**
   * Whether its devices must be put in a group: the file `requires_group` of the layouts of 2016, `1` or `0` by our reading;
   * `undefined` in others, which is not `false`.
   */
  readonly requiresGroup: ReadableAttribute<boolean>;
  /** How many devices of it the parent can have: the file `max_instances` of the class-based layout; unknown in others. */
  readonly maxInstances: ReadableAttribute<number>;
  /** Which parameters creating takes, as free text: the file `params` of the class-based layout; unknown in others. */
  readonly params: ReadableAttribute<string>;
  readonly #found: FoundParent;

  /** @internal */
  constructor(context: HostContext, found: FoundParent, id: string) {
    super(context, id, typeOwner(context, found, id));
    this.path = found.layout.typePath(found.path, id);
    this.parent = context.parent(found);
    this.#found = found;
    this.name = this.#fact("name", TYPE_FACTS.name);
    this.description = this.#fact("description", TYPE_FACTS.description);
    this.deviceApi = this.#fact("deviceApi", TYPE_FACTS.deviceApi);
    this.availableInstances = this.#fact("availableInstances", TYPE_FACTS.availableInstances);
    this.requiresGroup = this.#fact("requiresGroup", TYPE_FACTS.requiresGroup);
    this.maxInstances = this.#fact("maxInstances", TYPE_FACTS.maxInstances);
    this.params = this.#fact("params", TYPE_FACTS.params);
  }

  /** Which options {@link MdevType.create} can honour here, beside `attributes`: a layout has UUIDs or not, and so on. No I/O. */
  get createOptions(): ReadonlySet<CreateFact> {
    return new Set(this.#found.layout.createFacts);
  }

  /**
   * Its devices, in natural order: the links in its folder `devices`; in the general layout those whose link `type` leads to it,
   * on NVIDIA's interface for SR-IOV functions the function where it has this type. `unsupported` where a device does not tell
   * its type (the class-based layout).
   */
  devices(options?: OperationOptions): AsyncResult<readonly MdevDevice[], UnsupportedError | QueryError> {
    const list = async (io: Io): Promise<Result<readonly MdevDevice[], UnsupportedError>> => {
      await this.owner.confirm(io);
      const { layout } = this.#found;
      const devices = await layout.devicesOf(io, this.#found, this.id);
      if (devices !== undefined) return Result.ok(byId(devices).map((device) => this.context.device(device)));
      const reason = `in the layout ${layout.name} a device does not tell its type`;
      const tried = `list the devices of ${this.owner.label}`;
      return Result.error(new UnsupportedError({ tried, reason, missing: "the type of a device" }));
    };
    return this.query("list the devices", options, list);
  }

  /**
   * Creates a device: writes its UUID to the file `create` (on NVIDIA's interface for SR-IOV functions, the type's number to
   * `nvidia/current_vgpu_type`), then its attributes. All of it, or nothing: when an attribute cannot be set, the device is
   * removed again; when the caller's limit strikes, so it is as soon as the kernel is done with it (`pending` says so). An
   * option that the layout cannot honour is `unsupported`.
   *
   * @example
   * ```ts
   * import { MdevHost } from "vfio-mdev";
   * import { SimulatedHost } from "vfio-mdev/testing";
   *
   * const simulated = new SimulatedHost();
   * simulated.addMtty();
   * const parent = await new MdevHost({ fs: simulated.fs }).parent("mtty").getOrThrow();
   * const type = await parent.type("mtty-1").getOrThrow();
   * const device = await type.create({ uuid: "83B8F4F2-509F-382F-3C1E-E6BFE0FA1001" }).getOrThrow();
   * console.log(device.uuid); // prints: 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001
   * ```
   */
  create(options: CreateOptions = {}): AsyncResult<MdevDevice, CreateError> {
    const tried = `create a device of type ${this.owner.label}`;
    const request = checkCreation(this.#found, this.id, options, tried);
    if (!request.ok) return Result.fromAsync(async () => request);
    return createDevice(this.context, request.value, options).map((device) => this.context.device(device));
  }

  /** All that it tells of itself, as plain data. A part that cannot be read is `undefined` and a problem. */
  read(options?: OperationOptions): AsyncResult<MdevTypeInfo, QueryError> {
    return this.query("read all", options, async (io) => {
      await this.owner.confirm(io);
      const { id, path } = this;
      const { path: parent, layout } = this.#found;
      const inspection = new Inspection(io, this.owner);
      const fact = <F extends TypeFact>(name: F): ReturnType<typeof readTypeFact<F>> =>
        readTypeFact(inspection, this.#found, id, name);
      const listDevices = (): Promise<FoundDevice[] | undefined> => layout.devicesOf(io, this.#found, id);
      const parts = {
        name: await fact("name"),
        description: await fact("description"),
        deviceApi: await fact("deviceApi"),
        availableInstances: await fact("availableInstances"),
        requiresGroup: await fact("requiresGroup"),
        maxInstances: await fact("maxInstances"),
        params: await fact("params"),
      };
      const found = await inspection.part(`list the devices of ${this.owner.label}`, listDevices);
      const devices = found && Object.freeze(byId(found).map((device) => device.id));
      const { problems } = inspection;
      return Result.ok(Object.freeze({ id, path, parent: baseName(parent), ...parts, devices, problems }));
    });
  }

  #fact<T, A extends Access>(fact: TypeFact, descriptor: AttributeDescriptor<T, A>): AttributeFor<T, A> {
    const { path, layout } = this.#found;
    return bind(this.owner, descriptor, layout.typeSource(path, this.id, fact));
  }
}

function byId(devices: readonly FoundDevice[]): FoundDevice[] {
  return inNaturalOrderOf(devices, ({ id }) => id);
}
