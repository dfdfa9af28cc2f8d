import { integer } from "../attributes/codec.js";
import type { HostContext } from "../context.js";
import type { Io } from "../file-system/io.js";
import { inNaturalOrder } from "../identifiers.js";
import { linkValue } from "../inspection.js";
import type { FoundDevice } from "../layouts/layout.js";
import { deviceOwner } from "../layouts/owner.js";

/** The nodes through which a program opens a device. */
export interface VfioNodes {
  /** The node of its IOMMU group, `/dev/vfio/<N>`; `undefined` where there is none. */
  readonly group: string | undefined;
  /** Its own node, `/dev/vfio/devices/vfio<M>` (Linux 6.6 and later); `undefined` where there is none. */
  readonly device: string | undefined;
}

/** What its nodes are called, whether they are there or not. */
export interface NodeNames {
  /** The number of its IOMMU group; `undefined` where it has none. */
  readonly group: number | undefined;
  /** The names in its folder `vfio-dev`. */
  readonly own: readonly string[];
}

/** The names of a device's nodes, as sysfs has them. */
export async function nodeNames(io: Io, context: HostContext, device: FoundDevice): Promise<NodeNames> {
  const group = await linkValue(io, deviceOwner(context, device), "iommu_group", integer);
  return { group, own: inNaturalOrder(await io.namesIn(`${device.path}/vfio-dev`)) };
}

/** The nodes of a device that are there. */
export async function findNodes(io: Io, context: HostContext, device: FoundDevice): Promise<VfioNodes> {
  const { paths } = context;
  const {
    group,
    own: [own],
  } = await nodeNames(io, context, device);
  return Object.freeze({
    group: await present(io, group === undefined ? undefined : paths.vfioGroup(group)),
    device: await present(io, own === undefined ? undefined : `${paths.vfioDevices}/${own}`),
  });
}

async function present(io: Io, node: string | undefined): Promise<string | undefined> {
  return node !== undefined && (await io.exists(node)) ? node : undefined;
}
