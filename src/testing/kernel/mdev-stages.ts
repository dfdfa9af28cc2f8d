import type { KernelRelease } from "../definitions.js";
import type { CreateStage, RemoveStage } from "./pauses.js";

/** What a creation does, in this order: seen on 6.1 and 5.10 by a second thread, and read in their sources. */
export const CREATE_STAGES: Readonly<Record<KernelRelease, readonly CreateStage[]>> = {
  "5.10": [
    "uevent",
    "vendor",
    "bus",
    "power",
    "driver",
    "iommu_group",
    "devices",
    "mdev_type",
    "remove",
    "active",
  ],
  "6.1": [
    "uevent",
    "remove",
    "bus",
    "power",
    "driver",
    "iommu_group",
    "vfio-dev",
    "vendor",
    "devices",
    "mdev_type",
    "active",
  ],
};

/** What a removal does, after the `remove` file has removed itself. */
export const REMOVE_STAGES: Readonly<Record<KernelRelease, readonly RemoveStage[]>> = {
  "5.10": ["mdev_type", "devices", "power", "uevent", "vendor", "bus", "driver", "iommu_group", "folder"],
  "6.1": [
    "mdev_type",
    "devices",
    "power",
    "uevent",
    "bus",
    "driver",
    "vendor",
    "vfio-dev",
    "iommu_group",
    "folder",
  ],
};

/** What unbinding a device from its driver does. */
export const UNBIND_STAGES: Readonly<Record<KernelRelease, readonly RemoveStage[]>> = {
  "5.10": ["driver", "iommu_group"],
  "6.1": ["driver", "vendor", "vfio-dev", "iommu_group"],
};

/** The stage that waits until nobody has the device open any more. */
export const WAITS_BEFORE: Readonly<Record<KernelRelease, RemoveStage>> = {
  "5.10": "iommu_group",
  "6.1": "vfio-dev",
};
