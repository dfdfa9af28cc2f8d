import {
  type Attribute,
  type AsyncResult,
  type MdevDevice,
  MdevDeviceExtension,
  type MdevError,
  type MdevHost,
  type MdevType,
  MdevTypeExtension,
  type OperationOptions,
  type Parent,
  ParentExtension,
  type ReadableAttribute,
  Result,
  text,
  type WritableAttribute,
  readOnly,
  writeOnly,
} from "../../src/index.js";
import { GPU, OTHER_UUID, OWNER, UUID, type World } from "./world.js";

/** One public method, called as a user would. */
export type PublicMethod = (world: World, options?: OperationOptions) => AsyncResult<unknown, MdevError>;

/** The names of the methods that give an `AsyncResult`. */
type AsyncMethods<T> = {
  [K in keyof T]: T[K] extends (...given: never[]) => AsyncResult<unknown, unknown> ? K : never;
}[keyof T];

type Table<T> = Record<AsyncMethods<T>, PublicMethod>;

class AnyParent extends ParentExtension {
  static fits(parent: Parent): AsyncResult<boolean, MdevErrorOfExists> {
    return parent.attribute("numa_node", text).exists();
  }
}
class AnyType extends MdevTypeExtension {
  static fits(type: MdevType): AsyncResult<boolean, MdevErrorOfExists> {
    return type.attribute("name", text).exists();
  }
}
class AnyDevice extends MdevDeviceExtension {
  static fits(device: MdevDevice): AsyncResult<boolean, MdevErrorOfExists> {
    return device.attribute("uevent", text).exists();
  }
}
type MdevErrorOfExists =
  ReturnType<ReadableAttribute<string>["exists"]> extends AsyncResult<boolean, infer E> ? E : never;

const NAME = readOnly("name", text);
const ACTION = writeOnly("uevent", text);

/** The limits of a test beside a method's own options; what is no object stays as it is. */
function beside<T extends object>(own: T, options: OperationOptions | undefined): T & OperationOptions {
  const none = options === undefined || (typeof options === "object" && (options as unknown) !== null);
  return none ? { ...own, ...options } : (options as T & OperationOptions);
}

const host = {
  support: (world, options) => world.host.support(options),
  parents: (world, options) => world.host.parents(options),
  waitForParents: (world, options) =>
    world.host.waitForParents(beside({ ids: [GPU], timeout: 3, interval: 1 }, options)),
  parent: (world, options) => world.host.parent(GPU, options),
  devices: (world, options) => world.host.devices(options),
  device: (world, options) => world.host.device(UUID, options),
  cards: (world, options) => world.host.cards(options),
  ownedDevices: (world, options) => world.host.ownedDevices(OWNER, options),
  // What became of each device is in its report; here that of the one there is counts.
  removeOwned: (world, options) =>
    world.host.removeOwned(OWNER, options).map(([removal]) => {
      return removal?.error === undefined ? Result.ok(removal) : Result.error(removal.error);
    }),
  snapshot: (world, options) => world.host.snapshot(options),
} satisfies Table<MdevHost>;

const parent = {
  types: (world, options) => world.parent.types(options),
  waitForTypes: (world, options) => world.parent.waitForTypes(beside({ timeout: 3, interval: 1 }, options)),
  type: (world, options) => world.parent.type("nvidia-156", options),
  findTypes: (world, options) =>
    world.parent.findTypes({ name: "GRID P40-2B", deviceApi: "vfio-pci", available: true }, options),
  devices: (world, options) => world.parent.devices(options),
  siblings: (world, options) => world.parent.siblings(options),
  lock: (world, options) => world.parent.lock(options),
  driver: (world, options) => world.parent.driver(options),
  pci: (world, options) => world.parent.pci(options),
  read: (world, options) => world.parent.read(options),
  as: (world) => world.parent.as(AnyParent),
} satisfies Table<Parent>;

const type = {
  devices: (world, options) => world.type.devices(options),
  create: (world, options) =>
    world.type.create({ uuid: OTHER_UUID, attributes: [["nvidia/vgpu_params", "a=1\n"]], ...options }),
  read: (world, options) => world.type.read(options),
  as: (world) => world.type.as(AnyType),
} satisfies Table<MdevType>;

const device = {
  parent: (world, options) => world.device.parent(options),
  type: (world, options) => world.device.type(options),
  driver: (world, options) => world.device.driver(options),
  iommuGroup: (world, options) => world.device.iommuGroup(options),
  vfioNodes: (world, options) => world.device.vfioNodes(options),
  state: (world, options) => world.device.state(options),
  inUse: (world, options) => world.device.inUse(beside({ probeGroup: true }, options)),
  setAttributes: (world, options) =>
    world.device.setAttributes(
      [
        ["nvidia/vgpu_params", "a=1\n"],
        ["nvidia/vgpu_params", "a=2\n"],
      ],
      options,
    ),
  can: (world, options) => world.device.can("remove", options),
  read: (world, options) => world.device.read(options),
  remove: (world, options) => world.device.remove(options),
  as: (world) => world.device.as(AnyDevice),
} satisfies Table<Omit<MdevDevice, "reset">>; // the layout of this world has none

const readable = {
  read: (world, options) => world.type.attribute(NAME).read(options),
  readRaw: (world, options) => world.type.attribute(NAME).readRaw(options),
  exists: (world, options) => world.type.attribute(NAME).exists(options),
} satisfies Table<ReadableAttribute<string>>;

const writable = {
  write: (world, options) => world.device.attribute(ACTION).write("change", options),
  writeRaw: (world, options) => world.device.attribute(ACTION).writeRaw("change", options),
  exists: (world, options) => world.device.attribute(ACTION).exists(options),
} satisfies Table<WritableAttribute<string>>;

const params = (world: World): Attribute<string> => world.device.attribute("nvidia/vgpu_params", text);
const both = {
  read: (world, options) => params(world).read(options),
  readRaw: (world, options) => params(world).readRaw(options),
  write: (world, options) => params(world).write("a=1", options),
  writeRaw: (world, options) => params(world).writeRaw("a=1\n", options),
  exists: (world, options) => params(world).exists(options),
} satisfies Table<Attribute<string>>;

const classes: Readonly<Record<string, Readonly<Record<string, PublicMethod>>>> = {
  MdevHost: host,
  Parent: parent,
  MdevType: type,
  MdevDevice: device,
  ReadableAttribute: readable,
  WritableAttribute: writable,
  Attribute: both,
};

/** Every public method that gives an `AsyncResult`; the compiler knows when one is missing. */
export const PUBLIC_METHODS: readonly (readonly [name: string, method: PublicMethod])[] = Object.entries(
  classes,
).flatMap(([owner, methods]) =>
  Object.entries(methods).map(([name, method]) => [`${owner}.${name}`, method] as const),
);

/** Those that change the world when they succeed. */
export const CHANGING: ReadonlySet<string> = new Set([
  "MdevType.create",
  "MdevDevice.remove",
  "MdevDevice.setAttributes",
  "MdevHost.removeOwned",
  "Parent.lock",
]);

/** Those that tell in a report what could not be read, beside what could. */
export const REPORTING: ReadonlySet<string> = new Set(["MdevHost.ownedDevices", "MdevHost.removeOwned"]);

/** Those that go on looking until they see what they wait for, or their limit strikes. */
export const WAITING: ReadonlySet<string> = new Set(["MdevHost.waitForParents", "Parent.waitForTypes"]);
