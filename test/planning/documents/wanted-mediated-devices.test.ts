import { describe, expect, it } from "vitest";
import { MdevHost } from "../../../src/index.js";
import {
  inventoryOf,
  type MediatedDevicesConfiguration,
  planningFacts,
  wantedMediatedDevices,
} from "../../../src/planning/index.js";
import { SimulatedHost } from "../../../src/testing/index.js";

const ADDRESSES = ["0000:3b:00.0", "0000:5e:00.0", "0000:af:00.0", "0000:d8:00.0"];

function gpus(): { simulated: SimulatedHost; cards: ReturnType<SimulatedHost["addNvidiaGpu"]>[] } {
  const simulated = new SimulatedHost();
  return { simulated, cards: ADDRESSES.map((address) => simulated.addNvidiaGpu({ address })) };
}

async function wanted(
  simulated: SimulatedHost,
  configuration: Partial<MediatedDevicesConfiguration>,
  labels: Record<string, string> = {},
) {
  const host = new MdevHost({ fs: simulated.fs });
  const inventory = inventoryOf(await host.snapshot({ include: planningFacts }).getOrThrow());
  const whole = { enabled: true, types: [], nodes: [], ...configuration };
  return wantedMediatedDevices(whole, labels, inventory, { owner: "kv" });
}

const typesOf = (state: Awaited<ReturnType<typeof wanted>>) => state?.devices.map(({ type }) => type.id);

describe("what KubeVirt's configuration wants", () => {
  it("is one type on each card, in turn, as many devices as there is room for", async () => {
    const state = await wanted(gpus().simulated, { types: ["nvidia-47", "nvidia-46", "nvidia-999"] });
    expect(state).toMatchObject({ owner: "kv" });
    expect(typesOf(state)).toEqual(["nvidia-47", "nvidia-46", "nvidia-47", "nvidia-46"]);
    expect(state?.devices[1]).toEqual({
      name: "0000:5e:00.0/nvidia-46",
      type: { id: "nvidia-46" },
      parent: { card: "0000:5e:00.0" },
      count: "all",
    });
  });

  it("leaves a card the wanted type that it has, and gives the others what is missing", async () => {
    const { simulated, cards } = gpus();
    cards[0]?.create("nvidia-46");
    cards[1]?.create("nvidia-156");
    expect(typesOf(await wanted(simulated, { types: ["nvidia-46", "nvidia-47"] }))).toEqual([
      "nvidia-46",
      "nvidia-47",
      "nvidia-46",
      "nvidia-47",
    ]);
  });

  it("comes to the same when only a part of it was made", async () => {
    const types = ["nvidia-46", "nvidia-47", "nvidia-156"];
    for (let made = 0; made < 16; made++) {
      const { simulated, cards } = gpus();
      const before = typesOf(await wanted(simulated, { types })) ?? [];
      for (const [at, card] of cards.entries()) if ((made & (1 << at)) !== 0) card.create(before[at] ?? "");
      expect([...(typesOf(await wanted(simulated, { types })) ?? [])].sort()).toEqual([...before].sort());
    }
  });

  it("names a type by its id, or by its name with _ for a blank", async () => {
    const { simulated } = gpus();
    simulated.addMtty();
    expect(typesOf(await wanted(simulated, { types: ["GRID_P40-1Q", "Single_port_serial"] }))).toEqual([
      "nvidia-46",
      "nvidia-46",
      "nvidia-46",
      "nvidia-46",
      "mtty-1",
    ]);
    expect(typesOf(await wanted(simulated, { types: ["GRID P40-1Q", "P40-1Q"] }))).toEqual([]);
  });

  const types = ["nvidia-46"];
  const nodes = [
    { nodeSelector: { "kubernetes.io/hostname": "n1" }, types: ["nvidia-47"] },
    { nodeSelector: { gpu: "p40", zone: "a" }, types: ["nvidia-156", "nvidia-47"] },
    { nodeSelector: { gpu: "none" }, types: [] },
  ];
  it.each([
    ["no entry is for it", {}, ["nvidia-46"]],
    ["one is", { "kubernetes.io/hostname": "n1", zone: "b" }, ["nvidia-47"]],
    ["one is in part", { gpu: "p40" }, ["nvidia-46"]],
    ["two are", { "kubernetes.io/hostname": "n1", gpu: "p40", zone: "a" }, ["nvidia-47", "nvidia-156"]],
    ["the one that is has no types", { gpu: "none" }, ["nvidia-46"]],
    ["it has labels that every object has", { constructor: "x" }, ["nvidia-46"]],
  ])("is of a node by its labels, when %s", async (_, labels, expected) => {
    const state = await wanted(gpus().simulated, { types, nodes }, labels);
    expect([...new Set(typesOf(state))]).toEqual(expected);
  });

  it("is of every node, by an entry without labels", async () => {
    const all = [{ nodeSelector: {}, types: ["nvidia-47"] }];
    expect([
      ...new Set(typesOf(await wanted(gpus().simulated, { types, nodes: all }, { any: "x" }))),
    ]).toEqual(["nvidia-47"]);
  });

  it("is nothing to be asked for, when it is switched off; that is not that nothing is wanted", async () => {
    expect(await wanted(gpus().simulated, { enabled: false, types })).toBeUndefined();
    expect(await wanted(gpus().simulated, {})).toEqual({ owner: "kv", devices: [] });
  });
});
