import { describe, expect, it } from "vitest";
import { SimulatedHost } from "../../src/testing/index.js";
import { BUS, expectError, handsOn, settle, typePath, uuid } from "./helpers.js";
import { treeOf } from "./tree.js";

function host() {
  const simulated = new SimulatedHost();
  return { simulated, ...handsOn(simulated.fs) };
}

describe("a machine", () => {
  it("without hardware has no mdev at all", async () => {
    const { simulated, ls } = host();
    await expectError(ls("/sys/class/mdev_bus"), "ENOENT (scandir)");
    await expectError(ls("/sys/bus/mdev"), "ENOENT (scandir)");
    simulated.loadMdev();
    simulated.loadMdev();
    expect(await ls("/sys/class/mdev_bus")).toEqual([]);
  });

  it("has each UUID once, on whatever parent", async () => {
    const { simulated, create } = host();
    simulated.addMtty().create("mtty-1", uuid(0xabc));
    const mdpy = simulated.addMdpy();
    await expectError(create("mdpy", "mdpy-hd", uuid(0xabc).toUpperCase()), "EEXIST (write)");
    expect(() => mdpy.create("mdpy-hd", uuid(0xabc))).toThrow("EEXIST");
  });
});

describe("unplugging", () => {
  it("takes the devices along, and a new parent has none", async () => {
    const { simulated, ls, create } = host();
    const mtty = simulated.addMtty();
    simulated.addMdpy();
    const whole = await treeOf(simulated.fs, ["/sys", "/dev", "/proc"]);
    mtty.create("mtty-1");
    const path = `${typePath("mtty", "mtty-1")}/create`;
    await mtty.unplug();
    await mtty.unplug();
    expect(await ls("/sys/class/mdev_bus")).toEqual(["mdpy"]);
    expect(await ls(BUS)).toEqual([]);
    expect(await ls("/sys/module")).toEqual(["mdev", "mdpy"]);
    expect(await ls("/sys/devices/virtual")).toEqual(["mdpy"]);
    await expectError(simulated.fs.writeFile(path, uuid(1), { flag: 1 }), "ENOENT (open)");
    simulated.addMtty();
    expect(await treeOf(simulated.fs, ["/sys", "/dev", "/proc"])).toEqual(whole);
    await create("mtty", "mtty-1", uuid(1));
  });

  it("has happened on return, where nothing waits", async () => {
    const { simulated, ls } = host();
    const gpu = simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
    gpu.create("nvidia-156");
    simulated.onOperation(() => void gpu.unplug());
    expect(await ls("/sys/class/mdev_bus")).toEqual([]);
    expect(await ls("/sys/kernel/iommu_groups")).toEqual([]);
    expect(await ls("/sys/bus/pci/devices")).toEqual([]);
  });

  it("waits for who has a device open; the link on mdev_bus goes before", async () => {
    const { simulated, ls } = host();
    const mtty = simulated.addMtty();
    const id = mtty.create("mtty-1");
    const holder = simulated.open(id);
    let over = false;
    const unplugged = mtty.unplug().then(() => (over = true));
    await settle();
    expect(over).toBe(false);
    expect(await ls("/sys/class/mdev_bus")).toEqual([]);
    expect(await ls(`/sys/devices/virtual/mtty/mtty/${id}`)).toEqual(["iommu_group", "vfio-dev"]);
    expect(() => mtty.create("mtty-1")).toThrow("ENODEV");
    holder.close();
    await unplugged;
    await expectError(ls("/sys/devices/virtual/mtty"), "ENOENT (scandir)");
  });

  it("waits for a create that is under way; a later one is ENODEV", async () => {
    const { simulated, create, ls } = host();
    const mtty = simulated.addMtty();
    const pause = simulated.pauseCreate({ before: "driver" });
    const created = create("mtty", "mtty-1", uuid(1));
    await pause.reached;
    const unplugged = mtty.unplug();
    await expectError(create("mtty", "mtty-1", uuid(2)), "ENODEV (write)");
    pause.resume();
    await created;
    await unplugged;
    expect(await ls(BUS)).toEqual([]);
  });

  it("ends a removal that was under way", async () => {
    const { simulated, remove, ls } = host();
    const mtty = simulated.addMtty();
    mtty.create("mtty-1", uuid(1));
    const pause = simulated.pauseRemove({ before: "driver" });
    const removed = remove(uuid(1));
    await pause.reached;
    await mtty.unplug();
    expect(await ls(BUS)).toEqual([]);
    simulated.addMtty().create("mtty-1", uuid(1));
    pause.resume();
    await removed;
    expect(await ls(BUS)).toEqual([uuid(1)]);
  });

  it("leaves what another parent of the same driver needs", async () => {
    const { simulated, ls } = host();
    const [first, second] = ["0000:3b:00.0", "0000:af:00.0"].map((address) =>
      simulated.addNvidiaGpu({ address }),
    );
    await first?.unplug();
    expect(await ls("/sys/bus/mdev/drivers")).toEqual(["nvidia-vgpu-vfio"]);
    expect(await ls("/sys/bus/pci/drivers/nvidia")).toEqual(["0000:af:00.0"]);
    expect(await ls("/sys/module")).toEqual(["mdev", "nvidia_vgpu_vfio"]);
    second?.create("nvidia-46");
    await second?.unplug();
    expect(await ls("/sys/bus/mdev/drivers")).toEqual([]);
    expect(await ls("/sys/bus/pci")).toEqual(["devices"]);
    expect(await ls("/sys/devices")).toEqual(["virtual"]);
  });
});

describe("types", () => {
  it("appear and vanish", async () => {
    const { simulated, ls, read, create } = host();
    const mtty = simulated.addMtty();
    mtty.addType({ id: "mtty-4", description: "many\nlines", deviceApi: "vfio-platform" });
    const folder = typePath("mtty", "mtty-4");
    expect(await read(`${folder}/name`)).toBe("mtty-4\n");
    expect(await read(`${folder}/description`)).toBe("many\nlines");
    expect(await read(`${folder}/device_api`)).toBe("vfio-platform\n");
    await create("mtty", "mtty-4", uuid(1));
    expect(() => mtty.removeType("mtty-4")).toThrow("still has devices");
    expect(() => mtty.addType({ id: "mtty-4" })).toThrow("already");
    mtty.remove(uuid(1));
    mtty.removeType("mtty-4");
    expect(await ls(`${mtty.path}/mdev_supported_types`)).toEqual(["mtty-1", "mtty-2"]);
    expect(() => mtty.create("mtty-4")).toThrow("no type mtty-4");
  });

  it("may say what no program expects", async () => {
    const { simulated, read } = host();
    simulated.addParent({
      path: "devices/pci0000:6a/0000:6a:00.0",
      subsystem: "bus/pci",
      driver: "ice",
      deviceDriver: "ice_vdcm",
      types: [
        {
          id: "ice-vdcm",
          attributes: { available_instances: { read: () => "ivdcm\n" }, name: { read: () => "" } },
        },
      ],
    });
    expect(await read(`${typePath("0000:6a:00.0", "ice-vdcm")}/available_instances`)).toBe("ivdcm\n");
    expect(await read(`${typePath("0000:6a:00.0", "ice-vdcm")}/name`)).toBe("");
  });
});

describe("a parent of a stranger's driver", () => {
  it("has what he says", async () => {
    const { simulated, read, write, ls, create } = host();
    let speed = "1\n";
    const ap = simulated.addParent({
      path: "devices/vfio_ap/matrix",
      subsystem: "bus/matrix",
      driver: "vfio_ap",
      deviceDriver: "vfio_ap_mdev",
      types: [{ id: "vfio_ap-passthrough", name: "VFIO AP Passthrough Device", deviceApi: "vfio-ap" }],
      attributes: {
        features: { read: () => "guest_matrix\n" },
        "tuning/speed": { read: () => speed, write: (text) => void (speed = text) },
      },
      deviceAttributes: { assign_adapter: { write: () => undefined }, control_domains: { read: () => "" } },
      capacity: 2,
    });
    expect(ap.id).toBe("matrix");
    expect(await read("/sys/class/mdev_bus/matrix/driver/matrix/features")).toBe("guest_matrix\n");
    await write(`${ap.path}/tuning/speed`, "2\n");
    expect(await read(`${ap.path}/tuning/speed`)).toBe("2\n");
    expect((await simulated.fs.lstat(`${ap.path}/tuning/speed`)).mode & 0o7777).toBe(0o644);
    await create("matrix", "vfio_ap-passthrough", uuid(1));
    ap.create("vfio_ap-passthrough", uuid(2));
    await expectError(create("matrix", "vfio_ap-passthrough", uuid(3)), "Unknown system error -87 (write)");
    await write(`${BUS}/${uuid(1)}/assign_adapter`, "0x5");
    expect((await simulated.fs.lstat(`${BUS}/${uuid(1)}/assign_adapter`)).mode & 0o7777).toBe(0o200);
    ap.remove(uuid(1));
    expect(await ls(BUS)).toEqual([uuid(2)]);
    await ap.unplug();
    expect(await ls("/sys/devices")).toEqual(["virtual"]);
  });

  it("has one instance, where he says nothing", async () => {
    const { simulated } = host();
    const parent = simulated.addParent({
      path: "devices/css0/0.0.0313",
      subsystem: "bus/css",
      driver: "vfio_ccw",
      deviceDriver: "vfio_ccw_mdev",
      types: [{ id: "vfio_ccw-io" }],
    });
    parent.create("vfio_ccw-io");
    expect(() => parent.create("vfio_ccw-io")).toThrow("EUSERS");
    expect(() => parent.create("vfio_ccw-io", "no UUID")).toThrow("EINVAL");
    expect(() => parent.remove(uuid(9))).toThrow("has no device");
    expect(() =>
      simulated.addParent({ path: "/", subsystem: "class/x", deviceDriver: "x", types: [] }),
    ).toThrow("needs a path");
  });

  it("of the same name as another is not on mdev_bus", async () => {
    const { simulated, read } = host();
    const make = (bus: string) => ({
      path: `devices/${bus}/twin`,
      subsystem: `bus/${bus}`,
      deviceDriver: bus,
      types: [{ id: `${bus}-1` }],
    });
    const first = simulated.addParent(make("one"));
    const second = simulated.addParent(make("two"));
    expect(await simulated.fs.realpath("/sys/class/mdev_bus/twin")).toBe(first.path);
    await second.unplug();
    expect(await read("/sys/class/mdev_bus/twin/mdev_supported_types/one-1/name")).toBe("one-1\n");
  });
});

describe("small files", () => {
  it("power and uevent take what the kernel takes", async () => {
    const { simulated, read, write } = host();
    const { path } = simulated.addMtty();
    await write(`${path}/power/control`, "on\n");
    expect(await read(`${path}/power/control`)).toBe("on\n");
    await expectError(write(`${path}/power/control`, "off"), "EINVAL (write)");
    await expectError(read(`${path}/power/autosuspend_delay_ms`), "EIO (read)");
    await write(`${path}/uevent`, "change");
    await write("/sys/bus/mdev/uevent", "add\n");
    await expectError(write(`${path}/uevent`, "nonsense"), "EINVAL (write)");
  });
});
