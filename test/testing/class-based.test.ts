import { describe, expect, it } from "vitest";
import { type ClassBasedOptions, type KernelRelease, SimulatedHost } from "../../src/testing/index.js";
import { fencesRunBy } from "../../tools/doc-fences/extract.mjs";
import { BUS, expectError, handsOn, typePath, uuid } from "./helpers.js";
import { treeOf } from "./tree.js";

const ADDRESS = "0000:86:00.0";
const DESTROY = `/sys/class/mdev_bus/${ADDRESS}/mdev_destroy`;

function host(options: ClassBasedOptions = {}, kernel: KernelRelease = "6.1") {
  const simulated = new SimulatedHost({ kernel });
  const gpu = simulated.addClassBased(options);
  return { simulated, gpu, ...handsOn(simulated.fs) };
}

describe("a parent in the class-based layout", () => {
  it("has the types of a Tesla M60", async () => {
    const { simulated, ls, read } = host();
    expect(await ls(`/sys/class/mdev_bus/${ADDRESS}/mdev_supported_types`)).toEqual(["11", "12", "13"]);
    const files = [
      "create",
      "fb_length",
      "heads",
      "max_instances",
      "name",
      "params",
      "requires_group",
      "resolution",
    ];
    const said = async (type: string): Promise<string[]> =>
      Promise.all(files.slice(1).map((name) => read(`${typePath(ADDRESS, type)}/${name}`)));
    const params = "frame_rate_limiter,disable_vnc\n";
    for (const [type, ...rows] of [
      ["11", "512M\n", "2\n", "16\n", "GRID M60-0B\n", params, "0\n", "2560x1600\n"],
      ["12", "512M\n", "2\n", "16\n", "GRID M60-0Q\n", params, "0\n", "2560x1600\n"],
      ["13", "1024M\n", "2\n", "8\n", "GRID M60-1B\n", params, "0\n", "2560x1600\n"],
    ] as const) {
      expect(await ls(typePath(ADDRESS, type))).toEqual(files);
      expect(await said(type)).toEqual(rows);
    }
    const mode = async (path: string): Promise<number> => (await simulated.fs.lstat(path)).mode & 0o7777;
    expect(await mode(`${typePath(ADDRESS, "11")}/create`)).toBe(0o200);
    expect(await mode(`${typePath(ADDRESS, "11")}/params`)).toBe(0o444);
    expect(await mode(DESTROY)).toBe(0o200);
  });

  it("has what the table of 2016 says, which docs/layout-class-based.md shows", async () => {
    const { read } = host();
    const [table = ""] = fencesRunBy("test/testing/class-based.test.ts", "docs/layout-class-based.md", 1);
    const [heading = "", ...rows] = table.replaceAll('"', "").split("\n");
    const columns = heading.replace("# ", "").split(", ");
    expect(rows).toHaveLength(2);
    for (const row of rows) {
      const cells = row.split(",").map((cell) => cell.trim());
      const told = Object.fromEntries(columns.map((column, index) => [column, cells[index]]));
      const file = async (name: string): Promise<string> =>
        (await read(`${typePath(ADDRESS, told["vgpu_type_id"] ?? "")}/${name}`)).trim();
      expect({
        vgpu_type_id: cells[0],
        vgpu_type: await file("name"),
        max_instance: await file("max_instances"),
        num_heads: await file("heads"),
        frl_config: told["frl_config"], // this layout has no file for it
        framebuffer: await file("fb_length"),
        max_resolution: await file("resolution"),
      }).toEqual(told);
    }
  });

  it("may be another one", async () => {
    const { simulated, read } = host({
      address: "0000:07:00.0",
      types: [
        {
          id: "7",
          name: "X",
          fbLength: "1G",
          resolution: "1x1",
          heads: 1,
          maxInstances: 1,
          requiresGroup: true,
          attributes: { heads: { read: () => "two" } },
        },
      ],
      attributes: { firmware: { read: () => "2\n" } },
    });
    const type = typePath("0000:07:00.0", "7");
    expect(await read(`${type}/heads`)).toBe("two");
    expect(await read(`${type}/params`)).toBe("\n");
    expect(await read(`${type}/requires_group`)).toBe("1\n");
    expect(await read("/sys/bus/pci/devices/0000:07:00.0/firmware")).toBe("2\n");
    expect(await simulated.fs.readlink("/sys/class/mdev_bus/0000:07:00.0/driver")).toMatch(/nvidia$/u);
  });

  it.each([
    [uuid(1), {}],
    [`${uuid(1)}\n`, {}],
    [`${uuid(1)},group=vm-7\n`, { group: "vm-7" }],
    [`${uuid(1)},frame_rate_limiter=0,disable_vnc=1\n`, { params: "frame_rate_limiter=0,disable_vnc=1" }],
    [`${uuid(1)},group=vm-7,a=1,group=2`, { group: "vm-7", params: "a=1,group=2" }],
    [`${uuid(1).toUpperCase()},\n`, {}],
  ])("creates with %j", async (text, creation) => {
    const { gpu, create, ls } = host();
    await create(ADDRESS, "11", text);
    expect(await ls(BUS)).toEqual([uuid(1)]);
    expect(gpu.creationOf(uuid(1))).toEqual(creation);
  });

  it.each(["x", `${uuid(1)};a=1`, `${uuid(1)} ,a=1`, `${uuid(1)},group=`, `${uuid(1)},group=,a=1`, "a=1"])(
    "refuses to create with %j",
    async (text) => {
      const { create, ls } = host();
      await expectError(create(ADDRESS, "11", text), "EINVAL (write)");
      expect(await ls(BUS)).toEqual([]);
    },
  );

  it("refuses a UUID twice, on other parents too", async () => {
    const { simulated, create } = host();
    simulated.addMtty().create("mtty-1", uuid(1));
    await expectError(create(ADDRESS, "11", uuid(1)), "EEXIST (write)");
  });

  it("counts each type by itself", async () => {
    const { gpu, create, read } = host();
    for (let n = 0; n < 8; n++) gpu.create("13");
    await expectError(create(ADDRESS, "13", uuid(1)), "ENOSPC (write)");
    expect(() => gpu.create("13")).toThrow("ENOSPC");
    await create(ADDRESS, "11", uuid(1));
    expect(await read(`${typePath(ADDRESS, "13")}/max_instances`)).toBe("8\n");
  });

  it("refuses a device without a group where its type requires one", async () => {
    const type = { name: "X", fbLength: "1M", resolution: "1x1", heads: 1, maxInstances: 4 };
    const { gpu, create } = host({ types: [{ ...type, id: "1", requiresGroup: true }] });
    await expectError(create(ADDRESS, "1", uuid(1)), "EINVAL (write)");
    await create(ADDRESS, "1", `${uuid(1)},group=a`);
    expect(() => gpu.create("1")).toThrow("EINVAL");
    const second = gpu.create("1", undefined, { group: "a", params: "x" });
    expect(gpu.creationOf(second)).toEqual({ group: "a", params: "x" });
    expect(() => gpu.creationOf(uuid(9))).toThrow("has no device");
  });
});

describe("a device in the class-based layout", () => {
  it("does not tell its type, and has no file that removes it", async () => {
    const { gpu, ls } = host();
    gpu.create("11", uuid(1));
    const names = await ls(`${BUS}/${uuid(1)}`);
    for (const none of ["type", "mdev_type", "remove", "destroy"]) expect(names).not.toContain(none);
    expect(names).toContain("iommu_group");
  });

  it("goes with its parent's mdev_destroy", async () => {
    const { gpu, write, ls } = host();
    gpu.create("11", uuid(1));
    gpu.create("11", uuid(0xabc));
    await write(DESTROY, `${uuid(1)}\n`);
    await write(DESTROY, uuid(0xabc).toUpperCase());
    expect(await ls(BUS)).toEqual([]);
    gpu.create("11", uuid(1));
    gpu.remove(uuid(1));
    expect(gpu.devices).toEqual([]);
  });

  it("has to be known to it", async () => {
    const { simulated, gpu, create, write } = host();
    simulated.addMtty().create("mtty-1", uuid(2));
    for (const unknown of [uuid(1), uuid(2), "x", "1", `${uuid(1)}:0`])
      await expectError(write(DESTROY, unknown), "EINVAL (write)");
    const making = simulated.pauseCreate({ before: "active" });
    const created = create(ADDRESS, "11", uuid(1));
    await making.reached;
    await expectError(write(DESTROY, uuid(1)), "EINVAL (write)");
    making.resume();
    await created;
    const removing = simulated.pauseRemove({ before: "folder" });
    const removed = write(DESTROY, uuid(1));
    await removing.reached;
    await expectError(write(DESTROY, uuid(1)), "EINVAL (write)");
    removing.resume();
    await removed;
    expect(gpu.devices).toEqual([]);
  });

  it("does not go while it is open", async () => {
    const { simulated, gpu, write } = host();
    gpu.create("11", uuid(1));
    const vm = simulated.open(uuid(1));
    await expectError(write(DESTROY, uuid(1)), "EBUSY (write)");
    expect(() => gpu.remove(uuid(1))).toThrow("is open");
    vm.close();
    await write(DESTROY, uuid(1));
  });

  it.each(["5.10", "6.1"] as const)("on %s leaves nothing behind", async (kernel) => {
    const { simulated, gpu, write } = host({}, kernel);
    const initial = await treeOf(simulated.fs, ["/sys", "/dev", "/proc"]);
    for (const n of [1, 2, 3]) gpu.create("12", uuid(n));
    for (const n of [3, 1, 2]) await write(DESTROY, uuid(n));
    expect(await treeOf(simulated.fs, ["/sys", "/dev", "/proc"])).toEqual(initial);
  });
});
