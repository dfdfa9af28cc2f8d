import { describe, expect, it } from "vitest";
import { SimulatedHost } from "../../src/testing/index.js";
import { BUS, expectError, handsOn, settle, typePath, uuid } from "./helpers.js";

function host(kernel: "5.10" | "6.1" = "6.1") {
  const simulated = new SimulatedHost({ kernel });
  const mtty = simulated.addMtty();
  return { simulated, mtty, ...handsOn(simulated.fs) };
}

const FOLDER = `/sys/devices/virtual/mtty/mtty/${uuid(1)}`;
const WHOLE = [
  "driver",
  "iommu_group",
  "mdev_type",
  "power",
  "remove",
  "subsystem",
  "uevent",
  "vendor",
  "vfio-dev",
];

describe("half-made devices", () => {
  it.each([
    ["remove", ["uevent"]],
    ["power", ["remove", "subsystem", "uevent"]],
    ["driver", ["power", "remove", "subsystem", "uevent"]],
    ["vfio-dev", ["driver", "iommu_group", "power", "remove", "subsystem", "uevent"]],
    ["mdev_type", WHOLE.filter((name) => name !== "mdev_type")],
    ["active", WHOLE],
  ] as const)("before %s, another reader sees what is there by then", async (before, names) => {
    const { simulated, create, ls } = host();
    const pause = simulated.pauseCreate({ before });
    const created = create("mtty", "mtty-1", uuid(1));
    await pause.reached;
    expect(await ls(FOLDER)).toEqual(names);
    pause.resume();
    await created;
    expect(await ls(FOLDER)).toEqual(WHOLE);
  });

  it("on 5.10 mdev_type and remove come last", async () => {
    const { simulated, create, ls } = host("5.10");
    const pause = simulated.pauseCreate({ before: "mdev_type", uuid: uuid(1).toUpperCase() });
    const created = create("mtty", "mtty-1", uuid(1));
    await pause.reached;
    expect(await ls(FOLDER)).toEqual(["driver", "iommu_group", "power", "subsystem", "uevent", "vendor"]);
    pause.resume();
    await created;
    expect(await ls(FOLDER)).toEqual(WHOLE.filter((name) => name !== "vfio-dev"));
  });

  it("removed too early, they answer EAGAIN and stay for good, without their remove file", async () => {
    const { simulated, mtty, create, remove, ls, available } = host();
    const pause = simulated.pauseCreate({ before: "iommu_group" });
    const created = create("mtty", "mtty-1", uuid(1));
    await pause.reached;
    await expectError(remove(uuid(1)), "EAGAIN (write)");
    pause.resume();
    await created;
    expect(await ls(FOLDER)).toEqual(WHOLE.filter((name) => name !== "remove"));
    await expectError(remove(uuid(1)), "ENOENT (open)");
    await expectError(create("mtty", "mtty-1", uuid(1)), "EEXIST (write)");
    expect(await available("mtty", "mtty-1")).toBe(23);
    expect(() => mtty.remove(uuid(1))).toThrow("half-made");
    await mtty.unplug();
    expect(await ls(BUS)).toEqual([]);
  });

  it("which the driver refuses show for a moment, on 6.1", async () => {
    const { simulated, mtty, create, ls } = host();
    for (let i = 0; i < 12; i++) mtty.create("mtty-2");
    const pause = simulated.pauseCreate({ before: "iommu_group" });
    const refused = create("mtty", "mtty-1", uuid(1));
    await pause.reached;
    expect(await ls(BUS)).toContain(uuid(1));
    expect(await ls(FOLDER)).toEqual(["driver", "power", "remove", "subsystem", "uevent"]);
    pause.resume();
    await expectError(refused, "ENOSPC (write)");
    expect(await ls(BUS)).not.toContain(uuid(1));
    await expectError(ls(FOLDER), "ENOENT (scandir)");
  });

  it("which the core refuses never show", async () => {
    const { simulated, create, ls } = host();
    simulated.addMdpy({ count: 1 }).create("mdpy-hd", uuid(7));
    simulated.pauseCreate({ before: "uevent" });
    await expectError(create("mdpy", "mdpy-vga", uuid(1)), "Unknown system error -87 (write)");
    expect(await ls(BUS)).toEqual([uuid(7)]);
  });

  it("can be seen without any help, by who reads while another creates", async () => {
    const { simulated, create, ls } = host();
    const seen = new Set<number>();
    const state = { over: false };
    const created = create("mtty", "mtty-1", uuid(1)).then(() => (state.over = true));
    while (!state.over)
      await simulated.fs.readdir(FOLDER).then(
        (names) => seen.add(names.length),
        () => undefined,
      );
    await created;
    expect(seen.size).toBeGreaterThan(2);
    expect(await ls(FOLDER)).toEqual(WHOLE);
  });

  it("a pause that is not needed any more does no harm, and one that the kernel does not have is refused", async () => {
    const { simulated, create, remove } = host("5.10");
    simulated.pauseCreate({ before: "driver", uuid: uuid(9) });
    simulated.pauseRemove({ before: "driver" }).resume();
    await create("mtty", "mtty-1", uuid(1));
    await remove(uuid(1));
    expect(() => simulated.pauseCreate({ before: "vfio-dev" })).toThrow("5.10 has no stage vfio-dev");
    expect(() => simulated.pauseRemove({ before: "vfio-dev" })).toThrow("5.10 has no stage vfio-dev");
  });
});

describe("half-removed devices", () => {
  it.each([
    ["mdev_type", WHOLE.filter((name) => name !== "remove")],
    ["bus", ["driver", "iommu_group", "subsystem", "vendor", "vfio-dev"]],
    ["vfio-dev", ["iommu_group", "vfio-dev"]],
    ["iommu_group", ["iommu_group"]],
    ["folder", []],
  ] as const)("before %s, another reader sees what is left", async (before, names) => {
    const { simulated, mtty, remove, ls } = host();
    mtty.create("mtty-1", uuid(1));
    const pause = simulated.pauseRemove({ before });
    const removed = remove(uuid(1));
    await pause.reached;
    expect(await ls(FOLDER)).toEqual(names);
    pause.resume();
    await removed;
    await expectError(ls(FOLDER), "ENOENT (scandir)");
  });

  it("a file that goes between open and read is ENODEV", async () => {
    const { simulated, mtty, read } = host();
    mtty.create("mtty-1", uuid(1));
    const reading = read(`${BUS}/${uuid(1)}/uevent`);
    const writing = simulated.fs.writeFile(`${BUS}/${uuid(1)}/remove`, "1", { flag: 1 });
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
    mtty.remove(uuid(1));
    await expectError(reading, "ENODEV (read)");
    await expectError(writing, "ENODEV (write)");
  });

  it("of eight removals at once one succeeds", async () => {
    const { mtty, remove } = host();
    mtty.create("mtty-1", uuid(1));
    const settled = await Promise.allSettled(Array.from({ length: 8 }, () => remove(uuid(1))));
    const codes = settled.map((each) =>
      each.status === "rejected" ? (each.reason as { code: string }).code : "ok",
    );
    expect(codes.sort()).toEqual([...Array.from({ length: 7 }, () => "ENODEV"), "ok"].sort());
  });
});

describe("open devices", () => {
  it("hold up a removal, and are half gone meanwhile", async () => {
    const { simulated, mtty, create, remove, ls, available } = host();
    mtty.create("mtty-1", uuid(1));
    const holder = simulated.open(uuid(1), { pid: 815 });
    let over = false;
    const removed = remove(uuid(1)).then(() => (over = true));
    await settle();
    expect(over).toBe(false);
    expect(await ls(BUS)).toEqual([]);
    expect(await ls(`${typePath("mtty", "mtty-1")}/devices`)).toEqual([]);
    expect(await ls(FOLDER)).toEqual(["iommu_group", "vfio-dev"]);
    expect(await available("mtty", "mtty-1")).toBe(23);
    await expectError(remove(uuid(1)), "ENOENT (open)");
    await expectError(create("mtty", "mtty-2", uuid(1)), "EEXIST (write)");
    expect(await ls("/proc/815/fd")).toEqual(["0", "1", "2", "3", "4", "5"]);
    holder.close();
    holder.close();
    await removed;
    await expectError(ls("/proc/815"), "ENOENT (scandir)");
    expect(await available("mtty", "mtty-1")).toBe(24);
  });

  it("on 5.10 they keep only their iommu_group", async () => {
    const { simulated, mtty, remove, ls } = host("5.10");
    mtty.create("mtty-1", uuid(1));
    const holder = simulated.open(uuid(1));
    const removed = remove(uuid(1));
    await settle();
    expect(await ls(FOLDER)).toEqual(["iommu_group"]);
    holder.close();
    await removed;
  });

  it("show who has them open", async () => {
    const { simulated, mtty, read, write } = host();
    const [first, second] = [mtty.create("mtty-1"), mtty.create("mtty-1")];
    const { pid } = simulated.open(first);
    expect(simulated.open(second, { pid }).pid).toBe(pid);
    const targets = await Promise.all(
      [3, 4, 5, 6].map((fd) => simulated.fs.readlink(`/proc/${pid}/fd/${fd}`)),
    );
    expect(targets).toEqual(["/dev/vfio/0", "/dev/vfio/vfio", "anon_inode:[vfio-device]", "/dev/vfio/1"]);
    expect(await simulated.fs.realpath(`/proc/${pid}/fd/3`)).toBe("/dev/vfio/0");
    await expectError(read("/dev/vfio/0"), "EBUSY (open)");
    await expectError(write("/dev/vfio/0", "1"), "EBUSY (open)");
    expect(await read("/sys/module/mtty/refcnt")).toBe("2\n");
    expect(() => simulated.open(first)).toThrow("/dev/vfio/0 open");
    expect(() => mtty.remove(first)).toThrow("it is open");
    expect(() => simulated.open(uuid(5))).toThrow(`there is no device ${uuid(5)}`);
  });

  it("a group alone holds nothing up", async () => {
    const { simulated, mtty, remove } = host();
    mtty.create("mtty-1", uuid(1));
    const { pid, close } = simulated.open(uuid(1), { what: "group" });
    await remove(uuid(1));
    expect(await simulated.fs.readlink(`/proc/${pid}/fd/3`)).toBe("/dev/vfio/0 (deleted)");
    close();
    mtty.create("mtty-1", uuid(1));
    simulated.open(uuid(1)).close();
    simulated.open(uuid(1)).close();
  });
});

describe("drivers", () => {
  it("on 6.1 unbinding gives mtty's ports back, and mdpy's instance not", async () => {
    const { simulated, mtty, write, ls, available } = host();
    mtty.create("mtty-1", uuid(1));
    simulated.addMdpy().create("mdpy-hd", uuid(2));
    await write("/sys/bus/mdev/drivers/mtty/unbind", `${uuid(1)}\n`);
    await write("/sys/bus/mdev/drivers/mdpy/unbind", uuid(2));
    expect(await available("mtty", "mtty-1")).toBe(24);
    expect(await available("mdpy", "mdpy-hd")).toBe(3);
    expect(await ls(FOLDER)).toEqual(["mdev_type", "power", "remove", "subsystem", "uevent"]);
    await expectError(write("/sys/bus/mdev/drivers/mtty/bind", uuid(1)), "ENODEV (write)");
    await expectError(write("/sys/bus/mdev/drivers/mtty/unbind", uuid(2)), "ENODEV (write)");
    expect(() => simulated.open(uuid(1))).toThrow("not bound");
    mtty.remove(uuid(1));
    expect(await ls("/sys/bus/mdev/drivers/mtty")).toEqual(["bind", "module", "uevent", "unbind"]);
  });

  it("unbinding waits while the device is open", async () => {
    const { simulated, mtty, write, ls } = host();
    mtty.create("mtty-1", uuid(1));
    const holder = simulated.open(uuid(1));
    const unbound = write("/sys/bus/mdev/drivers/mtty/unbind", uuid(1));
    await settle();
    expect(await ls(FOLDER)).toContain("iommu_group");
    holder.close();
    await unbound;
    expect(await ls(FOLDER)).not.toContain("iommu_group");
  });

  it("on 5.10 a device is without driver when nothing probes it, and can be bound", async () => {
    const { mtty, write, ls, read } = host("5.10");
    const bare = ["mdev_type", "power", "remove", "subsystem", "uevent", "vendor"];
    const bound = [...bare, "driver", "iommu_group"].sort();
    await write("/sys/bus/mdev/drivers_autoprobe", "0");
    expect(await read("/sys/bus/mdev/drivers_autoprobe")).toBe("0\n");
    mtty.create("mtty-1", uuid(1));
    expect(await ls(FOLDER)).toEqual(bare);
    await write("/sys/bus/mdev/drivers/vfio_mdev/bind", uuid(1));
    expect(await ls(FOLDER)).toEqual(bound);
    await write("/sys/bus/mdev/drivers/vfio_mdev/unbind", uuid(1));
    expect(await ls(FOLDER)).toEqual(bare);
    await write("/sys/bus/mdev/drivers_autoprobe", "1");
    await write("/sys/bus/mdev/drivers_probe", uuid(1));
    expect(await ls(FOLDER)).toEqual(bound);
    expect(await read(`${FOLDER}/uevent`)).toBe("DRIVER=vfio_mdev\n");
    await expectError(write("/sys/bus/mdev/drivers_probe", uuid(2)), "ENODEV (write)");
  });
});

describe("kernel 5.10", () => {
  it("mtty counts below 0 and refuses nothing; mdpy and mbochs answer ENOMEM", async () => {
    const { simulated, mtty, create, available } = host("5.10");
    for (let i = 0; i < 60; i++) mtty.create("mtty-1");
    expect(await available("mtty", "mtty-1")).toBe(-36);
    expect(await available("mtty", "mtty-2")).toBe(-18);
    simulated.addMdpy({ count: 1 }).create("mdpy-hd");
    await expectError(create("mdpy", "mdpy-vga", uuid(1)), "ENOMEM (write)");
    simulated.addMbochs({ megabytes: 64 }).create("mbochs-large");
    await expectError(create("mbochs", "mbochs-small", uuid(1)), "ENOMEM (write)");
  });

  it("has mdev_bus from the first parent on, and vfio_mdev for all devices", async () => {
    const simulated = new SimulatedHost({ kernel: "5.10" });
    const { ls } = handsOn(simulated.fs);
    await expectError(ls("/sys/bus/mdev"), "ENOENT (scandir)");
    simulated.loadMdev();
    expect(await ls(BUS)).toEqual([]);
    await expectError(ls("/sys/class/mdev_bus"), "ENOENT (scandir)");
    const mtty = simulated.addMtty();
    expect(await ls("/sys/class/mdev_bus")).toEqual(["mtty"]);
    expect(await ls("/sys/bus/mdev/drivers")).toEqual(["vfio_mdev"]);
    expect(await ls(mtty.path)).toContain("mtty_dev");
    expect(await ls("/sys/module/mdev/holders")).toEqual(["mtty", "vfio_mdev"]);
    await expectError(ls("/sys/class/vfio-dev"), "ENOENT (scandir)");
    mtty.create("mtty-1");
    expect(await ls("/sys/kernel/iommu_groups/0")).toEqual(["devices", "reserved_regions", "type"]);
    expect((await simulated.fs.lstat("/sys/kernel/iommu_groups/0/type")).mode & 0o7777).toBe(0o444);
    await mtty.unplug();
    expect(await ls("/sys/class/mdev_bus")).toEqual([]);
    expect(await ls("/sys/bus/mdev/drivers")).toEqual([]);
  });
});
