import type { AsyncResult } from "typescript-result";
import type { AttributeReadError } from "./attributes/access.js";
import type { AttributeFor } from "./attributes/attribute.js";
import type { Access, AttributeDescriptor } from "./attributes/descriptor.js";
import type { MdevDevice } from "./mdev-device.js";
import type { MdevType } from "./mdev-type.js";
import type { Parent } from "./parent.js";

/**
 * A class of typed attributes for some parents, types or devices: what `as()` takes.
 *
 * @typeParam Target - the kind of object that it extends
 * @typeParam Extension - its instances
 */
export interface ExtensionClass<Target, Extension> {
  /** The object with the typed attributes, once it fits; no I/O. */
  new (target: Target): Extension;
  /** Its name, for messages. */
  readonly name: string;
  /** Whether it fits an object: by its id, its driver, the files it has. */
  fits(target: Target): boolean | AsyncResult<boolean, AttributeReadError>;
}

/** An extension of devices that {@link MdevHostOptions.extensions} takes: it may know of them what sysfs has no general word for. */
export interface DeviceExtensionClass extends ExtensionClass<MdevDevice, unknown> {
  /** Whether the driver's own files say that somebody uses a device that it fits; `false` where they do not say. */
  inUse?(device: MdevDevice): AsyncResult<boolean, AttributeReadError>;
}

/** Whether an extension knows that somebody uses the device. One that fails knows nothing. */
export async function isSaidToBeUsed(
  device: MdevDevice,
  extensions: readonly DeviceExtensionClass[],
): Promise<boolean> {
  for (const extension of extensions) {
    if (extension.inUse === undefined) continue;
    const fits = await extension.fits(device);
    if (fits === false || (fits !== true && !(fits.ok && fits.value))) continue;
    const used = await extension.inUse(device);
    if (used.ok && used.value) return true;
  }
  return false;
}

/** What is wrong with a list of extensions. */
export function extensionsFault(extensions: readonly DeviceExtensionClass[]): string | undefined {
  const all =
    Array.isArray(extensions) &&
    (extensions as readonly (Partial<DeviceExtensionClass> | null | undefined)[]).every(
      (each) => typeof each?.fits === "function",
    );
  return all ? undefined : "its extensions are not a list of extension classes";
}

/**
 * Base of the typed attributes that a vendor or a class of devices gives to a parent.
 * A subclass declares them as static descriptors and has a static `fits`.
 */
export abstract class ParentExtension {
  /** The parent that is extended. */
  readonly parent: Parent;

  /** `as` of the object calls it, once the parent fits; no I/O. */
  constructor(parent: Parent) {
    this.parent = parent;
  }

  /** The attribute of this parent that a descriptor declares. */
  protected attribute<T, A extends Access>(descriptor: AttributeDescriptor<T, A>): AttributeFor<T, A> {
    return this.parent.attribute(descriptor);
  }
}

/**
 * Base of the typed attributes that a vendor or a class of devices gives to a type.
 * A subclass declares them as static descriptors and has a static `fits`.
 */
export abstract class MdevTypeExtension {
  /** The type that is extended. */
  readonly type: MdevType;

  /** `as` of the object calls it, once the type fits; no I/O. */
  constructor(type: MdevType) {
    this.type = type;
  }

  /** The attribute of this type that a descriptor declares. */
  protected attribute<T, A extends Access>(descriptor: AttributeDescriptor<T, A>): AttributeFor<T, A> {
    return this.type.attribute(descriptor);
  }
}

/**
 * Base of the typed attributes that a vendor or a class of devices gives to a device.
 * A subclass declares them as static descriptors, which {@link MdevType.create} takes too, and has a static `fits`.
 *
 * @example
 * ```ts
 * import { integer, type MdevDevice, MdevDeviceExtension, MdevHost, readWrite } from "vfio-mdev";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * class AcmeDevice extends MdevDeviceExtension {
 *   static readonly queues = readWrite("acme/queues", integer);
 *   static fits(device: MdevDevice) {
 *     return device.attribute(AcmeDevice.queues).exists();
 *   }
 *   readonly queues = this.attribute(AcmeDevice.queues);
 * }
 *
 * let queues = "4\n";
 * const simulated = new SimulatedHost();
 * const acme = simulated.addParent({
 *   path: "devices/pci0000:80/0000:80:01.0",
 *   subsystem: "bus/pci",
 *   deviceDriver: "acme_mdev",
 *   types: [{ id: "acme-small" }],
 *   deviceAttributes: { "acme/queues": { read: () => queues, write: (_, text) => void (queues = text) } },
 * });
 * const device = await new MdevHost({ fs: simulated.fs }).device(acme.create("acme-small")).getOrThrow();
 *
 * const extended = await device.as(AcmeDevice).getOrThrow();
 * const before = await extended.queues.read().getOrThrow();
 * await extended.queues.write(2 * (before ?? 1)).getOrThrow();
 * console.log(before, await extended.queues.read().getOrThrow()); // prints: 4 8
 * ```
 */
export abstract class MdevDeviceExtension {
  /** The device that is extended. */
  readonly device: MdevDevice;

  /** `as` of the object calls it, once the device fits; no I/O. */
  constructor(device: MdevDevice) {
    this.device = device;
  }

  /** The attribute of this device that a descriptor declares. */
  protected attribute<T, A extends Access>(descriptor: AttributeDescriptor<T, A>): AttributeFor<T, A> {
    return this.device.attribute(descriptor);
  }
}
