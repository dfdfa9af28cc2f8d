/**
 * IBM Z: crypto adapters for virtual machines (vfio-ap). From the kernel's documents and source; not run on a machine
 * that has such adapters.
 *
 * And channel I/O: subchannels and the channel devices behind them (vfio-ccw). Proven on a real s390x kernel.
 *
 * @packageDocumentation
 */
export {
  applyMatrix,
  type ApplyMatrixError,
  type ApplyMatrixOptions,
  type ApplyMatrixOutcome,
  type WantedApConfig,
} from "./ap-apply.js";
export { type ApConfig, apConfig } from "./ap-config.js";
export {
  type ApClaims,
  type ApConflict,
  type ApConflictReport,
  type ApHostFacts,
  findApConflicts,
  type HostMasks,
} from "./ap-conflicts.js";
export { VfioApDevice } from "./ap-device.js";
export { type ApDrift, compareMatrix } from "./ap-drift.js";
export type { ApHoldings } from "./ap-holdings.js";
export { readApHost } from "./ap-host.js";
export { AP_LOCK_FILE, ApConfigLock, type ApLockOptions, lockApConfig } from "./ap-lock.js";
export { apMask } from "./ap-mask.js";
export { apDomainList, type ApMatrix, apMatrix } from "./ap-matrix.js";
export { apNumber } from "./ap-numbers.js";
export { type ApConflictOptions, type ApParentConflictReport, VfioApParent } from "./ap-parent.js";
export { type ApConfigWrite, type ApNumberWrite, type ApWrite, planApWrites } from "./ap-plan.js";
export { type Apqn, apqn, ApQueueSet } from "./ap-queue-set.js";
export {
  type ChannelAddress,
  compareChannelAddresses,
  formatChannelAddress,
  parseChannelAddress,
} from "./ccw-address.js";
export { VfioCcwDevice } from "./ccw-device.js";
export type { ChannelPath, ChannelPathMasks } from "./ccw-paths.js";
export { SubchannelParent } from "./ccw-subchannel.js";
