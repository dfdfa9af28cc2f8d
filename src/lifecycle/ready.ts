import { integer } from "../attributes/codec.js";
import type { HostContext } from "../context.js";
import { GoneFailure } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";
import { inNaturalOrder } from "../identifiers.js";
import { linkValue } from "../inspection.js";
import type { FoundDevice } from "../layouts/layout.js";
import { deviceOwner } from "../layouts/owner.js";

/**
 * How far a device must be: `complete`: all that the kernel makes of it in sysfs is there; `driver`: also its link
 * `driver`; `node`: also a node through which it can be opened, `/dev/vfio/<N>` or `/dev/vfio/devices/vfio<M>`.
 */
export type Readiness = "complete" | "driver" | "node";

/** All of them, each with those before it. */
export const READINESS: readonly Readiness[] = ["complete", "driver", "node"];

/** The nodes through which a program opens a device. */
export interface VfioNodes {
  /** The node of its IOMMU group, `/dev/vfio/<N>`; `undefined` where there is none. */
  readonly group: string | undefined;
  /** Its own node, `/dev/vfio/devices/vfio<M>` (Linux 6.6 and later); `undefined` where there is none. */
  readonly device: string | undefined;
}

const LOOK_AGAIN = 10;
/** How long to wait where the caller sets no limit, in milliseconds. */
export const READY_LIMIT = 10_000;

/** The nodes of a device that are there. */
export async function findNodes(io: Io, context: HostContext, device: FoundDevice): Promise<VfioNodes> {
  const { paths } = context;
  const number = await linkValue(io, deviceOwner(context, device), "iommu_group", integer);
  const [own] = inNaturalOrder(await io.namesIn(`${device.path}/vfio-dev`));
  return Object.freeze({
    group: await present(io, number === undefined ? undefined : paths.vfioGroup(number)),
    device: await present(io, own === undefined ? undefined : `${paths.vfioDevices}/${own}`),
  });
}

/** Waits until a device is as ready as it must be; what it lacks, as a clause, where that takes too long. */
export async function untilReady(
  io: Io,
  context: HostContext,
  device: FoundDevice,
  wanted: Readiness,
  limit: number = READY_LIMIT,
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

async function present(io: Io, node: string | undefined): Promise<string | undefined> {
  return node !== undefined && (await io.exists(node)) ? node : undefined;
}
