/**
 * Which devices a host is to have: selectors of types and parents, places for devices, and plans that lead from what is
 * to what is wanted. Reading configurations of others needs the package `js-yaml` beside this one.
 *
 * @packageDocumentation
 */
export {
  type MediatedDevicesConfiguration,
  type NodeMediatedDeviceTypes,
  parseMediatedDevicesConfiguration,
} from "./documents/mediated-devices-configuration.js";
export type { DocumentError } from "./documents/read-document.js";
export {
  type GpuIds,
  parseVgpuConfigs,
  type VgpuConfig,
  type VgpuConfigEntry,
  type VgpuCount,
} from "./documents/vgpu-configs.js";
export { wantedMediatedDevices } from "./documents/wanted-mediated-devices.js";
export {
  type VgpuSubstitution,
  type WantedVgpus,
  wantedVgpus,
  type WantedVgpusError,
  type WantedVgpusOptions,
} from "./documents/wanted-vgpus.js";
export { type ParentFacts, planningFacts } from "./facts.js";
export {
  type HardwareFacts,
  type Inventory,
  type InventoryCard,
  inventoryOf,
  type InventoryParent,
} from "./inventory.js";
export type { HostVersions } from "./live-migration.js";
export { type MigrationError, migrationMap, type MigrationOptions } from "./migration.js";
export type { MigrationMap, Move, Obstacle } from "./migration-map.js";
export { meansParent, type ParentSelector } from "./parent-selector.js";
export {
  apply,
  type ApplyError,
  type ApplyEvent,
  type ApplyOptions,
  type ApplyReport,
  type StepError,
  type StepResult,
  type StepStatus,
} from "./apply.js";
export type { AttributeTexts } from "./checked-state.js";
export { type CurrentState, type OwnedDevice, readState, type ReadStateError } from "./current-state.js";
export type { DeviceNote } from "./note.js";
export type { PlaceRejection } from "./placer.js";
export type { Plan, PlanError, PlanResult, PlanStep, StepFacts, Unplaced, UnplacedReason } from "./plan.js";
export { formatPlan } from "./plan-text.js";
export {
  explain,
  type Explanation,
  place,
  type PlacedDevice,
  type PlaceOptions,
  type Places,
  plan,
} from "./planning.js";
export type { CardRule, Placement, PlacementCandidate } from "./placement.js";
export {
  AmbiguousTypeError,
  selectType,
  type TypeSelector,
  type TypeWords,
  type VgpuSelector,
} from "./type-selector.js";
export type { WantedDevice, WantedState } from "./wanted-state.js";
