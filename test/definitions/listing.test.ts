import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type DefinedAttribute,
  devicesJson,
  type ListedDevice,
  listedDevices,
  parseDevicesJson,
  parseTypesJson,
  typesJson,
} from "../../src/definitions/index.js";
import { formatJson, type Json, parseJson } from "../../src/definitions/json.js";
import { MdevHost } from "../../src/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { ok } from "../contract/expect.js";
import { makeTree, temporaryFolder } from "../support/temporary.js";

const UUID = "11111111-aaaa-4bbb-8ccc-000000000001";
const OTHER = "22222222-aaaa-4bbb-8ccc-000000000002";
const device = (
  parent: string,
  uuid: string,
  attributes: readonly DefinedAttribute[] = [],
): ListedDevice => ({
  parent,
  uuid,
  type: "t",
  start: "manual",
  attributes,
});

const value = (json: Json): unknown => {
  switch (json.kind) {
    case "object":
      return Object.fromEntries([...json.members].map(([key, each]) => [key, value(each)]));
    case "array":
      return json.items.map(value);
    case "string":
      return json.value;
    case "literal":
      return JSON.parse(json.text);
  }
};

describe("JSON", () => {
  it("reads and writes what JSON does, down to the last byte", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.constantFrom(undefined, 1, "\t"), (text, indent) => {
        const data: unknown = JSON.parse(text);
        const json = parseJson(JSON.stringify(data, null, indent)).getOrThrow();
        expect(value(json)).toEqual(data);
        const formatted = formatJson(json);
        expect(JSON.parse(formatted)).toEqual(data);
        expect(formatJson(parseJson(formatted).getOrThrow())).toBe(formatted);
      }),
    );
  });

  it("refuses what JSON refuses, and accepts no less", () => {
    const isJson = (text: string): boolean => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    const piece = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      '"\\u00e9"',
      '"',
      "1",
      "-0.5e+1",
      "01",
      "null",
      " ",
      "\n",
      "\\",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = pieces.join("");
        expect(parseJson(text).ok, text).toBe(isJson(text));
      }),
      { numRuns: 3_000 },
    );
  });

  it("keeps the order of names that are numbers, and the digits of numbers", () => {
    const text = '{\n  "10": 12345678901234567890.10,\n  "9": {},\n  "__proto__": []\n}';
    expect(formatJson(parseJson(text).getOrThrow())).toBe(text);
  });

  it("does not fall over deep nesting", () => {
    expect(parseJson("[".repeat(100_000)).error?.reason).toContain("deeply");
  });
});

describe("devicesJson", () => {
  it("has the shapes of mdevctl", () => {
    expect(devicesJson([])).toBe("[]");
    expect(devicesJson([], { uuid: UUID })).toBe("[]");
    const bare = '{\n  "mdev_type": "t",\n  "start": "manual",\n  "attrs": []\n}';
    expect(devicesJson([device("p", UUID)], { uuid: UUID })).toBe(bare);
    expect(devicesJson([device("9", UUID), device("10", OTHER), device("10", UUID)], { uuid: UUID })).toBe(
      [
        "[",
        "  {",
        '    "10": [',
        ...[UUID, OTHER].flatMap((uuid, index) => [
          "      {",
          `        "${uuid}": {`,
          '          "mdev_type": "t",',
          '          "start": "manual",',
          '          "attrs": []',
          "        }",
          index === 0 ? "      }," : "      }",
        ]),
        "    ],",
        '    "9": [',
        "      {",
        `        "${UUID}": {`,
        '          "mdev_type": "t",',
        '          "start": "manual",',
        '          "attrs": []',
        "        }",
        "      }",
        "    ]",
        "  }",
        "]",
      ].join("\n"),
    );
  });

  it("is read back as it was", () => {
    const attribute = fc.tuple(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }));
    const devices = fc.uniqueArray(
      fc.record({
        parent: fc.constantFrom("p", "0", "10", "é", "__proto__"),
        uuid: fc.uuid(),
        type: fc.string({ unit: "grapheme" }),
        start: fc.constantFrom("auto" as const, "manual" as const),
        attributes: fc.array(attribute, { maxLength: 3 }),
      }),
      { selector: ({ parent, uuid }) => parent + uuid },
    );
    const key = ({ parent, uuid }: ListedDevice): string => `${parent} ${uuid}`;
    fc.assert(
      fc.property(devices, (given) => {
        const listing = parseDevicesJson(devicesJson(given)).getOrThrow();
        const read = listing.shape === "devices" ? listing.devices : [];
        expect(new Map(read.map((each) => [key(each), each]))).toEqual(
          new Map(given.map((each) => [key(each), each])),
        );
        for (const each of given) {
          const { uuid, type, start, attributes } = each;
          const config = { type, start, attributes };
          expect(parseDevicesJson(devicesJson([each], { uuid })).getOrThrow()).toEqual({
            shape: "config",
            config,
          });
        }
      }),
    );
  });

  it.each([
    "{",
    "5",
    '[{"p":{}}]',
    '[{"p":[{"x":{}}]}]',
    `[{"p":[{"${UUID}":{}}]}]`,
    "[[]]",
    '[{"p":[{}]}]',
    "{}",
  ])("%j is no list of devices", (text) => {
    expect(parseDevicesJson(text).error).toMatchObject({ type: "decode", raw: text });
  });
});

describe("typesJson", () => {
  it("is that of the tree, trimmed and joined as mdevctl does", async () => {
    const types = "sys/devices/virtual/p/10/mdev_supported_types";
    const root = makeTree(temporaryFolder(), {
      "sys/bus/mdev/devices": null,
      "sys/class/mdev_bus/10": { link: "../../devices/virtual/p/10" },
      [`${types}/a-10/available_instances`]: " -3\n",
      [`${types}/a-10/device_api`]: "vfio-pci\n",
      [`${types}/a-10/description`]: "\n one: 1\ntwo: 2 \n\n",
      [`${types}/a-9/available_instances`]: "0",
      [`${types}/a-9/device_api`]: "vfio-ap",
      [`${types}/a-9/name`]: " \u0085n n\n",
      [`${types}/broken/device_api`]: "vfio-ap",
      ...Object.fromEntries(["a-10", "a-9", "broken"].map((type) => [`${types}/${type}/create`, ""])),
    });
    const snapshot = await ok(new MdevHost({ sysfs: `${root}/sys` }).snapshot());
    const text = typesJson(snapshot);
    expect(text).toBe(
      JSON.stringify(
        [
          {
            "10": [
              { "a-10": { available_instances: -3, device_api: "vfio-pci", description: "one: 1, two: 2" } },
              { "a-9": { available_instances: 0, device_api: "vfio-ap", name: "n n" } },
            ],
          },
        ],
        null,
        2,
      ),
    );
    expect(parseTypesJson(text).getOrThrow()).toEqual([
      {
        parent: "10",
        id: "a-10",
        availableInstances: -3,
        deviceApi: "vfio-pci",
        description: "one: 1, two: 2",
      },
      { parent: "10", id: "a-9", availableInstances: 0, deviceApi: "vfio-ap", name: "n n" },
    ]);
    expect(typesJson(snapshot, "p")).toBe("[]");
    expect(parseTypesJson("[]").getOrThrow()).toEqual([]);
    expect(parseTypesJson('[{"p":[{"t":{"device_api":"x"}}]}]').error?.message).toContain(
      "available_instances",
    );
    expect(parseTypesJson('[{"p":[{"t":{"available_instances":1}}]}]').error?.message).toContain(
      "device_api",
    );
    expect(parseTypesJson('[{"p":[{"t":5}]}]').error?.message).toContain("line 1, column 13");
  });
});

describe("listedDevices", () => {
  it("has type and attributes of the device, and only the start of its definition", async () => {
    const simulated = new SimulatedHost();
    simulated.addMtty().create("mtty-2", UUID);
    simulated.addNvidiaSriovGpu({ address: "0000:41:00.0", functions: 1 });
    const snapshot = await ok(new MdevHost({ fs: simulated.fs }).snapshot());
    const defined = { ...device("mtty", UUID, [["a", "1"]]), start: "auto" as const, type: "mtty-1" };
    const elsewhere = { ...defined, parent: "p" };
    expect(listedDevices(snapshot, { definitions: [defined] })).toEqual([
      { parent: "mtty", uuid: UUID, type: "mtty-2", start: "auto", attributes: [] },
    ]);
    const attributesOf = (): readonly DefinedAttribute[] => [["b", "2"]];
    expect(listedDevices(snapshot, { definitions: [elsewhere], attributesOf })).toMatchObject([
      { start: "manual", attributes: [["b", "2"]] },
    ]);
    expect(typesJson(snapshot)).not.toContain("0000:41");
  });
});
