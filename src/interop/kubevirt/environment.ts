import { InvalidArgumentError, type MdevDeviceInfo, Result } from "../../index.js";

/**
 * The devices that a pod got, by the environment variable that says so.
 * Source: KubeVirt, `pkg/virt-launcher/virtwrap/device/hostdevice/addresspool.go`.
 */
export interface PodDevices {
  /** The variable without its prefix: `NVIDIA_COM_GRID_T4-1Q`. The name of the resource cannot be told from it for certain. */
  readonly resource: string;
  /** Whether they are mediated devices or PCI functions. */
  readonly kind: "mdev" | "pci";
  /** Their ids, as `MdevDevice.id` has them: UUIDs, or PCI addresses. */
  readonly devices: readonly string[];
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const PCI_ADDRESS = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/;
const PREFIXES = { mdev: "MDEV_PCI_RESOURCE_", pci: "PCI_RESOURCE_" } as const;

/**
 * The environment variable by which a device plugin tells KubeVirt which devices a pod got: `MDEV_PCI_RESOURCE_<resource>` with UUIDs, or
 * `PCI_RESOURCE_<resource>` with the PCI addresses of vGPUs of NVIDIA's vendor interface.
 *
 * `invalid-argument`: no devices, or those of both kinds.
 * Source: KubeVirt, `ResourceNameToEnvVar` in `pkg/util`, and `pkg/virt-handler/device-manager/mediated_device.go`.
 *
 * @param resourceName - `nvidia.com/GRID_T4-1Q`
 * @param devices - what `MdevDevice.read()` or a snapshot says of them
 *
 * @example
 * ```ts
 * import { podVariable } from "vfio-mdev/kubevirt";
 *
 * const id = "c2177883-f1bb-47f0-914d-32a22e3a8804";
 * const [name, value] = podVariable("nvidia.com/GRID_T4-1Q", [{ id }]).getOrThrow();
 * console.log(name); // prints: MDEV_PCI_RESOURCE_NVIDIA_COM_GRID_T4-1Q
 * console.log(value); // prints: c2177883-f1bb-47f0-914d-32a22e3a8804
 * ```
 */
export function podVariable(
  resourceName: string,
  devices: readonly Pick<MdevDeviceInfo, "id">[],
): Result<readonly [name: string, value: string], InvalidArgumentError> {
  const ids = devices.map(({ id }) => id.toLowerCase());
  const kind = ids.length === 0 ? undefined : kindOf(ids);
  if (kind === undefined) {
    const reason = "its devices are none, or not all UUIDs, or not all PCI addresses";
    return Result.error(new InvalidArgumentError({ tried: `name the devices of ${resourceName}`, reason }));
  }
  return Result.ok(Object.freeze([`${PREFIXES[kind]}${upper(resourceName)}`, ids.join(",")] as const));
}

/**
 * The devices in the environment of a pod, such as that of `virt-launcher`. A variable whose value is no list of ids is left out.
 *
 * @param environment - `process.env`
 */
export function podDevices(environment: Readonly<Record<string, string | undefined>>): readonly PodDevices[] {
  const found: PodDevices[] = [];
  for (const [name, value = ""] of Object.entries(environment)) {
    for (const kind of ["mdev", "pci"] as const) {
      if (!name.startsWith(PREFIXES[kind])) continue;
      const devices = value
        .toLowerCase()
        .split(",")
        .filter((id) => id !== "");
      if (devices.length === 0 || kindOf(devices) !== kind) continue;
      found.push(
        Object.freeze({ resource: name.slice(PREFIXES[kind].length), kind, devices: Object.freeze(devices) }),
      );
    }
  }
  return Object.freeze(found);
}

function kindOf(ids: readonly string[]): "mdev" | "pci" | undefined {
  if (ids.every((id) => UUID.test(id))) return "mdev";
  return ids.every((id) => PCI_ADDRESS.test(id)) ? "pci" : undefined;
}

function upper(resourceName: string): string {
  return resourceName.toUpperCase().replace(/[/.]/g, "_");
}
