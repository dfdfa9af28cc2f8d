import type { OperationHost } from "./file-system/operation.js";
import type { FoundDevice, FoundParent } from "./layouts/mdev-bus.js";
import type { MdevDevice } from "./mdev-device.js";
import type { MdevType } from "./mdev-type.js";
import type { Parent } from "./parent.js";
import type { Paths } from "./paths.js";

/** What every handle knows of its host, and how it reaches the handles above it: `host.ts` supplies it. */
export interface HostContext extends OperationHost {
  readonly paths: Paths;
  /** The sysfs root, which no attribute may lead out of. */
  readonly sysfs: string;
  parent(found: FoundParent): Parent;
  type(parent: FoundParent, id: string): MdevType;
  device(found: FoundDevice): MdevDevice;
}
