import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { formatChannelAddress, SubchannelParent, VfioCcwDevice } from "../../src/extensions/s390/index.js";
import { MttyDevice } from "../../src/extensions/samples/index.js";
import { type FileSystem, type MdevHost, type MdevType, type Parent, text } from "../../src/index.js";
import { fails, ok, plain } from "./expect.js";
import { pick, random } from "./random.js";
import type { Differences, Runner } from "./subject.js";

/** A subchannel that vfio_ccw has, and what it shows. */
export interface Subchannel {
  readonly id: string;
  /** The bus id of the channel device behind it. */
  readonly device: string;
}

/** A host with mtty and at least two subchannels, of one channel path each, and without devices: simulated, or real. */
export interface CcwSubject {
  readonly host: MdevHost;
  /** What the host sees. */
  readonly fs: FileSystem;
  /** In their natural order. */
  readonly subchannels: readonly [Subchannel, Subchannel, ...Subchannel[]];
  readonly differences: Pick<Differences, "genericDriver" | "vfioDev">;
  /** The errno of a subchannel that has its device. */
  readonly fullErrno: string;
  /** vfio_ccw has a folder of its own, `parent`, among the devices (Linux 6.3 and later). */
  readonly parentFolder: boolean;
  readonly rounds: number;
  readonly seed: number;
}

const TYPE = "vfio_ccw-io";
const O_WRONLY = 1;
const UUID = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1004";

const ids = (objects: readonly { readonly id: string }[]): string[] => objects.map(({ id }) => id);

const tally = (outcomes: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
};

/** What channel I/O does by vfio_ccw, be it simulated or real. */
export function ccwContract({ describe, it, afterEach }: Runner, subject: CcwSubject): void {
  const { host, fs, subchannels, differences } = subject;
  const [first, second] = subchannels;
  const folder = (id: string): string => `/sys/devices/css0/${id}`;
  const parentOf = ({ id }: Subchannel): Promise<Parent> => ok(host.parent(id));
  const typeOf = async (subchannel: Subchannel): Promise<MdevType> =>
    ok((await parentOf(subchannel)).type(TYPE));
  const available = async (subchannel: Subchannel): Promise<number | undefined> =>
    ok((await typeOf(subchannel)).availableInstances.read());
  const serial = async (): Promise<MdevType> => ok((await ok(host.parent("mtty"))).type("mtty-1"));

  afterEach(async () => {
    const left = await ok(host.devices());
    for (const device of left) await ok(device.remove());
    assert.deepEqual(ids(left), [], "devices were left over");
  });

  describe("subchannels", () => {
    it("are parents, in the order of their numbers", async () => {
      const parents = await ok(host.parents());
      assert.deepEqual(ids(parents), [...ids(subchannels), "mtty"]);
      for (const { id } of subchannels) {
        const parent = await ok(host.parent(id));
        assert.equal(parent.path, folder(id));
        assert.equal(parent.layout, "merged");
      }
    });

    it("tell what the kernel knows of them", async () => {
      const parent = await parentOf(first);
      assert.equal(await ok(parent.driver()), "vfio_ccw");
      assert.equal(await ok(parent.pci()), undefined);
      assert.equal(await ok(parent.numaNode.read()), undefined);
      assert.deepEqual(await ok(parent.siblings()), []);
      const facts = { id: first.id, path: folder(first.id), layout: "merged", driver: "vfio_ccw" };
      assert.deepEqual(plain(await ok(parent.read())), {
        ...facts,
        types: [TYPE],
        devices: [],
        problems: [],
      });
    });

    it("have one type, without a description", async () => {
      const parent = await parentOf(first);
      assert.deepEqual(ids(await ok(parent.types())), [TYPE]);
      const type = await ok(parent.type(TYPE));
      assert.equal(type.path, `${folder(first.id)}/mdev_supported_types/${TYPE}`);
      assert.equal(await ok(type.description.exists()), false);
      assert.deepEqual(plain(await ok(type.read())), {
        id: TYPE,
        path: type.path,
        parent: first.id,
        name: "I/O subchannel (Non-QDIO)",
        deviceApi: "vfio-ccw",
        availableInstances: 1,
        devices: [],
        problems: [],
      });
      assert.deepEqual(ids(await ok(parent.findTypes({ deviceApi: "vfio-ccw", available: true }))), [TYPE]);
      assert.deepEqual(ids(await ok(parent.findTypes({ name: "I/O subchannel (Non-QDIO)" }))), [TYPE]);
      assert.deepEqual(await ok(parent.findTypes({ deviceApi: "vfio-pci" })), []);
      assert.equal((await fails(parent.type("vfio_ccw_io"), "not-found")).suggestion, TYPE);
    });

    it("have these files and no others", async () => {
      const shown: string[] = [];
      for (const name of (await fs.readdir(folder(first.id))).sort()) {
        const { mode } = await fs.lstat(`${folder(first.id)}/${name}`);
        shown.push(`${name} ${mode.toString(8)}`);
      }
      assert.deepEqual(shown, [
        "chpids 100444",
        "dev_busid 100444",
        "driver 120777",
        "driver_override 100644",
        "mdev_supported_types 40755",
        "modalias 100444",
        ...(subject.parentFolder ? ["parent 40755"] : []),
        "pimpampom 100444",
        "subsystem 120777",
        "type 100444",
        "uevent 100644",
      ]);
      const read = (name: string): Promise<string> => fs.readFile(`${folder(first.id)}/${name}`, "utf8");
      assert.equal(await read("dev_busid"), `${first.device}\n`);
      assert.equal(await read("chpids"), "00 00 00 00 00 00 00 00 \n");
      assert.equal(await read("pimpampom"), "80 80 ff\n");
      assert.equal(await read("type"), "0\n");
      assert.equal(await read("modalias"), "css:t0\n");
      assert.equal(await read("uevent"), "DRIVER=vfio_ccw\nST=0\nMODALIAS=css:t0\n");
      assert.deepEqual(await ok((await parentOf(first)).devices()), []);
    });

    it("have typed attributes", async () => {
      for (const subchannel of subchannels) {
        const { channelDeviceAddress, chpids, pathMasks, driverOverride, ...rest } = await ok(
          (await parentOf(subchannel)).as(SubchannelParent),
        );
        const address = await ok(channelDeviceAddress.read());
        assert.ok(address);
        assert.deepEqual(formatChannelAddress(address).getOrThrow(), subchannel.device);
        assert.deepEqual(await ok(chpids.read()), [0, 0, 0, 0, 0, 0, 0, 0]);
        assert.deepEqual(await ok(pathMasks.read()), { pim: 0x80, pam: 0x80, pom: 0xff });
        assert.equal(await ok(driverOverride.read()), "vfio_ccw");
        assert.equal(rest.parent.id, subchannel.id);
      }
      const paths = await ok((await ok((await parentOf(first)).as(SubchannelParent))).paths());
      assert.deepEqual(paths, [{ chpid: 0, available: true, operational: true }]);
    });

    it("lack what io_subchannel gives to those that it has", async () => {
      const parent = await parentOf(first);
      for (const name of ["vpm", "logging"]) {
        assert.equal(await ok(parent.attribute(name, text).exists()), false);
        assert.equal(await ok(parent.attribute(name, text).read()), undefined);
      }
      assert.equal(await ok(parent.attribute(`${first.device}/online`, text).exists()), false);
    });

    it("are what SubchannelParent fits, and nothing else is", async () => {
      const mtty = await ok(host.parent("mtty"));
      assert.equal((await fails(mtty.as(SubchannelParent), "unsupported")).missing, "SubchannelParent");
    });
  });

  describe("a channel device", () => {
    it("lives from create to remove", async () => {
      const type = await typeOf(first);
      const device = await ok(type.create({ uuid: UUID }));
      const group = await ok(device.iommuGroup());
      const driver = differences.genericDriver ? "vfio_mdev" : "vfio_ccw_mdev";
      assert.equal(typeof group, "number");
      assert.equal(await ok(device.state()), "active");
      assert.equal((await ok(device.parent())).id, first.id);
      assert.equal((await ok(device.vfioNodes())).group, `/dev/vfio/${group}`);
      const facts = { id: UUID, uuid: UUID, path: `${folder(first.id)}/${UUID}`, parent: first.id };
      assert.deepEqual(plain(await ok(device.read())), {
        ...facts,
        type: TYPE,
        state: "active",
        driver,
        iommuGroup: group,
        problems: [],
      });
      for (const list of [host.devices(), type.devices(), type.parent.devices()])
        assert.deepEqual(ids(await ok(list)), [UUID]);
      assert.equal((await ok(host.device(UUID))).path, facts.path);

      assert.deepEqual(await ok(device.remove()), { removed: true });
      assert.deepEqual(await ok(device.remove()), { removed: false });
      for (const list of [host.devices(), type.devices(), type.parent.devices()])
        assert.deepEqual(await ok(list), []);
      await fails(host.device(UUID), "not-found");
      await fails(device.read(), "gone");
    });

    it("has these files and no attributes of its own", async () => {
      const device = await ok((await typeOf(first)).create());
      assert.deepEqual((await fs.readdir(device.path)).sort(), [
        "driver",
        "iommu_group",
        "mdev_type",
        "remove",
        "subsystem",
        "uevent",
        ...(differences.vfioDev ? ["vfio-dev"] : []),
      ]);
      await ok(device.remove());
    });

    it("leads to its subchannel by VfioCcwDevice, and no other device does", async () => {
      const device = await ok((await typeOf(second)).create());
      const ccw = await ok(device.as(VfioCcwDevice));
      const subchannel = await ok(ccw.subchannel());
      assert.equal(subchannel.parent.id, second.id);
      const address = await ok(subchannel.channelDeviceAddress.read());
      assert.ok(address);
      assert.equal(formatChannelAddress(address).getOrThrow(), second.device);
      await fails(device.as(MttyDevice), "unsupported");
      await ok(device.remove());
      await fails(ccw.subchannel(), "gone");

      const other = await ok((await serial()).create());
      assert.equal((await fails(other.as(VfioCcwDevice), "unsupported")).missing, "VfioCcwDevice");
      await ok(other.remove());
    });

    it("is the only one of its subchannel, and takes nothing from the others", async () => {
      const type = await typeOf(first);
      const device = await ok(type.create());
      assert.deepEqual([await available(first), await available(second)], [0, 1]);
      const error = await fails(type.create(), "no-instances");
      assert.equal(error.errno, subject.fullErrno);
      assert.equal(error.available, 0);
      assert.deepEqual(await ok(type.parent.findTypes({ available: true })), []);
      const other = await ok((await typeOf(second)).create());
      assert.deepEqual([await available(first), await available(second)], [0, 0]);
      assert.deepEqual(ids(await ok(host.devices())), ids([device, other]).sort());
      for (const made of [device, other]) assert.deepEqual(await ok(made.remove()), { removed: true });
      assert.deepEqual([await available(first), await available(second)], [1, 1]);
    });

    it("can be made again at once, on its subchannel and on another", async () => {
      for (let round = 0; round < 10; round++) {
        for (const subchannel of [first, second]) {
          const device = await ok((await typeOf(subchannel)).create({ uuid: UUID }));
          assert.deepEqual(await ok(device.remove()), { removed: true });
        }
      }
    });

    it("has its UUID to itself, and that is what a create is told, even where nothing is left", async () => {
      const device = await ok((await typeOf(first)).create({ uuid: UUID }));
      for (const type of [await typeOf(first), await typeOf(second), await serial()]) {
        const error = await fails(type.create({ uuid: UUID.toUpperCase() }), "already-exists");
        assert.equal(error.existing, device.path);
      }
      assert.equal(await available(second), 1);
      await ok(device.remove());

      const other = await ok((await serial()).create({ uuid: UUID }));
      const error = await fails((await typeOf(first)).create({ uuid: UUID }), "already-exists");
      assert.equal(error.existing, other.path);
      await ok(other.remove());
    });

    it("is gone when an attribute of it cannot be set", async () => {
      const type = await typeOf(first);
      const attributes = [["vendor/none", "x"]] as const;
      assert.equal((await fails(type.create({ attributes }), "unsupported")).missing, "vendor/none");
      assert.deepEqual(await ok(host.devices()), []);
      assert.equal(await available(first), 1);
    });

    it("is made for one of many who ask at once", async () => {
      const type = await typeOf(first);
      const results = await Promise.all(Array.from({ length: 8 }, () => type.create()));
      const outcomes = results.map((result) => (result.ok ? "made" : result.error.type));
      assert.deepEqual(tally(outcomes), { made: 1, "no-instances": 7 });
      const [device] = await ok(type.devices());
      assert.ok(device);
      const removals = await Promise.all(Array.from({ length: 8 }, () => ok(device.remove())));
      assert.deepEqual(tally(removals.map(({ removed }) => String(removed))), { true: 1, false: 7 });
    });

    it(`leaves nothing over after ${subject.rounds} rounds on all parents at once`, async () => {
      const workers = [...(await Promise.all(subchannels.map(typeOf))), await serial(), await serial()];
      let left = subject.rounds;
      await Promise.all(
        workers.map(async (type) => {
          while (left-- > 0) {
            assert.deepEqual(await ok((await ok(type.create())).remove()), { removed: true });
          }
        }),
      );
      assert.deepEqual(await ok(host.devices()), []);
      assert.deepEqual([await available(first), await available(second)], [1, 1]);
    });

    it(`is given out to whoever comes first (seed ${subject.seed})`, async () => {
      const types = await Promise.all(subchannels.map(typeOf));
      const owner = new Map<MdevType, string>();
      const next = random(subject.seed);
      for (let step = 0; step < subject.rounds / 4; step++) {
        const type = pick(types, next);
        const uuid = owner.get(type);
        if (uuid === undefined) owner.set(type, (await ok(type.create())).id);
        else if (next() < 0.5) await fails(type.create(), "no-instances");
        else {
          assert.deepEqual(await ok((await ok(host.device(uuid))).remove()), { removed: true });
          owner.delete(type);
        }
        assert.deepEqual(ids(await ok(host.devices())), [...owner.values()].sort());
      }
      for (const uuid of owner.values()) await ok((await ok(host.device(uuid))).remove());
    });
  });

  describe("a subchannel that is taken from vfio_ccw", () => {
    const toDriver = (file: "bind" | "unbind", id: string, driver = "vfio_ccw"): Promise<void> =>
      fs.writeFile(`/sys/bus/css/drivers/${driver}/${file}`, id, { flag: O_WRONLY });
    const refused = async (write: Promise<void>): Promise<string | undefined> =>
      write.then(
        () => undefined,
        (error: unknown) => (error as { code: string }).code,
      );

    it("is no parent any more, and its device is gone with it", async () => {
      const parent = await parentOf(second);
      const type = await ok(parent.type(TYPE));
      const subchannel = await ok(parent.as(SubchannelParent));
      const device = await ok(type.create({ uuid: UUID }));
      const kept = await ok((await typeOf(first)).create());

      await toDriver("unbind", second.id);
      await fails(host.parent(second.id), "not-found");
      const others = [...ids(subchannels), "mtty"].filter((id) => id !== second.id);
      assert.deepEqual(ids(await ok(host.parents())), others);
      assert.deepEqual(ids(await ok(host.devices())), [kept.id]);
      await fails(device.read(), "gone");
      assert.deepEqual(await ok(device.remove()), { removed: false });
      await fails(type.create(), "gone");
      // the subchannel itself is still there
      assert.deepEqual(await ok(parent.types()), []);
      assert.equal(await ok(parent.driver()), undefined);
      await fails(parent.as(SubchannelParent), "unsupported");
      assert.equal(await ok(subchannel.driverOverride.read()), "vfio_ccw");

      await toDriver("bind", second.id);
      assert.deepEqual(ids(await ok(host.parents())), [...ids(subchannels), "mtty"]);
      assert.equal(await available(second), 1);
      assert.deepEqual(await ok(parent.devices()), []);
      assert.deepEqual(await ok(device.remove()), { removed: false });
      assert.equal((await ok(type.create({ uuid: UUID }))).path, device.path);
      for (const made of [device, kept]) assert.deepEqual(await ok(made.remove()), { removed: true });
    });

    it("is given to no other driver while it is bound, or while driver_override names vfio_ccw", async () => {
      assert.equal(await refused(toDriver("bind", second.id)), "EBUSY");
      assert.equal(await refused(toDriver("bind", second.id, "io_subchannel")), "ENODEV");
      assert.equal(await refused(toDriver("unbind", second.id, "io_subchannel")), "ENODEV");
      assert.equal(await refused(toDriver("bind", "0.0.9999")), "ENODEV");
      await toDriver("unbind", second.id);
      assert.equal(await refused(toDriver("bind", second.id, "io_subchannel")), "ENODEV");
      await toDriver("bind", second.id);
      assert.equal(await available(second), 1);
    });

    it("brings its channel device back to the host when io_subchannel gets it", async () => {
      const override = `${folder(second.id)}/driver_override`;
      const channelDevice = `/sys/bus/ccw/devices/${second.device}`;
      const there = async (): Promise<boolean> =>
        (await refused(fs.readdir(channelDevice).then(() => undefined))) === undefined;
      assert.equal(await there(), false);
      await toDriver("unbind", second.id);
      await fs.writeFile(override, "\n", { flag: O_WRONLY });
      assert.equal(await fs.readFile(override, "utf8"), "(null)\n");
      await toDriver("bind", second.id, "io_subchannel");
      // the kernel looks for it in its own time
      for (let tries = 0; tries < 100 && !(await there()); tries++) await setTimeout(100);
      assert.equal(await there(), true);
      assert.ok((await fs.readdir(folder(second.id))).includes("vpm"));

      await fs.writeFile(override, "vfio_ccw\n", { flag: O_WRONLY });
      await fails(host.parent(second.id), "not-found"); // that alone moves nothing
      await toDriver("unbind", second.id, "io_subchannel");
      await toDriver("bind", second.id);
      assert.equal(await there(), false);
      assert.equal(await available(second), 1);
    });
  });
}
