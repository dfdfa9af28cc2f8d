import assert from "node:assert/strict";
import {
  type AttributeInput,
  integer,
  type MdevDevice,
  type MdevType,
  text,
  writeOnly,
} from "../../src/index.js";
import { fails, ok, plain } from "./expect.js";
import type { Runner, Subject } from "./subject.js";

const UUID = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

/** The life of one device, and what the kernel refuses. */
export function creation({ describe, it }: Runner, { host, differences }: Subject): void {
  const typeOf = async (id: string): Promise<MdevType> => {
    const [parent = ""] = id.split("-");
    return ok((await ok(host.parent(parent))).type(id));
  };
  const available = async (id: string): Promise<number | undefined> =>
    ok((await typeOf(id)).availableInstances.read());

  describe("creation", () => {
    it("makes a device that is everywhere when it returns, and is nowhere once it is removed", async () => {
      const type = await typeOf("mtty-1");
      const device = await ok(type.create());
      const group = await ok(device.iommuGroup());
      assert.equal(device.uuid, device.id);
      assert.equal(typeof group, "number");
      assert.equal(await ok(device.state()), "active");
      assert.equal((await ok(device.type()))?.id, "mtty-1");
      assert.equal((await ok(device.parent())).id, "mtty");
      const nodes = await ok(device.vfioNodes());
      assert.equal(nodes.group, `/dev/vfio/${group}`);
      const driver = differences.genericDriver ? "vfio_mdev" : "mtty";
      assert.equal(await ok(device.driver()), driver);
      const [id, path] = [device.id, `/sys/devices/virtual/mtty/mtty/${device.id}`];
      const info = {
        id,
        uuid: id,
        path,
        parent: "mtty",
        type: "mtty-1",
        state: "active",
        driver,
        iommuGroup: group,
      };
      assert.deepEqual(plain(await ok(device.read())), { ...info, problems: [] });
      for (const list of [host.devices(), type.devices(), type.parent.devices()]) {
        assert.deepEqual(
          (await ok(list)).map((listed) => listed.path),
          [path],
        );
      }
      assert.equal((await ok(host.device(id.toUpperCase()))).path, path);
      assert.deepEqual((await ok(type.read())).devices, [id]);
      assert.equal(await ok(device.attribute("vfio-dev", text).exists()), differences.vfioDev);

      assert.deepEqual(await ok(device.remove()), { removed: true });
      for (const list of [host.devices(), type.devices(), type.parent.devices()])
        assert.deepEqual(await ok(list), []);
      assert.deepEqual(await ok(device.remove()), { removed: false });
      await fails(host.device(id), "not-found");
      for (const gone of [
        device.read(),
        device.state(),
        device.type(),
        device.parent(),
        device.iommuGroup(),
      ]) {
        await fails(gone, "gone");
      }
      await fails(device.attribute("uevent", text).read(), "gone");
    });

    it("takes any UUID in any case, and has it in lower case", async () => {
      const type = await typeOf("mtty-1");
      const uuids = [
        UUID.toUpperCase(),
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
      ];
      for (const uuid of uuids) {
        const device = await ok(type.create({ uuid }));
        assert.equal(device.uuid, uuid.toLowerCase());
        await ok(device.remove());
      }
    });

    it("refuses what is no UUID", async () => {
      const type = await typeOf("mtty-1");
      const [start, end] = [UUID.slice(0, 8), UUID.slice(9)];
      const malformed = [
        "",
        "a",
        "\n",
        UUID.slice(1),
        `${UUID}x`,
        `${UUID}\n`,
        ` ${UUID}`,
        `{${UUID}}`,
        `urn:uuid:${UUID}`,
      ];
      malformed.push(UUID.replaceAll("-", ""), `${start}${end}`, `g${UUID.slice(1)}`, `${UUID}\n${UUID}`);
      for (const uuid of malformed) await fails(type.create({ uuid }), "invalid-argument");
    });

    it("refuses a UUID that is in use, on any parent", async () => {
      const device = await ok((await typeOf("mtty-1")).create({ uuid: UUID }));
      for (const id of ["mtty-1", "mtty-2", "mdpy-hd", "mbochs-small"]) {
        const error = await fails((await typeOf(id)).create({ uuid: UUID.toUpperCase() }), "already-exists");
        assert.equal(error.existing, device.path);
      }
      await ok(device.remove());
    });

    it("makes the same UUID again at once", async () => {
      const type = await typeOf("mdpy-vga");
      for (let round = 0; round < 20; round++) {
        assert.deepEqual(await ok((await ok(type.create({ uuid: UUID }))).remove()), { removed: true });
      }
    });

    const full = (id: "mtty-1" | "mtty-2" | "mdpy-hd" | "mbochs-large", count: number): void => {
      const driver = id.split("-")[0] as "mtty" | "mdpy" | "mbochs";
      it(`fills ${id} and says that nothing is left`, async () => {
        const type = await typeOf(id);
        const devices: MdevDevice[] = [];
        for (let left = count; left > 0; left--) {
          assert.equal(await available(id), left);
          devices.push(await ok(type.create()));
        }
        if (driver === "mtty" && differences.mttyOverbooks) {
          devices.push(await ok(type.create()));
          assert.ok(((await available(id)) ?? 0) < 0);
        } else {
          assert.equal(await available(id), 0);
          const error = await fails(type.create(), "no-instances");
          assert.equal(error.errno, differences.fullErrno[driver]);
          assert.equal(error.available, 0);
          assert.deepEqual(await ok(type.parent.findTypes({ available: true })), []);
        }
        assert.equal((await ok(type.devices())).length, devices.length);
        for (const device of devices) assert.deepEqual(await ok(device.remove()), { removed: true });
        assert.equal(await available(id), count);
      });
    };
    full("mtty-1", 24);
    full("mtty-2", 12);
    full("mdpy-hd", 4);
    full("mbochs-large", 4);

    it("counts what the types of a parent share", async () => {
      const one = await ok((await typeOf("mtty-1")).create());
      assert.deepEqual([await available("mtty-1"), await available("mtty-2")], [23, 11]);
      const large = await ok((await typeOf("mbochs-large")).create());
      const counts = [
        await available("mbochs-large"),
        await available("mbochs-medium"),
        await available("mbochs-small"),
      ];
      assert.deepEqual(counts, [3, 12, 48]);
      const display = await ok((await typeOf("mdpy-vga")).create());
      assert.deepEqual([await available("mdpy-hd"), await available("mdpy-xga")], [3, 3]);
      for (const device of [one, large, display]) await ok(device.remove());
      assert.deepEqual(
        [await available("mtty-2"), await available("mbochs-small"), await available("mdpy-hd")],
        [12, 64, 4],
      );
    });

    it("sets attributes in their order", async () => {
      const uevent = writeOnly("uevent", text);
      const attributes: AttributeInput[] = [uevent.to("change"), ["uevent", "change"]];
      await ok((await ok((await typeOf("mtty-1")).create({ attributes }))).remove());
    });

    it("removes the device again when an attribute cannot be set", async () => {
      const type = await typeOf("mtty-1");
      const readOnlyOne = await fails(
        type.create({
          attributes: [
            ["uevent", "change"],
            ["vendor/sample_mdev_dev", "x"],
          ],
        }),
        "permission",
      );
      assert.match(readOnlyOne.message, /vendor\/sample_mdev_dev \(2 of 2\)/);
      assert.equal(
        (await fails(type.create({ attributes: [["vendor/none", "x"]] }), "unsupported")).missing,
        "vendor/none",
      );
      assert.deepEqual(await ok(host.devices()), []);
      assert.equal(await available("mtty-1"), 24);
    });

    it("refuses settings that cannot be, and makes nothing", async () => {
      const type = await typeOf("mtty-1");
      const number = writeOnly("vendor/number", integer);
      const bad: AttributeInput[] = [
        ["../uevent", "x"],
        ["uevent", ""],
        ["uevent", "a\nb"],
        number.to(1.5),
        number.to(NaN),
      ];
      for (const input of bad)
        await fails(type.create({ uuid: UUID, attributes: [input] }), "invalid-argument");
      assert.deepEqual(await ok(host.devices()), []);
    });

    it("does nothing for who has given up already", async () => {
      const type = await typeOf("mtty-1");
      const reason = new Error("enough");
      const error = await fails(type.create({ uuid: UUID, signal: AbortSignal.abort(reason) }), "aborted");
      assert.equal(error.cause, reason);
      assert.equal(error.pending, undefined);
      const device = await ok(type.create({ uuid: UUID }));
      await fails(device.remove({ signal: AbortSignal.abort() }), "aborted");
      assert.equal(await ok(device.state()), "active");
      await ok(device.remove());
    });

    it("refuses limits that are none", async () => {
      const type = await typeOf("mtty-1");
      for (const timeout of [-1, NaN, 2 ** 31]) await fails(type.create({ timeout }), "invalid-argument");
      await ok((await ok(type.create({ timeout: Infinity }))).remove({ timeout: 60_000 }));
    });
  });
}
