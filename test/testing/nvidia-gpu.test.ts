import { describe, expect, it } from "vitest";
import { type NvidiaGpuOptions, SimulatedHost } from "../../src/testing/index.js";
import { BUS, expectError, handsOn, typePath, uuid } from "./helpers.js";

const ADDRESS = "0000:3b:00.0";

function host(options: Partial<NvidiaGpuOptions> = {}) {
  const simulated = new SimulatedHost();
  const gpu = simulated.addNvidiaGpu({ address: ADDRESS, ...options });
  const hands = handsOn(simulated.fs);
  return { simulated, gpu, ...hands, left: (type: string) => hands.available(ADDRESS, type) };
}

describe("an NVIDIA GPU without SR-IOV", () => {
  it("offers types as its driver does", async () => {
    const { read } = host();
    const type = typePath(ADDRESS, "nvidia-156");
    expect(await read(`${type}/name`)).toBe("GRID P40-2B\n");
    expect(await read(`${type}/description`)).toBe(
      "num_heads=4, frl_config=45, framebuffer=2048M, max_resolution=5120x2880, max_instance=12\n",
    );
    expect(await read(`${type}/available_instances`)).toBe("12\n");
    expect(await read(`${type}/device_api`)).toBe("vfio-pci\n");
  });

  it("has vGPUs of one type at a time", async () => {
    const { gpu, create, left } = host();
    const id = gpu.create("nvidia-156");
    expect(await left("nvidia-156")).toBe(11);
    expect(await left("nvidia-47")).toBe(0);
    await expectError(create(ADDRESS, "nvidia-47", uuid(1)), "EIO (write)");
    gpu.remove(id);
    expect(await left("nvidia-47")).toBe(12);
    for (let i = 0; i < 12; i++) gpu.create("nvidia-47");
    expect(await left("nvidia-47")).toBe(0);
    await expectError(create(ADDRESS, "nvidia-47", uuid(1)), "EIO (write)");
  });

  it("has, with newer drivers, vGPUs of one framebuffer at a time", async () => {
    const { gpu, left } = host({ shares: "framebuffer" });
    gpu.create("nvidia-156");
    expect(await left("nvidia-47")).toBe(11);
    expect(await left("nvidia-46")).toBe(0);
    gpu.create("nvidia-47");
    expect(await left("nvidia-156")).toBe(10);
  });

  it("is a PCI function", async () => {
    const { simulated, read } = host({ numaNode: 1 });
    const pci = `/sys/bus/pci/devices/${ADDRESS}`;
    expect(await simulated.fs.realpath(`/sys/class/mdev_bus/${ADDRESS}`)).toBe(
      `/sys/devices/pci0000:3b/${ADDRESS}`,
    );
    const files = [
      "vendor",
      "device",
      "class",
      "subsystem_vendor",
      "subsystem_device",
      "revision",
      "numa_node",
    ];
    expect(await Promise.all(files.map((file) => read(`${pci}/${file}`)))).toEqual([
      "0x10de\n",
      "0x1b38\n",
      "0x030200\n",
      "0x10de\n",
      "0x11d9\n",
      "0xa1\n",
      "1\n",
    ]);
    expect(await simulated.fs.readlink(`${pci}/driver`)).toBe("../../../bus/pci/drivers/nvidia");
    expect(await simulated.fs.readlink(`${pci}/subsystem`)).toBe("../../../bus/pci");
    expect(await simulated.fs.readlink(`${pci}/iommu_group`)).toBe("../../../kernel/iommu_groups/0");
    expect(await read(`${pci}/uevent`)).toBe(
      [
        "DRIVER=nvidia",
        "PCI_CLASS=30200",
        "PCI_ID=10DE:1B38",
        "PCI_SUBSYS_ID=10DE:11D9",
        "PCI_SLOT_NAME=0000:3b:00.0",
        "MODALIAS=pci:v000010DEd00001B38sv000010DEsd000011D9bc03sc02i00",
        "",
      ].join("\n"),
    );
    expect(() => host({ address: "3b:00.0" })).toThrow("no PCI address");
  });

  it("keeps what is written to vgpu_params, but for the last byte", async () => {
    const { gpu, simulated, read, write } = host();
    const device = `${BUS}/${gpu.create("nvidia-156", uuid(1))}`;
    const path = `${device}/nvidia/vgpu_params`;
    expect((await simulated.fs.lstat(path)).mode & 0o7777).toBe(0o644);
    expect(await read(path)).toBe("\n");
    await write(path, "frame_rate_limiter=0, disable_vnc=1\n");
    expect(await read(path)).toBe("frame_rate_limiter=0, disable_vnc=1\n");
    await write(path, "disable_vnc=1");
    expect(await read(path)).toBe("disable_vnc=\n");
    await write(path, " \n");
    expect(await read(path)).toBe(" \n"); // it is the vGPU's plugin that strips blanks, later
    await write(path, "\n");
    expect(await read(path)).toBe("\n");
    await write(path, `${"a".repeat(1023)}\n`);
    await expectError(write(path, "a".repeat(1025)), "E2BIG (write)");
    expect(await read(path)).toBe(`${"a".repeat(1023)}\n`);
    gpu.remove(uuid(1));
    gpu.create("nvidia-156", uuid(1));
    expect(await read(path)).toBe("\n");
  });

  it("shows the virtual machine, and lets nobody change parameters while it runs", async () => {
    const { gpu, simulated, read, write } = host();
    const device = `${BUS}/${gpu.create("nvidia-156", uuid(1))}/nvidia`;
    expect(await read(`${device}/vm_name`)).toBe("\n");
    const vm = simulated.open(uuid(1), { vmName: "desktop-7" });
    expect(await read(`${device}/vm_name`)).toBe("desktop-7\n");
    await expectError(write(`${device}/vgpu_params`, "disable_vnc=1\n"), "EPERM (write)");
    await expectError(write(`${device}/vm_name`, "x"), "EACCES (open)");
    vm.close();
    await write(`${device}/vgpu_params`, "disable_vnc=1\n");
  });

  it("can be another board", async () => {
    const m60 = {
      id: "nvidia-11",
      name: "GRID M60-0B",
      heads: 2,
      frameRate: 45,
      framebuffer: 512,
      resolution: "2560x1600",
      maxInstance: 16,
    };
    const { read, ls } = host({ types: [m60], device: "13f2", subsystemDevice: "115e", revision: "a2" });
    expect(await ls(`/sys/class/mdev_bus/${ADDRESS}/mdev_supported_types`)).toEqual(["nvidia-11"]);
    expect(await read(`/sys/class/mdev_bus/${ADDRESS}/device`)).toBe("0x13f2\n");
  });
});
