import type {
  SimulatedAttribute,
  SimulatedCapacity,
  SimulatedDevice,
  SimulatedDeviceAttribute,
  SimulatedParent,
  SimulatedParentOptions,
} from "../definitions.js";
import { Errno } from "../errno.js";
import { line } from "../kernel/device-files.js";
import { parseGuid } from "../kernel/guid.js";
import type { Kernel } from "../kernel/kernel.js";
import { kstrtol } from "../kernel/kstrtoul.js";
import { type MdevLayout, says } from "../kernel/mdev-layout.js";
import { MdevParent } from "../kernel/mdev-parent.js";

/** A type in the general layout of 2016. */
export interface GeneralType {
  /** The folder's name, which is all the name it has. */
  readonly id: string;
  /** Whether its devices cannot go online before they are in a group, the file `requires_group`; false by default. */
  readonly requiresGroup?: boolean;
  /** Further files. */
  readonly attributes?: Readonly<Record<string, SimulatedAttribute>>;
}

/** Options of {@link SimulatedHost.addGeneral}. */
export interface GeneralOptions {
  /** The parent's name: `/sys/devices/virtual/<id>/<id>`. `general` by default. */
  readonly id?: string;
  /** What it supports; by default `small`, and `large`, which requires a group. */
  readonly types?: readonly GeneralType[];
  /** What its types share. A number: so many devices, of any type (ENOSPC); 4 by default. */
  readonly capacity?: number | SimulatedCapacity;
  /** How the file is spelled that removes a device: the proposal has both. `destroy` by default. */
  readonly destroyFile?: "destroy" | "Destroy";
  /** The number that the file `priority` of a new device says, of no known scale. Left out: no such file. */
  readonly priority?: number;
  /** The number that the file `weight` of a new device says, of no known scale. Left out: no such file. */
  readonly weight?: number;
  /** What the file `params` of a new device says, without its newline. Left out: no such file. */
  readonly params?: string;
  /** Further files of the parent. */
  readonly attributes?: Readonly<Record<string, SimulatedAttribute>>;
  /** Further files of each device. */
  readonly deviceAttributes?: Readonly<Record<string, SimulatedDeviceAttribute>>;
}

/** A parent in the general layout of 2016 that was added. */
export interface SimulatedGeneralParent extends SimulatedParent {
  /** How often a device was reset. */
  resetsOf(uuid: string): number;
}

interface DeviceState {
  online: boolean;
  group: string;
  resets: number;
}

const TYPES: readonly GeneralType[] = [{ id: "small" }, { id: "large", requiresGroup: true }];

/**
 * The general layout that was proposed in September 2016, which no kernel has: names are from the proposal, formats and
 * errors from what kernels came to do later, or our reading.
 */
export class GeneralParent extends MdevParent implements SimulatedGeneralParent {
  readonly #devices: GeneralDevices;

  constructor(kernel: Kernel, options: GeneralOptions) {
    const devices = new GeneralDevices(options);
    super(kernel, describe(options, devices), layoutOf(options, devices));
    this.#devices = devices;
  }

  resetsOf(uuid: string): number {
    const device = this.find(uuid);
    if (!device) throw new Error(`${this.id} has no device ${uuid}`);
    return this.#devices.of(device).resets;
  }
}

/** What is to be known of each device. */
class GeneralDevices {
  readonly #requiringGroup: ReadonlySet<string>;
  readonly #states = new WeakMap<SimulatedDevice, DeviceState>();

  constructor({ types = TYPES }: GeneralOptions) {
    this.#requiringGroup = new Set(types.filter((type) => type.requiresGroup).map(({ id }) => id));
  }

  of(device: SimulatedDevice): DeviceState {
    const state = this.#states.get(device) ?? { online: false, group: "", resets: 0 };
    this.#states.set(device, state);
    return state;
  }

  /** `online`: 0 or 1. */
  switch(device: SimulatedDevice, text: string): void {
    const state = this.of(device);
    const value = kstrtol(text);
    if (value !== 0n && value !== 1n) throw new Errno("EINVAL");
    if (value === 1n && state.group === "" && this.#requiringGroup.has(device.typeId))
      throw new Errno("EINVAL");
    state.online = value === 1n;
  }

  /** `reset`: 1. */
  reset(device: SimulatedDevice, text: string): void {
    if (kstrtol(text) !== 1n) throw new Errno("EINVAL");
    this.of(device).resets++;
  }
}

function layoutOf({ destroyFile = "destroy" }: GeneralOptions, devices: GeneralDevices): MdevLayout {
  return {
    lacks: new Set(["devices"]),
    removeFile: destroyFile,
    typeLink: "type",
    typeFiles: (_type, { available }) => ({ available_instances: says(available) }),
    parse: (text) => ({ uuid: parseGuid(text) }),
    refuseRemove: (device) => {
      if (device.isOpen || devices.of(device).online) throw new Errno("EBUSY");
    },
  };
}

function describe(options: GeneralOptions, devices: GeneralDevices): SimulatedParentOptions {
  const { id = "general", types = TYPES, capacity = 4, priority, weight, params } = options;
  return {
    path: `devices/virtual/${id}/${id}`,
    subsystem: `class/${id}`,
    deviceDriver: id,
    ...(options.attributes ? { attributes: options.attributes } : {}),
    types: types.map((type) => ({
      id: type.id,
      attributes: { requires_group: says(() => (type.requiresGroup ? 1 : 0)), ...type.attributes },
    })),
    deviceAttributes: {
      online: {
        read: (device) => (devices.of(device).online ? "1\n" : "0\n"),
        write: (device, text) => devices.switch(device, text),
      },
      reset: { write: (device, text) => devices.reset(device, text) },
      group: {
        read: (device) => `${devices.of(device).group}\n`,
        write: (device, text) => void (devices.of(device).group = line(text)),
      },
      ...(priority === undefined ? {} : { priority: number(priority) }),
      ...(weight === undefined ? {} : { weight: number(weight) }),
      ...(params === undefined ? {} : { params: remembered(params, line) }),
      ...options.deviceAttributes,
    },
    capacity:
      typeof capacity === "number"
        ? { countedBy: "core", full: "ENOSPC", available: (_typeId, existing) => capacity - existing.length }
        : capacity,
  };
}

function number(initial: number): SimulatedDeviceAttribute {
  return remembered(String(initial), (text) => kstrtol(text).toString());
}

/** A file that says what was written to it last. */
function remembered(initial: string, parse: (text: string) => string): SimulatedDeviceAttribute {
  const values = new WeakMap<SimulatedDevice, string>();
  return {
    read: (device) => `${values.get(device) ?? initial}\n`,
    write: (device, text) => void values.set(device, parse(text)),
  };
}
