import { describe, expect, it } from "vitest";
import { DefinedHost, DefinitionStore } from "../../../src/definitions/index.js";
import { compareMatrix } from "../../../src/extensions/s390/index.js";
import { MdevHost } from "../../../src/index.js";
import { MemoryDefinitionFileSystem, SimulatedHost } from "../../../src/testing/index.js";
import { fails, ok } from "../../contract/expect.js";

async function world(attributes: readonly (readonly [string, string])[]) {
  const simulated = new SimulatedHost();
  simulated.addMatrix({ adapters: [5, 6], domains: [4, 0xab], freed: { adapters: [5, 6] } });
  simulated.addMtty();
  const host = new MdevHost({ fs: simulated.fs });
  const store = new DefinitionStore({ fs: new MemoryDefinitionFileSystem() });
  const definition = { parent: "matrix", type: "vfio_ap-passthrough", attributes } as const;
  const { uuid } = await ok(store.define(definition));
  const defined = new DefinedHost({ host, store });
  return { uuid, host, store, defined, device: await ok(defined.start(uuid)) };
}
const compare = { compare: [compareMatrix] };

describe("compareMatrix", () => {
  it("adds up what is written in any of the kernel's spellings, and tells each name once", async () => {
    const { uuid, defined, device } = await world([
      ["assign_adapter", "5"],
      ["assign_adapter", "06"],
      ["unassign_adapter", "0x5"],
      ["assign_domain", "0xAB"],
      ["assign_control_domain", "4"],
    ]);
    expect(await ok(defined.drift(uuid, compare))).toMatchObject({
      isSame: true,
      unknown: [],
      attributes: [],
    });
    await ok(device.setAttributes([["unassign_domain", "0xab"]]));
    const { isSame, attributes } = await ok(defined.drift(uuid, compare));
    expect([isSame, attributes]).toEqual([false, [{ name: "assign_domain", defined: "0xab", actual: "" }]]);
  });

  it("says nothing of other devices, of other attributes, and of values that are none", async () => {
    const { uuid, store, defined, device, host } = await world([["assign_adapter", "5"]]);
    expect(await ok(compareMatrix(device, [["remove", "1"]]))).toEqual([]);
    expect(await ok(compareMatrix(device, [["assign_adapter", "256"]]))).toEqual([]);
    const mtty = await ok(host.parent("mtty").map((parent) => parent.type("mtty-1")));
    expect(await ok(compareMatrix(await ok(mtty.create()), [["assign_adapter", "5"]]))).toEqual([]);
    await ok(store.modify(uuid, { attributes: [["assign_adapter", "x"]] }));
    expect(await ok(defined.drift(uuid, compare))).toMatchObject({
      isSame: false,
      unknown: ["assign_adapter"],
    });
  });

  it("compares what ap_config makes of it", async () => {
    const { uuid, store, defined } = await world([["assign_adapter", "5"]]);
    const mask = (first: string): string => `0x${first}${"0".repeat(64 - first.length)}`;
    for (const [adapters, isSame] of [
      ["04", true],
      ["06", false],
    ] as const) {
      const config = [mask(adapters), mask("0"), mask("0")].join(",");
      await ok(store.modify(uuid, { attributes: [["ap_config", config]] }));
      expect((await ok(defined.drift(uuid, compare))).isSame).toBe(isSame);
    }
  });

  it("ends when its limit strikes, and is a problem where the device does not show it", async () => {
    const { uuid, defined, device, host } = await world([["assign_adapter", "5"]]);
    await fails(compareMatrix(device, [["assign_adapter", "5"]], { signal: AbortSignal.abort() }), "aborted");
    const broken: typeof compareMatrix = () => host.device("no such").map(() => []) as never;
    const report = await ok(defined.drift(uuid, { compare: [broken] }));
    expect(report).toMatchObject({
      isSame: false,
      unknown: ["assign_adapter"],
      problems: [{ type: "invalid-argument" }],
    });
  });
});
