import fc from "fast-check";
import { SimulatedHost } from "../../src/testing/index.js";

/** What can be in a machine, by name: each adds a parent, and devices where it can have some. */
const HARDWARE: Readonly<Record<string, (simulated: SimulatedHost, at: number) => void>> = {
  mtty: (simulated) => {
    const mtty = simulated.addMtty();
    for (const type of ["mtty-1", "mtty-2", "mtty-2"]) mtty.create(type);
  },
  mdpy: (simulated) => void simulated.addMdpy().create("mdpy-hd"),
  mbochs: (simulated) => void simulated.addMbochs().create("mbochs-small"),
  "NVIDIA GPU": (simulated, at) => {
    const gpu = simulated.addNvidiaGpu({ address: `0000:${10 + at}:00.0`, numaNode: at % 2 });
    simulated.open(gpu.create("nvidia-156"), { vmName: `desktop-${at}` });
  },
  "NVIDIA GPU with SR-IOV and its own interface": (simulated, at) => {
    if (simulated.kernel === "5.10") return;
    const attributes = ["vgpu_params", "placement_id"] as const;
    const gpu = simulated.addNvidiaSriovGpu({ address: `0000:${30 + at}:00.0`, functions: 4, attributes });
    gpu.create(gpu.functions[at % 4] ?? "", "nvidia-1147");
  },
  "NVIDIA GPU with SR-IOV and mediated devices": (simulated, at) => {
    const gpu = simulated.addNvidiaSriovGpu({
      address: `0000:${50 + at}:00.0`,
      functions: 3,
      interface: "mdev",
    });
    gpu.create(gpu.functions[0] ?? "", "nvidia-1147");
  },
  subchannel: (simulated, at) => {
    simulated.addSubchannel({ id: `0.0.03${10 + at}`, device: `0.0.11${10 + at}` }).create("vfio_ccw-io");
  },
  "crypto matrix": (simulated) => {
    if (simulated.kernel === "5.10") return;
    const matrix = simulated.addMatrix({ adapters: [5], domains: [4, 0xab], freed: { adapters: [5] } });
    matrix.assign(matrix.create("vfio_ap-passthrough"), { adapters: [5], domains: [0xab] });
  },
  "general layout": (simulated) =>
    void simulated.addGeneral({ types: [{ id: "small" }], weight: 4 }).create("small"),
  "general layout, with Destroy": (simulated, at) =>
    void simulated
      .addGeneral({ id: `general-${at}`, types: [{ id: "s" }], destroyFile: "Destroy" })
      .create("s"),
  "class-based layout": (simulated) => void simulated.addClassBased().create("11"),
  "a draft of 2016": (simulated) => void simulated.addDraft({ generation: "B", address: "0000:87:00.0" }),
  "a driver that nobody knows": (simulated, at) => {
    const parent = simulated.addParent({
      path: `devices/virtual/acme/acme${at}`,
      subsystem: "class/acme",
      deviceDriver: "acme_mdev",
      types: [{ id: "acme-1", description: "no newline" }],
      attributes: { "acme/queues": { read: () => "8\n" } },
      deviceAttributes: { "acme/serial": { read: ({ uuid }) => `SN-${uuid.slice(-4)}\n` } },
      capacity: 3,
    });
    parent.create("acme-1");
  },
};

/** Any machine: a kernel, and hardware of any drivers and layouts. */
export const anyMachine = fc
  .record({
    kernel: fc.constantFrom("5.10" as const, "6.1" as const),
    hardware: fc.uniqueArray(fc.constantFrom(...Object.keys(HARDWARE))),
  })
  .map(({ kernel, hardware }) => ({ kernel, hardware, build: (): SimulatedHost => build(kernel, hardware) }));

/** The machine with everything there is. */
export function everything(): SimulatedHost {
  return build("6.1", Object.keys(HARDWARE));
}

function build(kernel: "5.10" | "6.1", hardware: readonly string[]): SimulatedHost {
  const simulated = new SimulatedHost({ kernel });
  for (const [at, name] of hardware.entries()) HARDWARE[name]?.(simulated, at);
  return simulated;
}
