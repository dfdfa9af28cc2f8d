import type { Access, AttributeDescriptor } from "../attributes/descriptor.js";
import type { OperationOptions } from "../file-system/limits.js";
import type { Problem } from "../inspection.js";
import type { DeviceState, LayoutName } from "../layouts/layout.js";
import type { DeviceApi } from "../mdev-type.js";

/** Attributes to read, by the names that their values get. */
export type Inclusion = Readonly<Record<string, AttributeDescriptor<unknown, "ro" | "rw">>>;

/** What a snapshot reads beyond what is always in it: attributes of vendors, as descriptors declare them. */
export interface SnapshotInclusions {
  /** Of each parent. */
  readonly parents?: Inclusion;
  /** Of each type. */
  readonly types?: Inclusion;
  /** Of each device. */
  readonly devices?: Inclusion;
}

/**
 * The values of included attributes; `undefined` where the object has no such attribute.
 *
 * @typeParam D - the descriptors, by name
 */
export type IncludedValues<D> = D extends Inclusion
  ? { readonly [K in keyof D]: D[K] extends AttributeDescriptor<infer T, Access> ? T | undefined : never }
  : Readonly<Record<string, unknown>>;

/** Options of {@link MdevHost.snapshot}. */
export interface SnapshotOptions<I extends SnapshotInclusions = SnapshotInclusions> extends OperationOptions {
  /** What to read beside what is always read. */
  readonly include?: I | undefined;
  /**
   * The snapshot before, of the same host object: what it says is taken over where the kernel's inode numbers show that
   * the object is still the same one, and where nothing can have changed. The outcome is that of a full snapshot, sooner.
   */
  readonly previous?: HostSnapshot | undefined;
}

/** One type of one parent, at the time of a snapshot. */
export interface TypeSnapshot<I extends SnapshotInclusions = SnapshotInclusions> {
  /** Its id: `nvidia-222`. */
  readonly id: string;
  /** As {@link MdevType.name}. */
  readonly name: string | undefined;
  /** As {@link MdevType.description}. */
  readonly description: string | undefined;
  /** As {@link MdevType.deviceApi}. */
  readonly deviceApi: DeviceApi | undefined;
  /** As {@link MdevType.availableInstances}. */
  readonly availableInstances: number | undefined;
  /** As {@link MdevType.requiresGroup}; there in the layouts of 2016 only. */
  readonly requiresGroup?: boolean | undefined;
  /** As {@link MdevType.maxInstances}; there in the layouts of 2016 only. */
  readonly maxInstances?: number | undefined;
  /** As {@link MdevType.params}; there in the layouts of 2016 only. */
  readonly params?: string | undefined;
  /** The attributes that `include` asks for. */
  readonly attributes: IncludedValues<I["types"]>;
}

/** One parent, at the time of a snapshot. */
export interface ParentSnapshot<I extends SnapshotInclusions = SnapshotInclusions> {
  /** Its name. Two parents can have the same one: see {@link ParentSnapshot.path}. */
  readonly id: string;
  /** Its folder, which no other parent has. */
  readonly path: string;
  /** The layout of its files. */
  readonly layout: LayoutName;
  /** The inode number of the folder with its types: another one after its driver was loaded anew. */
  readonly inode: number | undefined;
  /** Its types, in natural order. */
  readonly types: readonly TypeSnapshot<I>[];
  /** The attributes that `include` asks for. */
  readonly attributes: IncludedValues<I["parents"]>;
}

/** One device, at the time of a snapshot. Its folder is `<parentPath>/<id>`; without UUIDs, that of its parent. */
export interface DeviceSnapshot<I extends SnapshotInclusions = SnapshotInclusions> {
  /** Its id: the UUID, or the PCI address of its function. */
  readonly id: string;
  /** The id of its parent. */
  readonly parent: string;
  /** The folder of its parent: {@link ParentSnapshot.path}. */
  readonly parentPath: string;
  /** The layout of its parent. */
  readonly layout: LayoutName;
  /** The id of its type; `undefined` while that does not show, and in the class-based layout. */
  readonly type: string | undefined;
  /** As {@link MdevDevice.state}. */
  readonly state: DeviceState;
  /** As {@link MdevDevice.driver}. */
  readonly driver: string | undefined;
  /** As {@link MdevDevice.iommuGroup}. */
  readonly iommuGroup: number | undefined;
  /**
   * The inode number of the file that removes it, which tells it from another device that got the same id later;
   * `undefined` while it is being removed, and where it has no such file.
   */
  readonly inode: number | undefined;
  /** The attributes that `include` asks for. */
  readonly attributes: IncludedValues<I["devices"]>;
}

/**
 * A whole host, as it was when {@link MdevHost.snapshot} looked: plain, frozen, JSON-serialisable data.
 *
 * @typeParam I - what was included
 */
export interface HostSnapshot<I extends SnapshotInclusions = SnapshotInclusions> {
  /** All parents, in natural order. */
  readonly parents: readonly ParentSnapshot<I>[];
  /** All devices, in natural order: those of {@link MdevHost.devices}. */
  readonly devices: readonly DeviceSnapshot<I>[];
  /** What could not be read. What vanished meanwhile is no problem: it is left out. */
  readonly problems: readonly Problem[];
}
