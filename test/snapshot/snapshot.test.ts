import { describe, expect, it } from "vitest";
import {
  type DeviceSnapshot,
  type FileSystem,
  type MdevDeviceInfo,
  type MdevTypeInfo,
  type TypeSnapshot,
  integer,
  type LayoutName,
  MdevHost,
  readOnly,
  text,
  writeOnly,
} from "../../src/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { fails, ok, plain } from "../contract/expect.js";
import { Meddler } from "../support/meddler.js";
import { GPU, makeWorld, OTHER_UUID, UUID } from "../support/world.js";

const ids = (entries: readonly { readonly id: string }[]): string[] => entries.map(({ id }) => id);

/** What an entry and an object's `read()` both say of a type. */
function factsOf(type: TypeSnapshot | MdevTypeInfo): unknown {
  const { id, name, description, deviceApi, availableInstances, requiresGroup, maxInstances, params } = type;
  return { id, name, description, deviceApi, availableInstances, requiresGroup, maxInstances, params };
}

/** The same for a device. */
function tracesOf(device: DeviceSnapshot | MdevDeviceInfo): unknown {
  const { id, parent, type, state, driver, iommuGroup } = device;
  return { id, parent, type, state, driver, iommuGroup };
}

/** One machine with everything that the simulation has. */
function makeZoo(): SimulatedHost {
  const simulated = new SimulatedHost();
  simulated.addMtty().create("mtty-1", UUID);
  simulated.addMdpy().create("mdpy-hd", OTHER_UUID);
  simulated.addNvidiaGpu({ address: GPU }).create("nvidia-156");
  const gpu = simulated.addNvidiaSriovGpu({ address: "0000:af:00.0" });
  gpu.create(gpu.functions[1] ?? "", "nvidia-1147");
  simulated.addSubchannel({ id: "0.0.0313", device: "0.0.1111" });
  simulated.addGeneral({ types: [{ id: "small" }], capacity: 8 }).create("small");
  simulated.addClassBased().create("11");
  return simulated;
}

function isFrozen(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isFrozen);
}

describe("a snapshot", () => {
  it("says of each object what the object says of itself, on all layouts", async () => {
    const host = new MdevHost({ fs: makeZoo().fs });
    const { parents, devices, problems } = await ok(host.snapshot());
    expect(problems).toEqual([]);
    const layouts = new Set<LayoutName>(["merged", "nvidia-vfio", "general", "class-based"]);
    expect(new Set(parents.map(({ layout }) => layout))).toEqual(layouts);

    const liveParents = await ok(host.parents());
    expect(parents.map(({ path }) => path)).toEqual(liveParents.map(({ path }) => path));
    for (const [at, parent] of liveParents.entries()) {
      const infos = await Promise.all((await ok(parent.types())).map((type) => ok(type.read())));
      expect(plain(parents[at]?.types.map(factsOf))).toEqual(plain(infos.map(factsOf)));
    }
    const liveDevices = await Promise.all((await ok(host.devices())).map((device) => ok(device.read())));
    expect(devices.map(tracesOf)).toEqual(liveDevices.map(tracesOf));
  });

  it("is plain, frozen data that survives JSON", async () => {
    const snapshot = await ok(new MdevHost({ fs: makeZoo().fs }).snapshot());
    expect(isFrozen(snapshot)).toBe(true);
    const copy = JSON.parse(JSON.stringify(snapshot)) as unknown;
    expect(copy).toEqual(plain(snapshot));
    expect(snapshot).toMatchObject(copy as object);
  });

  it("leads to live objects without any I/O", async () => {
    const meddler = new Meddler(makeZoo().fs);
    const host = new MdevHost({ fs: meddler.fs });
    const snapshot = await ok(host.snapshot());
    meddler.meddle();
    const parents = snapshot.parents.map((entry) => host.parentFrom(entry));
    const types = snapshot.parents.flatMap((entry) => entry.types.map((type) => host.typeFrom(entry, type)));
    const devices = snapshot.devices.map((entry) => host.deviceFrom(entry));
    expect(meddler.calls).toEqual([]);
    expect(parents.map(({ path }) => path)).toEqual((await ok(host.parents())).map(({ path }) => path));
    expect(devices.map(({ path }) => path)).toEqual((await ok(host.devices())).map(({ path }) => path));
    for (const device of devices) {
      expect((await ok(device.read())).problems).toEqual([]);
      expect((await ok(device.parent())).path).toBe(
        snapshot.devices.find(({ id }) => id === device.id)?.parentPath,
      );
    }
    for (const type of types) expect((await ok(type.read())).id).toBe(type.id);
    // One that went through JSON is an entry like any other.
    const [first] = (JSON.parse(JSON.stringify(snapshot)) as typeof snapshot).devices;
    expect(await ok(host.deviceFrom(first ?? expect.fail()).remove())).toEqual({ removed: true });
  });

  it.each([
    { path: "/etc", layout: "merged" },
    { path: "/sys/../etc", layout: "merged" },
    { path: "/sys/devices/x", layout: "strange" },
    { path: 5, layout: "merged" },
    { path: undefined, layout: undefined },
  ])("does not lead to objects outside of sysfs: %j", (entry) => {
    const host = new MdevHost({ fs: new SimulatedHost().fs });
    expect(() => host.parentFrom(entry as never)).toThrow("is no parent of this host");
    expect(() => host.typeFrom(entry as never, { id: "t" })).toThrow("is no parent of this host");
    expect(() =>
      host.deviceFrom({ id: UUID, parentPath: entry.path, layout: entry.layout } as never),
    ).toThrow("is no parent of this host");
    const parent = { path: "/sys/devices/x", layout: "merged" } as const;
    for (const id of ["..", "a/b", "", 5] as string[]) {
      expect(() => host.typeFrom(parent, { id })).toThrow("cannot take an object from a snapshot");
      const device = { id, parentPath: parent.path, layout: parent.layout, type: undefined };
      expect(() => host.deviceFrom(device)).toThrow("cannot take an object from a snapshot");
    }
  });

  it("keeps two parents of one name apart", async () => {
    const simulated = new SimulatedHost();
    const twins = ["pci0000:3a", "pci0000:af"].map((bus) =>
      simulated.addParent({
        path: `devices/${bus}/twin`,
        subsystem: `bus/${bus}`,
        deviceDriver: "twin_mdev",
        types: [{ id: "twin-1" }],
        capacity: 4,
      }),
    );
    twins[0]?.create("twin-1", UUID);
    twins[1]?.create("twin-1", OTHER_UUID);
    const host = new MdevHost({ fs: simulated.fs });
    const { parents, devices } = await ok(host.snapshot());
    expect(parents.map(({ path }) => path)).toEqual(twins.map(({ path }) => path));
    expect(devices.map(({ parent, parentPath }) => [parent, parentPath])).toEqual(
      twins.map(({ path }) => ["twin", path]),
    );
  });
});

describe("attributes that a snapshot includes", () => {
  const include = {
    parents: { numaNode: readOnly("numa_node", integer) },
    types: { sentence: readOnly("description", text) },
    devices: { resolution: readOnly("vendor/resolution", text), missing: readOnly("no/such", integer) },
  };

  it("are typed, and undefined where the object has none", async () => {
    const simulated = new SimulatedHost();
    simulated.addMdpy().create("mdpy-hd", UUID);
    simulated.addMtty().create("mtty-1", OTHER_UUID);
    const snapshot = await ok(new MdevHost({ fs: simulated.fs }).snapshot({ include }));
    const resolutions: (string | undefined)[] = snapshot.devices.map(
      ({ attributes }) => attributes.resolution,
    );
    expect(resolutions).toEqual(["1920x1080", undefined]);
    const missing: (number | undefined)[] = snapshot.devices.map(({ attributes }) => attributes.missing);
    expect(missing).toEqual([undefined, undefined]);
    expect(snapshot.parents[0]?.types[0]?.attributes.sentence).toBe("virtual display, 1920x1080 framebuffer");
    expect(snapshot.problems).toEqual([]);
    expect(isFrozen(snapshot)).toBe(true);
  });

  it("are problems where they cannot be understood", async () => {
    const simulated = new SimulatedHost();
    simulated.addMdpy().create("mdpy-hd", UUID);
    const wrong = { devices: { width: readOnly("vendor/resolution", integer) } };
    const { devices, problems } = await ok(new MdevHost({ fs: simulated.fs }).snapshot({ include: wrong }));
    expect(devices[0]?.attributes.width).toBeUndefined();
    expect(problems).toMatchObject([{ type: "decode", raw: "1920x1080\n" }]);
  });

  it.each([
    ["no object", 5],
    ["nothing", null],
    ["of a kind that there is not", { gpus: {} }],
    ["no table", { devices: 5 }],
    ["null", { devices: null }],
    ["a name", { devices: { x: "name" } }],
    ["empty", { devices: { x: {} } }],
    ["nothing at all", { devices: { x: undefined } }],
    ["write-only", { devices: { x: writeOnly("remove", text) } }],
    ["leading elsewhere", { devices: { x: readOnly("../remove", text) } }],
  ])("are refused before any I/O: %s", async (_what, wrong) => {
    const world = await makeWorld();
    world.meddler.meddle();
    await fails(world.host.snapshot({ include: wrong as never }), "invalid-argument");
    expect(world.meddler.calls).toEqual([]);
  });
});

describe("what is broken spoils no snapshot", () => {
  it("but is a problem: a class link, a type's file, a device's link, a listing", async () => {
    const simulated = makeZoo();
    const host = new MdevHost({ fs: simulated.fs });
    const whole = await ok(host.snapshot());
    const mtty = "/sys/devices/virtual/mtty/mtty";
    for (const [path, operation] of [
      ["/sys/class/mdev_bus/0.0.0313", "readlink"],
      [`${mtty}/mdev_supported_types/mtty-1/name`, "readFile"],
      [`${mtty}/${UUID}/iommu_group`, "readlink"],
      [`${mtty}/${UUID}/remove`, "lstat"],
      [mtty, "readdir"],
    ] as const) {
      simulated.failNext({ path, operation, errno: "EIO" });
      const snapshot = await ok(host.snapshot());
      expect(snapshot.problems, path).toMatchObject([{ type: "io", path }]);
      expect(snapshot.parents.length).toBe(whole.parents.length - (path.startsWith("/sys/class") ? 1 : 0));
    }
  });

  it("and what leads out of sysfs is one too", async () => {
    const world = await makeWorld();
    world.meddler.meddle(({ path, honest }) =>
      path === `/sys/class/mdev_bus/${GPU}` ? Promise.resolve("../../../etc") : honest(),
    );
    const { parents, problems } = await ok(world.host.snapshot());
    expect(ids(parents)).toEqual([GPU]); // its device leads to it
    expect(problems).toMatchObject([{ type: "invalid-argument", path: `/sys/class/mdev_bus/${GPU}` }]);
  });
});

describe("what comes and goes meanwhile", () => {
  it("is half made or half removed, or not there: never a problem, whichever call it happens at", async () => {
    const world = await makeWorld();
    world.meddler.meddle();
    await ok(world.host.snapshot());
    const count = world.meddler.calls.length;
    for (let at = 1; at <= count; at++) {
      const { host, gpu, meddler } = await makeWorld();
      meddler.meddle(async (call) => {
        if (call.number === at && at % 2 === 0) await gpu.unplug();
        if (call.number === at && at % 2 === 1) gpu.remove(UUID);
        return call.honest();
      });
      const { parents, devices, problems } = await ok(host.snapshot());
      expect(problems, `call ${at}`).toEqual([]);
      const paths = parents.map(({ path }) => path);
      for (const device of devices) {
        const parent = parents.find(({ path }) => path === device.parentPath);
        expect(paths).toContain(device.parentPath);
        if (device.type !== undefined) expect(ids(parent?.types ?? [])).toContain(device.type);
      }
    }
  });

  it.each(["5.10", "6.1"] as const)("has the state that the device tells, on %s", async (kernel) => {
    const simulated = new SimulatedHost({ kernel });
    simulated.addMtty().create("mtty-1", UUID);
    const host = new MdevHost({ fs: simulated.fs });
    const device = await ok(host.device(UUID));
    const vm = simulated.open(UUID);
    const removal = device.remove();
    const pause = simulated.pauseRemove({ before: "folder", uuid: UUID });
    await expect.poll(async () => (await simulated.fs.readdir("/sys/bus/mdev/devices")).length).toBe(0);
    const snapshot = await ok(host.snapshot());
    expect(snapshot.devices).toMatchObject([{ id: UUID, state: "removing", inode: undefined }]);
    pause.resume();
    vm.close();
    expect(await ok(removal)).toEqual({ removed: true });
    expect((await ok(host.snapshot())).devices).toEqual([]);
  });

  it("tells a device from the next one of its UUID", async () => {
    const { simulated, host } = ((): { simulated: SimulatedHost; host: MdevHost } => {
      const machine = new SimulatedHost();
      return { simulated: machine, host: new MdevHost({ fs: machine.fs }) };
    })();
    const mtty = simulated.addMtty();
    mtty.create("mtty-1", UUID);
    const first = (await ok(host.snapshot())).devices[0]?.inode;
    expect((await ok(host.snapshot())).devices[0]?.inode).toBe(first);
    mtty.remove(UUID);
    mtty.create("mtty-1", UUID);
    const second = (await ok(host.snapshot())).devices[0]?.inode;
    expect(typeof first).toBe("number");
    expect(second).not.toBe(first);
  });
});

it("is the same over a file system that answers everything late", async () => {
  const { fs } = makeZoo();
  const late =
    <A extends unknown[], T>(call: (...given: A) => Promise<T>) =>
    async (...given: A): Promise<T> => {
      await new Promise((resolve) => setImmediate(resolve));
      return call(...given);
    };
  const slow: FileSystem = {
    readFile: late((path, encoding) => fs.readFile(path, encoding)),
    writeFile: late((path, data, options) => fs.writeFile(path, data, options)),
    readdir: late((path) => fs.readdir(path)),
    readlink: late((path) => fs.readlink(path)),
    lstat: late((path) => fs.lstat(path)),
  };
  expect(await ok(new MdevHost({ fs: slow }).snapshot())).toEqual(await ok(new MdevHost({ fs }).snapshot()));
});
