import { describe, expect, it } from "vitest";
import { NvidiaCard, type VgpuCapacity } from "../../../src/extensions/nvidia/index.js";
import { roomFor } from "../../../src/extensions/nvidia/room.js";
import { MdevHost, type Parent } from "../../../src/index.js";
import {
  type NvidiaSriovGpuOptions,
  SimulatedHost,
  type SimulatedSriovGpu,
} from "../../../src/testing/index.js";
import { fails, ok } from "../../contract/expect.js";

const P40 = "0000:3b:00.0";
const L40S = "0000:41:00.0";
const GIB = 2 ** 30;

interface World {
  readonly simulated: SimulatedHost;
  readonly host: MdevHost;
  readonly card: NvidiaCard;
  readonly gpu: SimulatedSriovGpu;
}

async function sriov(options: Partial<NvidiaSriovGpuOptions> = {}): Promise<World> {
  const simulated = new SimulatedHost();
  const gpu = simulated.addNvidiaSriovGpu({ address: L40S, ...options });
  const host = new MdevHost({ fs: simulated.fs });
  const [card] = await ok(NvidiaCard.all(host));
  if (card === undefined) throw new Error("there is no card");
  return { simulated, host, card, gpu };
}

async function legacy(): Promise<Pick<World, "simulated" | "host" | "card">> {
  const simulated = new SimulatedHost();
  simulated.addNvidiaGpu({ address: P40 });
  const host = new MdevHost({ fs: simulated.fs });
  const [card] = await ok(NvidiaCard.all(host));
  if (card === undefined) throw new Error("there is no card");
  return { simulated, host, card };
}

/** Creates vGPUs where the capacity says, until it says none; how many that were, and what it said before each. */
async function fill(card: NvidiaCard, type: string): Promise<(number | undefined)[]> {
  const said: (number | undefined)[] = [];
  for (;;) {
    const { places, instances } = await ok(card.capacity(type));
    const [place] = places;
    if (place === undefined) {
      expect(instances).toBe(0);
      return said;
    }
    said.push(instances);
    await ok(place.create());
  }
}

function facts({ typeId, name, places, instances }: VgpuCapacity): unknown {
  return { typeId, name, places: places.length, instances };
}

function ids(parents: readonly Parent[]): string[] {
  return parents.map(({ id }) => id);
}

describe("cards", () => {
  it("are NVIDIA's alone, in natural order", async () => {
    const { simulated, host } = await sriov({ functions: 2 });
    simulated.addNvidiaGpu({ address: P40 });
    simulated.addMtty();
    simulated.addParent({
      path: "devices/pci0000:00/0000:00:02.0",
      subsystem: "bus/pci",
      deviceDriver: "i915",
      attributes: { vendor: { read: () => "0x8086\n" } },
      types: [{ id: "i915-GVTg_V5_4" }],
    });
    const cards = await ok(NvidiaCard.all(host));
    expect(cards.map(({ id }) => id)).toEqual([P40, L40S]);
    expect(cards[1]?.path).toBe(`/sys/devices/pci0000:41/${L40S}`);

    for (const card of await ok(host.cards())) {
      const nvidia = card.id === P40 || card.id === L40S;
      if (nvidia) expect((await ok(NvidiaCard.of(card))).id).toBe(card.id);
      else expect((await fails(NvidiaCard.of(card), "unsupported")).message).toContain("it is none");
    }
  });

  it("are left out where they cannot be told, and of() says why", async () => {
    const { host, simulated } = await legacy();
    const [card] = await ok(host.cards());
    if (card === undefined) throw new Error("there is no card");
    simulated.failNext({ path: /00\.0\/subsystem$/, errno: "EIO", times: 2 });
    await fails(NvidiaCard.of(card), "io");
    expect(await ok(NvidiaCard.all(host))).toEqual([]);
    expect(await ok(NvidiaCard.all(host))).toHaveLength(1);
    await fails(NvidiaCard.of({ ...card, parents: [] }), "unsupported");
  });

  it("are none where there are none", async () => {
    expect(await ok(NvidiaCard.all(new MdevHost({ fs: new SimulatedHost().fs })))).toEqual([]);
  });

  it("have the functions that there are now", async () => {
    const { card, simulated } = await sriov({ functions: 4, enabled: 2 });
    expect(ids(await ok(card.functions()))).toEqual(["0000:41:00.4", "0000:41:00.5"]);
    const numvfs = `${card.path}/sriov_numvfs`;
    await simulated.fs.writeFile(numvfs, "0", { flag: 1 });
    await fails(card.functions(), "gone");
    await simulated.fs.writeFile(numvfs, "4", { flag: 1 });
    expect(ids(await ok(card.functions()))).toEqual([
      "0000:41:00.4",
      "0000:41:00.5",
      "0000:41:00.6",
      "0000:41:00.7",
    ]);
  });

  it("are gone with their functions", async () => {
    const { card, gpu } = await sriov({ functions: 2 });
    await gpu.unplug();
    await fails(card.functions(), "gone");
    await fails(card.freeFunctions(), "gone");
    await fails(card.capacity("L40S-1B"), "gone");
    await fails(card.usage(), "gone");
  });
});

describe("a board without SR-IOV", () => {
  it("has the capacity that its one function counts", async () => {
    const { card } = await legacy();
    const empty = { typeId: "nvidia-156", name: "GRID P40-2B", places: 1, instances: 12 };
    expect(facts(await ok(card.capacity("P40-2B")))).toEqual(empty);
    expect(await fill(card, "P40-2B")).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(await ok(card.freeFunctions())).toEqual([]);
    expect(facts(await ok(card.capacity("P40-1Q")))).toMatchObject({ places: 0, instances: 0 });
  });

  it("is free as long as there is room", async () => {
    const { card } = await legacy();
    await ok((await ok(card.capacity("P40-2B"))).places[0]?.create() ?? fail());
    expect(ids(await ok(card.freeFunctions()))).toEqual([P40]);
  });

  it("tells what it is used for", async () => {
    const { card } = await legacy();
    const device = await ok((await ok(card.capacity("P40-2B"))).places[0]?.create() ?? fail());
    const usage = await ok(card.usage());
    expect(usage).toEqual({
      vgpus: [
        {
          id: device.id,
          function: P40,
          typeId: "nvidia-156",
          name: "GRID P40-2B",
          framebufferBytes: 2 * GIB,
        },
      ],
      framebufferBytes: 2 * GIB,
      problems: [],
    });
    expect([usage, usage.vgpus, usage.vgpus[0], usage.problems].every(Object.isFrozen)).toBe(true);
  });
});

describe("virtual functions with mediated devices", () => {
  it("have no more vGPUs than the framebuffer has room for", async () => {
    const { card } = await sriov({ interface: "mdev" });
    const empty = { typeId: "nvidia-1154", name: "NVIDIA L40S-16Q", places: 16, instances: 3 };
    expect(facts(await ok(card.capacity("L40S-16Q")))).toEqual(empty);
    expect(await fill(card, "L40S-16Q")).toEqual([3, 2, 1]);
  });

  it("have no more vGPUs than there are functions", async () => {
    const { card } = await sriov({ interface: "mdev", functions: 4 });
    expect(await fill(card, "L40S-1B")).toEqual([4, 3, 2, 1]);
  });

  it("have places for types of one size only, once there is one", async () => {
    const { card, gpu } = await sriov({ interface: "mdev" });
    gpu.create("0000:41:00.6", "nvidia-1148");
    expect(facts(await ok(card.capacity("L40S-4Q")))).toMatchObject({ places: 0, instances: 0 });
    expect(facts(await ok(card.capacity("L40S-2B")))).toMatchObject({ places: 15, instances: 15 });
    expect(ids(await ok(card.freeFunctions()))).not.toContain("0000:41:00.6");
    gpu.remove("0000:41:00.6");
    expect(facts(await ok(card.capacity("L40S-4Q")))).toMatchObject({ places: 16, instances: 12 });
  });

  it("share the framebuffer between sizes, where the card mixes them", async () => {
    const { card, gpu } = await sriov({ interface: "mdev", mode: "heterogeneous" });
    gpu.create("0000:41:00.4", "nvidia-1155"); // 24 GiB of 48
    expect(facts(await ok(card.capacity("L40S-8Q")))).toMatchObject({ places: 15, instances: 3 });
    expect(await fill(card, "L40S-8Q")).toEqual([3, 2, 1]);
    const usage = await ok(card.usage());
    expect(usage.framebufferBytes).toBe(48 * GIB);
    expect(usage.vgpus.map((vgpu) => vgpu.function)).toEqual([
      "0000:41:00.4",
      "0000:41:00.5",
      "0000:41:00.6",
      "0000:41:00.7",
    ]);
  });
});

describe("a card that changes or differs", () => {
  it("has no vGPU that goes while it is looked at", async () => {
    const { card, gpu, simulated } = await sriov({ interface: "mdev", functions: 2 });
    gpu.create("0000:41:00.4", "nvidia-1148");
    gpu.create("0000:41:00.5", "nvidia-1148");
    const end = simulated.onOperation(({ path }) => {
      if (!path.endsWith("/mdev_type") || !path.includes("00.4")) return;
      end();
      gpu.remove("0000:41:00.4");
    });
    const { vgpus, framebufferBytes, problems } = await ok(card.usage());
    expect(vgpus.map((vgpu) => vgpu.function)).toEqual(["0000:41:00.5"]);
    expect([framebufferBytes, problems]).toEqual([2 * GIB, []]);
  });

  it("has a vGPU of no known size where its type cannot be read", async () => {
    const { card, gpu, simulated } = await sriov({ interface: "mdev", functions: 2 });
    const id = gpu.create("0000:41:00.4", "nvidia-1148");
    simulated.failNext({ path: /mdev_type$/, errno: "EIO" });
    const { vgpus, framebufferBytes, problems } = await ok(card.usage());
    expect(vgpus).toMatchObject([{ id, typeId: undefined, framebufferBytes: undefined }]);
    expect(framebufferBytes).toBeUndefined();
    expect(problems.map(({ type }) => type)).toEqual(["io"]);
  });

  it("has room for one where it offers several, whatever its descriptions add up to", async () => {
    const only = { heads: 1, frameRate: 60, framebuffer: 1024, resolution: "1x1", maxInstance: 1 };
    const types = [{ ...only, id: "nvidia-1", name: "NVIDIA L40S-1B" }];
    const { card, gpu } = await sriov({ interface: "mdev", mode: "heterogeneous", functions: 3, types });
    gpu.create("0000:41:00.4", "nvidia-1");
    expect(facts(await ok(card.capacity("L40S-1B")))).toMatchObject({ places: 2, instances: 1 });
  });

  it("has its functions in order, whichever is asked for the others", async () => {
    const { host } = await sriov({ functions: 4 });
    const [plain] = await ok(host.cards());
    if (plain === undefined) throw new Error("there is no card");
    const card = await ok(NvidiaCard.of({ ...plain, parents: [...plain.parents].reverse() }));
    expect(ids(await ok(card.functions()))).toEqual(ids(plain.parents));
  });
});

describe("NVIDIA's own interface", () => {
  it("tells the places, and how many fit where there is one at the most", async () => {
    const { card } = await sriov();
    const empty = { typeId: "nvidia-1154", name: "NVIDIA L40S-16Q", places: 16, instances: undefined };
    expect(facts(await ok(card.capacity("L40S-16Q")))).toEqual(empty);
    for (let count = 0; count < 3; count++) {
      const { places } = await ok(card.capacity("nvidia-1154"));
      await ok(places[0]?.create() ?? fail());
    }
    const full = { typeId: "nvidia-1154", name: undefined, places: 0, instances: 0 };
    expect(facts(await ok(card.capacity("nvidia-1154")))).toEqual(full);
    expect(await ok(card.freeFunctions())).toEqual([]);
  });

  it("knows a type by its id when it is not listed", async () => {
    const { card, gpu } = await sriov({ functions: 2 });
    gpu.create("0000:41:00.4", "nvidia-1156"); // all of the framebuffer
    expect(facts(await ok(card.capacity("nvidia-1148")))).toMatchObject({ places: 0, instances: 0 });
    const error = await fails(card.capacity("L40S-2Q"), "not-found");
    expect(error.hint).toBe("A type that cannot be created now is not listed here.");
    expect(error.path).toBe(card.path);
  });

  it("tells of its vGPUs by their names, as long as one shows", async () => {
    const { card, gpu } = await sriov({ functions: 2 });
    gpu.create("0000:41:00.5", "nvidia-1148");
    expect(await ok(card.usage())).toEqual({
      vgpus: [
        {
          id: "0000:41:00.5",
          function: "0000:41:00.5",
          typeId: "nvidia-1148",
          name: "NVIDIA L40S-2Q",
          framebufferBytes: 2 * GIB,
        },
      ],
      framebufferBytes: 2 * GIB,
      problems: [],
    });
    gpu.create("0000:41:00.4", "nvidia-1148");
    const { vgpus, framebufferBytes } = await ok(card.usage());
    expect(vgpus.map(({ typeId, name }) => [typeId, name])).toEqual([
      ["nvidia-1148", undefined],
      ["nvidia-1148", undefined],
    ]);
    expect(framebufferBytes).toBeUndefined();
  });

  it("says where several types have a name", async () => {
    const one = { heads: 1, frameRate: 60, framebuffer: 1024, resolution: "1x1", maxInstance: 48 };
    const { card } = await sriov({
      types: [
        { ...one, id: "nvidia-1", name: "GRID L40S-1B" },
        { ...one, id: "nvidia-2", name: "NVIDIA L40S-1B" },
      ],
    });
    const error = await fails(card.capacity("L40S-1B"), "not-found");
    expect(error.message).toContain("nvidia-1 (GRID L40S-1B), nvidia-2 (NVIDIA L40S-1B)");
    expect(facts(await ok(card.capacity("GRID L40S-1B")))).toMatchObject({ typeId: "nvidia-1", places: 16 });
  });
});

describe.each(["mdev", "vfio"] as const)("a function of %s that cannot be read", (kind) => {
  const file = kind === "mdev" ? "mdev_supported_types" : "creatable_vgpu_types";

  it("spoils only itself", async () => {
    const { card, simulated } = await sriov({ interface: kind, functions: 3 });
    simulated.failNext({ path: new RegExp(`00.5/(?:nvidia/)?${file}$`), errno: "EIO", times: 1000 });
    const { places } = await ok(card.capacity("L40S-2Q"));
    expect(places.map(({ parent }) => parent.id)).toEqual(["0000:41:00.4", "0000:41:00.6"]);
    expect(ids(await ok(card.freeFunctions()))).toEqual(["0000:41:00.4", "0000:41:00.6"]);
    const { problems } = await ok(card.usage());
    // without the folder of its types it is no parent at all
    expect(problems.map(({ type }) => type)).toEqual(kind === "mdev" ? [] : ["io"]);
    expect(problems.every(({ path }) => path?.includes("0000:41:00.5"))).toBe(true);
  });

  it("is an error where it is the only one", async () => {
    const { card, simulated } = await sriov({ interface: kind, functions: 1 });
    simulated.failNext({ path: new RegExp(`${file}$`), errno: "EIO", times: 1000 });
    await fails(card.capacity("L40S-2Q"), "io");
    await fails(card.usage(), "io");
  });
});

describe("asking a card", () => {
  it("refuses names that are none, options that are none, and can be aborted", async () => {
    const { card, host } = await sriov();
    const [plain] = await ok(host.cards());
    if (plain === undefined) throw new Error("there is no card");
    await fails(card.capacity(""), "invalid-argument");
    await fails(card.capacity(undefined as unknown as string), "invalid-argument");
    expect(await fails(card.capacity("L40S-5Q"), "not-found")).toMatchObject({ suggestion: "nvidia-1145" });
    for (const [options, type] of [
      [{ timeout: -1 }, "invalid-argument"],
      [{ signal: AbortSignal.abort() }, "aborted"],
    ] as const) {
      await fails(NvidiaCard.all(host, options), type);
      await fails(card.functions(options), type);
      await fails(card.freeFunctions(options), type);
      await fails(card.capacity("L40S-2Q", options), type);
      await fails(card.usage(options), type);
    }
  });

  it("of mediated devices refuses an unknown id", async () => {
    const { card } = await sriov({ interface: "mdev" });
    await fails(card.capacity("nvidia-9"), "not-found");
  });

  it("has one limit of time for all functions", async () => {
    const { card, simulated } = await sriov({ functions: 4 });
    const delay = simulated.delay({ path: /creatable_vgpu_types$/, ms: 30 });
    await fails(card.usage({ timeout: 80 }), "timeout");
    delay.end();
    await ok(card.usage({ timeout: 5000 }));
  });

  it("leaves what has failed for another reason to the caller", async () => {
    const { host, simulated } = await sriov();
    simulated.failNext({ path: /drivers\/nvidia$/, errno: "EACCES" });
    await fails(NvidiaCard.all(host), "permission");
  });
});

describe("roomFor", () => {
  const sizes = [
    { framebufferBytes: 1 * GIB, maxInstances: 32 },
    { framebufferBytes: 48 * GIB, maxInstances: 1 },
    { framebufferBytes: undefined, maxInstances: 7 },
  ];

  it.each([
    ["as many as the description says", { framebufferBytes: GIB, maxInstances: 32 }, [], 32],
    ["less those there are", { framebufferBytes: GIB, maxInstances: 32 }, [GIB, GIB], 30],
    ["never less than none", { framebufferBytes: 48 * GIB, maxInstances: 1 }, [48 * GIB, 48 * GIB], 0],
    ["what is left by others", { framebufferBytes: 8 * GIB, maxInstances: 6 }, [24 * GIB, GIB], 2],
    ["nothing beside unknown ones", { framebufferBytes: 8 * GIB, maxInstances: 6 }, [undefined], undefined],
    ["nothing of an unknown size", { framebufferBytes: undefined, maxInstances: 6 }, [GIB], undefined],
    ["nothing of no size", { framebufferBytes: 0, maxInstances: 6 }, [GIB], undefined],
    ["what the framebuffer has", { framebufferBytes: 16 * GIB, maxInstances: undefined }, [], 3],
  ])("knows %s", (_what, type, used, room) => {
    expect(roomFor(type, used, sizes)).toBe(room);
  });

  it("knows nothing without descriptions", () => {
    const size = { framebufferBytes: GIB, maxInstances: undefined };
    expect(roomFor(size, [], [size])).toBeUndefined();
  });
});

function fail(): never {
  throw new Error("there is no place");
}
