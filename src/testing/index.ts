/**
 * A kernel in memory, to test what manages mediated devices without hardware, without root and without waiting.
 *
 * {@link SimulatedHost} has the drivers and the behaviour; `simulated.fs` is the file system to give to the library.
 * What mtty, mdpy and mbochs show and answer was recorded from Linux 6.1 and is replayed in this package's tests;
 * the rest is from public sources, and says so.
 *
 * @packageDocumentation
 */

export { SimulatedHost, type SimulatedHostOptions } from "./simulated-host.js";
export type {
  KernelRelease,
  SimulatedAttribute,
  SimulatedCapacity,
  SimulatedDevice,
  SimulatedDeviceAttribute,
  SimulatedModule,
  SimulatedParent,
  SimulatedParentOptions,
  SimulatedType,
} from "./definitions.js";
export type { MatrixAssignment, MatrixOptions, SimulatedMatrix } from "./drivers/ap-matrix.js";
export type { SimulatedSubchannel, SubchannelOptions } from "./drivers/ccw.js";
export type { CssDriver } from "./drivers/ccw-bus.js";
export type {
  ClassBasedCreation,
  ClassBasedOptions,
  ClassBasedType,
  SimulatedClassBasedParent,
} from "./drivers/class-based.js";
export type { DraftGeneration, DraftOptions, SimulatedDraft } from "./drivers/draft.js";
export type { SharingMode } from "./drivers/framebuffer.js";
export type { GeneralOptions, GeneralType, SimulatedGeneralParent } from "./drivers/general.js";
export type { MbochsOptions } from "./drivers/mbochs.js";
export type { MdpyOptions } from "./drivers/mdpy.js";
export type { NvidiaGpuOptions } from "./drivers/nvidia-gpu.js";
export type { NvidiaSriovGpuOptions, SimulatedSriovGpu } from "./drivers/nvidia-sriov-gpu.js";
export type { VgpuType } from "./drivers/vgpu-types.js";
export { Errno, type ErrnoName } from "./errno.js";
export type {
  Delay,
  DelayOptions,
  FailureOptions,
  Operation,
  OperationFilter,
  OperationName,
} from "./interference.js";
export type { CreateStage, Pause, PauseOptions, RemoveStage } from "./kernel/pauses.js";
export type { Holder, OpenOptions } from "./kernel/usage.js";
export { MemoryDefinitionFileSystem } from "./memory-definition-file-system.js";
export { MemoryStore } from "./memory-store.js";
export type { SimulatedFileSystem } from "./simulated-file-system.js";
