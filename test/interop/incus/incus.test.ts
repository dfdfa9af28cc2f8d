import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MdevHost } from "../../../src/index.js";
import {
  incusCards,
  incusGpuDevice,
  type IncusParent,
  parseIncusResources,
} from "../../../src/interop/incus/index.js";
import { SimulatedHost } from "../../../src/testing/index.js";

async function offersOf(host: MdevHost): Promise<IncusParent[]> {
  const offers: IncusParent[] = [];
  for (const parent of await host.parents().getOrThrow()) {
    const handles = await parent.types().getOrThrow();
    const types = await Promise.all(handles.map((type) => type.read().getOrThrow()));
    offers.push({ parent: await parent.read().getOrThrow(), types });
  }
  return offers;
}
const reply = (cards: unknown) => JSON.stringify({ gpu: { cards, total: 1 } });

describe("incusCards", () => {
  it("is the JSON that Incus documents", () => {
    const facts = {
      address: "0000:00:02.0",
      subsystemVendor: undefined,
      subsystemDevice: undefined,
      revision: 0,
    };
    const pci = { ...facts, vendor: 0x8086, device: 0x5916, class: 0x030000, sriov: undefined };
    const description = "low_gm_size: 128MB\nhigh_gm_size: 512MB\nfence: 4\nresolution: 1920x1200\nweight: 4";
    const devices = ["42200aac-0977-495c-8c9e-6c51b9092a01", "b4950c00-1437-41d9-88f6-28d61cf9b9ef"];
    const type = {
      id: "i915-GVTg_V5_8",
      name: "GVTg_V5_8",
      description,
      deviceApi: "vfio-pci",
      availableInstances: 2,
      devices,
    };
    const bare = {
      ...type,
      id: "x-1",
      name: undefined,
      description: "",
      deviceApi: undefined,
      availableInstances: -3,
      devices: undefined,
    };
    const parent = { id: "0000:00:02.0", driver: "i915", numaNode: undefined, pci };
    expect(JSON.parse(JSON.stringify(incusCards([{ parent, types: [type, bare] }])))).toEqual([
      {
        driver: "i915",
        numa_node: 0,
        pci_address: "0000:00:02.0",
        vendor_id: "8086",
        product_id: "5916",
        mdev: {
          "i915-GVTg_V5_8": { api: "vfio-pci", available: 2, name: "GVTg_V5_8", description, devices },
          "x-1": { api: "", available: 0, devices: null },
        },
      },
    ]);
  });

  it("puts virtual functions below their physical one, and leaves out what is no PCI device", async () => {
    const simulated = new SimulatedHost();
    simulated.addMtty();
    simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
    simulated.addNvidiaSriovGpu({ address: "0000:41:00.0", interface: "mdev" });
    const offers = await offersOf(new MdevHost({ fs: simulated.fs }));
    const cards = incusCards(offers);
    expect(cards.map((card) => [card.pci_address, card.sriov?.vfs?.length])).toEqual([
      ["0000:3b:00.0", undefined],
      ["0000:41:00.0", offers.length - 2],
    ]);

    const told = parseIncusResources(reply(cards)).getOrThrow();
    const ours = offers
      .slice(0, -1) // mtty comes last
      .flatMap(({ parent, types }) => types.map((type) => ({ ...type, parent: parent.id })));
    expect(told).toHaveLength(ours.length);
    for (const { id, parent, name, description, deviceApi, availableInstances, devices } of ours)
      expect(told).toContainEqual({ id, parent, name, description, deviceApi, availableInstances, devices });
  });

  it("has no cards where there are none", () => {
    expect(incusCards([])).toEqual([]);
  });
});

describe("parseIncusResources", () => {
  const mdev = { a: { api: "vfio-pci", available: 1, devices: null } };
  it("takes the envelope of a raw request too", () => {
    const json = JSON.stringify({
      type: "sync",
      metadata: { gpu: { cards: [{ pci_address: "0000:00:02.0", mdev }] } },
    });
    expect(parseIncusResources(json).getOrThrow()).toEqual([
      { parent: "0000:00:02.0", id: "a", name: undefined, description: undefined, deviceApi: "vfio-pci", availableInstances: 1, devices: undefined },
    ]); // prettier-ignore
    expect(parseIncusResources(reply(null)).getOrThrow()).toEqual([]);
  });

  it.each([
    ["{", "they are not valid JSON"],
    ["{}", "they say nothing of GPUs"],
    ["null", "they say nothing of GPUs"],
    [reply([{ mdev }]), 'the card with "a" has no PCI address'],
    [reply([{ pci_address: "x", mdev: { a: {} } }]), '"a" does not say how many are available'],
  ])("does not understand %s", (json, reason) => {
    const parsed = parseIncusResources(json);
    expect(parsed.ok || parsed.error).toMatchObject({ type: "decode", raw: json });
    expect(parsed.ok || parsed.error.message).toContain(reason);
  });

  it("never throws", () => {
    const hostile = fc.oneof(fc.string(), fc.json(), fc.json().map((json) => `{"gpu":{"cards":[{"mdev":${json}}]}}`)); // prettier-ignore
    fc.assert(fc.property(hostile, (json) => typeof parseIncusResources(json).ok === "boolean"));
  });
});

describe("incusGpuDevice", () => {
  it("is the configuration of a device of an instance", () => {
    expect(incusGpuDevice({ id: "nvidia-222", parent: "0000:41:00.4" }, "0000:41:00.0").getOrThrow()).toEqual(
      {
        type: "gpu",
        gputype: "mdev",
        mdev: "nvidia-222",
        pci: "0000:41:00.0",
      },
    );
  });

  it("is none for a parent that is no PCI device", () => {
    const device = incusGpuDevice({ id: "mtty-1", parent: "mtty" });
    expect(device.ok || device.error.message).toBe(
      'cannot give mtty-1 to Incus: "mtty" is no PCI address, and Incus knows no other parents.',
    );
  });
});
