import { type AsyncResult, Result } from "typescript-result";
import type { ReadableAttribute } from "./attributes/attribute.js";
import { integer, text } from "./attributes/codec.js";
import { type AttributeCommand, type AttributeInput, readOnly, toCommand } from "./attributes/descriptor.js";
import type { HostContext } from "./context.js";
import { InvalidArgumentError } from "./errors.js";
import type { OperationOptions } from "./file-system/limits.js";
import { inNaturalOrder, parseUuid, quote } from "./identifiers.js";
import { Inspection, type Problem } from "./inspection.js";
import type { FoundParent } from "./layouts/mdev-bus.js";
import { createDevice, type CreateError } from "./lifecycle/create.js";
import type { MdevDevice } from "./mdev-device.js";
import type { Parent } from "./parent.js";
import { baseName } from "./paths.js";
import { type QueryError, SysfsObject } from "./sysfs-object.js";

/** The kernel's names of what a device is to a virtual machine; others may come. */
export type DeviceApi = "vfio-pci" | "vfio-platform" | "vfio-amba" | "vfio-ccw" | "vfio-ap" | (string & {});

/** What {@link MdevType.create} takes. */
export interface CreateOptions extends OperationOptions {
  /** The new device's UUID, in any case; a random one where it is not given. */
  readonly uuid?: string | undefined;
  /**
   * What to write to the new device's attributes, in this order, before it is handed out: typed settings
   * (`NvidiaVgpuDevice.vgpuParams.to(…)`), or names with the exact text. A name may come more than once.
   */
  readonly attributes?: readonly AttributeInput[] | undefined;
}

/** All that a type tells of itself: plain, frozen data. */
export interface MdevTypeInfo {
  readonly id: string;
  readonly path: string | undefined;
  /** The id of its parent. */
  readonly parent: string;
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly deviceApi: DeviceApi | undefined;
  readonly availableInstances: number | undefined;
  /** The ids of its devices. */
  readonly devices: readonly string[];
  /** What could not be read. */
  readonly problems: readonly Problem[];
}

const NAME = readOnly("name", text);
const DESCRIPTION = readOnly("description", text);
const DEVICE_API = readOnly<DeviceApi>("device_api", text);
const AVAILABLE_INSTANCES = readOnly("available_instances", integer);

/**
 * One type of device that a parent offers: `<parent>/mdev_supported_types/<driver>-<name>`.
 *
 * A live handle: it holds no more than where the type is, and asks the kernel each time.
 * Source: Linux, `Documentation/ABI/testing/sysfs-bus-vfio-mdev`.
 */
export class MdevType extends SysfsObject {
  /** Its folder; `undefined` where the layout has none. */
  readonly path: string | undefined;
  /** Its parent. */
  readonly parent: Parent;
  /** Its name for people: the file `name`, which drivers before Linux 6.1 need not have. */
  readonly name: ReadableAttribute<string>;
  /** Its description: the file `description`, where the driver has one. Often several lines or `key=value` pairs. */
  readonly description: ReadableAttribute<string>;
  /** What its devices are to a virtual machine: the file `device_api`. */
  readonly deviceApi: ReadableAttribute<DeviceApi>;
  /**
   * How many more devices of it can be made: the file `available_instances`. The types of a parent share what it has,
   * so creating one lowers the others too. A hint only: it can be below 0, and creating can fail above 0.
   */
  readonly availableInstances: ReadableAttribute<number>;
  readonly #found: FoundParent;

  /** @internal */
  constructor(context: HostContext, found: FoundParent, id: string) {
    const path = found.layout.typePath(found.path, id);
    super(context, id, path, `${id} on ${baseName(found.path)}`);
    this.path = path;
    this.parent = context.parent(found);
    this.name = this.attribute(NAME);
    this.description = this.attribute(DESCRIPTION);
    this.deviceApi = this.attribute(DEVICE_API);
    this.availableInstances = this.attribute(AVAILABLE_INSTANCES);
    this.#found = found;
  }

  /** Its devices, in natural order: the folder `devices`. */
  devices(options?: OperationOptions): AsyncResult<readonly MdevDevice[], QueryError> {
    return this.query("list the devices", options, async (io) => {
      const { path, layout } = this.#found;
      await io.lstat(this.owner.path);
      const ids = inNaturalOrder(await layout.deviceIdsOf(io, path, this.id));
      return Result.ok(ids.map((id) => this.context.device({ path: `${path}/${id}`, parent: this.#found })));
    });
  }

  /**
   * Creates a device: writes its UUID to the file `create`, then its attributes. All of it, or nothing: when an
   * attribute cannot be set, the device is removed again; when the caller's limit strikes, so it is as soon as the
   * kernel is done with it (`pending` says so).
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
    const request = checkOptions(options, tried);
    if (!request.ok) return Result.fromAsync(async () => request);
    const created = createDevice(
      this.context,
      { parent: this.#found, typeId: this.id, ...request.value },
      options,
    );
    return created.map((device) => this.context.device(device));
  }

  /** All that it tells of itself, as plain data. A part that cannot be read is `undefined` and a problem. */
  read(options?: OperationOptions): AsyncResult<MdevTypeInfo, QueryError> {
    return this.query("read all", options, async (io) => {
      const { path: parent, layout } = this.#found;
      await io.lstat(this.owner.path);
      const inspection = new Inspection(io, this.owner);
      const listDevices = (): Promise<string[]> => layout.deviceIdsOf(io, parent, this.id);
      const parts = {
        name: await inspection.attribute("name", text),
        description: await inspection.attribute("description", text),
        deviceApi: await inspection.attribute("device_api", text),
        availableInstances: await inspection.attribute("available_instances", integer),
        devices: Object.freeze(
          inNaturalOrder((await inspection.part("list the devices", listDevices)) ?? []),
        ),
      };
      const { id, path } = this;
      return Result.ok(
        Object.freeze({ id, path, parent: baseName(parent), ...parts, problems: inspection.problems }),
      );
    });
  }
}

const CREATE_OPTIONS: readonly string[] = ["uuid", "attributes", "signal", "timeout"];

function checkOptions(
  options: CreateOptions,
  tried: string,
): Result<{ uuid: string; commands: AttributeCommand[] }, InvalidArgumentError> {
  const unknown = Object.keys(options).find((key) => !CREATE_OPTIONS.includes(key));
  if (unknown !== undefined) {
    return Result.error(new InvalidArgumentError({ tried, reason: `there is no option ${quote(unknown)}` }));
  }
  const { uuid, attributes = [] } = options;
  const parsed = parseUuid(uuid ?? globalThis.crypto.randomUUID(), tried);
  if (!parsed.ok) return Result.error(parsed.error);
  if (!Array.isArray(attributes)) {
    return Result.error(new InvalidArgumentError({ tried, reason: "its attributes are not a list" }));
  }
  const commands: AttributeCommand[] = [];
  for (const input of attributes as readonly AttributeInput[]) {
    const command = toCommand(input, tried);
    if (!command.ok) return Result.error(command.error);
    commands.push(command.value);
  }
  return Result.ok({ uuid: parsed.value, commands });
}
