/**
 * Persistent definitions of mediated devices, in the files of mdevctl.
 *
 * @packageDocumentation
 */
export { type CalloutError, Callouts, type CalloutsOptions } from "./callouts.js";
export type { CalloutSubject } from "./callout-script.js";
export type { AttributeEdit, DefinitionChanges, DefinitionContent } from "./changes.js";
export type { DefinedAttribute, DefinitionConfig, JsonPlace, StartMode } from "./config.js";
export { type AutoStart, type AutoStarts, DefinedHost, type StopError } from "./defined-host.js";
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
export type {
  AttributeComparison,
  AttributeDrift,
  Difference,
  DriftError,
  DriftOptions,
  DriftReport,
} from "./drift.js";
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
export { NodeScriptRunner } from "./node-script-runner.js";
export type { ScriptCall, ScriptEnd, ScriptRunner } from "./script-runner.js";
export { type DeviceListing, parseDevicesJson, parseTypesJson } from "./parse-listing.js";
export type { StartAutoOptions, Started, StartError, StartOptions } from "./starting.js";
