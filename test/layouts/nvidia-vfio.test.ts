import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FileSystem, integer, MdevHost, type MdevType } from "../../src/index.js";
import { parseVgpuTable } from "../../src/layouts/vgpu-table.js";
import {
  SimulatedHost,
  type NvidiaSriovGpuOptions,
  type SimulatedSriovGpu,
} from "../../src/testing/index.js";
import { fails, ok } from "../contract/expect.js";

const PF = "0000:3b:00.0";
const VF = "0000:3b:00.4";

interface World {
  readonly simulated: SimulatedHost;
  readonly gpu: SimulatedSriovGpu;
  readonly host: MdevHost;
  type(address?: string, id?: string): Promise<MdevType>;
}

function world(options: Partial<NvidiaSriovGpuOptions> = {}): World {
  const simulated = new SimulatedHost();
  const gpu = simulated.addNvidiaSriovGpu({ address: PF, functions: 4, ...options });
  const host = new MdevHost({ fs: simulated.fs });
  const type = async (address = VF, id = "nvidia-1145"): Promise<MdevType> =>
    ok((await ok(host.parent(address))).type(id));
  return { simulated, gpu, host, type };
}

/** A file system in which one file says something else. */
function saying(fs: FileSystem, file: RegExp, text: string): FileSystem {
  return {
    lstat: (path) => fs.lstat(path),
    readdir: (path) => fs.readdir(path),
    readlink: (path) => fs.readlink(path),
    writeFile: (path, value, options) => fs.writeFile(path, value, options),
    readFile: (path, encoding) => (file.test(path) ? Promise.resolve(text) : fs.readFile(path, encoding)),
  };
}

describe("functions", () => {
  it("are found through the driver, not by asking every PCI device", async () => {
    const { simulated, host } = world();
    const parents = await ok(host.parents());
    expect(parents.map(({ id }) => id)).toEqual([VF, "0000:3b:00.5", "0000:3b:00.6", "0000:3b:00.7"]);
    expect(simulated.operations.some(({ path }) => path.startsWith("/sys/bus/pci/devices"))).toBe(false);
  });

  it("tell their physical function and their siblings", async () => {
    const { host } = world();
    const parent = await ok(host.parent(VF));
    expect((await ok(parent.pci()))?.sriov).toEqual({ role: "virtual", physicalFunction: PF });
    const siblings = await ok(parent.siblings());
    expect(siblings.map(({ id }) => id)).toEqual(["0000:3b:00.5", "0000:3b:00.6", "0000:3b:00.7"]);
  });

  it("are grouped by their card", async () => {
    const { simulated, host } = world();
    simulated.addMtty();
    simulated.addNvidiaSriovGpu({ address: "0000:af:00.0", functions: 2 });
    const cards = await ok(host.cards());
    expect(cards.map(({ id, parents }) => [id, parents.length])).toEqual([
      [PF, 4],
      ["0000:af:00.0", 2],
      ["mtty", 1],
    ]);
  });
});

describe("types", () => {
  it("list the current one, which the driver does not, with the name that a sibling has for it", async () => {
    for (const listWhileSet of ["header", "empty"] as const) {
      const { gpu, host } = world({ listWhileSet });
      gpu.create(VF, "nvidia-1145");
      const types = await ok((await ok(host.parent(VF))).types());
      expect(types.map(({ id }) => id)).toEqual(["nvidia-1145"]);
      const info = await ok((await ok((await ok(host.parent(VF))).type("nvidia-1145"))).read());
      expect(info).toMatchObject({
        name: "NVIDIA L40S-1B",
        availableInstances: 0,
        devices: [VF],
        problems: [],
      });
    }
  });

  it("have no name where no function lists them", async () => {
    const { gpu, type } = world({ functions: 1 });
    gpu.create(VF, "nvidia-1145");
    const current = await type();
    expect(await ok(current.name.read())).toBeUndefined();
    expect((await ok(current.read())).problems).toEqual([]);
  });

  it("are gone when the driver does not list them any more", async () => {
    const { gpu, host, type } = world();
    const handle = await type();
    gpu.create(VF, "nvidia-1147");
    for (const query of [
      handle.read(),
      handle.name.read(),
      handle.availableInstances.read(),
      handle.deviceApi.exists(),
    ]) {
      await fails(query, "gone");
    }
    expect((await ok(host.support())).parents).toBe(true);
  });

  it("have names with blanks and colons", async () => {
    const { host } = world();
    const text = "ID    : vGPU Name\n1145  : NVIDIA L40S-1B: special  edition \n";
    const fs = saying(world().simulated.fs, /creatable_vgpu_types$/, text);
    const parent = await ok(new MdevHost({ fs }).parent(VF));
    expect(await ok((await ok(parent.type("nvidia-1145"))).name.read())).toBe(
      "NVIDIA L40S-1B: special  edition",
    );
    await fails((await ok(host.parent(VF))).type("1145"), "not-found");
    await fails((await ok(host.parent(VF))).type("nvidia-01145"), "not-found");
  });

  it.each([
    ["a line without a colon", "ID    : vGPU Name\n1145 NVIDIA L40S-1B\n"],
    ["no number", "ID    : vGPU Name\nx1145 : NVIDIA L40S-1B\n"],
    ["the number of none", "0 : NVIDIA L40S-1B\n"],
    ["a number twice", "1145 : NVIDIA L40S-1B\n1145 : NVIDIA L40S-2B\n"],
    ["no name", "1145 :\n"],
    ["a header in the middle", "1145 : NVIDIA L40S-1B\nID : vGPU Name\n"],
  ])("are a decode error for a table with %s", async (_, text) => {
    const fs = saying(world().simulated.fs, /creatable_vgpu_types$/, text);
    const parent = await ok(new MdevHost({ fs }).parent(VF));
    expect((await fails(parent.types(), "decode")).raw).toBe(text);
    expect((await ok(new MdevHost({ fs }).parents())).length).toBe(4);
  });

  it.each(["", "x\n", "-1\n", "1145.5\n", "99999999999999999999\n"])(
    "are a decode error where the current one reads %j, and no device",
    async (text) => {
      const fs = saying(world().simulated.fs, /current_vgpu_type$/, text);
      const host = new MdevHost({ fs });
      await fails((await ok(host.parent(VF))).devices(), "decode");
      await fails(host.device(VF), "decode");
      expect(await ok(host.devices())).toEqual([]);
    },
  );

  it("are understood from any text, or not; never wrongly", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const table = parseVgpuTable(text);
        if (table.ok) for (const [number, name] of table.value) expect(number > 0 && name !== "").toBe(true);
      }),
    );
    const name = fc.string({ minLength: 1 }).filter((text) => text.trim() === text && !/[\n\r]/.test(text));
    const rows = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 99999 }), name), {
      selector: ([number]) => number,
    });
    fc.assert(
      fc.property(rows, fc.boolean(), (types, header) => {
        const lines = types.map(([number, text]) => `${String(number).padEnd(5)} : ${text}\n`);
        const table = parseVgpuTable(`${header ? "ID    : vGPU Name\n" : ""}${lines.join("")}`);
        expect(table.ok && [...table.value]).toEqual(types);
      }),
    );
  });
});

describe("a vGPU", () => {
  it("is not made over another one, which nothing is written to", async () => {
    const { simulated, gpu, type } = world();
    const wanted = await type();
    gpu.create(VF, "nvidia-1147");
    const before = simulated.operations.length;
    const error = await fails(wanted.create(), "no-instances");
    expect(error.message).toContain("nvidia-1147");
    const calls = simulated.operations.slice(before).map(({ operation }) => operation);
    expect(calls).not.toContain("writeFile");
    expect(gpu.typeOf(VF)).toBe("nvidia-1147");
  });

  it("loses a race for the function with a typed error", async () => {
    const { simulated, gpu, type } = world();
    const wanted = await type();
    const stop = simulated.onOperation(({ operation }) => {
      if (operation !== "writeFile") return;
      stop();
      gpu.create(VF, "nvidia-1147");
    });
    expect((await fails(wanted.create(), "no-instances")).errno).toBe("EPERM");
    expect(gpu.typeOf(VF)).toBe("nvidia-1147");
  });

  it("of the next owner is left alone by a late release", async () => {
    const { gpu, host, type } = world();
    const device = await ok((await type()).create());
    gpu.remove(VF);
    gpu.create(VF, "nvidia-1147");
    expect(await ok(device.remove())).toEqual({ removed: false });
    expect(gpu.typeOf(VF)).toBe("nvidia-1147");
    const stale = [device.read(), device.type(), device.driver(), device.iommuGroup(), device.vfioNodes()];
    for (const query of stale) await fails(query, "gone");
    await fails(device.attribute("current_vgpu_type", integer).write(0), "gone");
    await fails(device.attribute("nvidia/current_vgpu_type", integer).read(), "gone");
    await fails(device.reset(), "gone");
    expect([gpu.typeOf(VF), gpu.resetsOf(VF)]).toEqual(["nvidia-1147", 0]);
    expect((await ok(host.device(VF))).path).toBe(device.path);
  });

  it("has no UUID, and is found by the address of its function", async () => {
    const { host, type } = world();
    const device = await ok((await type()).create());
    expect([device.id, device.uuid]).toEqual([VF, undefined]);
    expect((await ok(host.device(VF.toUpperCase()))).id).toBe(VF);
    expect(
      (await fails((await type()).create({ uuid: crypto.randomUUID() }), "unsupported")).missing,
    ).toContain("uuid");
    expect((await ok(device.read())).type).toBe("nvidia-1145");
    await fails(host.device("0000:3b:00.5"), "not-found");
    await fails(host.device(PF), "not-found");
  });

  it("has the attributes that its driver has", async () => {
    const { type } = world({ attributes: ["vgpu_params", "placement_id"] });
    const wanted = await type();
    const device = await ok(wanted.create({ attributes: [["nvidia/vgpu_params", "disable_vnc=1\n"]] }));
    expect(await ok(device.attribute("nvidia/placement_id", integer).exists())).toBe(true);
    expect(await ok(device.attribute("nvidia/gpu_instance_id", integer).exists())).toBe(false);
    await ok(device.remove());
    await fails(wanted.create({ attributes: [["nvidia/gpu_instance_id", "0\n"]] }), "unsupported");
  });

  it.each(["EBUSY", "EPERM"] as const)("that lingers on (%s) is removed by trying again", async (errno) => {
    const { simulated, gpu, type } = world({ afterStop: { tries: 2, errno } });
    const device = await ok((await type()).create());
    simulated.open(VF).close();
    expect((await fails(device.remove(), "busy")).errno).toBe(errno);
    expect(gpu.typeOf(VF)).toBe("nvidia-1145");
    expect(await ok(device.remove({ retries: 5, retryInterval: 1 }))).toEqual({ removed: true });
  });

  it("in use is busy, however often it is tried, and within the caller's limit", async () => {
    const { simulated, gpu, type } = world();
    const device = await ok((await type()).create());
    const vm = simulated.open(VF);
    await fails(device.remove({ retries: 3, retryInterval: 1 }), "busy");
    await fails(device.remove({ retries: 1000, retryInterval: 5, timeout: 20 }), "timeout");
    expect(gpu.typeOf(VF)).toBe("nvidia-1145");
    vm.close();
    await ok(device.remove());
    for (const retries of [-1, 0.5, NaN]) await fails(device.remove({ retries }), "invalid-argument");
  });

  it("can be reset through its function", async () => {
    const { gpu, type } = world();
    const device = await ok((await type()).create());
    await ok(device.reset());
    expect(gpu.resetsOf(VF)).toBe(1);
    await ok(device.remove());
  });

  it("shares the card's framebuffer", async () => {
    const { host } = world({ mode: "heterogeneous", framebufferBytes: 2 ** 31 });
    let made = 0;
    for (const parent of await ok(host.parents())) {
      for (const type of await ok(parent.findTypes({ available: true }))) {
        const created = await type.create();
        if (created.ok) made++;
      }
    }
    expect(made).toBe(2);
    for (const device of await ok(host.devices())) await ok(device.remove());
  });
});
