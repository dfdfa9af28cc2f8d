import { afterEach, describe, expect, it, vi } from "vitest";
import { type NvidiaSriovGpuOptions, SimulatedHost, type VgpuType } from "../../src/testing/index.js";
import { BUS, expectError, handsOn, settle, typePath, uuid } from "./helpers.js";
import { treeOf } from "./tree.js";

const ADDRESS = "0000:3b:00.0";
const PCI = "/sys/bus/pci/devices";
const [VF0, VF1, VF2] = ["0000:3b:00.4", "0000:3b:00.5", "0000:3b:00.6"] as const;
const ROOTS = ["/sys", "/dev", "/proc"];
const GIB = 2 ** 30;

function host(options: Partial<NvidiaSriovGpuOptions> = {}) {
  const simulated = new SimulatedHost();
  const gpu = simulated.addNvidiaSriovGpu({ address: ADDRESS, functions: 4, ...options });
  const { read, write, ...hands } = handsOn(simulated.fs);
  const file = (vf: string, name: string): string => `${PCI}/${vf}/nvidia/${name}`;
  return {
    simulated,
    gpu,
    read,
    write,
    ...hands,
    file,
    mode: async (path: string): Promise<number> => (await simulated.fs.lstat(path)).mode & 0o7777,
    current: (vf: string): Promise<string> => read(file(vf, "current_vgpu_type")),
    set: (vf: string, number: number | string): Promise<void> =>
      write(file(vf, "current_vgpu_type"), `${number}\n`),
    list: (vf: string): Promise<string> => read(file(vf, "creatable_vgpu_types")),
    names: async (vf: string): Promise<string[]> =>
      [...(await read(file(vf, "creatable_vgpu_types"))).matchAll(/L40S-(\w+)$/gmu)].map(
        ([, name = ""]) => name,
      ),
  };
}

function vgpu(number: number, name: string, framebuffer: number, maxInstance: number): VgpuType {
  return {
    id: `nvidia-${number}`,
    name,
    heads: 4,
    frameRate: 60,
    framebuffer,
    resolution: "1x1",
    maxInstance,
  };
}

describe("the functions of a GPU with SR-IOV", () => {
  it("lie behind each other, 8 to a device", async () => {
    const { gpu, simulated, ls, read } = host({ functions: 16 });
    const addresses = [
      ...["00.4", "00.5", "00.6", "00.7"],
      ...[0, 1, 2, 3, 4, 5, 6, 7].map((n) => `01.${n}`),
      ...["02.0", "02.1", "02.2", "02.3"],
    ].map((end) => `0000:3b:${end}`);
    expect(gpu.functions).toEqual(addresses);
    expect(await ls(PCI)).toEqual([ADDRESS, ...addresses]);
    expect(await ls("/sys/bus/pci/drivers/nvidia")).toEqual([ADDRESS, ...addresses]);
    expect(await read(`${PCI}/${ADDRESS}/sriov_totalvfs`)).toBe("16\n");
    expect(await read(`${PCI}/${ADDRESS}/sriov_numvfs`)).toBe("16\n");
    for (const [index, address] of addresses.entries()) {
      expect(await simulated.fs.readlink(`${PCI}/${ADDRESS}/virtfn${index}`)).toBe(`../${address}`);
      expect(await simulated.fs.readlink(`${PCI}/${address}/physfn`)).toBe(`../${ADDRESS}`);
      expect(await simulated.fs.readlink(`${PCI}/${address}/driver`)).toBe("../../../bus/pci/drivers/nvidia");
      expect(await read(`${PCI}/${address}/device`)).toBe("0x26b9\n");
    }
    const groups = await Promise.all(
      addresses.map((address) => simulated.fs.realpath(`${PCI}/${address}/iommu_group`)),
    );
    expect(new Set(groups).size).toBe(16);
  });

  it("may reach into the next bus", () => {
    const { gpu } = host({ address: "0000:3b:1f.2", functions: 3 });
    expect(gpu.functions).toEqual(["0000:3b:1f.6", "0000:3b:1f.7", "0000:3c:00.0"]);
  });

  it("are no mediated devices; only the virtual ones have vGPUs", async () => {
    const { ls, mode, gpu } = host();
    expect(gpu.path).toBe(`/sys/devices/pci0000:3b/${ADDRESS}`);
    expect(await ls("/sys/bus")).toEqual(["pci"]);
    expect(await ls("/sys/class")).toEqual(["vfio", "vfio-dev"]);
    expect(await ls(`${PCI}/${ADDRESS}`)).not.toContain("nvidia");
    expect(await ls(`${PCI}/${VF0}`)).not.toContain("mdev_supported_types");
    expect(await ls(`${PCI}/${VF0}/nvidia`)).toEqual(["creatable_vgpu_types", "current_vgpu_type"]);
    expect(await mode(`${PCI}/${VF0}/nvidia/creatable_vgpu_types`)).toBe(0o444);
    expect(await mode(`${PCI}/${VF0}/nvidia/current_vgpu_type`)).toBe(0o644);
  });

  it("are what the options say", async () => {
    const { read } = host({ device: "25b6", subsystemDevice: "14a9", revision: "a2", numaNode: 1 });
    const said = ["device", "subsystem_device", "revision", "numa_node"].map((name) =>
      read(`${PCI}/${VF0}/${name}`),
    );
    expect(await Promise.all(said)).toEqual(["0x25b6\n", "0x14a9\n", "0xa2\n", "1\n"]);
    expect(() => host({ enabled: 5 })).toThrow("no 5 functions");
    expect(() => host({ types: [vgpu(1, "x", 1, 1), { ...vgpu(2, "y", 1, 1), id: "2" }] })).toThrow("no id");
    const old = new SimulatedHost({ kernel: "5.10" });
    expect(() => old.addNvidiaSriovGpu({ address: ADDRESS })).toThrow("5.10");
    old.addNvidiaSriovGpu({ address: ADDRESS, interface: "mdev" });
  });

  it("count their resets", async () => {
    const { gpu, write, mode } = host();
    expect(await mode(`${PCI}/${VF0}/reset`)).toBe(0o200);
    await write(`${PCI}/${VF0}/reset`, "1\n");
    for (const bad of ["0", "2", "x"]) await expectError(write(`${PCI}/${VF0}/reset`, bad), "EINVAL (write)");
    expect(gpu.resetsOf(VF0)).toBe(1);
    expect(gpu.resetsOf(VF1)).toBe(0);
    expect(() => gpu.resetsOf(ADDRESS)).toThrow("no virtual function");
    expect(() => gpu.typeOf("0000:3b:00.1")).toThrow("no virtual function");
  });
});

describe("sriov_numvfs", () => {
  const NUMVFS = `${PCI}/${ADDRESS}/sriov_numvfs`;

  it("makes virtual functions and takes them away", async () => {
    const { simulated, gpu, read, write, ls } = host({ enabled: 0 });
    const initial = await treeOf(simulated.fs, ROOTS);
    expect(gpu.functions).toEqual([]);
    await write(NUMVFS, "2\n");
    await write(NUMVFS, "2\n");
    expect(gpu.functions).toEqual([VF0, VF1]);
    expect(await read(NUMVFS)).toBe("2\n");
    expect(await ls(`/sys/devices/pci0000:3b/${ADDRESS}`)).toEqual(
      expect.arrayContaining(["virtfn0", "virtfn1"]),
    );
    await expectError(write(NUMVFS, "4"), "EBUSY (write)");
    await write(NUMVFS, "0");
    await write("/sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs", "0x4");
    expect(gpu.functions).toHaveLength(4);
    await write(NUMVFS, "0");
    const left = await treeOf(simulated.fs, ROOTS);
    // the folders of the classes of a loaded module stay
    const stays = ["/sys/class/vfio", "/sys/class/vfio-dev", "/dev/vfio", "/dev/vfio/vfio"];
    expect(Object.keys(left).filter((path) => !(path in initial))).toEqual(expect.arrayContaining(stays));
    expect(Object.keys(left).filter((path) => !(path in initial))).toHaveLength(stays.length);
  });

  it.each([
    ["5", "ERANGE"],
    ["65536", "EINVAL"],
    ["-1", "EINVAL"],
    ["x", "EINVAL"],
  ])("refuses %j with %s", async (text, errno) => {
    const { write } = host({ enabled: 0 });
    await expectError(write(NUMVFS, text), `${errno} (write)`);
  });

  it.each(["vfio", "mdev"] as const)("stays while there is a vGPU (%s)", async (interface_) => {
    const { gpu, write } = host({ interface: interface_ });
    gpu.create(VF1, "nvidia-1147");
    await expectError(write(NUMVFS, "0"), "EBUSY (write)");
    gpu.remove(VF1);
    await write(NUMVFS, "0");
    expect(gpu.functions).toEqual([]);
  });
});

describe("creatable_vgpu_types", () => {
  const TYPES = [
    vgpu(7, "A: a name", 1024, 2),
    vgpu(1145, "NVIDIA L40S-1B", 1024, 2),
    vgpu(123456, "B", 2048, 1),
  ];

  it("is a table", async () => {
    const { list } = host({ types: TYPES });
    expect(await list(VF0)).toBe(
      "ID    : vGPU Name\n7     : A: a name\n1145  : NVIDIA L40S-1B\n123456 : B\n",
    );
  });

  it("may lack its header", async () => {
    const { gpu, list } = host({ types: TYPES, header: false });
    expect(await list(VF0)).toBe("7     : A: a name\n1145  : NVIDIA L40S-1B\n123456 : B\n");
    gpu.create(VF0, "nvidia-7");
    expect(await list(VF0)).toBe("");
  });

  it("says nothing, or the header alone, where there is a vGPU", async () => {
    const first = host({ types: TYPES });
    first.gpu.create(VF0, "nvidia-7");
    expect(await first.list(VF0)).toBe("ID    : vGPU Name\n");
    const second = host({ types: TYPES, listWhileSet: "empty" });
    second.gpu.create(VF0, "nvidia-7");
    expect(await second.list(VF0)).toBe("");
    expect(await second.list(VF1)).toBe("ID    : vGPU Name\n7     : A: a name\n1145  : NVIDIA L40S-1B\n");
  });

  it("offers, after the first vGPU, types of the same size on all functions", async () => {
    const { gpu, names } = host();
    expect(await names(VF1)).toHaveLength(12);
    gpu.create(VF0, "nvidia-1146");
    for (const vf of [VF1, VF2]) expect(await names(vf)).toEqual(["2B", "2Q"]);
    gpu.create(VF1, "nvidia-1148");
    gpu.remove(VF0);
    expect(await names(VF0)).toEqual(["2B", "2Q"]);
    gpu.remove(VF1);
    expect(await names(VF0)).toHaveLength(12);
  });

  it("offers as many as the framebuffer holds, and no more than there may be", async () => {
    const full = host({ framebufferBytes: 2 * GIB });
    full.gpu.create(VF0, "nvidia-1147");
    expect(await full.names(VF2)).toEqual(["1B", "1Q"]);
    full.gpu.create(VF1, "nvidia-1145");
    expect(await full.list(VF2)).toBe("ID    : vGPU Name\n");
    const limited = host({ types: [vgpu(1, "L40S-a", 1024, 2), vgpu(2, "L40S-b", 1024, 3)] });
    limited.gpu.create(VF0, "nvidia-1");
    limited.gpu.create(VF1, "nvidia-1");
    expect(await limited.names(VF2)).toEqual(["b"]);
  });

  it("offers, in heterogeneous mode, what still fits", async () => {
    const { gpu, names } = host({ mode: "heterogeneous", framebufferBytes: 8 * GIB });
    expect(await names(VF0)).toEqual(["1B", "2B", "1Q", "2Q", "3Q", "4Q", "6Q", "8Q"]);
    gpu.create(VF0, "nvidia-1150"); // 4Q
    expect(await names(VF1)).toEqual(["1B", "2B", "1Q", "2Q", "4Q"]); // a 3Q would lie at 0, 3 or 6
    gpu.create(VF1, "nvidia-1147"); // 1Q
    expect(await names(VF2)).toEqual(["1B", "2B", "1Q", "2Q"]);
    gpu.create(VF2, "nvidia-1148"); // 2Q
    expect(await names("0000:3b:00.7")).toEqual(["1B", "1Q"]);
  });

  it("has no limit by number in heterogeneous mode", async () => {
    const { gpu, names } = host({ mode: "heterogeneous", types: [vgpu(1, "L40S-a", 1024, 1)] });
    gpu.create(VF0, "nvidia-1");
    expect(await names(VF1)).toEqual(["a"]);
  });
});

describe("current_vgpu_type", () => {
  it("takes the number of a type, and 0", async () => {
    const { gpu, simulated, set, current } = host();
    const initial = await treeOf(simulated.fs, ROOTS);
    expect(await current(VF0)).toBe("0\n");
    await set(VF0, 1147);
    expect(await current(VF0)).toBe("1147\n");
    expect(gpu.typeOf(VF0)).toBe("nvidia-1147");
    expect(gpu.typeOf(VF1)).toBeUndefined();
    await set(VF0, "0");
    expect(await current(VF0)).toBe("0\n");
    await set(VF0, "+01148");
    expect(await current(VF0)).toBe("1148\n");
    await set(VF0, "00");
    expect(await treeOf(simulated.fs, ROOTS)).toEqual(initial);
  });

  it.each(["x", "", "0x47b", "1147 ", "nvidia-1147", "1147\n"])("refuses %j: EINVAL", async (text) => {
    const { set, current } = host();
    await expectError(set(VF0, text), "EINVAL (write)");
    expect(await current(VF0)).toBe("0\n");
  });

  it("refuses a number without end, a second type, and 0 where there is none", async () => {
    const { set } = host();
    await expectError(set(VF0, "9".repeat(20)), "ERANGE (write)");
    await expectError(set(VF0, 0), "EPERM (write)");
    await set(VF0, 1147);
    await expectError(set(VF0, 1147), "EPERM (write)");
    await expectError(set(VF0, 1148), "EPERM (write)");
  });

  it.each([
    ["closed", "EIO", "EIO", "EIO"],
    ["open", "ENODEV", "EINVAL", "ENOSPC"],
  ] as const)("of the %s driver refuses what the GPU cannot have", async (driver, unknown, other, full) => {
    const { set } = host({ driver, framebufferBytes: 2 * GIB });
    await expectError(set(VF0, 4711), `${unknown} (write)`);
    await expectError(set(VF0, -1), `${unknown} (write)`);
    await set(VF0, 1147);
    await expectError(set(VF1, 1148), `${other} (write)`);
    await set(VF1, 1145);
    await expectError(set(VF2, 1147), `${full} (write)`);
  });

  it.each([
    ["closed", "EPERM", "EPERM"],
    ["open", "EBUSY", "EBUSY"],
  ] as const)("of the %s driver refuses while it is in use", async (driver, deleting, setting) => {
    const { simulated, set, current, gpu } = host({ driver });
    await set(VF0, 1147);
    const vm = simulated.open(VF0.toUpperCase());
    await expectError(set(VF0, 0), `${deleting} (write)`);
    await expectError(set(VF0, 1148), `${setting} (write)`);
    expect(() => gpu.remove(VF0)).toThrow(deleting);
    expect(await current(VF0)).toBe("1147\n");
    vm.close();
    await set(VF0, 0);
  });

  it("of the open driver always obeys a 0", async () => {
    const { set, current } = host({ driver: "open" });
    await set(VF0, 0);
    expect(await current(VF0)).toBe("0\n");
  });

  it("fails once where the test says so", async () => {
    const { simulated, set, file } = host();
    simulated.failNext({ path: file(VF0, "current_vgpu_type"), errno: "EIO", operation: "writeFile" });
    await expectError(set(VF0, 1147), "EIO (write)");
    await set(VF0, 1147);
  });

  it("is also set and cleared by others", async () => {
    const { gpu, current } = host();
    expect(gpu.create(VF0, "nvidia-1147")).toBe(VF0);
    expect(await current(VF0)).toBe("1147\n");
    expect(() => gpu.create(VF0, "nvidia-1147")).toThrow("EPERM");
    expect(() => gpu.create(VF1, "nvidia-1148")).toThrow("EIO");
    expect(() => gpu.create(VF1, "nvidia-4711")).toThrow("knows no type");
    gpu.remove(VF0);
    expect(() => gpu.remove(VF0)).toThrow("EPERM");
  });
});

describe("a vGPU whose virtual machine has just stopped", () => {
  afterEach(() => vi.useRealTimers());

  it("goes at once, where nothing is said", async () => {
    const { simulated, set } = host();
    await set(VF0, 1147);
    simulated.open(VF0).close();
    await set(VF0, 0);
  });

  it("lingers on for some tries", async () => {
    const { simulated, set } = host({ afterStop: { tries: 2 } });
    await set(VF0, 1147);
    await set(VF1, 1147);
    simulated.open(VF0).close();
    await set(VF1, 0);
    await expectError(set(VF0, 0), "EBUSY (write)");
    await expectError(set(VF0, 0), "EBUSY (write)");
    await set(VF0, 0);
    await set(VF0, 1147);
    await set(VF0, 0);
  });

  it("lingers on for some time", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { simulated, set } = host({ afterStop: { ms: 3000, errno: "EPERM" } });
    await set(VF0, 1147);
    simulated.open(VF0, { what: "group" }).close();
    const vm = simulated.open(VF0);
    vi.setSystemTime(Date.now() + 60_000);
    vm.close();
    vi.setSystemTime(Date.now() + 2999);
    await expectError(set(VF0, 0), "EPERM (write)");
    vi.setSystemTime(Date.now() + 1);
    await set(VF0, 0);
  });
});

describe("a virtual machine", () => {
  it("opens a virtual function, where there is a vGPU", async () => {
    const { simulated, gpu, read, ls } = host();
    expect(() => simulated.open(VF0)).toThrow("ENODEV");
    expect(() => simulated.open(ADDRESS)).toThrow("no device");
    gpu.create(VF0, "nvidia-1147");
    const { pid, close } = simulated.open(VF0);
    const group = /[0-9]+$/u.exec(await simulated.fs.readlink(`${PCI}/${VF0}/iommu_group`))?.[0] ?? "";
    expect(await simulated.fs.readlink(`/proc/${pid}/fd/3`)).toBe(`/dev/vfio/${group}`);
    await expectError(read(`/dev/vfio/${group}`), "EBUSY (open)");
    expect(await read("/sys/module/nvidia_vgpu_vfio/refcnt")).toBe("1\n");
    expect(() => simulated.open(VF0)).toThrow("has /dev/vfio/");
    close();
    expect(await read("/sys/module/nvidia_vgpu_vfio/refcnt")).toBe("0\n");
    expect(await ls(`${PCI}/${VF0}/vfio-dev`)).toHaveLength(1);
  });

  it("keeps the card from going", async () => {
    const { simulated, gpu, ls } = host();
    gpu.create(VF1, "nvidia-1147");
    const vm = simulated.open(VF1);
    let over = false;
    const unplugged = gpu.unplug().then(() => (over = true));
    const again = gpu.unplug();
    await settle();
    expect(over).toBe(false);
    expect(await ls(PCI)).toEqual([ADDRESS, VF1, VF2, "0000:3b:00.7"]);
    vm.close();
    await unplugged;
    await again;
    expect(await ls(PCI)).toEqual([]);
    expect(await ls("/sys/devices")).toEqual(["virtual"]);
    expect(await ls("/sys/kernel/iommu_groups")).toEqual([]);
    expect(await ls("/sys/module")).toEqual([]);
    expect(await ls("/dev/vfio")).toEqual(["vfio"]);
  });

  it.each(["vfio", "mdev"] as const)(
    "leaves no trace of a card that went and came (%s)",
    async (interface_) => {
      const { simulated, gpu, ls } = host({ interface: interface_ });
      const whole = await treeOf(simulated.fs, ROOTS);
      gpu.create(VF0, "nvidia-1147");
      await gpu.unplug();
      await gpu.unplug();
      expect(gpu.functions).toEqual([]);
      expect(await ls("/sys/bus/pci")).toEqual(["devices"]);
      simulated.addNvidiaSriovGpu({ address: ADDRESS, functions: 4, interface: interface_ });
      expect(await treeOf(simulated.fs, ROOTS)).toEqual(whole);
    },
  );
});

describe("the further files of newer drivers", () => {
  const attributes = ["placement_id", "gpu_instance_id", "vgpu_params"] as const;

  it("are there where the options say so", async () => {
    const { ls, mode, file } = host({ attributes });
    expect(await ls(`${PCI}/${VF0}/nvidia`)).toEqual([
      "creatable_vgpu_types",
      "current_vgpu_type",
      ...["gpu_instance_id", "placement_id", "vgpu_params"],
    ]);
    for (const name of attributes) expect(await mode(file(VF0, name))).toBe(0o644);
    const one = host({ attributes: ["vgpu_params"] });
    expect(await one.ls(`${PCI}/${VF0}/nvidia`)).toEqual([
      "creatable_vgpu_types",
      "current_vgpu_type",
      "vgpu_params",
    ]);
  });

  it.each(attributes)("%s needs a vGPU, and nobody who uses it", async (name) => {
    const { simulated, set, read, write, file } = host({ attributes });
    await expectError(read(file(VF0, name)), "ENXIO (read)");
    await expectError(write(file(VF0, name), "0\n"), "ENXIO (write)");
    await set(VF0, 1147);
    const vm = simulated.open(VF0);
    await expectError(write(file(VF0, name), "0\n"), "EPERM (write)");
    await read(file(VF0, name));
    vm.close();
    await write(file(VF0, name), "0\n");
  });

  it("vgpu_params says what was written, until the vGPU is deleted", async () => {
    const { set, read, write, file } = host({ attributes });
    await set(VF0, 1147);
    expect(await read(file(VF0, "vgpu_params"))).toBe("\n");
    await write(file(VF0, "vgpu_params"), "frame_rate_limiter=0\n");
    expect(await read(file(VF0, "vgpu_params"))).toBe("frame_rate_limiter=0\n");
    await expectError(write(file(VF0, "vgpu_params"), "a".repeat(1025)), "E2BIG (write)");
    await set(VF0, 0);
    await set(VF0, 1147);
    expect(await read(file(VF0, "vgpu_params"))).toBe("\n");
  });

  it("placement_id is the first that is free, and can be another one", async () => {
    const { set, read, write, file } = host({ attributes, mode: "heterogeneous", framebufferBytes: 8 * GIB });
    const placement = (vf: string): Promise<string> => read(file(vf, "placement_id"));
    const move = (vf: string, to: number | string): Promise<void> =>
      write(file(vf, "placement_id"), `${to}\n`);
    await set(VF0, 1147); // 1 GiB
    await set(VF1, 1148); // 2 GiB
    expect([await placement(VF0), await placement(VF1)]).toEqual(["0\n", "2\n"]);
    for (const bad of ["x", "-2", "2", "3", "8", "-1"]) await expectError(move(VF0, bad), "EINVAL (write)");
    await expectError(move(VF1, 5), "EINVAL (write)");
    await move(VF1, 6);
    await move(VF1, 6);
    await move(VF0, 3);
    expect([await placement(VF0), await placement(VF1)]).toEqual(["3\n", "6\n"]);
    await set(VF2, 1147);
    expect(await placement(VF2)).toBe("0\n");
    await set(VF1, 0);
    await set(VF1, 1150); // 4 GiB
    expect(await placement(VF1)).toBe("4\n");
  });

  it("gpu_instance_id says what was written", async () => {
    const { set, read, write, file } = host({ attributes });
    await set(VF0, 1147);
    expect(await read(file(VF0, "gpu_instance_id"))).toBe("Not Applicable\n");
    for (const bad of ["x", "-1"])
      await expectError(write(file(VF0, "gpu_instance_id"), bad), "EINVAL (write)");
    await write(file(VF0, "gpu_instance_id"), "3\n");
    expect(await read(file(VF0, "gpu_instance_id"))).toBe("3\n");
    await set(VF0, 0);
    await set(VF0, 1147);
    expect(await read(file(VF0, "gpu_instance_id"))).toBe("Not Applicable\n");
  });
});

describe("virtual functions with mediated devices", () => {
  const options = { interface: "mdev" } as const;

  it("are parents, and the physical one is none", async () => {
    const { ls, read, simulated } = host(options);
    expect(await ls("/sys/class/mdev_bus")).toEqual([VF0, VF1, VF2, "0000:3b:00.7"]);
    expect(await ls(`${PCI}/${VF0}`)).not.toContain("nvidia");
    expect(await ls(`${PCI}/${ADDRESS}`)).not.toContain("mdev_supported_types");
    expect(await simulated.fs.readlink(`${PCI}/${VF0}/physfn`)).toBe(`../${ADDRESS}`);
    expect(await read(`${typePath(VF0, "nvidia-1145")}/description`)).toBe(
      "num_heads=4, frl_config=45, framebuffer=1024M, max_resolution=5120x2880, max_instance=32\n",
    );
    expect(await read(`${typePath(VF0, "nvidia-1145")}/name`)).toBe("NVIDIA L40S-1B\n");
  });

  it("have one vGPU each, and share the framebuffer", async () => {
    const { gpu, available, create, remove } = host({ ...options, framebufferBytes: 2 * GIB });
    for (const vf of [VF0, VF1]) expect(await available(vf, "nvidia-1147")).toBe(1);
    expect(await available(VF0, "nvidia-1149")).toBe(0);
    await create(VF0, "nvidia-1147", uuid(1));
    expect(gpu.typeOf(VF0)).toBe("nvidia-1147");
    expect(await available(VF0, "nvidia-1147")).toBe(0);
    expect(await available(VF1, "nvidia-1147")).toBe(1);
    expect(await available(VF1, "nvidia-1148")).toBe(0);
    await expectError(create(VF0, "nvidia-1147", uuid(2)), "EIO (write)");
    await expectError(create(VF1, "nvidia-1148", uuid(2)), "EIO (write)");
    expect(gpu.create(VF1, "nvidia-1145", uuid(2))).toBe(uuid(2));
    expect(await available(VF2, "nvidia-1147")).toBe(0);
    await remove(uuid(1));
    expect(await available(VF2, "nvidia-1147")).toBe(1);
    gpu.remove(VF1);
    expect(() => gpu.remove(VF1)).toThrow("has no vGPU");
  });

  it("let one of two have what only one can", async () => {
    const { create, ls } = host({ ...options, framebufferBytes: GIB });
    const outcomes = await Promise.allSettled([
      create(VF0, "nvidia-1147", uuid(1)),
      create(VF1, "nvidia-1147", uuid(2)),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await ls(BUS)).toHaveLength(1);
  });

  it("have vgpu_params and vm_name, and what else the options say", async () => {
    const { gpu, ls, read, write } = host({
      ...options,
      mode: "heterogeneous",
      attributes: ["placement_id", "gpu_instance_id"],
    });
    gpu.create(VF0, "nvidia-1147", uuid(1));
    gpu.create(VF1, "nvidia-1148", uuid(2));
    const folder = `${BUS}/${uuid(2)}/nvidia`;
    expect(await ls(folder)).toEqual(["gpu_instance_id", "placement_id", "vgpu_params", "vm_name"]);
    expect(await read(`${folder}/placement_id`)).toBe("2\n");
    await write(`${folder}/placement_id`, "4\n");
    expect(await read(`${folder}/placement_id`)).toBe("4\n");
    const plain = host(options);
    plain.gpu.create(VF0, "nvidia-1147", uuid(1));
    expect(await plain.ls(`${BUS}/${uuid(1)}/nvidia`)).toEqual(["vgpu_params", "vm_name"]);
  });
});
