import type { SimulatedAttribute, SimulatedParent, SimulatedParentOptions } from "../definitions.js";
import { Errno } from "../errno.js";
import { line } from "../kernel/device-files.js";
import { parseGuid } from "../kernel/guid.js";
import type { Kernel } from "../kernel/kernel.js";
import { type CreateCommand, type MdevLayout, says } from "../kernel/mdev-layout.js";
import { MdevParent } from "../kernel/mdev-parent.js";
import { teslaM60 } from "./tesla-m60.js";

const UUID_LENGTH = 36;

/** A type in the class-based layout of 2016, of the class of displays. */
export interface ClassBasedType {
  /** The folder's name, a number: `11`. */
  readonly id: string;
  /** The file `name`: `GRID M60-0B`. */
  readonly name: string;
  /** How much framebuffer it has: the file `fb_length`: `512M`. */
  readonly fbLength: string;
  /** The largest resolution, in pixels: the file `resolution`: `2560x1600`. */
  readonly resolution: string;
  /** How many displays it has: the file `heads`. */
  readonly heads: number;
  /** The file `max_instances`: how many devices of this type there can be (ENOSPC). */
  readonly maxInstances: number;
  /** The file `params`: which parameters a creation takes, without its newline. Nothing checks them. */
  readonly params?: string;
  /** Whether its devices have to be created in a group (EINVAL), the file `requires_group`; false by default. */
  readonly requiresGroup?: boolean;
  /** Further files. */
  readonly attributes?: Readonly<Record<string, SimulatedAttribute>>;
}

/** Options of {@link SimulatedHost.addClassBased}: a Tesla M60, where nothing else is said. */
export interface ClassBasedOptions {
  /** Its PCI address; `0000:86:00.0` by default. */
  readonly address?: string;
  /** What it supports; by default the table of the Tesla M60 in the proposal of August 2016. */
  readonly types?: readonly ClassBasedType[];
  /** Further files of the parent. */
  readonly attributes?: Readonly<Record<string, SimulatedAttribute>>;
}

/** What a device in the class-based layout of 2016 was created with, besides its UUID. */
export interface ClassBasedCreation {
  /** The group, after `group=`. */
  readonly group?: string;
  /** The parameters, as they were written. */
  readonly params?: string;
}

/** A parent in the class-based layout of 2016 that was added. */
export interface SimulatedClassBasedParent extends SimulatedParent {
  /**
   * Creates a device at once, as another program would that got ahead. Throws where the kernel would refuse.
   * Gives the UUID, in lower case; one is made up where none is given.
   */
  create(typeId: string, uuid?: string, given?: ClassBasedCreation): string;
  /** What a device was created with. */
  creationOf(uuid: string): ClassBasedCreation;
}

const PARAMS = "frame_rate_limiter,disable_vnc";
const M60_TYPES: readonly ClassBasedType[] = [
  m60("11", "GRID M60-0B", "512M", 16),
  m60("12", "GRID M60-0Q", "512M", 16),
  m60("13", "GRID M60-1B", "1024M", 8),
];

/**
 * The class-based layout that was proposed in September 2016, which no kernel has: names are from the proposal, formats
 * are those of its neighbours, and errors those of the code of August 2016 (`mdev_core.c`, versions 6 and 7).
 */
export class ClassBasedParent extends MdevParent implements SimulatedClassBasedParent {
  constructor(kernel: Kernel, options: ClassBasedOptions) {
    super(kernel, describe(options), layoutOf(options));
    this.folder.file("mdev_destroy", 0o200, { write: (text) => this.#destroy(text) });
  }

  creationOf(uuid: string): ClassBasedCreation {
    const device = this.find(uuid);
    if (!device) throw new Error(`${this.id} has no device ${uuid}`);
    const { group, params } = device.given;
    return { ...(group === undefined ? {} : { group }), ...(params === undefined ? {} : { params }) };
  }

  /** `mdev_destroy`: a UUID. One that is half-made or half-removed is not known. */
  async #destroy(text: string): Promise<void> {
    const device = this.find(parseGuid(text));
    if (!device?.removable) throw new Errno("EINVAL");
    await device.remove();
  }
}

function layoutOf({ types = M60_TYPES }: ClassBasedOptions): MdevLayout {
  const requiringGroup = new Set(types.filter((type) => type.requiresGroup).map(({ id }) => id));
  return {
    lacks: new Set(["devices", "mdev_type", "remove"]),
    removeFile: "",
    typeLink: "",
    typeFiles: () => ({}),
    parse,
    refuseCreate: (typeId, { group }) => {
      if (group === undefined && requiringGroup.has(typeId)) throw new Errno("EINVAL");
    },
    refuseRemove: ({ isOpen }) => {
      if (isOpen) throw new Errno("EBUSY");
    },
  };
}

/** `<uuid>[,group=<group>][,<params>]` */
function parse(text: string): CreateCommand {
  const whole = line(text);
  const [first = ""] = whole.split(",");
  if (first.length !== UUID_LENGTH) throw new Errno("EINVAL");
  const uuid = parseGuid(first);
  const rest = whole.slice(UUID_LENGTH + 1);
  const [, group] = /^group=([^,]*)/u.exec(rest) ?? [];
  if (group === "") throw new Errno("EINVAL");
  const params = group === undefined ? rest : rest.slice(`group=${group},`.length);
  return { uuid, ...(group === undefined ? {} : { group }), ...(params === "" ? {} : { params }) };
}

function describe({
  address = "0000:86:00.0",
  types = M60_TYPES,
  attributes,
}: ClassBasedOptions): SimulatedParentOptions {
  const pci = teslaM60(address);
  const most = new Map(types.map(({ id, maxInstances }) => [id, maxInstances]));
  return {
    ...pci,
    attributes: { ...pci.attributes, ...attributes },
    driver: "nvidia",
    deviceDriver: "nvidia-vgpu-vfio",
    module: { name: "nvidia_vgpu_vfio" },
    types: types.map((type) => ({ id: type.id, attributes: filesOf(type) })),
    capacity: {
      countedBy: "core",
      full: "ENOSPC",
      available: (typeId, existing) =>
        (most.get(typeId) ?? 0) - existing.filter((other) => other === typeId).length,
    },
  };
}

function filesOf(type: ClassBasedType): Record<string, SimulatedAttribute> {
  return {
    name: says(() => type.name),
    fb_length: says(() => type.fbLength),
    resolution: says(() => type.resolution),
    heads: says(() => type.heads),
    max_instances: says(() => type.maxInstances),
    params: says(() => type.params ?? ""),
    requires_group: says(() => (type.requiresGroup ? 1 : 0)),
    ...type.attributes,
  };
}

function m60(id: string, name: string, fbLength: string, maxInstances: number): ClassBasedType {
  return { id, name, fbLength, resolution: "2560x1600", heads: 2, maxInstances, params: PARAMS };
}
