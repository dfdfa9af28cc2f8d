/**
 * Persistent definitions of mediated devices, in the files of mdevctl.
 *
 * @packageDocumentation
 */
export type { AttributeEdit, DefinitionChanges, DefinitionContent } from "./changes.js";
export type { DefinedAttribute, DefinitionConfig, JsonPlace, StartMode } from "./config.js";
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
export { MdevDefinition } from "./mdev-definition.js";
export { NodeDefinitionFileSystem } from "./node-definition-file-system.js";
