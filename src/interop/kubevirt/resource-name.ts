import { InvalidArgumentError, type MdevTypeInfo, Result } from "../../index.js";

/**
 * A line of KubeVirt's `permittedHostDevices.mediatedDevices`: plain, frozen data, as its YAML has it.
 * Source: KubeVirt, `MediatedHostDevice` in `staging/src/kubevirt.io/api/core/v1/types.go`.
 */
export interface PermittedMediatedDevice {
  /** The name of the type, as the kernel has it: `GRID T4-1Q`; its id where it has no name. */
  readonly mdevNameSelector: string;
  /** By what a virtual machine asks for it: `nvidia.com/GRID_T4-1Q`. */
  readonly resourceName: string;
  /** Whether another device plugin than KubeVirt's own offers it; left out: no. */
  readonly externalResourceProvider?: boolean;
}

/** A choice of how KubeVirt gets to know a type. */
export interface PermittedDeviceOptions {
  /**
   * Another name after the vendor's than the type's own: up to 63 letters, digits, `-`, `_` and `.`, a letter or a
   * digit first and last.
   */
  readonly name?: string | undefined;
  /** Whether another device plugin, such as NVIDIA's, offers it. KubeVirt leaves such devices alone. */
  readonly externalResourceProvider?: boolean | undefined;
}

const DOMAIN = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;

/**
 * The name by which KubeVirt and NVIDIA's device plugin call a type: the file `name` with every blank as `_`, and where there is no such
 * file, the type's id. `GRID T4-1Q` becomes `GRID_T4-1Q`.
 * Source: KubeVirt, `getMdevTypeName` in `pkg/virt-handler/device-manager/mediated_device.go`.
 */
export function kubevirtTypeName(type: Pick<MdevTypeInfo, "id" | "name">): string {
  return (type.name?.trim() ?? type.id).replaceAll(" ", "_");
}

/**
 * What KubeVirt has to be told of a type, so that virtual machines can ask for its devices.
 *
 * `invalid-argument`: Kubernetes would not take the name of the resource, or the vendor is no domain. Give another one
 * in `name`, where a type is called `I/O subchannel (Non-QDIO)`.
 *
 * @param type - what `MdevType.read()` or a snapshot says of it
 * @param vendor - the domain of the vendor: `nvidia.com`
 *
 * @example
 * ```ts
 * import { permittedMediatedDevice } from "vfio-mdev/kubevirt";
 *
 * const device = permittedMediatedDevice({ id: "nvidia-222", name: "GRID T4-1Q" }, "nvidia.com").getOrThrow();
 * console.log(device.resourceName); // prints: nvidia.com/GRID_T4-1Q
 * ```
 */
export function permittedMediatedDevice(
  type: Pick<MdevTypeInfo, "id" | "name">,
  vendor: string,
  options: PermittedDeviceOptions = {},
): Result<PermittedMediatedDevice, InvalidArgumentError> {
  const tried = `permit ${type.id} in KubeVirt`;
  const own = kubevirtTypeName(type);
  const name = options.name ?? own;
  if (!DOMAIN.test(vendor) || vendor.length > 253)
    return Result.error(
      new InvalidArgumentError({ tried, reason: "the vendor is no domain such as nvidia.com" }),
    );
  if (!NAME.test(name) || name.length > 63) {
    const reason = `${JSON.stringify(name)} cannot be the name of a resource of Kubernetes`;
    return Result.error(new InvalidArgumentError({ tried, reason, hint: "Give another name." }));
  }
  const { externalResourceProvider } = options;
  return Result.ok(
    Object.freeze({
      mdevNameSelector: type.name?.trim() ?? type.id,
      resourceName: `${vendor}/${name}`,
      ...(externalResourceProvider === undefined ? {} : { externalResourceProvider }),
    }),
  );
}
