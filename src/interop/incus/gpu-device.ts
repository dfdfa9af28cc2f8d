import { InvalidArgumentError, type MdevTypeInfo, Result } from "../../index.js";

/**
 * The configuration of a GPU device of an instance of Incus or LXD that gets a mediated device.
 * Source: Incus, `internal/server/device/gpu_mdev.go`.
 */
export interface IncusGpuDevice {
  /** Always `gpu`. */
  readonly type: "gpu";
  /** Always `mdev`. */
  readonly gputype: "mdev";
  /** The id of the type: `i915-GVTg_V5_4`. */
  readonly mdev: string;
  /** The PCI address of the card: `0000:00:02.0`. */
  readonly pci: string;
}

const PCI_ADDRESS = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/;

/**
 * What an instance's configuration has to hold to get a device of a type: Incus creates it when the instance starts, and removes it when it
 * stops. It looks on the card, then on its virtual functions: give the address of the physical one. `invalid-argument` where the parent is no PCI
 * device.
 * Source: Incus, `internal/server/device/gpu_mdev.go`.
 *
 * @param type - what `MdevType.read()` says of it
 * @param card - the PCI address of the card; the type's parent, if not given
 *
 * @example
 * ```ts
 * import { incusGpuDevice } from "vfio-mdev/incus";
 *
 * const device = incusGpuDevice({ id: "i915-GVTg_V5_4", parent: "0000:00:02.0" }).getOrThrow();
 * console.log(device.gputype, device.mdev, device.pci); // prints: mdev i915-GVTg_V5_4 0000:00:02.0
 * ```
 */
export function incusGpuDevice(
  type: Pick<MdevTypeInfo, "id" | "parent">,
  card?: string,
): Result<IncusGpuDevice, InvalidArgumentError> {
  const pci = card ?? type.parent;
  if (PCI_ADDRESS.test(pci))
    return Result.ok(Object.freeze({ type: "gpu", gputype: "mdev", mdev: type.id, pci }));
  const reason = `${JSON.stringify(pci)} is no PCI address, and Incus knows no other parents`;
  return Result.error(new InvalidArgumentError({ tried: `give ${type.id} to Incus`, reason }));
}
