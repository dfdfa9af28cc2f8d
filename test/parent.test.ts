import { describe, expect, it } from "vitest";
import { MdevHost, type Parent } from "../src/index.js";
import { type SimulatedAttribute, SimulatedHost } from "../src/testing/index.js";
import { fails, ok } from "./contract/expect.js";
import { sysfsTree } from "./support/sysfs-tree.js";
import { type Entry, makeTree, temporaryFolder } from "./support/temporary.js";

const says = (content: string): SimulatedAttribute => ({ read: () => content });

const PCI = {
  vendor: "0x10de\n",
  device: "0x2235\n",
  subsystem_vendor: "0x10de\n",
  subsystem_device: "0x145a\n",
  class: "0x030200\n",
  revision: "0xa1\n",
};
const NUMBERS = {
  vendor: 0x10de,
  device: 0x2235,
  subsystemVendor: 0x10de,
  subsystemDevice: 0x145a,
  class: 0x030200,
  revision: 0xa1,
};
const [PHYSICAL, VIRTUAL] = ["0000:41:00.0", "0000:41:00.4"] as const;
const VIRTUALS = [
  "0000:41:00.4",
  "0000:41:00.5",
  ...Array.from({ length: 10 }, (_, at) => `0000:41:0${at < 8 ? 1 : 2}.${at % 8}`),
];

/** An A40 with 16 virtual functions possible and 12 made, on disk: the real links, in any order. */
function sriovTree(changed: Readonly<Record<string, Entry>> = {}): Record<string, Entry> {
  const types = {
    "nvidia-557": { name: "NVIDIA A40-1Q\n", device_api: "vfio-pci\n", available_instances: "1\n" },
  };
  const subsystem = { link: "../../../bus/pci" };
  const links = VIRTUALS.map((address, at) => [`virtfn${at}`, { link: `../${address}` }] as const).reverse();
  return {
    ...sysfsTree(
      {
        path: `devices/pci0000:40/${PHYSICAL}`,
        entries: {
          ...PCI,
          subsystem,
          sriov_totalvfs: "16\n",
          sriov_numvfs: "12\n",
          numa_node: "0\n",
          driver: { link: "../../../bus/pci/drivers/nvidia" },
          ...Object.fromEntries(links),
        },
        types,
      },
      {
        path: `devices/pci0000:40/${VIRTUAL}`,
        entries: { ...PCI, subsystem, physfn: { link: `../${PHYSICAL}` }, numa_node: "-1\n" },
        types,
      },
    ),
    ...changed,
  };
}

async function parentOnDisk(id: string, changed?: Readonly<Record<string, Entry>>): Promise<Parent> {
  const root = makeTree(temporaryFolder(), sriovTree(changed));
  return ok(new MdevHost({ sysfs: `${root}/sys`, dev: `${root}/dev` }).parent(id));
}

describe("a GPU without SR-IOV", () => {
  it("tells what the PCI bus says", async () => {
    const simulated = new SimulatedHost();
    simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
    const parent = await ok(new MdevHost({ fs: simulated.fs }).parent("0000:3b:00.0"));
    const facts = await ok(parent.pci());
    expect(facts).toEqual({
      address: "0000:3b:00.0",
      vendor: 0x10de,
      device: 0x1b38,
      subsystemVendor: 0x10de,
      subsystemDevice: 0x11d9,
      class: 0x030200,
      revision: 0xa1,
      sriov: undefined,
    });
    expect(Object.isFrozen(facts)).toBe(true);
    expect(await ok(parent.driver())).toBe("nvidia");
    expect((await ok(parent.read())).pci).toEqual(facts);
  });

  it.each([
    [-1, undefined],
    [0, 0],
    [7, 7],
  ])("is near to NUMA node %j: %j", async (numaNode, expected) => {
    const simulated = new SimulatedHost();
    simulated.addNvidiaGpu({ address: "0000:3b:00.0", numaNode });
    const parent = await ok(new MdevHost({ fs: simulated.fs }).parent("0000:3b:00.0"));
    expect(await ok(parent.numaNode.read())).toBe(expected);
    expect(await ok(parent.numaNode.readRaw())).toBe(`${numaNode}\n`);
    expect(await ok(parent.read())).toMatchObject({ numaNode: expected, problems: [] });
  });
});

describe("a GPU with SR-IOV", () => {
  it("knows its virtual functions, in their own order", async () => {
    const parent = await parentOnDisk(PHYSICAL);
    const facts = await ok(parent.pci());
    expect(facts).toEqual({
      address: PHYSICAL,
      ...NUMBERS,
      sriov: { role: "physical", total: 16, enabled: 12, virtualFunctions: VIRTUALS },
    });
    expect(Object.isFrozen(facts?.sriov)).toBe(true);
    const info = await ok(parent.read());
    expect(info).toMatchObject({
      driver: "nvidia",
      numaNode: 0,
      pci: facts,
      types: ["nvidia-557"],
      problems: [],
    });
    expect(JSON.parse(JSON.stringify(info))).toMatchObject({ pci: { sriov: { enabled: 12 } } });
  });

  it("is known to its virtual functions", async () => {
    const parent = await parentOnDisk(VIRTUAL);
    expect(await ok(parent.pci())).toEqual({
      address: VIRTUAL,
      ...NUMBERS,
      sriov: { role: "virtual", physicalFunction: PHYSICAL },
    });
    expect(await ok(parent.numaNode.read())).toBeUndefined();
    expect(await ok(parent.driver())).toBeUndefined();
  });

  it("tells what cannot be read, and the rest", async () => {
    const folder = `sys/devices/pci0000:40/${PHYSICAL}`;
    const parent = await parentOnDisk(PHYSICAL, {
      [`${folder}/vendor`]: "NVIDIA\n",
      [`${folder}/sriov_numvfs`]: "",
    });
    const info = await ok(parent.read());
    expect(info.pci).toEqual({
      address: PHYSICAL,
      ...NUMBERS,
      vendor: undefined,
      sriov: { role: "physical", total: 16, enabled: undefined, virtualFunctions: VIRTUALS },
    });
    expect(info.problems).toEqual([
      expect.objectContaining({ type: "decode", raw: "NVIDIA\n", path: `${parent.path}/vendor` }),
      expect.objectContaining({ type: "decode", raw: "", path: `${parent.path}/sriov_numvfs` }),
    ]);
  });

  it("is a physical function although it cannot be read how many virtual ones it can have", async () => {
    const parent = await parentOnDisk(PHYSICAL, {
      [`sys/devices/pci0000:40/${PHYSICAL}/sriov_totalvfs`]: "many\n",
    });
    expect((await ok(parent.pci()))?.sriov).toEqual({
      role: "physical",
      total: undefined,
      enabled: 12,
      virtualFunctions: VIRTUALS,
    });
  });

  it("may be simulated too", async () => {
    const simulated = new SimulatedHost();
    simulated.addParent({
      path: `devices/pci0000:40/${PHYSICAL}`,
      subsystem: "bus/pci",
      driver: "nvidia",
      deviceDriver: "nvidia-vgpu-vfio",
      types: [{ id: "nvidia-557" }],
      attributes: {
        ...Object.fromEntries(Object.entries(PCI).map(([name, content]) => [name, says(content)])),
        sriov_totalvfs: says("16\n"),
        sriov_numvfs: says("0\n"),
        numa_node: says("-1\n"),
      },
    });
    const parent = await ok(new MdevHost({ fs: simulated.fs }).parent(PHYSICAL));
    expect((await ok(parent.pci()))?.sriov).toEqual({
      role: "physical",
      total: 16,
      enabled: 0,
      virtualFunctions: [],
    });
  });
});

describe("a parent on another bus", () => {
  it("has no PCI facts, even with files of their names", async () => {
    const simulated = new SimulatedHost();
    simulated.addParent({
      path: "devices/css0/0.0.0313",
      subsystem: "bus/css",
      driver: "vfio_ccw",
      deviceDriver: "vfio_ccw_mdev",
      types: [{ id: "vfio_ccw-io", name: "I/O subchannel (Non-QDIO)", deviceApi: "vfio-ccw" }],
      attributes: { vendor: says("0x1\n") },
    });
    const parent = await ok(new MdevHost({ fs: simulated.fs }).parent("0.0.0313"));
    expect(await ok(parent.pci())).toBeUndefined();
    expect(await ok(parent.driver())).toBe("vfio_ccw");
    expect(await ok(parent.numaNode.read())).toBeUndefined();
    expect(await ok(parent.numaNode.exists())).toBe(false);
    const type = await ok(parent.type("vfio_ccw-io"));
    expect(await ok(type.read())).toMatchObject({
      name: "I/O subchannel (Non-QDIO)",
      deviceApi: "vfio-ccw",
      availableInstances: 1,
    });
  });
});

describe("finding a type", () => {
  it("says which is near, which has that name, and that none is", async () => {
    const simulated = new SimulatedHost();
    simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
    const parent = await ok(new MdevHost({ fs: simulated.fs }).parent("0000:3b:00.0"));
    expect((await fails(parent.type("nvidia-155"), "not-found")).suggestion).toBe("nvidia-156");
    expect((await fails(parent.type("GRID P40-1B"), "not-found")).suggestion).toBe("nvidia-62");
    expect((await fails(parent.type("i915-GVTg_V5_4"), "not-found")).suggestion).toBeUndefined();
    expect((await ok(parent.types())).map(({ id }) => id)).toEqual([
      "nvidia-46",
      "nvidia-47",
      "nvidia-48",
      "nvidia-62",
      "nvidia-156",
      "nvidia-283",
    ]);
  });

  it("is not spoilt by a name that cannot be read", async () => {
    const simulated = new SimulatedHost();
    simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
    const parent = await ok(new MdevHost({ fs: simulated.fs }).parent("0000:3b:00.0"));
    simulated.failNext({ path: /nvidia-46\/name$/u, errno: "EIO" });
    expect((await fails(parent.type("GRID P40-1B"), "not-found")).suggestion).toBe("nvidia-62");
  });

  it("looks afresh with a pattern each time, and uses all that is asked for", async () => {
    const simulated = new SimulatedHost();
    const gpu = simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
    const parent = await ok(new MdevHost({ fs: simulated.fs }).parent("0000:3b:00.0"));
    const pattern = /P40-\dB/gy;
    pattern.lastIndex = 3;
    const find = async (query: Parameters<Parent["findTypes"]>[0]): Promise<string[]> =>
      (await ok(parent.findTypes(query))).map(({ id }) => id);
    const everywhere = /P40-\dB/g;
    for (let round = 0; round < 2; round++)
      expect(await find({ name: everywhere })).toEqual(["nvidia-62", "nvidia-156"]);
    gpu.create("nvidia-156");
    expect(await find({ available: true })).toEqual(["nvidia-156"]);
    expect(await find({ name: everywhere, available: false })).toEqual(["nvidia-62"]);
    expect(await find({ deviceApi: "vfio-ccw", available: true })).toEqual([]);
    expect(pattern.lastIndex).toBe(3);
  });
});
