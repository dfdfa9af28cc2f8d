import { describe, expect, it } from "vitest";
import { InvalidArgumentError, type LayoutName, MdevHost } from "../../src/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { fails, ok } from "../contract/expect.js";

describe("the layout of a parent", () => {
  it("is found out for each: a host may mix them", async () => {
    const simulated = new SimulatedHost();
    simulated.addMtty();
    simulated.addGeneral({ id: "general" });
    simulated.addClassBased();
    simulated.addNvidiaSriovGpu({ address: "0000:3b:00.0", functions: 1 });
    simulated.addNvidiaSriovGpu({ address: "0000:af:00.0", functions: 1, interface: "mdev" });
    simulated.addDraft({ generation: "A", address: "0000:87:00.0" });
    const host = new MdevHost({ fs: simulated.fs });
    const parents = await ok(host.parents());
    expect(parents.map(({ id, layout }) => [id, layout])).toEqual([
      ["0000:3b:00.4", "nvidia-vfio"],
      ["0000:86:00.0", "class-based"],
      ["0000:af:00.4", "merged"],
      ["general", "general"],
      ["mtty", "merged"],
    ]);
    for (const parent of parents) {
      const [type] = await ok(parent.types());
      if (type === undefined) throw new Error(`${parent.id} has no type`);
      const device = await ok(type.create());
      expect((await ok(host.device(device.id))).path).toBe(device.path);
    }
    expect((await ok(host.devices())).length).toBe(5);
    for (const device of await ok(host.devices()))
      expect(await ok(device.remove())).toEqual({ removed: true });
  });

  it("is the merged one where there is no type to tell by", async () => {
    const simulated = new SimulatedHost();
    const mtty = simulated.addMtty();
    mtty.removeType("mtty-1");
    mtty.removeType("mtty-2");
    const parent = await ok(new MdevHost({ fs: simulated.fs }).parent("mtty"));
    expect(parent.layout).toBe("merged");
    expect(await ok(parent.types())).toEqual([]);
  });

  it("can be forced, and what does not offer it is no parent then", async () => {
    const simulated = new SimulatedHost();
    simulated.addGeneral({ id: "general" });
    simulated.addNvidiaSriovGpu({ address: "0000:3b:00.0", functions: 1 });
    const ids = async (layout: LayoutName): Promise<string[]> => {
      const parents = await ok(new MdevHost({ fs: simulated.fs, layout }).parents());
      expect(parents.every((parent) => parent.layout === layout)).toBe(true);
      return parents.map(({ id }) => id);
    };
    expect(await ids("merged")).toEqual(["general"]);
    expect(await ids("class-based")).toEqual(["general"]);
    expect(await ids("nvidia-vfio")).toEqual(["0000:3b:00.4"]);
  });

  it("is one of those that there are", () => {
    expect(() => new MdevHost({ layout: "other" as LayoutName })).toThrow(InvalidArgumentError);
  });

  it.each([
    ["A", "spring 2016"],
    ["B", "August 2016"],
    ["C", "2016"],
  ] as const)("of generation %s is named, and not spoken", async (generation, named) => {
    const simulated = new SimulatedHost();
    const draft = simulated.addDraft({ generation });
    const host = new MdevHost({ fs: simulated.fs });
    const error = await fails(host.parent(draft.id), "unsupported");
    expect(error.message).toContain(`generation ${generation}`);
    expect(error.message).toContain(named);
    expect(await ok(host.parents())).toEqual([]);
  });
});
