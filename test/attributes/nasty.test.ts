import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { integer, MdevHost, type MdevType, text } from "../../src/index.js";
import { type SimulatedAttribute, SimulatedHost, type SimulatedType } from "../../src/testing/index.js";
import { fails, ok } from "../contract/expect.js";
import { UUID } from "../support/world.js";

const says = (content: string): SimulatedAttribute => ({ read: () => content });

const ASCEND =
  "type name: vir02\naicore num: 2\nmemory size: 8GB\naicpu: 1\nvpc: 3\njpegd: 4\nbar2 size: 64KB\nbar4 size: 128KB\n";

const NASTY: Readonly<Record<string, SimulatedType>> = {
  // Huawei Ascend vascend
  "vascend-vir02": {
    id: "vascend-vir02",
    description: ASCEND,
    attributes: { vfg_id: { write: () => undefined } },
  },
  // Hygon hct
  "hct-1": {
    id: "hct-1",
    name: "hct mdev type",
    description: "no newline",
    attributes: { available_instances: says("1024\n") },
  },
  // HiSilicon WarpDrive
  "hisi_zip-zlib": {
    id: "hisi_zip-zlib",
    attributes: { name: says(""), device_api: says(""), available_instances: says("") },
  },
  // Intel ice SIOV
  "ice-vdcm": { id: "ice-vdcm", name: "0000:3b:00.0", attributes: { available_instances: says("ivdcm\n") } },
  // Linux 5.10's mtty, overbooked
  "mtty-1": { id: "mtty-1", attributes: { available_instances: says("-36\n") } },
  "bytes-1": {
    id: "bytes-1",
    attributes: { name: says("\ufffd\u0000\u001b[31m\n"), available_instances: says("4\u00004\n") },
  },
  "long-1": {
    id: "long-1",
    attributes: { name: says("x".repeat(4096)), available_instances: says("9".repeat(4096)) },
  },
  "blank-1": { id: "blank-1", attributes: { name: says("\n\n"), available_instances: says(" \n") } },
};

async function typesOf(): Promise<{
  simulated: SimulatedHost;
  type: (id: string) => Promise<MdevType>;
  host: MdevHost;
}> {
  const simulated = new SimulatedHost();
  simulated.addParent({
    path: "devices/platform/odd.0",
    subsystem: "bus/platform",
    deviceDriver: "odd",
    types: Object.values(NASTY),
    deviceAttributes: {
      "vendor/empty": { read: () => "" },
      "vendor/idx": { read: () => "3" },
      "dlb2_mdev/num_atomic_inflights": { read: () => "2048\n", write: () => undefined },
    },
  });
  const host = new MdevHost({ fs: simulated.fs });
  const parent = await ok(host.parent("odd.0"));
  return { simulated, host, type: (id) => ok(parent.type(id)) };
}

describe("files that real drivers have", () => {
  it.each([
    ["vascend-vir02", { name: "vascend-vir02", description: ASCEND.trimEnd(), availableInstances: 1 }, []],
    ["hct-1", { name: "hct mdev type", description: "no newline", availableInstances: 1024 }, []],
    ["hisi_zip-zlib", { name: "", deviceApi: "", availableInstances: undefined }, [""]],
    [
      "ice-vdcm",
      { name: "0000:3b:00.0", description: undefined, availableInstances: undefined },
      ["ivdcm\n"],
    ],
    ["mtty-1", { availableInstances: -36 }, []],
    ["bytes-1", { name: "\ufffd\u0000\u001b[31m", availableInstances: undefined }, ["4\u00004\n"]],
    ["long-1", { name: "x".repeat(4096), availableInstances: undefined }, ["9".repeat(4096)]],
    ["blank-1", { name: "", availableInstances: undefined }, [" \n"]],
  ] as const)("are read as they are, and spoil only themselves: %s", async (id, facts, raw) => {
    const type = await (await typesOf()).type(id);
    const info = await ok(type.read());
    expect(info).toMatchObject({ id, ...facts });
    expect(info.problems).toEqual(
      raw.map((content) => ({
        path: `${type.path}/available_instances`,
        type: "decode",
        raw: content,
        message: expect.stringMatching(
          /^cannot read available_instances of .* is not a whole decimal number\.$/u,
        ) as unknown,
      })),
    );
    expect(JSON.parse(JSON.stringify(info))).toEqual(JSON.parse(JSON.stringify({ ...info })));
    expect(Object.isFrozen(info) && Object.isFrozen(info.problems) && Object.isFrozen(info.devices)).toBe(
      true,
    );
    for (const problem of info.problems) expect(Object.isFrozen(problem)).toBe(true);
  });

  it("give their raw text with the error, and to who asks for it", async () => {
    const { availableInstances } = await (await typesOf()).type("ice-vdcm");
    const error = await fails(availableInstances.read(), "decode");
    expect(error.raw).toBe("ivdcm\n");
    expect(error.path).toBe(availableInstances.path);
    expect(await ok(availableInstances.readRaw())).toBe("ivdcm\n");
    expect(await ok(availableInstances.exists())).toBe(true);
  });

  it("are found by what can be read of them", async () => {
    const { host } = await typesOf();
    const parent = await ok(host.parent("odd.0"));
    const find = async (query: Parameters<typeof parent.findTypes>[0]): Promise<string[]> =>
      (await ok(parent.findTypes(query))).map(({ id }) => id);
    expect(await find({})).toEqual(Object.keys(NASTY).sort());
    expect(await find({ available: true })).toEqual(["hct-1", "vascend-vir02"]);
    expect(await find({ available: false })).toEqual(["mtty-1"]);
    expect(await find({ name: "" })).toEqual(["blank-1", "hisi_zip-zlib"]);
    expect(await find({ deviceApi: "" })).toEqual(["hisi_zip-zlib"]);
    expect(await find({ name: /^hct/u, available: true })).toEqual(["hct-1"]);
  });

  it("have values without a newline, and none at all", async () => {
    const { type } = await typesOf();
    const device = await ok(
      (await type("hct-1")).create({ uuid: UUID, attributes: [["dlb2_mdev/num_atomic_inflights", "64"]] }),
    );
    expect(await ok(device.attribute("vendor/idx", integer).read())).toBe(3);
    expect(await ok(device.attribute("vendor/empty", text).read())).toBe("");
    await fails(device.attribute("vendor/empty", integer).read(), "decode");
    expect(await ok(device.attribute("dlb2_mdev/num_atomic_inflights", integer).read())).toBe(2048);
    await fails((await type("vascend-vir02")).attribute("vfg_id", integer).read(), "permission");
    await ok((await type("vascend-vir02")).attribute("vfg_id", integer).write(1));
  });

  it("may hold any text at all", async () => {
    let content = "";
    const simulated = new SimulatedHost();
    simulated.addParent({
      path: "devices/platform/odd.0",
      subsystem: "bus/platform",
      deviceDriver: "odd",
      types: [
        {
          id: "odd-1",
          attributes: Object.fromEntries(
            ["name", "description", "device_api", "available_instances"].map((name) => [
              name,
              { read: () => content },
            ]),
          ),
        },
      ],
      attributes: { numa_node: { read: () => content } },
    });
    const parent = await ok(new MdevHost({ fs: simulated.fs }).parent("odd.0"));
    const type = await ok(parent.type("odd-1"));
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 100 }), async (any) => {
        content = any;
        const info = await ok(type.read());
        expect(info.name).toBe(any.trimEnd());
        expect(info.problems.length).toBe(info.availableInstances === undefined ? 1 : 0);
        const facts = await ok(parent.read());
        expect(facts.types).toEqual(["odd-1"]);
        await ok(parent.findTypes({ name: any, available: true }));
      }),
    );
  });
});

describe("one attribute that cannot be read", () => {
  it.each([
    ["EIO", "io"],
    ["EACCES", "permission"],
    ["EAGAIN", "busy"],
    ["ENOTSUP", "unsupported"],
    ["EINVAL", "rejected"],
    ["ENXIO", "rejected"],
    ["ENODEV", "gone"],
    ["EISDIR", "unsupported"],
    ["ETIMEDOUT", "io"],
  ] as const)("is a problem, and the others are there: %s", async (errno, type) => {
    const { simulated, type: find } = await typesOf();
    const odd = await find("hct-1");
    simulated.failNext({ path: `${odd.path}/name`, operation: "readFile", errno });
    const info = await ok(odd.read());
    expect(info).toMatchObject({ name: undefined, description: "no newline", availableInstances: 1024 });
    expect(info.problems).toEqual([expect.objectContaining({ type, path: `${odd.path}/name` })]);
    expect(info.problems[0]?.message).toContain(errno);
    simulated.failNext({ path: `${odd.path}/name`, operation: "readFile", errno });
    expect((await ok(odd.parent.findTypes({ name: /./u }))).map(({ id }) => id)).not.toContain("hct-1");
    simulated.failNext({ path: `${odd.path}/name`, operation: "readFile", errno });
    expect((await fails(odd.name.read(), type)).errno).toBe(errno);
  });

  it("is a problem of a device's and a parent's too", async () => {
    const simulated = new SimulatedHost();
    const gpu = simulated.addNvidiaGpu({ address: "0000:3b:00.0", numaNode: 1 });
    gpu.create("nvidia-156", UUID);
    const host = new MdevHost({ fs: simulated.fs });
    const device = await ok(host.device(UUID));
    for (const [name, part] of [
      ["driver", "driver"],
      ["iommu_group", "iommuGroup"],
      ["mdev_type", "type"],
    ] as const) {
      simulated.failNext({ path: `${device.path}/${name}`, operation: "readlink", errno: "EIO" });
      const info = await ok(device.read());
      expect(info[part]).toBeUndefined();
      expect(info.problems).toEqual([
        expect.objectContaining({ type: "io", path: `${device.path}/${name}` }),
      ]);
      expect(info.state).toBe("active");
    }
    const parent = await ok(host.parent("0000:3b:00.0"));
    for (const name of [
      "vendor",
      "device",
      "class",
      "revision",
      "subsystem_vendor",
      "subsystem_device",
      "numa_node",
    ]) {
      simulated.failNext({ path: `${parent.path}/${name}`, operation: "readFile", errno: "EIO" });
      const info = await ok(parent.read());
      expect(info.problems, name).toEqual([
        expect.objectContaining({ type: "io", path: `${parent.path}/${name}` }),
      ]);
      expect(info.devices).toEqual([UUID]);
      expect(info.types.length).toBeGreaterThan(1);
    }
    simulated.failNext({ path: `${parent.path}/subsystem`, operation: "readlink", errno: "EIO" });
    expect(await ok(parent.read())).toMatchObject({
      pci: undefined,
      driver: "nvidia",
      numaNode: 1,
      problems: [{ type: "io" }],
    });
  });

  it("whose folder of devices cannot be listed has none, and a problem", async () => {
    const { simulated, type: find } = await typesOf();
    const odd = await find("hct-1");
    simulated.failNext({ path: `${odd.path}/devices`, operation: "readdir", errno: "EIO" });
    expect(await ok(odd.read())).toMatchObject({
      devices: undefined,
      availableInstances: 1024,
      problems: [{ type: "io", path: `${odd.path}/devices` }],
    });
  });
});

describe("a type that vanishes while it is read", () => {
  it("is gone, or has lost its parts, whenever it goes", async () => {
    for (let at = 1; at <= 16; at++) {
      const simulated = new SimulatedHost();
      const odd = simulated.addParent({
        path: "devices/platform/odd.0",
        subsystem: "bus/platform",
        deviceDriver: "odd",
        types: [{ id: "odd-1", description: "here" }, { id: "odd-2" }],
      });
      const parent = await ok(new MdevHost({ fs: simulated.fs }).parent("odd.0"));
      const type = await ok(parent.type("odd-1"));
      let calls = 0;
      const stop = simulated.onOperation(() => {
        if (++calls === at) odd.removeType("odd-1");
      });
      const result = await type.read();
      if (result.ok) for (const problem of result.value.problems) expect(problem.type).toBe("gone");
      else expect(result.error.type).toBe("gone");
      stop();
      expect((await ok(parent.findTypes({}))).map(({ id }) => id)).toEqual(
        calls >= at ? ["odd-2"] : ["odd-1", "odd-2"],
      );
      if (calls >= at) {
        for (const gone of [type.name.read(), type.read(), type.devices(), type.create()])
          await fails(gone, "gone");
        expect((await fails(parent.type("odd-1"), "not-found")).suggestion).toBe("odd-2");
      }
    }
  });
});
