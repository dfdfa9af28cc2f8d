import { expect, it } from "vitest";
import { MdevHost, type MdevHostOptions, text } from "../../src/index.js";
import { fails, ok } from "../contract/expect.js";
import { sysfsTree } from "./sysfs-tree.js";
import { OTHER_UUID, UUID } from "./world.js";

/** A GPU with two types and one device, as plain files. */
export const TREE = sysfsTree({
  path: "devices/pci0000:3a/0000:3b:00.0",
  entries: { subsystem: { link: "../../../bus/pci" }, vendor: "0x10de\n", numa_node: "1\n", power: null },
  types: {
    "nvidia-9": { name: "GRID 9\n", device_api: "vfio-pci\n", available_instances: "4\n" },
    "nvidia-10": {
      name: "GRID 10\n",
      device_api: "vfio-pci\n",
      available_instances: "0\n",
      description: "a=1, b=2",
    },
  },
  devices: {
    [UUID]: { type: "nvidia-9", entries: { iommu_group: { link: "../../../../kernel/iommu_groups/7" } } },
  },
});

/** What the library makes of {@link TREE}, whatever holds it. */
export function readsMergedTree(options: () => MdevHostOptions): void {
  it("is read in full", async () => {
    const given = options();
    const host = new MdevHost(given);
    const [parent] = await ok(host.parents());
    expect(await ok((parent ?? expect.fail()).read())).toEqual({
      id: "0000:3b:00.0",
      path: `${given.sysfs ?? "/sys"}/devices/pci0000:3a/0000:3b:00.0`,
      layout: "merged",
      driver: undefined,
      numaNode: 1,
      pci: expect.objectContaining({ address: "0000:3b:00.0", vendor: 0x10de, sriov: undefined }) as unknown,
      types: ["nvidia-9", "nvidia-10"],
      devices: [UUID],
      problems: [],
    });
    const type = await ok(host.parent("0000:3b:00.0").map((found) => found.type("nvidia-10")));
    expect(await ok(type.read())).toMatchObject({
      name: "GRID 10",
      description: "a=1, b=2",
      availableInstances: 0,
      devices: [],
    });
    const device = await ok(host.device(UUID));
    expect(await ok(device.read())).toMatchObject({
      type: "nvidia-9",
      state: "active",
      iommuGroup: 7,
      problems: [],
    });
    expect(await ok(device.attribute("mdev_type/name", text).read())).toBe("GRID 9");
    expect(await ok(host.support())).toEqual({
      mdev: true,
      parents: true,
      vfio: false,
      vfioDevices: false,
      iommufd: false,
    });
  });

  it("is written to with one write, and nothing is made that was not there", async () => {
    const host = new MdevHost(options());
    const device = await ok(host.device(UUID));
    await ok(device.attribute("uevent", text).write("change"));
    expect(await ok(device.attribute("uevent", text).readRaw())).toBe("change\n");
    await fails(device.attribute("missing", text).write("x"), "unsupported");
    expect(await ok(device.attribute("missing", text).exists())).toBe(false);
    // No kernel makes a device of what is written to a plain file.
    const type = await ok(host.parent("0000:3b:00.0").map((found) => found.type("nvidia-9")));
    const error = await fails(type.create({ uuid: OTHER_UUID }), "gone");
    expect(error.message).toContain("the device is not there");
    expect(await ok(type.attribute("create", text).readRaw())).toBe(`${OTHER_UUID}\n`);
    expect(error.path).toMatch(new RegExp(`/${OTHER_UUID}$`, "u"));
  });
}
