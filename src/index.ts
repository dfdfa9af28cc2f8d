/**
 * Linux mediated devices (mdev) as typed objects: a host's parents, the types they offer, and the devices made of them.
 *
 * @packageDocumentation
 */
export { AsyncResult, Result } from "typescript-result";

export {
  type HostSupport,
  type LookupError,
  MdevHost,
  type ParentLookupError,
  type WaitForParentsOptions,
} from "./host.js";
export type { MdevHostOptions } from "./reach.js";
export type { Card } from "./card.js";
export { Parent, type ParentInfo, type TypeQuery } from "./parent.js";
export type { PciFacts, PhysicalFunction, SriovFacts, VirtualFunction } from "./pci.js";
export { type DeviceApi, MdevType, type MdevTypeInfo } from "./mdev-type.js";
export { type DeviceOperation, MdevDevice, type MdevDeviceInfo } from "./mdev-device.js";
export { type ExtensionError, type QueryError, SysfsObject } from "./sysfs-object.js";
export { type Problem, problemOf } from "./inspection.js";
export type {
  DeviceSnapshot,
  HostSnapshot,
  IncludedValues,
  Inclusion,
  ParentSnapshot,
  SnapshotInclusions,
  SnapshotOptions,
  TypeSnapshot,
} from "./snapshot/host-snapshot.js";
export { diff, type HostChange } from "./snapshot/diff.js";
export type { CreateOptions } from "./lifecycle/check-creation.js";
export type { CreateError } from "./lifecycle/create.js";
export type { SetAttributesError } from "./lifecycle/set-attributes.js";
export type { WaitOptions } from "./lifecycle/appearance.js";
export type { DeviceUse, UseOptions } from "./lifecycle/in-use.js";
export type { VfioNodes } from "./lifecycle/nodes.js";
export type { Readiness } from "./lifecycle/ready.js";
export type { OwnedDevices, OwnedError, OwnedRemoval } from "./lifecycle/owned.js";
export type { RemoveError, RemoveOptions, RemoveOutcome } from "./lifecycle/remove.js";
export type { CreateFact, DeviceFact, DeviceState, LayoutName } from "./layouts/layout.js";

export {
  type DeviceExtensionClass,
  type ExtensionClass,
  MdevDeviceExtension,
  MdevTypeExtension,
  ParentExtension,
} from "./extension.js";
export {
  Attribute,
  type AttributeFor,
  ReadableAttribute,
  WritableAttribute,
} from "./attributes/attribute.js";
export type { AttributeReadError, AttributeWriteError } from "./attributes/access.js";
export { type Codec, flag, hexadecimal, integer, text } from "./attributes/codec.js";
export {
  count,
  mebibytes,
  type OtherPairs,
  type PairField,
  type PairFields,
  type PairForm,
  type PairValues,
  pairs,
  pixels,
  type Resolution,
} from "./attributes/pairs.js";
export {
  type Access,
  AttributeDescriptor,
  type AttributeInput,
  type AttributeMeaning,
  type AttributeOptions,
  type AttributeSetting,
  readOnly,
  readWrite,
  writeOnly,
} from "./attributes/descriptor.js";

export { derivedUuid } from "./derived-uuid.js";
export type { ParentLockError } from "./lifecycle/card-lock.js";
export { Lock, type LockError, type LockHolder, type LockOptions, takeLock } from "./state/lock.js";
export { DirectoryStore } from "./state/directory-store.js";
export type { StateEntry, StateStore } from "./state/state-store.js";
export type { ChangeHint, ChangeSource } from "./events/change-source.js";
export type { HostEvent, HostWatch, WatchOptions } from "./events/host-event.js";
export { pollingSource, type PollingOptions } from "./events/polling-source.js";
export { udevSource, type UdevOptions } from "./events/udev-source.js";

export type { FileStat, FileSystem, WriteOptions } from "./file-system/file-system.js";
export { type OperationOptions, sharedLimits } from "./file-system/limits.js";
export {
  NodeFileSystem,
  type NodeFileSystemOptions,
  nodeFileSystem,
} from "./file-system/node-file-system.js";
export type { ErrnoMeaning, ErrnoTable, ErrnoTag } from "./file-system/operation.js";

export {
  AbortedError,
  AlreadyExistsError,
  type AnyMdevError,
  type AttributeProgress,
  BusyError,
  ConflictError,
  type ConflictOwner,
  DecodeError,
  type ErrorFacts,
  GoneError,
  type InterruptedFacts,
  InvalidArgumentError,
  IoError,
  MdevError,
  type MdevErrorType,
  NoInstancesError,
  NotFoundError,
  type OperationError,
  PermissionError,
  RejectedError,
  RollbackFailedError,
  TimeoutError,
  UnsupportedError,
} from "./errors.js";
