// Virtual machines of s390x that have channel devices by the arguments that this library writes.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MdevDevice, MdevHost } from "../../src/index.js";
import { deviceAdd, deviceDel, formatQemuDevice } from "../../src/interop/qemu/index.js";
import type { Subchannel } from "../contract/ccw.js";
import { ok } from "../contract/expect.js";
import { given, isFree, isTaken, qemuVersion, startedWith, VirtualMachine } from "./virtual-machine.js";

const MACHINE = ["-machine", "s390-ccw-virtio", "-S"];
const PLACE = { id: "hostdev0", devno: "fe.0.0042" };

/** What QEMU does with the devices of two subchannels, and with mtty. */
export function channelMachines(host: MdevHost, subchannels: readonly [Subchannel, Subchannel]): void {
  const made = async (parent: string, type: string): Promise<MdevDevice> =>
    ok((await ok((await ok(host.parent(parent))).type(type))).create());
  const channel = (which: 0 | 1): Promise<MdevDevice> => made(subchannels[which].id, "vfio_ccw-io");

  describe("a virtual machine", () => {
    it("has the devices of two subchannels, by both forms, and lets go of them", async (t) => {
      const devices = [await channel(0), await channel(1)] as const;
      const first = formatQemuDevice(await given(devices[0], PLACE));
      const second = JSON.stringify(await given(devices[1], { id: "hostdev1", devno: "fe.0.0043" }));
      const begun = performance.now();
      const machine = await VirtualMachine.start([...MACHINE, "-device", first, "-device", second]);
      t.diagnostic(`QEMU ${qemuVersion()} opened two in ${Math.round(performance.now() - begun)} ms`);
      assert.deepEqual(await machine.devices(), { hostdev0: "vfio-ccw", hostdev1: "vfio-ccw" });
      assert.equal(await machine.property("hostdev0", "dev_id"), "fe.0.0042");
      assert.equal(await machine.property("hostdev1", "dev_id"), "fe.0.0043");
      assert.deepEqual(
        startedWith(machine),
        devices.map(({ id }) => id),
      );
      for (const device of devices) await isTaken(device, machine);
      await machine.quit();
      for (const device of devices) await isFree(device);
    });

    it("gets a device while it is there, and gives it back", async () => {
      const device = await channel(0);
      const machine = await VirtualMachine.start(MACHINE);
      await machine.execute(deviceAdd(await given(device, PLACE)).getOrThrow());
      assert.equal(await machine.property("hostdev0", "sysfsdev"), `/sys/bus/mdev/devices/${device.id}`);
      assert.equal(await machine.property("hostdev0", "dev_id"), "fe.0.0042");
      await isTaken(device, machine);
      await machine.execute(deviceDel("hostdev0"));
      await machine.told("DEVICE_DELETED");
      assert.deepEqual(await machine.devices(), {});
      await isFree(device);
      await machine.quit();
    });

    it("is refused mtty, by QEMU: s390x takes no PCI device without MSI-X", async () => {
      const device = await made("mtty", "mtty-1");
      const argument = formatQemuDevice(await given(device, { id: "serial0" }));
      await assert.rejects(
        VirtualMachine.start([...MACHINE, "-device", argument]),
        /MSI-X support is mandatory/u,
      );
      await isFree(device);
    });
  });
}
