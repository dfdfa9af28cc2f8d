import type { SimulatedParentOptions } from "../definitions.js";
import type { Kernel } from "./kernel.js";
import type { Directory, KernfsNode } from "./kernfs.js";

/**
 * Lets a device join its bus or class, its driver and its IOMMU group: links from them and to them. Gives what undoes
 * it; a class or a driver goes with its last member, a bus stays.
 */
export function joinSubsystem(
  kernel: Kernel,
  device: Directory,
  options: SimulatedParentOptions,
): () => void {
  const { sysfs, vfio } = kernel;
  const { subsystem, driver } = options;
  const isBus = subsystem.startsWith("bus/");
  const home = sysfs.ensure(subsystem);
  const links: KernfsNode[] = [(isBus ? home.ensure("devices") : home).link(device.name, device)];
  device.link("subsystem", home);
  const drivers = driver === undefined ? undefined : home.ensure(`drivers/${driver}`);
  if (drivers) {
    links.push(drivers.link(device.name, device));
    device.link("driver", drivers);
  }
  const msi = "0x00000000fee00000 0x00000000feefffff msi\n";
  const group = options.iommuGroup ? vfio.addIommuGroup(device, "DMA", msi) : undefined;
  if (group) device.link("iommu_group", group.folder);
  return () => {
    for (const link of links) link.remove();
    drivers?.prune(home);
    if (!isBus) home.prune(sysfs.ensure("class"));
    group?.remove();
  };
}
