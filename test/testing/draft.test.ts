import { describe, expect, it } from "vitest";
import { SimulatedHost } from "../../src/testing/index.js";
import { expectError, handsOn, uuid } from "./helpers.js";

const ADDRESS = "0000:86:00.0";

describe("a parent with an interface before September 2016", () => {
  it.each([
    ["A", ["mdev_shutdown", "mdev_start"]],
    ["B", ["mdev_start", "mdev_stop"]],
  ] as const)("of generation %s has class files", async (generation, names) => {
    const simulated = new SimulatedHost();
    const { ls, write } = handsOn(simulated.fs);
    simulated.addDraft({ generation });
    simulated.addDraft({ generation, address: "0000:87:00.0" });
    expect(await ls("/sys/class/mdev")).toEqual(names);
    for (const name of names) {
      expect((await simulated.fs.lstat(`/sys/class/mdev/${name}`)).mode & 0o7777).toBe(0o200);
      await expectError(write(`/sys/class/mdev/${name}`, uuid(1)), "EIO (write)");
    }
  });

  it("of generation C has none", async () => {
    const simulated = new SimulatedHost();
    const { ls } = handsOn(simulated.fs);
    simulated.addDraft({ generation: "C" });
    await expectError(ls("/sys/class/mdev"), "ENOENT (scandir)");
  });

  it("lists its types in a text file", async () => {
    const simulated = new SimulatedHost();
    const { read, write } = handsOn(simulated.fs);
    const gpu = simulated.addDraft({ generation: "B" });
    expect(gpu.path).toBe(`/sys/devices/pci0000:86/${ADDRESS}`);
    const types = `/sys/class/mdev_bus/${ADDRESS}/mdev_supported_types`;
    expect((await simulated.fs.lstat(types)).mode).toBe(0o100444);
    expect((await read(types)).split("\n")).toEqual([
      "# vgpu_type_id, vgpu_type, max_instance, num_heads, frl_config, framebuffer, max_resolution",
      '11      ,"GRID M60-0B",      16,       2,      45,     512M,    2560x1600',
      '12      ,"GRID M60-0Q",      16,       2,      60,     512M,    2560x1600',
      '13      ,"GRID M60-1B",       8,       2,      45,    1024M,    2560x1600',
      "",
    ]);
    for (const name of ["mdev_create", "mdev_destroy"]) {
      expect((await simulated.fs.lstat(`${gpu.path}/${name}`)).mode & 0o7777).toBe(0o200);
      await expectError(write(`${gpu.path}/${name}`, uuid(1)), "EIO (write)");
    }
  });

  it("may say something else, and need not be listed", async () => {
    const simulated = new SimulatedHost();
    const { read, ls } = handsOn(simulated.fs);
    const gpu = simulated.addDraft({
      generation: "C",
      address: "0000:00:02.0",
      text: "GVTg\n",
      listed: false,
    });
    expect(await read(`${gpu.path}/mdev_supported_types`)).toBe("GVTg\n");
    expect(await ls("/sys/class")).toEqual([]);
    gpu.unplug();
    gpu.unplug();
    expect(await ls("/sys/bus/pci/devices")).toEqual([]);
    simulated.addDraft({ generation: "C" }).unplug();
    expect(await ls("/sys/class/mdev_bus")).toEqual([]);
  });
});
