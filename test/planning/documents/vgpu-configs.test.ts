import fc from "fast-check";
import { dump } from "js-yaml";
import { describe, expect, it } from "vitest";
import { parseVgpuConfigs, type VgpuConfig } from "../../../src/planning/index.js";

const anyBoard = { subsystemVendor: undefined, subsystemDevice: undefined };
const entry = (text: string) => `version: v1\nvgpu-configs:\n  small:\n    - ${text}`;

describe("the configurations of vgpu-device-manager", () => {
  it("are read in the order of the file", async () => {
    const configs = await parseVgpuConfigs(`
version: v1
vgpu-configs:
  T4-small:
    - devices: [0, 2]
      vgpu-devices: {"T4-1Q": 16}
    - device-filter: "0x1EB810DE"
      devices: all
      vgpu-devices: {"T4-8Q": 2}
  mixed:
    - device-filter: ["0x233010de:0x16c010de", "0x10DE"]
      devices: all
      vgpu-devices:
        H100-1-10CME: 1
        H100-2-20C: 3
  none:
    - {devices: all, device-filter: "", vgpu-devices: {}}
`).getOrThrow();
    const t4 = { ...anyBoard, vendor: 0x10de, device: 0x1eb8 };
    expect(configs).toEqual<readonly VgpuConfig[]>([
      {
        name: "T4-small",
        entries: [
          { devices: [0, 2], deviceFilter: [], vgpuDevices: [{ type: "T4-1Q", count: 16 }] },
          { devices: "all", deviceFilter: [t4], vgpuDevices: [{ type: "T4-8Q", count: 2 }] },
        ],
      },
      {
        name: "mixed",
        entries: [
          {
            devices: "all",
            deviceFilter: [
              { vendor: 0x10de, device: 0x2330, subsystemVendor: 0x10de, subsystemDevice: 0x16c0 },
              { ...anyBoard, vendor: 0x10de, device: 0 },
            ],
            vgpuDevices: [
              { type: "H100-1-10CME", count: 1 },
              { type: "H100-2-20C", count: 3 },
            ],
          },
        ],
      },
      { name: "none", entries: [{ devices: "all", deviceFilter: [], vgpuDevices: [] }] },
    ]);
    expect(Object.isFrozen(configs[0]?.entries[0]?.vgpuDevices[0])).toBe(true);
  });

  it("may be none, as there", async () => {
    expect(await parseVgpuConfigs("version: v1").getOrThrow()).toEqual([]);
  });

  it("may name a part that comes again", async () => {
    const yaml = entry(
      "{devices: [0], vgpu-devices: &four {A100-4C: 10}}\n    - {devices: [1], vgpu-devices: *four}",
    );
    const [config] = await parseVgpuConfigs(yaml).getOrThrow();
    expect(config?.entries[1]?.vgpuDevices).toEqual([{ type: "A100-4C", count: 10 }]);
  });

  it.each([
    ["vgpu-configs: {a: [{devices: all, vgpu-devices: {}}]}", "the document has no version"],
    ["version: v2", "version is no version that is known; there is v1"],
    ["version: 1", "version is no text; quote it"],
    ["version: v1\nvgpu-config: {}", "vgpu-config is not known here, where there are version, vgpu-configs"],
    ["version: v1\nvgpu-configs: {}", "vgpu-configs is empty"],
    ["version: v1\nvgpu-configs:", "vgpu-configs is no mapping"],
    ["version: v1\nvgpu-configs: {a: []}", "vgpu-configs.a is empty"],
    ["version: v1\nvgpu-configs: {a: }", "vgpu-configs.a is no list"],
    ['version: v1\nvgpu-configs: {"a b": 1}', 'vgpu-configs["a b"] is no list'],
    [entry("all"), "vgpu-configs.small[0] is no mapping"],
    [entry("{vgpu-devices: {}}"), "vgpu-configs.small[0] has no devices"],
    [entry("{devices: all}"), "vgpu-configs.small[0] has no vgpu-devices"],
    [entry("{devices: all, vgpu-devices: {}, x: 1}"), "vgpu-configs.small[0].x is not known here"],
    [entry("{devices: every, vgpu-devices: {}}"), 'small[0].devices is neither "all" nor a list of indexes'],
    [entry("{devices: , vgpu-devices: {}}"), 'small[0].devices is neither "all" nor a list of indexes'],
    [entry("{devices: [0, x], vgpu-devices: {}}"), "small[0].devices[1] is no whole number of 0 or more"],
    [entry("{devices: [-1], vgpu-devices: {}}"), "small[0].devices[0] is no whole number of 0 or more"],
    [entry("{devices: [0.5], vgpu-devices: {}}"), "small[0].devices[0] is no whole number of 0 or more"],
    [entry("{devices: all, vgpu-devices: [T4-1Q]}"), "small[0].vgpu-devices is no mapping"],
    [entry("{devices: all, vgpu-devices: {T4-1Q: 0}}"), "vgpu-devices.T4-1Q is no whole number of 1 or more"],
    [
      entry('{devices: all, vgpu-devices: {T4-1Q: "1"}}'),
      "vgpu-devices.T4-1Q is no whole number of 1 or more",
    ],
    [
      entry("{devices: all, vgpu-devices: {A100-1-5C: 1, A100-4C: 1}}"),
      "small[0].vgpu-devices has MIG-backed types and time-sliced ones, which one GPU cannot have",
    ],
    [
      entry("{device-filter: 0x1EB810DE, devices: all, vgpu-devices: {}}"),
      "device-filter is no text; quote it",
    ],
    [
      entry("{device-filter: MODEL, devices: all, vgpu-devices: {}}"),
      "device-filter is no id such as 0x1EB810DE",
    ],
    [
      entry('{device-filter: ["0x1", "0x123456789"], devices: all, vgpu-devices: {}}'),
      "device-filter[1] is no id",
    ],
    [
      entry('{device-filter: "0x1:0x2:0x3", devices: all, vgpu-devices: {}}'),
      "device-filter has more than two ids",
    ],
  ])("%j is refused: %s", async (yaml, reason) => {
    const read = await parseVgpuConfigs(yaml);
    expect(read.ok || read.error).toMatchObject({ type: "decode", raw: yaml });
    expect(read.ok || read.error.message).toContain(reason);
  });

  it.each([
    "T4-1Q",
    "M60-0B",
    "A100D-80C",
    "RTX6000-Ada-48Q",
    "A100-1-5C",
    "A100-7-40CME",
    "DC-1-24QGFX",
    "H20-1-12CNOME",
    "H20-2-24CMEALL",
  ])("%s is the name of a type", async (type) => {
    const [config] = await parseVgpuConfigs(entry(`{devices: all, vgpu-devices: {${type}: 1}}`)).getOrThrow();
    expect(config?.entries[0]?.vgpuDevices).toEqual([{ type, count: 1 }]);
  });

  it.each([
    "GRID T4-1Q",
    "T4-1D",
    "T4-01Q",
    "t4-1Q",
    "T4",
    "P40-2B4",
    "A100-0-5C",
    "RTX6000-Ada-1-5C",
    "A100-1-5CXX",
    " T4-1Q",
    "",
  ])("%j is none", async (type) => {
    const read = await parseVgpuConfigs(entry(`{devices: all, vgpu-devices: {"${type}": 1}}`));
    expect(read.ok || read.error.message).toContain("is no name of a vGPU type");
  });

  it("come back, whatever they are", async () => {
    const board = fc.stringMatching(/^[A-Z][A-Z0-9]{0,5}$/);
    const size = fc.integer({ min: 0, max: 192 });
    const series = fc.constantFrom("A", "B", "C", "Q");
    const timeSliced = fc.tuple(board, fc.constantFrom("", "-Ada", "-Blackwell"), size, series);
    const attribute = fc.constantFrom("", "ME", "NOME", "MEALL", "GFX");
    const mig = fc.tuple(board, fc.integer({ min: 1, max: 9 }), size, series, attribute);
    const names = fc.oneof(
      fc.array(timeSliced.map(([gpu, of, gb, s]) => `${gpu}${of}-${gb}${s}`)),
      fc.array(mig.map(([gpu, g, gb, s, suffix]) => `${gpu}-${g}-${gb}${s}${suffix}`)),
    );
    const counts = names.chain((types) =>
      fc.record({ types: fc.constant([...new Set(types)]), count: fc.integer({ min: 1, max: 64 }) }),
    );
    const entries = fc.record({
      devices: fc.oneof(fc.constant("all" as const), fc.array(fc.nat(15))),
      counts,
      filter: fc.array(fc.tuple(fc.nat(0xffff), fc.nat(0xffff))),
    });
    const configs = fc.dictionary(
      fc.string({ minLength: 1 }),
      fc.array(entries, { minLength: 1, maxLength: 4 }),
      {
        minKeys: 1,
        maxKeys: 4,
      },
    );
    const hex = (number: number) => number.toString(16).padStart(4, "0");
    await fc.assert(
      fc.asyncProperty(configs, async (wanted) => {
        const document = Object.entries(wanted).map(
          ([name, list]) =>
            [
              name,
              list.map(({ devices, counts: { types, count }, filter }) => ({
                devices,
                "device-filter": filter.map(([device, vendor]) => `0x${hex(device)}${hex(vendor)}`),
                "vgpu-devices": Object.fromEntries(types.map((type) => [type, count])),
              })),
            ] as const,
        );
        const yaml = dump({ version: "v1", "vgpu-configs": Object.fromEntries(document) });
        expect(await parseVgpuConfigs(yaml).getOrThrow()).toEqual(
          Object.entries(wanted).map(([name, list]) => ({
            name,
            entries: list.map(({ devices, counts: { types, count }, filter }) => ({
              devices,
              deviceFilter: filter.map(([device, vendor]) => ({ ...anyBoard, vendor, device })),
              vgpuDevices: types.map((type) => ({ type, count })),
            })),
          })),
        );
      }),
    );
  });
});
