import type { ErrnoTable } from "../file-system/operation.js";
import type { Io } from "../file-system/io.js";

/** The layouts of the kernel's files. `merged`: what Linux has had since 4.10. */
export type LayoutName = "merged";

/** One command to the kernel: a text, and the file to write it to. */
export interface Command {
  readonly path: string;
  readonly text: string;
}

/** Whether a device can be used. A half-made and a half-removed one both show in sysfs. */
export type DeviceState = "creating" | "active" | "removing";

/** The errors that an errno of a creation can mean. */
export type CreateMeaning =
  | "already-exists"
  | "no-instances"
  | "not-found"
  | "gone"
  | "rejected"
  | "busy"
  | "permission"
  | "unsupported";

/** The errors that an errno of a removal can mean. */
export type RemoveMeaning = "busy" | "gone" | "permission" | "rejected";

/**
 * Where one layout keeps things, and how it is told to create and remove. Paths are those of the parent's and the
 * device's folders; the objects above do not know which layout they run on.
 */
export interface Layout {
  readonly name: LayoutName;
  /** Whether the parent has this layout. */
  fits(io: Io, parent: string): Promise<boolean>;
  /** The ids of the parent's types. */
  typeIds(io: Io, parent: string): Promise<string[]>;
  /** The folder of a type. */
  typePath(parent: string, id: string): string;
  /** The ids of the parent's devices, half-made and half-removed ones included. */
  deviceIds(io: Io, parent: string): Promise<string[]>;
  /** The ids of the devices of a type. */
  deviceIdsOf(io: Io, parent: string, typeId: string): Promise<string[]>;
  /** The id of a device's type; `undefined` while that does not show. */
  typeIdOf(io: Io, device: string): Promise<string | undefined>;
  /** How many more devices of a type can be made, as far as the kernel tells: a hint, and it can be below 0. */
  availableInstances(io: Io, parent: string, typeId: string): Promise<number | undefined>;
  /** How far a device is; `undefined` when it is gone. */
  stateOf(io: Io, device: string, busLink: string): Promise<DeviceState | undefined>;
  /** What creates a device. */
  create(parent: string, typeId: string, uuid: string): Command;
  /** What removes a device. */
  remove(device: string): Command;
  /** What the errnos of creating mean. */
  readonly createErrnos: ErrnoTable<CreateMeaning>;
  /** The errnos that mean `no-instances` when the type has none available, and what {@link createErrnos} says otherwise. */
  readonly fullErrnos: ReadonlySet<string>;
  /** What the errnos of removing mean. */
  readonly removeErrnos: ErrnoTable<RemoveMeaning>;
}
