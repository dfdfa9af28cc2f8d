import { describe, expect, it } from "vitest";
import { MdevHost } from "../../src/index.js";
import { type ErrnoName, SimulatedHost } from "../../src/testing/index.js";
import { fails, ok } from "../contract/expect.js";
import { Meddler } from "../support/meddler.js";
import { OTHER_UUID, UUID } from "../support/world.js";

const ids = (objects: readonly { readonly id: string }[]): string[] => objects.map(({ id }) => id);

function makeHost(kernel: "5.10" | "6.1" = "6.1"): {
  readonly simulated: SimulatedHost;
  readonly host: MdevHost;
} {
  const simulated = new SimulatedHost({ kernel });
  simulated.addMtty().create("mtty-1", UUID);
  simulated.addMdpy().create("mdpy-hd", OTHER_UUID);
  return { simulated, host: new MdevHost({ fs: simulated.fs }) };
}

const ERRNOS: readonly ErrnoName[] = ["EIO", "EACCES", "ENOENT", "ENODEV", "ELOOP", "EINVAL"];

describe("a broken entry spoils no listing", () => {
  it.each(ERRNOS)("a parent's class link that answers %s", async (errno) => {
    const { simulated, host } = makeHost();
    simulated.failNext({ path: "/sys/class/mdev_bus/mdpy", errno });
    // Its device leads to it all the same.
    expect(ids(await ok(host.parents()))).toEqual(["mdpy", "mtty"]);
    simulated.failNext({ path: /mdev_bus\/mdpy$|devices\/83b8f4f2.*1002$/u, errno, times: 2 });
    expect(ids(await ok(host.parents()))).toEqual(["mtty"]);
  });

  it.each(ERRNOS)("a parent's folder of types that answers %s", async (errno) => {
    const { simulated, host } = makeHost();
    // The folder is asked for by each layout in turn.
    const path = "/sys/devices/virtual/mdpy/mdpy/mdev_supported_types";
    simulated.failNext({ path, errno, times: 100 });
    expect(ids(await ok(host.parents()))).toEqual(["mtty"]);
    expect(ids(await ok(host.devices()))).toEqual([UUID]);
  });

  it.each(ERRNOS)("a parent's folder that answers %s to a listing of the devices", async (errno) => {
    const { simulated, host } = makeHost();
    simulated.failNext({ path: "/sys/devices/virtual/mtty/mtty", operation: "readdir", errno, times: 2 });
    expect(ids(await ok(host.devices()))).toEqual([OTHER_UUID]);
  });

  it.each(ERRNOS)("a device's link on the bus that answers %s", async (errno) => {
    const { simulated, host } = makeHost();
    simulated.failNext({ path: `/sys/bus/mdev/devices/${UUID}`, errno });
    expect(ids(await ok(host.devices()))).toEqual([UUID, OTHER_UUID]);
    simulated.failNext({ path: `/sys/bus/mdev/devices/${UUID}`, operation: "readlink", errno });
    expect((await ok(host.device(UUID))).id).toBe(UUID);
  });

  it("what is no UUID on the bus, and what is no device in a parent's folder", async () => {
    const { simulated, host } = makeHost();
    const meddler = new Meddler(simulated.fs);
    meddler.meddle(async ({ name, path, honest }) => {
      const answer = await honest();
      if (name !== "readdir" || path.includes("types")) return answer;
      return [
        ...(answer as string[]),
        "uevent",
        UUID.toUpperCase(),
        `${UUID}0`,
        "0000:00:00.0",
        "parent",
        "power",
      ];
    });
    expect(ids(await ok(host.devices()))).toEqual([UUID, OTHER_UUID]);
    const meddled = new MdevHost({ fs: meddler.fs });
    expect(ids(await ok(meddled.devices()))).toEqual([UUID, OTHER_UUID]);
    expect(ids(await ok(meddled.parents()))).toEqual(["mdpy", "mtty"]);
    const parent = await ok(meddled.parent("mtty"));
    expect(ids(await ok(parent.devices()))).toEqual([UUID]);
  });
});

describe("a whole folder that cannot be listed", () => {
  it.each([
    ["EACCES", "permission"],
    ["EIO", "io"],
    ["EMFILE", "io"],
    ["ENODEV", "gone"],
  ] as const)("is an error, where it answers %s", async (errno, type) => {
    for (const path of ["/sys/class/mdev_bus", "/sys/bus/mdev/devices"]) {
      const { simulated, host } = makeHost();
      simulated.failNext({ path, operation: "readdir", errno });
      const error = await fails(host.parents(), type);
      expect(error).toMatchObject({ errno, path, operation: "list the parents" });
      expect(error.cause).toMatchObject({ code: errno, syscall: "scandir" });
    }
  });

  it("is no error where it is not there", async () => {
    const { simulated, host } = makeHost();
    simulated.failNext({ path: "/sys/class/mdev_bus", operation: "readdir", errno: "ENOENT" });
    expect(ids(await ok(host.parents()))).toEqual(["mdpy", "mtty"]);
  });
});

describe("a parent without a class link", () => {
  it("is found through its device, and is a parent like any other", async () => {
    const simulated = new SimulatedHost();
    const [first, second] = ["pci0000:3a", "pci0000:af"].map((bus) =>
      simulated.addParent({
        path: `devices/${bus}/twin`,
        subsystem: `bus/${bus}`,
        deviceDriver: "twin_mdev",
        types: [{ id: "twin-1" }],
        capacity: 4,
      }),
    );
    const host = new MdevHost({ fs: simulated.fs });
    // The kernel leaves the link of the second out, as the first has its name.
    expect((await ok(host.parents())).map(({ path }) => path)).toEqual([first?.path]);
    second?.create("twin-1", UUID);
    second?.create("twin-1", OTHER_UUID);
    expect((await ok(host.parents())).map(({ path }) => path)).toEqual([first?.path, second?.path]);
    expect((await ok(host.devices())).map(({ path }) => path)).toEqual([
      `${second?.path}/${UUID}`,
      `${second?.path}/${OTHER_UUID}`,
    ]);
    const parent = await ok((await ok(host.device(UUID))).parent());
    expect(parent.path).toBe(second?.path);
    expect(ids(await ok(parent.types()))).toEqual(["twin-1"]);
    const made = await ok((await ok(parent.type("twin-1"))).create());
    expect(made.path.startsWith(`${second?.path}/`)).toBe(true);
    expect(await ok(made.remove())).toEqual({ removed: true });
  });

  it("is found by its name through its device", async () => {
    const { simulated, host } = makeHost();
    simulated.failNext({ path: "/sys/class/mdev_bus/mtty", errno: "ENOENT" });
    expect((await ok(host.parent("mtty"))).path).toBe("/sys/devices/virtual/mtty/mtty");
  });
});

describe("a device that is only a folder any more", () => {
  it("is listed and found while it is being removed", async () => {
    for (const kernel of ["5.10", "6.1"] as const) {
      const { simulated, host } = makeHost(kernel);
      const device = await ok(host.device(UUID));
      const vm = simulated.open(UUID);
      const removal = device.remove();
      const pause = simulated.pauseRemove({ before: "folder", uuid: UUID });
      await expect.poll(async () => (await simulated.fs.readdir("/sys/bus/mdev/devices")).length).toBe(1);
      expect(ids(await ok(host.devices()))).toEqual([UUID, OTHER_UUID]);
      expect(await ok((await ok(host.device(UUID))).state())).toBe("removing");
      pause.resume();
      vm.close();
      expect(await ok(removal)).toEqual({ removed: true });
      expect(ids(await ok(host.devices()))).toEqual([OTHER_UUID]);
    }
  });
});
