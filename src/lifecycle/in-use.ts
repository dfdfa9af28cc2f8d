import type { HostContext } from "../context.js";
import { FileFailure } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";
import type { OperationOptions } from "../file-system/limits.js";
import type { FoundDevice } from "../layouts/layout.js";
import { log } from "../log.js";
import { nodeNames } from "./nodes.js";
import { findHolders } from "./processes.js";

/** Whether somebody has a device open, from the evidence there is. */
export interface DeviceUse {
  /** `no` only where every process of the machine could be looked at; `unknown` where nothing tells. */
  readonly state: "yes" | "no" | "unknown";
  /** The processes that have it open, by number, as far as they could be seen in `/proc/<pid>/fd`. */
  readonly holders: readonly number[];
}

/** What {@link MdevDevice.inUse} takes. */
export interface UseOptions extends OperationOptions {
  /**
   * Opens `/dev/vfio/<N>` for a moment: EBUSY says that somebody has it open, also where `/proc` does not show it. A
   * virtual machine that starts at that very moment fails to. Not done by default.
   */
  readonly probeGroup?: boolean | undefined;
}

/** Who uses a device, or may. */
export async function findUse(
  io: Io,
  context: HostContext,
  device: FoundDevice,
  { probeGroup = false }: UseOptions = {},
): Promise<DeviceUse> {
  const { paths, proc } = context;
  const names = await nodeNames(io, context, device);
  const node = names.group === undefined ? undefined : `/vfio/${names.group}`;
  const own = names.own.map((name) => `/vfio/devices/${name}`);
  const folder = `/sys${device.path.slice(paths.sysfs.length)}`;
  const endings = node === undefined ? own : [node, ...own];

  const { pids, complete } =
    proc === undefined
      ? { pids: [], complete: false }
      : await findHolders(io.below(proc), proc, { folder, endings });
  const used =
    pids.length > 0 ||
    (await io.within(context.isSaidToBeUsed(device))) ||
    (probeGroup && node !== undefined && (await isHeld(io.below(paths.dev), `${paths.dev}${node}`)));
  const state = used ? "yes" : complete ? "no" : "unknown";
  log.remove("%s in use: %s %o", device.path, state, pids);
  return Object.freeze({ state, holders: Object.freeze(pids) });
}

/** Whether somebody has a group's node open: only one at a time can. */
async function isHeld(dev: Io, node: string): Promise<boolean> {
  try {
    await dev.readFile(node);
  } catch (thrown) {
    if (!(thrown instanceof FileFailure)) throw thrown;
    return thrown.errno === "EBUSY";
  }
  return false;
}
