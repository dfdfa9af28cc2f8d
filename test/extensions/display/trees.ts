import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { MdevHost, type MdevType } from "../../../src/index.js";
import { SimulatedHost, type SimulatedType } from "../../../src/testing/index.js";

/** A type of a parent that any driver could have, in the layout of today. */
export async function typeWith(type: SimulatedType, simulated = new SimulatedHost()): Promise<MdevType> {
  simulated.addParent({
    path: "devices/pci0000:00/0000:00:02.0",
    subsystem: "bus/pci",
    driver: "any",
    deviceDriver: "any_mdev",
    types: [type],
  });
  return findType(simulated, "0000:00:02.0", type.id);
}

/** A type of a simulated host. */
export async function findType({ fs }: SimulatedHost, parent: string, id: string): Promise<MdevType> {
  return (await new MdevHost({ fs }).parent(parent).getOrThrow()).type(id).getOrThrow();
}

/** A host on the files of a temporary folder: a parent with these files. */
export async function hostWith(parent: string, files: Readonly<Record<string, string>>): Promise<MdevHost> {
  const sysfs = await mkdtemp(join(tmpdir(), "vfio-mdev-display-"));
  onTestFinished(() => rm(sysfs, { recursive: true }));
  const folder = join(sysfs, "devices", "pci0000:00", parent);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  for (const list of ["class/mdev_bus", "bus/pci/devices"]) {
    await mkdir(join(sysfs, list), { recursive: true });
    await symlink(folder, join(sysfs, list, parent));
  }
  return new MdevHost({ sysfs });
}
