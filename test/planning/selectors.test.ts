import { expect, test } from "vitest";
import { MdevHost } from "../../src/index.js";
import {
  AmbiguousTypeError,
  type InventoryParent,
  inventoryOf,
  meansParent,
  type ParentSelector,
  planningFacts,
  selectType,
  type TypeSelector,
  type TypeWords,
} from "../../src/planning/index.js";
import { SimulatedHost } from "../../src/testing/index.js";

async function parentsOf(simulated: SimulatedHost): Promise<readonly InventoryParent[]> {
  const host = new MdevHost({ fs: simulated.fs });
  const snapshot = await host.snapshot({ include: planningFacts }).getOrThrow();
  expect(snapshot.problems).toEqual([]);
  return inventoryOf(snapshot).cards.flatMap(({ parents }) => parents);
}

const P40 = [
  type("nvidia-46", "GRID P40-1Q", 4, 1024, "5120x2880"),
  type("nvidia-47", "GRID P40-2Q", 4, 2048, "7680x4320"),
  type("nvidia-62", "GRID P40-1B", 4, 1024, "5120x2880"),
  type("nvidia-283", "GRID P40-4C", 1, 4096, "4096x2160"),
];

function type(id: string, name: string, heads: number, megabytes: number, resolution: string): TypeWords {
  const description = `num_heads=${heads}, frl_config=60, framebuffer=${megabytes}M, max_resolution=${resolution}, max_instance=4\n`;
  return { id, name, description, deviceApi: "vfio-pci" };
}

test.each<[what: string, selector: TypeSelector, id: string | undefined]>([
  ["id", { id: "nvidia-47" }, "nvidia-47"],
  ["a name as it is", { name: "GRID P40-2Q" }, "nvidia-47"],
  ["a name as others write it", { name: "grid_p40-2q" }, "nvidia-47"],
  ["a part of a name only", { name: "P40" }, undefined],
  ["the grammar of names", { vgpu: { product: "p40", gigabytes: 4, series: "C" } }, "nvidia-283"],
  ["no divided GPU", { vgpu: { mig: false, gigabytes: 2 } }, "nvidia-47"],
  ["a slice of a divided GPU", { vgpu: { mig: { slices: 1 } } }, undefined],
  [
    "displays",
    { display: { framebufferBytes: 4 * 2 ** 30, resolution: { width: 3840, height: 2160 } } },
    "nvidia-283",
  ],
  [
    "displays, the smallest",
    { display: { heads: 4, framebufferBytes: 1.5 * 2 ** 30 }, prefer: "smallest" },
    "nvidia-47",
  ],
  ["the largest", { deviceApi: "vfio-pci", prefer: "largest" }, "nvidia-283"],
  ["all of it", { id: "nvidia-47", name: "P40-1Q" }, undefined],
  ["what devices are", { id: "nvidia-47", deviceApi: "vfio-ap" }, undefined],
])("a type is meant by %s", (_what, selector, id) => {
  expect(selectType(selector, P40).getOrThrow()?.id).toBe(id);
});

test("a selector that means several types takes none, and names them", () => {
  const outcome = selectType({ display: { framebufferBytes: 1 }, prefer: "smallest" }, P40);
  expect(outcome.error).toBeInstanceOf(AmbiguousTypeError);
  expect(outcome.error?.type).toBe("invalid-argument");
  expect(outcome.error?.candidates.map(({ id }) => id)).toEqual(["nvidia-46", "nvidia-62"]);
  expect(outcome.error?.message).toContain("nvidia-46 (GRID P40-1Q), nvidia-62 (GRID P40-1B)");
});

test("the exact spelling of a name goes before others", () => {
  const twins = [type("nvidia-1", "P40-1Q", 1, 1024, "1x1"), type("nvidia-2", "GRID P40-1Q", 1, 1024, "1x1")];
  expect(selectType({ name: "P40-1Q" }, twins).getOrThrow()?.id).toBe("nvidia-1");
  expect(selectType({ name: "p40-1q" }, twins).ok).toBe(false);
});

test("a type without a name goes before no other", () => {
  const nameless = { id: "x-1", name: undefined, description: undefined, deviceApi: "vfio-pci" };
  const outcome = selectType({ deviceApi: "vfio-pci" }, [nameless, ...P40]);
  expect(outcome.error?.candidates).toHaveLength(5);
});

test("of types whose framebuffer is unknown, none is the smallest", () => {
  const unknown = { id: "nvidia-9", name: "GRID P40-9Q", description: "", deviceApi: "vfio-pci" };
  expect(selectType({ deviceApi: "vfio-pci", prefer: "smallest" }, [...P40, unknown]).ok).toBe(false);
});

test("cards are physical functions, and parents without one", async () => {
  const simulated = new SimulatedHost();
  simulated.addNvidiaSriovGpu({ address: "0000:41:00.0", functions: 2, numaNode: 1 });
  simulated.addNvidiaSriovGpu({ address: "0000:61:00.0", functions: 3, interface: "mdev" });
  simulated.addNvidiaGpu({ address: "0000:3b:00.0", numaNode: 0 });
  simulated.addMtty();
  const host = new MdevHost({ fs: simulated.fs });
  const { cards } = inventoryOf(await host.snapshot({ include: planningFacts }).getOrThrow());
  expect(cards.map(({ id, numaNode, parents }) => [id, numaNode, parents.length])).toEqual([
    ["0000:3b:00.0", 0, 1],
    ["0000:41:00.0", 1, 2],
    ["0000:61:00.0", undefined, 3],
    ["mtty", undefined, 1],
  ]);
  const alone = inventoryOf(await host.snapshot().getOrThrow());
  expect(alone.cards).toHaveLength(7);
});

test.each<[what: string, selector: ParentSelector | ParentSelector[], ids: string[]]>([
  ["id", { id: "mtty" }, ["mtty"]],
  ["one of several ids", { id: ["mtty", "0000:3b:00.0"] }, ["0000:3b:00.0", "mtty"]],
  ["card", { card: "0000:41:00.0" }, ["0000:41:00.4", "0000:41:00.5"]],
  ["one of several cards", { card: ["0000:41:00.0", "mtty"] }, ["0000:41:00.4", "0000:41:00.5", "mtty"]],
  ["vendor and device", { vendor: 0x10de, device: 0x1b38 }, ["0000:3b:00.0"]],
  ["board", { subsystemVendor: 0x10de, subsystemDevice: 0x1851 }, ["0000:41:00.4", "0000:41:00.5"]],
  ["NUMA node", { numaNode: 0 }, ["0000:3b:00.0"]],
  ["a question", { where: ({ layout }) => layout === "nvidia-vfio" }, ["0000:41:00.4", "0000:41:00.5"]],
  ["one of several selectors", [{ id: "mtty" }, { numaNode: 0 }], ["0000:3b:00.0", "mtty"]],
  ["nothing in particular", {}, ["0000:3b:00.0", "0000:41:00.4", "0000:41:00.5", "mtty"]],
])("parents are meant by %s", async (_what, selector, ids) => {
  const simulated = new SimulatedHost();
  simulated.addNvidiaSriovGpu({ address: "0000:41:00.0", functions: 2, numaNode: -1 });
  simulated.addNvidiaGpu({ address: "0000:3b:00.0", numaNode: 0 });
  simulated.addMtty();
  const parents = await parentsOf(simulated);
  expect(parents.filter((parent) => meansParent(selector, parent)).map(({ id }) => id)).toEqual(ids);
});
