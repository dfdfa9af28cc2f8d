/**
 * Persistent definitions of mediated devices, in the files of mdevctl.
 *
 * @packageDocumentation
 */
export type { AttributeEdit, DefinitionChanges, DefinitionContent } from "./changes.js";
export type { DefinedAttribute, DefinitionConfig, JsonPlace, StartMode } from "./config.js";
export {
  type AutoStart,
  type AutoStarts,
  DefinedHost,
  type StartAutoOptions,
  type Started,
  type StartError,
  type StartOptions,
  type StopError,
} from "./defined-host.js";
export type { DefinitionEvent, DefinitionWatch, DefinitionWatchOptions } from "./definition-event.js";
export type { DefinitionFileStat, DefinitionFileSystem } from "./definition-file-system.js";
export type { DefinitionProblem } from "./definition-files.js";
export {
  type DefineDeviceError,
  type DefineDeviceOptions,
  type DefineError,
  type DefineOptions,
  type DefinitionChangeError,
  type DefinitionList,
  type DefinitionLookupError,
  type DefinitionQuery,
  DefinitionStore,
  type DefinitionStoreOptions,
  type OfParent,
} from "./definition-store.js";
export type { AttributeDrift, Difference, DriftError, DriftReport } from "./drift.js";
export {
  devicesJson,
  type ListedDevice,
  listedDevices,
  type ListedDevicesOptions,
  type ListedType,
  type ListingOptions,
  typesJson,
} from "./listing.js";
export { MdevDefinition } from "./mdev-definition.js";
export { NodeDefinitionFileSystem } from "./node-definition-file-system.js";
export { type DeviceListing, parseDevicesJson, parseTypesJson } from "./parse-listing.js";
