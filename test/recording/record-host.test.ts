import * as promises from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FileSystem, MdevHost, nodeFileSystem, text } from "../../src/index.js";
import { type Recording, recordHost, type RecordOptions, replay } from "../../src/recording/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { fails, ok, plain } from "../contract/expect.js";
import { TREE } from "../support/merged-tree.js";
import { sysfsTree } from "../support/sysfs-tree.js";
import { makeTree, temporaryFolder } from "../support/temporary.js";
import { GPU, makeWorld, OTHER_UUID, UUID } from "../support/world.js";
import { sightOf } from "./sight.js";
import { anyMachine, everything } from "./zoo.js";

/** A virtual function whose physical one is no parent, and a parent that only its device leads to. */
const UNUSUAL = sysfsTree(
  {
    path: "devices/pci0000:c0/0000:c0:00.1",
    entries: { physfn: { link: "../0000:c0:00.0" }, subsystem: { link: "../../../bus/pci" } },
    types: { "acme-1": { device_api: "vfio-pci\n", available_instances: "1\n" } },
  },
  {
    path: "devices/virtual/acme/orphan",
    types: { "acme-2": { device_api: "vfio-pci\n", available_instances: "0\n" } },
    devices: { [OTHER_UUID]: { type: "acme-2" } },
  },
);
delete UNUSUAL["sys/class/mdev_bus/orphan"];
for (const [at, address] of ["0000:c0:00.1", "0000:c0:00.2"].entries())
  UNUSUAL[`sys/devices/pci0000:c0/0000:c0:00.0/virtfn${at}`] = { link: `../${address}` };

/** What comes back out of a bug report. */
function received(recording: Recording): FileSystem {
  return replay(JSON.stringify(recording)).getOrThrow();
}

async function replayed(fs: FileSystem, options?: RecordOptions): Promise<FileSystem> {
  return received(await ok(recordHost(fs, { mask: [], ...options })));
}

describe("a recording", () => {
  it("replays to the same host, whatever drivers and layouts it has", async () => {
    await fc.assert(
      fc.asyncProperty(anyMachine, async ({ build }) => {
        const { fs } = build();
        expect(await sightOf(await replayed(fs))).toEqual(await sightOf(fs));
      }),
      { numRuns: 30 },
    );
  });

  it("replays to the same host, of everything there is", async () => {
    const { fs } = everything();
    const again = await replayed(fs);
    expect(await ok(new MdevHost({ fs: again }).snapshot())).toEqual(
      await ok(new MdevHost({ fs }).snapshot()),
    );
    const sight = await sightOf(fs);
    expect(sight).toHaveProperty("draft", expect.stringContaining("generation B"));
    expect(await sightOf(again)).toEqual(sight);
  });

  it("replays what was broken as it was broken", async () => {
    const simulated = everything();
    simulated.chmod("/sys/class/mdev_bus/mtty/mdev_supported_types/mtty-1/name", 0o200);
    simulated.chmod("/sys/class/mdev_bus/mdpy/mdev_supported_types", 0o700);
    const fs = simulated.fsAs(1000);
    const sight = await sightOf(fs);
    expect(JSON.stringify(sight)).toContain("permission");
    expect(await sightOf(await replayed(fs))).toEqual(sight);
  });

  it.each(["EIO", "ENODEV", "EBUSY"] as const)("replays a file that answers %s", async (errno) => {
    const { simulated } = await makeWorld();
    const path = `/sys/class/mdev_bus/${GPU}/mdev_supported_types/nvidia-156/name`;
    const real = await simulated.fs.realpath(path);
    simulated.failNext({ path: real, operation: "readFile", errno });
    const fs = await replayed(simulated.fs);
    await expect(fs.readFile(path, "utf8")).rejects.toMatchObject({ code: errno });
  });

  it("replays a device that is half made or half removed", async () => {
    for (const before of ["bus", "driver", "iommu_group", "mdev_type"] as const) {
      const simulated = new SimulatedHost();
      const mtty = simulated.addMtty();
      const pause = simulated.pauseCreate({ before });
      const write = simulated.fs.writeFile(`${mtty.path}/mdev_supported_types/mtty-1/create`, UUID, {
        flag: 1,
      });
      await pause.reached;
      expect(await sightOf(await replayed(simulated.fs))).toEqual(await sightOf(simulated.fs));
      pause.resume();
      await write;
      const stop = simulated.pauseRemove({ before });
      const removal = simulated.fs.writeFile(`${mtty.path}/${UUID}/remove`, "1", { flag: 1 });
      await stop.reached;
      expect(await sightOf(await replayed(simulated.fs))).toEqual(await sightOf(simulated.fs));
      stop.resume();
      await removal;
    }
  });

  it("is the same wherever the trees are mounted", async () => {
    const [sysfs, dev] = ["/host/sys", "/host/dev"];
    const simulated = new SimulatedHost({ sysfs, dev });
    simulated.addNvidiaSriovGpu({ address: GPU, functions: 2, interface: "mdev" });
    simulated.addMtty().create("mtty-1", UUID);
    const seen = JSON.stringify(await sightOf(simulated.fs, { sysfs, dev })).replaceAll("/host/", "/");
    expect(await sightOf(await replayed(simulated.fs, { sysfs: "/host/sys/", dev }))).toEqual(
      JSON.parse(seen),
    );
  });

  it.each([
    ["nodeFileSystem", nodeFileSystem],
    ["node:fs/promises", promises],
  ])("is made of files on a disk through %s", async (_name, fs) => {
    const root = makeTree(temporaryFolder(), { ...TREE, ...UNUSUAL });
    const [sysfs, dev] = [`${root}/sys`, `${root}/dev`];
    const seen = JSON.stringify(await sightOf(fs, { sysfs, dev })).replaceAll(`${root}/`, "/");
    expect(await sightOf(await replayed(fs, { sysfs, dev }))).toEqual(JSON.parse(seen));
  });

  it("writes nothing, opens no node, and leaves alone the files of a PCI function that are its hardware", async () => {
    const simulated = everything();
    let asked = 0;
    const read = (): string => String(asked++);
    simulated.addParent({
      path: "devices/pci0000:3a/0000:3a:00.0",
      subsystem: "bus/pci",
      deviceDriver: "acme_mdev",
      types: [{ id: "acme-1" }],
      attributes: {
        resource0: { read },
        rom: { read },
        config: { read },
        vpd: { read },
        reset: { mode: 0o600, read },
      },
    });
    const before = simulated.operations.length;
    await ok(recordHost(simulated.fs));
    const calls = simulated.operations.slice(before);
    expect(asked).toBe(0);
    expect(calls.filter(({ operation }) => operation.startsWith("write"))).toEqual([]);
    expect(
      calls.filter(({ operation, path }) => operation === "readFile" && path.startsWith("/dev")),
    ).toEqual([]);
  });

  it("holds further files of parents on request", async () => {
    const path = "acme/queues";
    const { fs } = everything();
    const attribute = async (options?: RecordOptions): Promise<string | undefined> => {
      const parent = await ok(new MdevHost({ fs: await replayed(fs, options) }).parent("acme12"));
      return ok(parent.attribute(path, text).read());
    };
    expect(await attribute({ attributes: [path] })).toBe("8");
    // What it does not hold is not said to be absent.
    await expect(attribute()).rejects.toMatchObject({ type: "io", errno: "ENODATA" });
  });

  it("tells the kernel's release", async () => {
    const { kernel } = await ok(recordHost(nodeFileSystem));
    expect(kernel).toBe((await promises.readFile("/proc/sys/kernel/osrelease", "utf8")).trim());
  });

  it("is frozen, sorted, plain data that survives JSON", async () => {
    const recording = await ok(recordHost(everything().fs));
    expect(plain(recording)).toEqual(recording);
    expect(Object.keys(recording.entries)).toEqual(Object.keys(recording.entries).sort());
    expect([recording, recording.entries, ...Object.values(recording.entries)].every(Object.isFrozen)).toBe(
      true,
    );
  });
});

describe("recording a host that changes meanwhile", () => {
  it("gives a recording that can be read, whatever comes and goes at which call", async () => {
    const at = fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(at, fc.infiniteStream(fc.nat(2)), async (moments, choices) => {
        const simulated = new SimulatedHost();
        const mtty = simulated.addMtty();
        const gpu = simulated.addNvidiaGpu({ address: GPU });
        for (const type of ["mtty-1", "mtty-2"]) mtty.create(type);
        let call = 0;
        simulated.onOperation(() => {
          if (!moments.includes(call++)) return;
          const { value: choice } = choices.next() as { readonly value: number };
          if (choice === 0 && mtty.devices[0] !== undefined) mtty.remove(mtty.devices[0]);
          else if (choice === 1) mtty.create("mtty-1");
          else void gpu.unplug();
        });
        const host = new MdevHost({ fs: await replayed(simulated.fs) });
        const { parents, devices, problems } = await ok(host.snapshot());
        expect(problems).toEqual([]);
        expect(parents.some(({ id }) => id === "mtty")).toBe(true);
        for (const device of devices) expect(device.parent).toBe("mtty");
      }),
      { numRuns: 60 },
    );
  });
});

it("a device that vanishes before its folder is listed, or before a file of it is read, is left out", async () => {
  for (const vanishing of [/\/0{8}-[^/]+$/u, /\/0{8}-[^/]+\/vendor\/sample_mdev_dev$/u]) {
    const simulated = new SimulatedHost();
    const mtty = simulated.addMtty();
    const uuid = mtty.create("mtty-1", `00000000${UUID.slice(8)}`);
    const end = simulated.onOperation(({ operation, path }) => {
      if (!/^read(?:dir|File)$/u.test(operation) || !vanishing.test(path)) return;
      end();
      mtty.remove(uuid);
    });
    const fs = await replayed(simulated.fs);
    expect(await ok(new MdevHost({ fs }).snapshot())).toMatchObject({ problems: [] });
    await expect(fs.lstat(`${mtty.path}/${uuid}/vendor/sample_mdev_dev`)).rejects.toMatchObject({
      code: "ENOENT",
    });
  }
});

describe("the limits of a recording", () => {
  it("are the caller's signal and time, also where a call never answers", async () => {
    const { fs } = everything();
    await fails(recordHost(fs, { timeout: 0 }), "timeout");
    await fails(recordHost(fs, { signal: AbortSignal.abort("enough") }), "aborted");
    const hung: FileSystem = { ...fs, readdir: () => new Promise(() => undefined) };
    await fails(recordHost(hung, { timeout: 5 }), "timeout");
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("enough")), 5);
    const { cause } = await fails(recordHost(hung, { signal: controller.signal }), "aborted");
    expect(cause).toEqual(new Error("enough"));
  });

  it("end the calls, too", async () => {
    const simulated = everything();
    const controller = new AbortController();
    simulated.onOperation(({ path }) => {
      if (path === "/sys/class/mdev_bus") controller.abort();
    });
    await fails(recordHost(simulated.fs, { signal: controller.signal }), "aborted");
    const calls = simulated.operations.length;
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(simulated.operations.length).toBe(calls);
  });

  it("are of its size: what found no room is not said to be absent", async () => {
    const { fs } = everything();
    const whole = await ok(recordHost(fs));
    const size = JSON.stringify(whole.entries).length;
    expect(whole.complete).toBe(true);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: size - 100 }), async (maxBytes) => {
        const recording = await ok(recordHost(fs, { maxBytes }));
        expect(recording.complete).toBe(false);
        expect(JSON.stringify(recording.entries).length).toBeLessThanOrEqual(maxBytes + 2);
        const there = received(recording);
        for (const [path, entry] of Object.entries(whole.entries)) {
          const seen = await there.lstat(path).then(
            ({ mode }) => (mode & 0o7777).toString(8).padStart(4, "0"),
            (error: unknown) => (error as { readonly code: string }).code,
          );
          const mode = entry.kind === "unknown" ? entry.errno : entry.mode;
          const listed = recording.entries[path.slice(0, path.lastIndexOf("/"))];
          if (listed?.kind === "folder" && listed.partial !== true) expect(seen).toBe(mode);
          else expect([mode, "0755", "ENODATA", "ENOENT"]).toContain(seen);
        }
      }),
      { numRuns: 10 },
    );
  });

  it.each<[string, object]>([
    ["a root", { sysfs: "sys" }],
    ["a root", { dev: 7 }],
    ["mask", { mask: ["names"] }],
    ["attributes", { attributes: ["../up"] }],
    ["attributes", { attributes: "name" }],
    ["maxBytes", { maxBytes: 0 }],
    ["signal", { signal: {} }],
    ["timeout", { timeout: -1 }],
  ])("are checked before any I/O: %s", async (word, options) => {
    const simulated = new SimulatedHost();
    const error = await fails(recordHost(simulated.fs, options), "invalid-argument");
    expect(error.message).toContain(word);
    expect(simulated.operations).toEqual([]);
  });
});

const rejecting = (reason: unknown) => async () => {
  throw reason as Error;
};
const throwing = (reason: unknown) => () => {
  throw reason as Error;
};

describe("recording through a strange file system", () => {
  it.each<[string, Partial<Record<keyof FileSystem, () => unknown>>]>([
    [
      "answers with something else",
      { readdir: async () => ["..", 7], readFile: async () => 7, lstat: async () => null },
    ],
    ["throws something else", { readlink: rejecting("no"), readFile: throwing(null) }],
    ["throws what cannot be looked at", { lstat: rejecting(new Proxy({}, { get: () => expect.fail() })) }],
    ["has numbers for errors", { readFile: rejecting(Object.assign(new Error(), { errno: -16 })) }],
  ])("that %s gives a recording", async (_how, overrides) => {
    const fs = { ...everything().fs, ...overrides } as FileSystem;
    const recording = await ok(recordHost(fs));
    const snapshot = await new MdevHost({ fs: received(recording) }).snapshot();
    if (!snapshot.ok) expect(snapshot.error.errno).toBe("EIO");
    for (const entry of Object.values(recording.entries))
      if ("errno" in entry) expect(entry.errno).toMatch(/^(EIO|EBUSY|EACCES)$/u);
  });
});
