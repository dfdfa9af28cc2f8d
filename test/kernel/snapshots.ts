// Snapshots on a real kernel with mtty and mdpy: what a simulation cannot prove (see suite.ts).
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { release } from "node:os";
import { diff, type HostSnapshot, MdevHost, nodeFileSystem } from "../../src/index.js";
import { recordHost, replay } from "../../src/recording/index.js";
import { ok } from "../contract/expect.js";
import type { Differences, Runner } from "../contract/subject.js";

const UUID = "5f1cbd10-32d4-4d8a-9f0e-6d2b7b3a0001";
const OTHER_UUID = "5f1cbd10-32d4-4d8a-9f0e-6d2b7b3a0002";

/** What a refresh gives, which must be what a full snapshot gives. */
async function refresh(host: MdevHost, previous: HostSnapshot): Promise<HostSnapshot> {
  const refreshed = await ok(host.snapshot({ previous }));
  assert.deepEqual(refreshed, await ok(host.snapshot()));
  assert.deepEqual(refreshed.problems, []);
  return refreshed;
}

async function create(host: MdevHost, typeId: string, uuid: string): Promise<void> {
  const [parentId = ""] = typeId.split("-");
  const parent = await ok(host.parent(parentId));
  await ok((await ok(parent.type(typeId))).create({ uuid }));
}

function changes(before: HostSnapshot, after: HostSnapshot): string[] {
  return diff(before, after).map(({ type }) => type);
}

/** What snapshots do on a host with mtty and mdpy. */
export function snapshots({ describe, it }: Runner, host: MdevHost, differences: Differences): void {
  describe("a snapshot", () => {
    it("says of each object what the object says of itself", async () => {
      await create(host, "mtty-2", UUID);
      await create(host, "mdpy-hd", OTHER_UUID);
      const { parents, devices, problems } = await ok(host.snapshot());
      assert.deepEqual(problems, []);
      for (const entry of parents) {
        for (const type of entry.types) {
          const info: Readonly<Record<string, unknown>> = {
            ...(await ok(host.typeFrom(entry, type).read())),
          };
          for (const [fact, value] of Object.entries(type)) {
            if (fact !== "attributes") assert.equal(value, info[fact]);
          }
        }
      }
      assert.deepEqual(devices.map(({ id }) => id).sort(), [UUID, OTHER_UUID]);
      for (const { id, parent, type, state, driver, iommuGroup, inode, ...place } of devices) {
        const info = await ok(host.deviceFrom({ id, type, ...place }).read());
        assert.deepEqual(
          { id, parent, type, state, driver, iommuGroup },
          {
            id: info.id,
            parent: info.parent,
            type: info.type,
            state: info.state,
            driver: info.driver,
            iommuGroup: info.iommuGroup,
          },
        );
        assert.ok(inode !== undefined && inode > 0);
        await ok(host.deviceFrom({ id, type, ...place }).remove());
      }
    });

    it("of a recording that is replayed is that of the host, also for another user", async () => {
      await create(host, "mtty-2", UUID);
      await create(host, "mdpy-hd", OTHER_UUID);
      const live = await ok(host.snapshot());
      const replayed = async (): Promise<HostSnapshot> => {
        const recording = await ok(recordHost(nodeFileSystem, { mask: [] }));
        assert.equal(recording.complete, true);
        assert.equal(recording.kernel, release());
        const fs = replay(JSON.stringify(recording)).getOrThrow();
        return ok(new MdevHost({ fs }).snapshot());
      };
      assert.deepEqual(await replayed(), live);
      process.seteuid?.(65534);
      const unprivileged = await replayed().finally(() => process.seteuid?.(0));
      assert.deepEqual(unprivileged, live);
      for (const uuid of [UUID, OTHER_UUID]) await ok((await ok(host.device(uuid))).remove());
    });

    it("with the one before is never stale: devices that come, go and come again", async () => {
      let before = await ok(host.snapshot());
      await create(host, "mtty-2", UUID);
      let after = await refresh(host, before);
      assert.deepEqual(changes(before, after).slice(-2), ["device-added", "device-ready"]);
      before = after;
      await ok((await ok(host.device(UUID))).remove());
      await create(host, "mtty-1", UUID);
      after = await refresh(host, before);
      assert.equal(after.devices[0]?.type, "mtty-1");
      assert.deepEqual(
        changes(before, after).filter((type) => type.startsWith("device")),
        ["device-removed", "device-added", "device-ready"],
      );
      await ok((await ok(host.device(UUID))).remove());
      await refresh(host, after);
    });

    it("with the one before is never stale: a driver that is unloaded and loaded again", async () => {
      await create(host, "mtty-2", UUID);
      const before = await ok(host.snapshot());
      execFileSync("rmmod", ["mtty"]);
      const without = await refresh(host, before);
      assert.deepEqual(changes(before, without), ["device-removed", "parent-unregistered"]);
      execFileSync("modprobe", ["mtty"]);
      await create(host, "mtty-2", UUID);
      // The poller may have missed that it was away.
      const after = await refresh(host, before);
      assert.deepEqual(changes(before, after), [
        "device-removed",
        "parent-unregistered",
        "parent-registered",
        "device-added",
        "device-ready",
      ]);
      assert.notEqual(after.devices[0]?.inode, before.devices[0]?.inode);
      await ok((await ok(host.device(UUID))).remove());
    });

    it("with the one before is never stale: a device that loses its driver", async () => {
      await create(host, "mtty-2", UUID);
      await create(host, "mtty-2", OTHER_UUID);
      const before = await ok(host.snapshot());
      const driver = before.devices[0]?.driver ?? "";
      const tell = (file: string, uuid: string): void => {
        writeFileSync(`/sys/bus/mdev/drivers/${driver}/${file}`, uuid);
      };
      tell("unbind", UUID);
      const unbound = await refresh(host, before);
      const device = unbound.devices.find(({ id }) => id === UUID);
      assert.equal(device?.driver, undefined);
      assert.equal(device?.iommuGroup, undefined);
      if (differences.genericDriver) {
        // Bound again in another order, they get other groups.
        tell("unbind", OTHER_UUID);
        tell("bind", OTHER_UUID);
        tell("bind", UUID);
        await refresh(host, before);
        await refresh(host, unbound);
      } else {
        assert.throws(() => {
          tell("bind", UUID);
        }, /ENODEV/u);
      }
      for (const uuid of [UUID, OTHER_UUID]) await ok((await ok(host.device(uuid))).remove());
    });
  });
}
