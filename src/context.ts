import type { OperationHost } from "./file-system/operation.js";
import type { FoundDevice, FoundParent } from "./layouts/layout.js";
import type { Registry } from "./layouts/registry.js";
import type { MdevDevice } from "./mdev-device.js";
import type { MdevType } from "./mdev-type.js";
import type { Parent } from "./parent.js";
import type { StateStore } from "./state/state-store.js";

/** What every handle knows of its host, and how it reaches the handles above it: `host.ts` supplies it. */
export interface HostContext extends OperationHost, Registry {
  /** Where procfs is mounted; `undefined` where the processes cannot be looked at. */
  readonly proc: string | undefined;
  /** Whether an extension of the host knows that somebody uses the device. */
  isSaidToBeUsed(device: FoundDevice): Promise<boolean>;
  /** Whether this is the machine itself, through the local file system. */
  readonly isLocal: boolean;
  /** Where that is kept which sysfs cannot keep; `undefined`: nowhere. */
  readonly state: StateStore | undefined;
  parent(found: FoundParent): Parent;
  type(parent: FoundParent, id: string): MdevType;
  device(found: FoundDevice): MdevDevice;
}
