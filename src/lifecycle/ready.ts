import type { HostContext } from "../context.js";
import { GoneFailure } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";
import type { FoundDevice } from "../layouts/layout.js";
import { findNodes } from "./nodes.js";

/**
 * How far a device must be: `complete`: all that the kernel makes of it in sysfs is there; `driver`: also its link
 * `driver`; `node`: also a node through which it can be opened, `/dev/vfio/<N>` or `/dev/vfio/devices/vfio<M>`.
 */
export type Readiness = "complete" | "driver" | "node";

/** All of them, each with those before it. */
export const READINESS: readonly Readiness[] = ["complete", "driver", "node"];

const LOOK_AGAIN = 10;
/** How long to wait where the caller sets no limit, in milliseconds. */
export const READY_LIMIT = 10_000;

/** Waits until a device is as ready as it must be; what it lacks, as a clause, where that takes too long. */
export async function untilReady(
  io: Io,
  context: HostContext,
  device: FoundDevice,
  wanted: Readiness,
  limit: number,
): Promise<string | undefined> {
  const begun = performance.now();
  for (;;) {
    if (!(await device.parent.layout.exists(io, device))) throw new GoneFailure(device.path);
    const missing = await missingOf(io, context, device, wanted);
    if (missing === undefined || performance.now() - begun > limit) return missing;
    await io.pause(LOOK_AGAIN);
  }
}

/** What a device does not have yet, as a clause. */
async function missingOf(
  io: Io,
  context: HostContext,
  device: FoundDevice,
  wanted: Readiness,
): Promise<string | undefined> {
  if ((await device.parent.layout.stateOf(io, device)) !== "active") return "it is not complete";
  if (wanted === "complete") return undefined;
  if ((await io.linkTarget(`${device.path}/driver`)) === undefined) return "no driver is bound to it";
  if (wanted === "driver") return undefined;
  const { group, device: own } = await findNodes(io, context, device);
  return group === undefined && own === undefined ? "there is no node to open it" : undefined;
}
