import type { KernelRelease, SimulatedAttribute, SimulatedType } from "../definitions.js";
import { parseGuid } from "./guid.js";
import type { MdevDevice } from "./mdev-device.js";
import type { CreateStage } from "./pauses.js";

/** What a write to `create` says. */
export interface CreateCommand {
  /** In lower case. */
  readonly uuid: string;
  readonly group?: string;
  readonly params?: string;
}

/** Where a type's files find what is not in its description. */
export interface TypeSurroundings {
  readonly release: KernelRelease;
  readonly available: () => number;
}

/** What the layouts of sysfs files differ in; all else is the mdev core's. */
export interface MdevLayout {
  /** The stages of a creation that it has no files for. */
  readonly lacks: ReadonlySet<CreateStage>;
  /** The file of a device that removes it. */
  readonly removeFile: string;
  /** The link from a device to its type. */
  readonly typeLink: string;
  /** The files of a type besides `create`; those of its own description go before. */
  typeFiles(type: SimulatedType, surroundings: TypeSurroundings): Record<string, SimulatedAttribute>;
  /** Reads what is written to `create`. */
  parse(text: string): CreateCommand;
  /** Throws the {@link Errno} of a creation that is refused before anything shows. */
  refuseCreate?(typeId: string, command: CreateCommand): void;
  /** Throws the {@link Errno} of a removal that is refused; where there is none, a removal waits. */
  refuseRemove?(device: MdevDevice): void;
}

/** A file that says what it is asked for, with a newline. */
export function says(text: () => string | number): SimulatedAttribute {
  return { read: () => `${text()}\n` };
}

/** The layout that was merged, of Linux 4.10 to today. */
export const merged: MdevLayout = {
  lacks: new Set(),
  removeFile: "remove",
  typeLink: "mdev_type",
  typeFiles({ id, name, description, deviceApi = "vfio-pci" }, { release, available }) {
    const shown = name ?? (release === "5.10" ? undefined : id);
    return {
      available_instances: says(available),
      device_api: says(() => deviceApi),
      ...(shown === undefined ? {} : { name: says(() => shown) }),
      ...(description === undefined ? {} : { description: { read: () => description } }),
    };
  },
  parse: (text) => ({ uuid: parseGuid(text) }),
};
