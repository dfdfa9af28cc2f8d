import type { AttributeCommand } from "../attributes/descriptor.js";
import type { AttributeSource } from "../attributes/source.js";
import type { Answer } from "../file-system/answer.js";
import type { Folder } from "../file-system/folder.js";
import type { Io } from "../file-system/io.js";
import type { ErrnoTable } from "../file-system/operation.js";

/**
 * The layouts of the kernel's files: `merged`, what Linux has had since 4.10; `general` and `class-based`, the two that
 * were proposed in September 2016; `nvidia-vfio`, NVIDIA's own on SR-IOV functions, which has no mediated devices.
 */
export type LayoutName = "merged" | "general" | "class-based" | "nvidia-vfio";

/** Whether a device can be used: {@link MdevDevice.state}. A half-made and a half-removed one both show in sysfs. */
export type DeviceState = "creating" | "active" | "removing";

/** What a type tells of itself, in one layout or another. */
export type TypeFact =
  "name" | "description" | "deviceApi" | "availableInstances" | "requiresGroup" | "maxInstances" | "params";

/** What a device tells of itself or can be told, in one layout or another: its member of that name. */
export type DeviceFact = "online" | "reset" | "group" | "priority" | "weight" | "params";

/** What {@link MdevType.create} can be given beyond attributes, in one layout or another. */
export type CreateFact = "uuid" | "params" | "group";

/** One command to the kernel: a text, and the file to write it to. */
export interface Command {
  readonly path: string;
  readonly text: string;
}

/** A parent as it was found. */
export interface FoundParent {
  readonly path: string;
  readonly layout: Layout;
}

/** A device as it was found. */
export interface FoundDevice {
  readonly id: string;
  readonly path: string;
  readonly parent: FoundParent;
  /** The type that it had then, where the layout has no other identity for it than its place. */
  readonly typeId?: string;
}

/** What one look at a device shows. */
export interface DeviceSight {
  /** As {@link Layout.typeIdOf}. */
  readonly typeId: string | undefined;
  /** As {@link Layout.stateOf}. */
  readonly state: DeviceState;
  /** The inode number that no other device has; 0 or `undefined` where nothing has such a one. */
  readonly inode: number | undefined;
}

/** A device to create. */
export interface CreateTarget {
  readonly parent: FoundParent;
  readonly typeId: string;
  /** Its UUID, in a layout that has them. */
  readonly uuid: string;
  readonly params: string | undefined;
  readonly group: string | undefined;
}

/** The errors that an errno of a creation can mean. */
export type CreateMeaning =
  "already-exists" | "no-instances" | "gone" | "rejected" | "busy" | "permission" | "unsupported";

/** The errors that an errno of a removal can mean. */
export type RemoveMeaning = "busy" | "rejected";

/**
 * Where one layout keeps things, and how it is told to create and remove. Paths are those of the parent's and the
 * device's folders; the objects above do not know which layout they run on.
 */
export interface Layout {
  readonly name: LayoutName;

  /** Whether a folder has what the layout cannot do without: enough where the caller forces it. */
  offers(io: Io, parent: string): Promise<boolean>;
  /** Whether a folder has this layout, and no other; `files` are those of one of its types, where it has types. */
  fits(io: Io, parent: string, files: ReadonlySet<string> | undefined): Promise<boolean>;

  /** The folder in the parent's that comes and goes with its registration. */
  readonly registration: string;
  /** Whether the types are folders in that one. */
  readonly hasTypeFolders: boolean;
  /** The ids of the parent's types. */
  typeIds(io: Io, parent: string): Promise<string[]>;
  /** Whether the parent has a type. */
  hasType(io: Io, parent: string, id: string): Promise<boolean>;
  /** The folder of a type; `undefined` where types have none. */
  typePath(parent: string, id: string): string | undefined;
  /** Where a type tells something of itself. */
  typeSource(parent: string, id: string, fact: TypeFact): AttributeSource;

  /** The parent's devices, half-made and half-removed ones included; `names` are those in its folder, where they are known. */
  devices(io: Io, parent: FoundParent, names?: readonly string[]): Promise<FoundDevice[]>;
  /** The device of a parent that is known by its id, and by its type where devices have no other identity. */
  deviceAt(parent: FoundParent, id: string, typeId: string | undefined): FoundDevice;
  /** The devices of a type; `undefined` where devices do not tell their type. */
  devicesOf(io: Io, parent: FoundParent, typeId: string): Promise<FoundDevice[] | undefined>;
  /** The id of a device's type; `undefined` where that does not show. */
  typeIdOf(io: Io, device: FoundDevice): Promise<string | undefined>;
  /** Whether a device is still there, whole or not. */
  exists(io: Io, device: FoundDevice): Promise<boolean>;
  /** How far a device that exists is. */
  stateOf(io: Io, device: FoundDevice): Promise<DeviceState>;
  /** A file of a complete device that no other device had: the one that removes it. */
  readonly identity: string | undefined;
  /** Whether a device keeps its IOMMU group as long as it has this driver. */
  groupStays(driver: string): boolean;
  /** The type, the state and the identity of a device that exists, in the fewest calls; `home` is its folder. */
  look(home: Folder, device: FoundDevice): Answer<DeviceSight>;
  /** Where a device tells something of itself. */
  deviceSource(fact: DeviceFact): AttributeSource;

  /** What creating can be given. */
  readonly createFacts: ReadonlySet<CreateFact>;
  /** The device that a creation makes. */
  target(target: CreateTarget): FoundDevice;
  /** What creates a device. */
  create(target: CreateTarget): Command;
  /** What a new device is told first. */
  settings(target: CreateTarget): AttributeCommand[];
  /** What the errnos of creating mean. */
  readonly createErrnos: ErrnoTable<CreateMeaning>;
  /** The errnos that mean `no-instances` when a type has none available, and what `createErrnos` says otherwise. */
  readonly fullErrnos: ReadonlySet<string>;

  /** What removes a device. */
  remove(io: Io, device: FoundDevice): Promise<Command>;
  /** What the errnos of removing mean. */
  readonly removeErrnos: ErrnoTable<RemoveMeaning>;
  /** The errnos of removing that pass by themselves some seconds after a virtual machine stopped. */
  readonly passingErrnos: ReadonlySet<string>;
}
