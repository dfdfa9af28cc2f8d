import { describe, expect, it } from "vitest";
import { type HostSnapshot, integer, MdevHost, readOnly, text } from "../../src/index.js";
import { SimulatedHost, type SimulatedParent } from "../../src/testing/index.js";
import { fails, ok } from "../contract/expect.js";
import { Meddler } from "../support/meddler.js";
import { OTHER_UUID, UUID } from "../support/world.js";

const ACME = { path: "devices/acme", subsystem: "bus/acme", deviceDriver: "acme_mdev", capacity: 8 } as const;

/** A machine where calls are counted. */
function makeMachine(kernel: "5.10" | "6.1" = "6.1"): {
  readonly simulated: SimulatedHost;
  readonly meddler: Meddler;
  readonly host: MdevHost;
} {
  const simulated = new SimulatedHost({ kernel });
  const meddler = new Meddler(simulated.fs);
  return { simulated, meddler, host: new MdevHost({ fs: meddler.fs }) };
}

/** What a refresh gives, which must be what a full snapshot gives. */
async function refresh(host: MdevHost, previous: HostSnapshot): Promise<HostSnapshot> {
  const refreshed = await ok(host.snapshot({ previous }));
  expect(refreshed).toEqual(await ok(host.snapshot()));
  return refreshed;
}

describe("a snapshot with the one before", () => {
  it("reads no more than what can have changed", async () => {
    const { simulated, meddler, host } = makeMachine();
    simulated.addMdpy().create("mdpy-hd", UUID);
    const previous = await ok(host.snapshot());
    meddler.meddle();
    expect(await ok(host.snapshot({ previous }))).toEqual(previous);
    const read = meddler.calls
      .filter(({ name }) => name === "readFile")
      .map(({ path }) => path.replace(/.*\//u, ""));
    expect(read).toEqual(["available_instances", "available_instances", "available_instances"]);
    expect(meddler.calls.some(({ path }) => path.endsWith("/mdev_type"))).toBe(false);
    expect(meddler.calls.filter(({ path }) => path.includes(UUID) && path.includes("virtual")).length).toBe(
      1,
    );
  });

  it("shares with it what is the same", async () => {
    const { simulated, host } = makeMachine();
    simulated.addMdpy().create("mdpy-hd", UUID);
    const previous = await ok(host.snapshot());
    const next = await ok(host.snapshot({ previous }));
    expect(next.devices[0]).toBe(previous.devices[0]);
    expect(next.parents[0]?.types[1]).toBe(previous.parents[0]?.types[1]);
  });

  it.each<[what: string, change: (mtty: SimulatedParent, simulated: SimulatedHost) => unknown]>([
    ["nothing", () => undefined],
    ["a device that came", (mtty) => mtty.create("mtty-2", OTHER_UUID)],
    ["a device that went", (mtty) => mtty.remove(UUID)],
    [
      "a device of another type in the place of the one before",
      (mtty) => {
        mtty.remove(UUID);
        mtty.create("mtty-2", UUID);
      },
    ],
    ["a parent that went", (mtty) => mtty.unplug()],
    [
      "a driver that was loaded again",
      async (mtty, simulated) => {
        await mtty.unplug();
        simulated.addMtty().create("mtty-2", UUID);
      },
    ],
    ["a parent that came", (_mtty, simulated) => simulated.addMdpy().create("mdpy-hd", OTHER_UUID)],
  ])("says what a full one says after %s", async (_what, change) => {
    for (const kernel of ["5.10", "6.1"] as const) {
      const { simulated, host } = makeMachine(kernel);
      const mtty = simulated.addMtty();
      mtty.create("mtty-1", UUID);
      const previous = await ok(host.snapshot());
      await change(mtty, simulated);
      await refresh(host, await refresh(host, previous));
    }
  });

  it("is not taken in by a driver that was updated meanwhile", async () => {
    const { simulated, host } = makeMachine();
    const load = (name: string): SimulatedParent => {
      const parent = simulated.addParent({
        ...ACME,
        types: [{ id: "acme-1", name }, { id: `acme-${name}` }],
      });
      parent.create("acme-1", UUID);
      return parent;
    };
    const old = load("old");
    const previous = await ok(host.snapshot());
    await old.unplug();
    load("new");
    const { parents } = await refresh(host, previous);
    expect(parents[0]?.types.map(({ id, name }) => [id, name])).toEqual([
      ["acme-1", "new"],
      ["acme-new", expect.anything()],
    ]);
  });

  it("sees each stage of a creation and of a removal as a full one does", async () => {
    for (const before of ["driver", "iommu_group", "mdev_type"] as const) {
      const { simulated, host } = makeMachine();
      simulated.addMtty();
      const type = await ok((await ok(host.parent("mtty"))).type("mtty-1"));
      let previous = await ok(host.snapshot());
      const pause = simulated.pauseCreate({ before });
      const creation = type.create({ uuid: UUID });
      await expect.poll(async () => (await ok(host.devices())).length).toBe(1);
      previous = await refresh(host, previous);
      expect(previous.devices[0]?.state).toBe("creating");
      pause.resume();
      await ok(creation);
      previous = await refresh(host, previous);
      expect(previous.devices[0]?.state).toBe("active");
    }
    for (const before of ["mdev_type", "bus", "driver", "iommu_group", "folder"] as const) {
      const { simulated, host } = makeMachine();
      simulated.addMtty().create("mtty-1", UUID);
      const previous = await ok(host.snapshot());
      const device = host.deviceFrom(previous.devices[0] ?? expect.fail());
      const pause = simulated.pauseRemove({ before: before, uuid: UUID });
      const removal = device.remove();
      await expect.poll(async () => ok(device.state())).toBe("removing");
      const during = await refresh(host, previous);
      expect(during.devices[0]?.state).toBe("removing");
      pause.resume();
      await ok(removal);
      expect((await refresh(host, during)).devices).toEqual([]);
    }
  });

  it("sees that a device was unbound, and bound again to another group", async () => {
    for (const kernel of ["5.10", "6.1"] as const) {
      const { simulated, host } = makeMachine(kernel);
      const mtty = simulated.addMtty();
      mtty.create("mtty-1", UUID);
      mtty.create("mtty-1", OTHER_UUID);
      const previous = await ok(host.snapshot());
      const [driver = ""] = await simulated.fs.readdir("/sys/bus/mdev/drivers");
      const tell = (file: string, uuid: string): Promise<void> =>
        simulated.fs.writeFile(`/sys/bus/mdev/drivers/${driver}/${file}`, uuid, { flag: 1 });
      await tell("unbind", UUID);
      const unbound = await refresh(host, previous);
      expect(unbound.devices[0]).toMatchObject({ driver: undefined, iommuGroup: undefined });
      if (kernel === "6.1") {
        await expect(tell("bind", UUID)).rejects.toMatchObject({ code: "ENODEV" });
        continue;
      }
      await tell("unbind", OTHER_UUID);
      await tell("bind", OTHER_UUID);
      await tell("bind", UUID);
      const bound = await refresh(host, previous);
      expect(bound.devices.map(({ iommuGroup }) => iommuGroup)).not.toEqual(
        previous.devices.map(({ iommuGroup }) => iommuGroup),
      );
    }
  });

  it("reads again what could not be read before, and what is included", async () => {
    const { simulated, host } = makeMachine();
    simulated.addMdpy().create("mdpy-hd", UUID);
    simulated.failNext({ path: /mdpy-hd\/name$/u, errno: "EIO" });
    const broken = await ok(host.snapshot());
    expect(broken.problems).toMatchObject([{ type: "io" }]);
    const whole = await refresh(host, broken);
    expect(whole.problems).toEqual([]);
    const include = { devices: { resolution: readOnly("vendor/resolution", text) } };
    const more = await ok(host.snapshot({ previous: whole, include }));
    expect(more.devices[0]?.attributes.resolution).toBe("1920x1080");
    expect((await refresh(host, more)).devices[0]?.attributes).toEqual({});
  });

  it("does not believe a file system whose inode numbers are none", async () => {
    const { simulated, meddler, host } = makeMachine();
    const mtty = simulated.addMtty();
    mtty.create("mtty-1", UUID);
    meddler.meddle(async ({ name, honest }) => {
      const answer = await honest();
      return name === "lstat" ? Object.assign(Object.create(answer as object) as object, { ino: 0 }) : answer;
    });
    const previous = await ok(host.snapshot());
    expect(previous.devices[0]).toMatchObject({ inode: undefined, state: "active" });
    mtty.remove(UUID);
    mtty.create("mtty-2", UUID);
    expect((await refresh(host, previous)).devices[0]?.type).toBe("mtty-2");
  });

  it("is refused where that is no snapshot of this host", async () => {
    const { meddler, host } = makeMachine();
    const foreign = await ok(new MdevHost({ fs: meddler.fs }).snapshot());
    const copy = JSON.parse(JSON.stringify(await ok(host.snapshot()))) as HostSnapshot;
    meddler.meddle();
    for (const previous of [foreign, copy, {}, null, 5, "snapshot"] as HostSnapshot[]) {
      await fails(host.snapshot({ previous }), "invalid-argument");
    }
    expect(meddler.calls).toEqual([]);
  });
});

it("a parent's attributes are read each time", async () => {
  const { simulated, host } = makeMachine();
  let node = 0;
  simulated.addParent({
    ...ACME,
    types: [{ id: "acme-1" }],
    attributes: { numa_node: { read: () => `${node}\n` } },
  });
  const include = { parents: { node: readOnly("numa_node", integer) } };
  const previous = await ok(host.snapshot({ include }));
  node = 1;
  expect((await ok(host.snapshot({ include, previous }))).parents[0]?.attributes.node).toBe(1);
});
