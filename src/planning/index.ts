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
export { type ParentFacts, planningFacts } from "./inventory/facts.js";
export {
  type HardwareFacts,
  type Inventory,
  type InventoryCard,
  inventoryOf,
  type InventoryParent,
} from "./inventory/inventory.js";
export type { HostVersions } from "./migration/live-migration.js";
export { type MigrationError, migrationMap, type MigrationOptions } from "./migration/migration.js";
export type { MigrationMap, Move, Obstacle } from "./migration/migration-map.js";
export { meansParent, type ParentSelector } from "./wanted/parent-selector.js";
export {
  apply,
  type ApplyError,
  type ApplyEvent,
  type ApplyOptions,
  type ApplyReport,
  type StepError,
  type StepResult,
  type StepStatus,
} from "./application/apply.js";
export type { AttributeTexts } from "./wanted/checked-state.js";
export {
  type CurrentState,
  type OwnedDevice,
  readState,
  type ReadStateError,
} from "./inventory/current-state.js";
export type { DeviceNote } from "./inventory/note.js";
export type { PlaceRejection } from "./placement/placer.js";
export type {
  Plan,
  PlanError,
  PlanResult,
  PlanStep,
  StepFacts,
  Unplaced,
  UnplacedReason,
} from "./plan/plan.js";
export { formatPlan } from "./plan/plan-text.js";
export {
  explain,
  type Explanation,
  place,
  type PlacedDevice,
  type PlaceOptions,
  type Places,
  plan,
} from "./plan/planning.js";
export type { CardRule, Placement, PlacementCandidate } from "./placement/placement.js";
export {
  AmbiguousTypeError,
  selectType,
  type TypeSelector,
  type TypeWords,
  type VgpuSelector,
} from "./wanted/type-selector.js";
export type { WantedDevice, WantedState } from "./wanted/wanted-state.js";
