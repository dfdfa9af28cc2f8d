import { describe, expect, it } from "vitest";
import { MdevHost } from "../../../src/index.js";
import {
  type Inventory,
  inventoryOf,
  parseVgpuConfigs,
  planningFacts,
  wantedVgpus,
  type WantedVgpusOptions,
} from "../../../src/planning/index.js";
import { SimulatedHost } from "../../../src/testing/index.js";

const type = (id: string, name: string) => ({
  ...{ id, name: `NVIDIA RTX Pro ${name}` },
  ...{ heads: 4, frameRate: 60, framebuffer: 24 * 1024, resolution: "7680x4320", maxInstance: 4 },
});
const MIG = [
  type("nvidia-1", "6000 Blackwell DC-1-24Q"),
  type("nvidia-2", "6000 Blackwell DC-1-24C"),
  type("nvidia-3", "6000 Blackwell DC-1-24CME"),
];

function aHost(): SimulatedHost {
  const simulated = new SimulatedHost();
  simulated.addNvidiaGpu({ address: "0000:af:00.0" });
  simulated.addNvidiaSriovGpu({ address: "0000:41:00.0", functions: 2 });
  simulated.addMtty();
  return simulated;
}

async function inventory(simulated = aHost()): Promise<Inventory> {
  const host = new MdevHost({ fs: simulated.fs });
  return inventoryOf(await host.snapshot({ include: planningFacts }).getOrThrow());
}

async function wanted(entries: string, options: Partial<WantedVgpusOptions> = {}, simulated = aHost()) {
  const configs = await parseVgpuConfigs(`version: v1\nvgpu-configs:\n  a: [${entries}]`).getOrThrow();
  return wantedVgpus(configs, await inventory(simulated), { owner: "dm", ...options });
}

const countsOf = (outcome: Awaited<ReturnType<typeof wanted>>) =>
  outcome.getOrThrow().state.devices.map(({ name, type, count }) => [name, type.name, count]);

describe("what a configuration of vgpu-device-manager wants", () => {
  it("is of each NVIDIA GPU that it is for", async () => {
    const outcome = await wanted("{devices: all, vgpu-devices: {P40-1Q: 4, L40S-1B: 2}}", { cards: "mixed" });
    expect(outcome.getOrThrow().state).toEqual({
      owner: "dm",
      cards: "mixed",
      devices: [
        { name: "0000:41:00.0/P40-1Q", type: { name: "P40-1Q" }, parent: { card: "0000:41:00.0" }, count: 4 },
        {
          name: "0000:41:00.0/L40S-1B",
          type: { name: "NVIDIA L40S-1B" },
          parent: { card: "0000:41:00.0" },
          count: 2,
        },
        {
          name: "0000:af:00.0/P40-1Q",
          type: { name: "GRID P40-1Q" },
          parent: { card: "0000:af:00.0" },
          count: 4,
        },
        {
          name: "0000:af:00.0/L40S-1B",
          type: { name: "L40S-1B" },
          parent: { card: "0000:af:00.0" },
          count: 2,
        },
      ],
    });
    expect(outcome.getOrThrow().substitutions).toEqual([]);
  });

  it("is what the last entry says that is for a GPU", async () => {
    const entries = "{devices: all, vgpu-devices: {P40-1Q: 4}}, {devices: [2], vgpu-devices: {P40-2Q: 1}}";
    const gpus = ["0000:3b:00.0", "0000:41:00.0", "0000:af:00.0"];
    expect(countsOf(await wanted(entries, { gpus }))).toEqual([
      ["0000:41:00.0/P40-1Q", "P40-1Q", 4],
      ["0000:af:00.0/P40-2Q", "GRID P40-2Q", 1],
    ]);
  });

  it("may be no vGPUs on a GPU", async () => {
    const entries = "{devices: all, vgpu-devices: {P40-1Q: 4}}, {devices: all, vgpu-devices: {}}";
    expect(countsOf(await wanted(entries))).toEqual([]);
  });

  it.each([
    ["a GPU", '"0x1B3810DE"', ["0000:af:00.0/P40-1Q"]],
    ["several", '["0x1", "0x26b910de"]', ["0000:41:00.0/P40-1Q"]],
    ["a board", '"0x26B910DE:0x185110DE"', ["0000:41:00.0/P40-1Q"]],
    ["another board", '"0x26B910DE:0x185210DE"', []],
    ["another vendor's board", '"0x26B910DE:0x18511002"', []],
    ["none of them", '"0x1EB810DE"', []],
  ])("is for %s by its ids", async (_, filter, names) => {
    const entries = `{devices: all, device-filter: ${filter}, vgpu-devices: {P40-1Q: 1}}`;
    expect(countsOf(await wanted(entries)).map(([name]) => name)).toEqual(names);
  });

  it("is of GPUs by index only when all GPUs are known", async () => {
    const vague = await wanted("{devices: [0], vgpu-devices: {P40-1Q: 1}}");
    expect(vague.error).toMatchObject({ type: "invalid-argument" });
    expect(vague.error?.hint).toBe("Give the addresses of all of the host's GPUs in `gpus`.");
    const beyond = await wanted("{devices: [7], vgpu-devices: {P40-1Q: 1}}", { gpus: ["0000:af:00.0"] });
    expect(countsOf(beyond)).toEqual([]);
  });

  it("cannot be told without the facts of planning", async () => {
    const host = new MdevHost({ fs: aHost().fs });
    const configs = await parseVgpuConfigs(
      "version: v1\nvgpu-configs: {a: [{devices: all, vgpu-devices: {}}]}",
    ).getOrThrow();
    const plain = inventoryOf(await host.snapshot().getOrThrow());
    const outcome = wantedVgpus(configs, plain, { owner: "dm" });
    expect(outcome.error?.message).toContain("Take the snapshot with { include: planningFacts }.");
    expect(wantedVgpus(configs, { cards: [] }, { owner: "dm" }).ok).toBe(true);
  });

  it("goes by the last word of a name, without the suffix where the card has no type with it", async () => {
    const simulated = new SimulatedHost();
    simulated.addNvidiaSriovGpu({
      address: "0000:41:00.0",
      functions: 2,
      types: MIG,
      framebufferBytes: 96 * 2 ** 30,
    });
    const entries = "{devices: all, vgpu-devices: {DC-1-24QGFX: 2, DC-1-24CME: 1, DC-1-24AGFX: 1}}";
    const outcome = await wanted(entries, {}, simulated);
    expect(countsOf(outcome)).toEqual([
      ["0000:41:00.0/DC-1-24QGFX", "NVIDIA RTX Pro 6000 Blackwell DC-1-24Q", 2],
      ["0000:41:00.0/DC-1-24CME", "NVIDIA RTX Pro 6000 Blackwell DC-1-24CME", 1],
      ["0000:41:00.0/DC-1-24AGFX", "DC-1-24AGFX", 1],
    ]);
    expect(outcome.getOrThrow().substitutions).toEqual([
      { card: "0000:41:00.0", wanted: "DC-1-24QGFX", taken: "DC-1-24Q" },
    ]);
    const twice = await wanted("{devices: all, vgpu-devices: {DC-1-24QGFX: 2, DC-1-24Q: 3}}", {}, simulated);
    expect(twice.error?.message).toContain(
      "two of its types mean NVIDIA RTX Pro 6000 Blackwell DC-1-24Q on 0000:41:00.0",
    );
  });

  it("takes none of several types whose names end alike", async () => {
    const simulated = new SimulatedHost();
    const types = [...MIG, type("nvidia-4", "5000 Blackwell DC-1-24Q")];
    simulated.addNvidiaSriovGpu({ address: "0000:41:00.0", functions: 2, types });
    const outcome = await wanted("{devices: all, vgpu-devices: {DC-1-24QGFX: 2}}", {}, simulated);
    expect(outcome.error?.message).toContain(
      "means several types of 0000:41:00.0: NVIDIA RTX Pro 6000 Blackwell DC-1-24Q, NVIDIA RTX Pro 5000 Blackwell DC-1-24Q",
    );
  });

  it.each([
    ["a", ["a"], true],
    [undefined, ["a"], true],
    ["b", ["a", "b"], true],
    [undefined, ["a", "b"], "Choose one: a, b."],
    ["c", ["a", "b"], "There are a, b."],
    ["a", [], undefined],
    [undefined, [], undefined],
  ])("is chosen by %j of %j", async (config, names, outcome) => {
    const configs = names.map((name) => ({ name, entries: [] }));
    const chosen = wantedVgpus(configs, await inventory(), { owner: "dm", config });
    expect(chosen.ok || chosen.error.hint).toBe(outcome);
  });
});
