// Virtual machines that have mediated devices by the arguments that this library writes.
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { MdevDevice, MdevHost, MdevType } from "../../src/index.js";
import { MdpyType } from "../../src/extensions/samples/index.js";
import {
  deviceAdd,
  deviceDel,
  formatQemuDevice,
  type QemuDeviceOptions,
} from "../../src/interop/qemu/index.js";
import { ok } from "../contract/expect.js";
import {
  given,
  isFree,
  isTaken,
  qemuSince,
  qemuVersion,
  startedWith,
  VirtualMachine,
} from "./virtual-machine.js";

interface PciDevice {
  readonly qdev_id: string;
  readonly bus: number;
  readonly slot: number;
  readonly function: number;
  readonly id: { readonly vendor: number; readonly device: number };
  readonly regions: readonly { readonly address: number }[];
}

/** What a virtual machine sees of the kernel's sample devices. Source: the kernel's `samples/vfio-mdev/`. */
const SEEN = [
  ["mtty-1", { vendor: 0x4348, device: 0x3253 }],
  ["mdpy-hd", { vendor: 0x1b36, device: 0x000f }],
  ["mbochs-small", { vendor: 0x1234, device: 0x1111 }],
] as const;
/** Where the device is plugged in, of a machine that is not running, and of one that is. */
const STOPPED = ["-machine", "q35", "-S"];
const RUNNING = ["-machine", "q35"];
const PLACE: QemuDeviceOptions = { id: "vgpu0", bus: "pcie.0", addr: "0x5" };

/** What QEMU does with mtty, mdpy and mbochs. */
export function virtualMachines(host: MdevHost): void {
  const typeOf = async (id: string): Promise<MdevType> =>
    ok((await ok(host.parent(id.replace(/-.*/u, "")))).type(id));
  const made = async (id: string): Promise<MdevDevice> => ok((await typeOf(id)).create());
  const pci = async (machine: VirtualMachine, id: string): Promise<PciDevice> => {
    const buses = (await machine.ask("query-pci")) as { readonly devices: readonly PciDevice[] }[];
    const found = buses.flatMap(({ devices }) => devices).find(({ qdev_id }) => qdev_id === id);
    return found ?? assert.fail(`the machine has no PCI device ${id}`);
  };
  const boot = async (
    device: MdevDevice,
    options: QemuDeviceOptions,
    args = STOPPED,
  ): Promise<VirtualMachine> =>
    VirtualMachine.start([...args, "-device", formatQemuDevice(await given(device, options))]);

  describe("a virtual machine", () => {
    for (const [id, seen] of SEEN) {
      it(`has a device, and lets go of it: ${id}`, async (t) => {
        const device = await made(id);
        const begun = performance.now();
        const machine = await boot(device, PLACE);
        t.diagnostic(`QEMU ${qemuVersion()} opened ${id} in ${Math.round(performance.now() - begun)} ms`);
        const { bus, slot, function: fn, id: numbers } = await pci(machine, "vgpu0");
        assert.deepEqual([bus, slot, fn], [0, 5, 0]);
        assert.deepEqual([numbers.vendor, numbers.device], [seen.vendor, seen.device]);
        assert.deepEqual(await machine.devices(), { vgpu0: "vfio-pci" });
        assert.equal(await machine.property("vgpu0", "sysfsdev"), `/sys/bus/mdev/devices/${device.id}`);
        assert.deepEqual(startedWith(machine), [device.id]);
        await isTaken(device, machine);
        await machine.quit();
        await isFree(device);
      });
    }

    it("takes the JSON form where QEMU is 6.2 or later", async () => {
      const device = await made("mtty-1");
      const start = async (): Promise<VirtualMachine> =>
        VirtualMachine.start([...STOPPED, "-device", JSON.stringify(await given(device, PLACE))]);
      if (!qemuSince("6.2")) {
        await assert.rejects(start(), /is not a valid device model name/u);
      } else {
        const machine = await start();
        assert.equal((await pci(machine, "vgpu0")).slot, 5);
        assert.deepEqual(startedWith(machine), [device.id]);
        await isTaken(device, machine);
        await machine.quit();
      }
      await isFree(device);
    });

    it("runs with it: its firmware gives the device addresses", async () => {
      const device = await made("mbochs-small");
      const machine = await boot(device, { ...PLACE, bootindex: 1, multifunction: true }, RUNNING);
      while ((await pci(machine, "vgpu0")).regions.some(({ address }) => address === -1)) await pause(100);
      assert.equal(((await machine.ask("query-status")) as { status: string }).status, "running");
      await isTaken(device, machine);
      await machine.quit();
      await isFree(device);
    });

    for (const [id, options] of [
      ["mdpy-hd", { display: "on" }],
      ["mdpy-xga", { display: "auto" }],
      ["mdpy-vga", { display: "on", ramfb: true }],
    ] as const) {
      it(`shows its display in the resolution of its type: ${id} with ${JSON.stringify(options)}`, async () => {
        const device = await made(id);
        const machine = await boot(device, { ...PLACE, ...options });
        const driver = "ramfb" in options ? "vfio-pci-nohotplug" : "vfio-pci";
        assert.deepEqual(await machine.devices(), { vgpu0: driver });
        await machine.ask("screendump", { filename: "/tmp/shown.ppm", device: "vgpu0" });
        const [format, shown] = readFileSync("/tmp/shown.ppm", "latin1").split("\n", 2);
        rmSync("/tmp/shown.ppm");
        const size = await ok((await ok((await typeOf(id)).as(MdpyType))).resolution.read());
        assert.deepEqual([format, shown], ["P6", `${size?.width} ${size?.height}`]);
        await machine.quit();
        await isFree(device);
      });
    }

    // QEMU 5.2 crashes instead of saying the last two.
    const unless52 = (words: RegExp): RegExp => (qemuSince("7.2") ? words : /ended with status null/u);
    for (const [what, id, options, words] of [
      [
        "a display that is not there",
        "mtty-1",
        { display: "on" },
        /doesn't support any \(known\) display method/u,
      ],
      [
        "a display in a dma-buf without OpenGL",
        "mbochs-small",
        { display: "auto" },
        unless52(/opengl not available/u),
      ],
      [
        "a size where there is no EDID",
        "mdpy-hd",
        { display: "on", xres: 800, yres: 600 },
        unless52(/need edid support/u),
      ],
    ] as const) {
      it(`is refused ${what}, by QEMU: ${id}`, async () => {
        const device = await made(id);
        await assert.rejects(boot(device, { ...PLACE, ...options }), words);
        await isFree(device);
      });
    }

    // Not one with a display: of that, QEMU 7.2 sends no DEVICE_DELETED.
    it("gets a device while it is there, and gives it back", async () => {
      const device = await made("mdpy-hd");
      const machine = await VirtualMachine.start(["-machine", "pc", "-S"]);
      assert.deepEqual(await ok(device.inUse()), { state: "no", holders: [] });
      const added = await given(device, { id: "vgpu0", bus: "pci.0", addr: "0x4" });
      await machine.execute(deviceAdd(added).getOrThrow());
      assert.equal((await pci(machine, "vgpu0")).slot, 4);
      assert.deepEqual(startedWith(machine), []);
      await isTaken(device, machine);

      await machine.execute(deviceDel("vgpu0")); // it only asks
      await isTaken(device, machine);
      await machine.ask("system_reset"); // no system runs in there that could answer; firmware lets go, too
      await machine.told("DEVICE_DELETED");
      assert.deepEqual(await machine.devices(), {});
      await isFree(device);
      await machine.quit();
    });

    it("has several devices, and a removal waits for its end", async () => {
      const devices = [await made("mtty-1"), await made("mdpy-vga"), await made("mbochs-small")];
      const args: string[] = [];
      for (const [index, device] of devices.entries())
        args.push("-device", formatQemuDevice(await given(device, { id: `vgpu${index}` })));
      const machine = await VirtualMachine.start([...STOPPED, ...args]);
      assert.deepEqual(Object.keys(await machine.devices()).sort(), ["vgpu0", "vgpu1", "vgpu2"]);
      for (const device of devices) await isTaken(device, machine);
      const removals = devices.map((device) => ok(device.remove({ ifBusy: "wait", timeout: 20_000 })));
      await pause(300);
      for (const device of devices) assert.equal(await ok(device.state()), "active");
      await machine.quit();
      for (const removal of removals) assert.deepEqual(await removal, { removed: true });
    });

    it("that is killed leaves its device free", async () => {
      const device = await made("mbochs-small");
      const machine = await boot(device, PLACE);
      await isTaken(device, machine);
      await machine.kill();
      await isFree(device);
    });

    it("opens it through iommufd, where QEMU is 8.2 or later and the kernel has it", async (t) => {
      const device = await made("mdpy-hd");
      const { device: node } = await ok(device.vfioNodes());
      const args = [...STOPPED, "-object", "iommufd,id=iommufd0"];
      const start = (): Promise<VirtualMachine> => boot(device, { ...PLACE, iommufd: "iommufd0" }, args);
      if (!qemuSince("8.2")) await assert.rejects(start(), /invalid object type: iommufd|iommufd/u);
      else if (!existsSync("/dev/iommu"))
        await assert.rejects(start(), /failed to load|\/dev\/iommu does not exist/u);
      else {
        assert.ok(node);
        const machine = await start();
        assert.equal((await pci(machine, "vgpu0")).slot, 5);
        await isTaken(device, machine);
        await machine.quit();
      }
      t.diagnostic(`QEMU ${qemuVersion()}, /dev/iommu is ${existsSync("/dev/iommu") ? "" : "not "}there`);
      await isFree(device);
    });
  });
}
