import { describe, expect, it } from "vitest";
import { MdevHost } from "../../src/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { fails, ok } from "../contract/expect.js";

describe("waiting for parents", () => {
  it("ends at once where they are there, and gives all", async () => {
    const simulated = new SimulatedHost();
    simulated.addMtty();
    simulated.addMdpy();
    const host = new MdevHost({ fs: simulated.fs });
    for (const options of [undefined, {}, { count: 2 }, { ids: ["mtty"] }, { ids: [], count: 0 }]) {
      expect((await ok(host.waitForParents(options))).map(({ id }) => id)).toEqual(["mdpy", "mtty"]);
    }
  });

  it("ends when the last one of those asked for is there", async () => {
    const simulated = new SimulatedHost();
    const host = new MdevHost({ fs: simulated.fs });
    const waiting = host.waitForParents({ ids: ["mdpy", "mtty"], count: 3, interval: 1 });
    setTimeout(() => simulated.addMtty(), 5);
    setTimeout(() => simulated.addMbochs(), 10);
    setTimeout(() => simulated.addMdpy(), 20);
    expect((await ok(waiting)).map(({ id }) => id)).toEqual(["mbochs", "mdpy", "mtty"]);
  });

  it("counts the virtual functions of one card alone, where that is asked for", async () => {
    const simulated = new SimulatedHost();
    simulated.addMtty();
    simulated.addNvidiaSriovGpu({ address: "0000:42:00.0", functions: 4 });
    const host = new MdevHost({ fs: simulated.fs });
    const wanted = { physicalFunction: "0000:41:00.0", count: 2, interval: 1 };
    const error = await fails(host.waitForParents({ ...wanted, timeout: 30 }), "timeout");
    expect(error.message).toContain("with 0 of 2 there");
    simulated.addNvidiaSriovGpu({ address: "0000:41:00.0", functions: 2 });
    expect((await ok(host.waitForParents(wanted))).map(({ id }) => id)).toEqual([
      "0000:41:00.4",
      "0000:41:00.5",
    ]);
  });

  it("ends with the caller's limit, and says what is missing", async () => {
    const host = new MdevHost({ fs: new SimulatedHost().fs });
    const error = await fails(host.waitForParents({ ids: ["mtty", "mdpy"], timeout: 20 }), "timeout");
    expect(error.message).toContain("without mtty, mdpy");
    expect(error.pending).toBeUndefined();
    const controller = new AbortController();
    const waiting = host.waitForParents({ signal: controller.signal });
    controller.abort();
    await fails(waiting, "aborted");
  });

  it.each([
    { ids: "mtty" },
    { ids: [5] },
    { ids: [""] },
    { count: -1 },
    { count: 1.5 },
    { count: "2" },
    { interval: -1 },
    { interval: NaN },
    { physicalFunction: "41" },
    { physicalFunction: 41 },
  ])("refuses %j before any I/O", async (options) => {
    const simulated = new SimulatedHost();
    const host = new MdevHost({ fs: simulated.fs });
    await fails(host.waitForParents(options as never), "invalid-argument");
    expect(simulated.operations).toEqual([]);
  });
});

describe("waiting for types", () => {
  it("ends when the parent has them", async () => {
    const simulated = new SimulatedHost();
    const gpu = simulated.addNvidiaSriovGpu({ address: "0000:41:00.0", functions: 2 });
    const host = new MdevHost({ fs: simulated.fs });
    const first = await ok(host.parent("0000:41:00.4"));
    const all = await ok(first.waitForTypes());
    expect(all.map(({ id }) => id)).toEqual((await ok(first.types())).map(({ id }) => id));
    const error = await fails(first.waitForTypes({ ids: ["nvidia-1"], interval: 1, timeout: 20 }), "timeout");
    expect(error.message).toContain("without nvidia-1");
    await fails(first.waitForTypes({ count: -1 }), "invalid-argument");
    const waiting = first.waitForTypes({ count: 99, interval: 1 });
    await gpu.unplug();
    await fails(waiting, "gone");
  });
});
