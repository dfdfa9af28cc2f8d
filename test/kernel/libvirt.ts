// A real libvirt on a host with mediated devices, by the commands of docs/libvirt.md (see suite-debian.ts).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { MdevDevice, MdevHost, Parent } from "../../src/index.js";
import { DefinitionStore } from "../../src/definitions/index.js";
import {
  formatHostdev,
  formatMdevNodeDevice,
  formatParentNodeDevice,
  hostdev,
  mdevNodeDevice,
  mdevNodeDeviceName,
  newMdevNodeDevice,
  parentNodeDevice,
  parentNodeDeviceName,
  parseHostdevs,
  parseMdevNodeDevice,
  parseNodeDeviceName,
  parseParentNodeDevice,
} from "../../src/interop/libvirt/index.js";
import { fencesRunBy } from "../../tools/doc-fences/extract.mjs";
import { fails, ok } from "../contract/expect.js";
import { DEBIAN, put, shell } from "./debian.js";
import { startedWith } from "./virtual-machine.js";

const UUID = "c2177883-f1bb-47f0-914d-32a22e3a8804";
const OTHER = "95242535-e423-41a6-bb58-f28a44d68d66";
const NAME = mdevNodeDeviceName(UUID, "mtty");
/** What the page calls the same device. */
const ON_THE_PAGE = mdevNodeDeviceName(UUID, "0000:3b:00.0");

/** Without the confinement that takes more than a guest has. */
const QEMU_CONF = `user = "root"
group = "root"
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
remember_owner = 0
`;
const DOMAIN = `<domain type="qemu"><name>vm</name><memory unit="MiB">32</memory><vcpu>1</vcpu>
  <os><type arch="x86_64" machine="pc">hvm</type></os>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices></domain>`;

const virsh = (command: string): string => shell(`virsh -q ${command}`);
const listed = (options: string): string[] => virsh(`nodedev-list ${options}`).trim().split(/\s+/u);
const dumped = (name: string): string => virsh(`nodedev-dumpxml ${name}`);
/** XML of ours, in libvirt's quotes. */
const quoted = (xml: string): string => xml.replaceAll('"', "'");

/** Waits for what libvirt only hears of. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(200);
}

/** What libvirt does with mtty. */
export function libvirt(host: MdevHost): void {
  const definitions = new DefinitionStore({ root: `${DEBIAN}/etc/mdevctl.d` });
  const described = async (parent: Parent): Promise<ReturnType<typeof parentNodeDevice>> => {
    const types = await Promise.all((await ok(parent.types())).map((type) => ok(type.read())));
    return parentNodeDevice(await ok(parent.read()), types);
  };
  const isDescribed = async (device: MdevDevice): Promise<void> => {
    const { id, parent } = await ok(device.read());
    const theirs = dumped(mdevNodeDeviceName(id, parent));
    const ours = mdevNodeDevice(await ok(device.read())).getOrThrow();
    assert.deepEqual(parseMdevNodeDevice(theirs).getOrThrow(), ours);
    assert.equal(theirs.trim(), quoted(formatMdevNodeDevice(ours)).trim());
  };

  describe("libvirt", () => {
    before(() => {
      put("/etc/libvirt/qemu.conf", QEMU_CONF);
      shell("mkdir -p /var/log/libvirt/qemu /var/lib/libvirt /var/cache/libvirt; libvirtd --daemon");
    });

    it("has the parents that this library has a name for, and describes them as it does", async (t) => {
      t.diagnostic(shell("virsh version --daemon").trim().split("\n").at(-1) ?? "");
      const names = (await ok(host.parents())).flatMap(
        (parent) => parentNodeDeviceName(parent).getOrNull() ?? [],
      );
      assert.deepEqual(names, ["mtty_mtty"]);
      assert.deepEqual(listed("--cap mdev_types"), names);
      assert.deepEqual(parseNodeDeviceName("mtty_mtty").getOrThrow(), { kind: "parent", parent: "mtty" });
      const theirs = dumped("mtty_mtty");
      const ours = (await described(await ok(host.parent("mtty")))).getOrThrow();
      assert.deepEqual(parseParentNodeDevice(theirs).getOrThrow(), ours);
      assert.equal(theirs.trim(), quoted(formatParentNodeDevice(ours)).trim());
    });

    it("brings a device to a virtual machine by the commands of the page, and takes it away", async () => {
      const mtty = await ok(host.parent("mtty"));
      const type = await ok((await ok(mtty.type("mtty-1"))).read());
      const wanted = hostdev({ id: UUID }, type).getOrThrow();
      put("/root/mdev.xml", formatMdevNodeDevice(newMdevNodeDevice(type, { uuid: UUID }).getOrThrow()));
      put("/root/hostdev.xml", formatHostdev(wanted));
      put("/root/vm.xml", DOMAIN);
      virsh("define vm.xml");

      const [commands = ""] = fencesRunBy("test/kernel/libvirt.ts", "docs/libvirt.md", 1);
      assert.match(
        shell(commands.replaceAll(ON_THE_PAGE, NAME)),
        new RegExp(`${NAME}[^]*Domain '?vm'? started`, "u"),
      );

      const device = await ok(host.device(UUID));
      const machine = { pid: Number(readFileSync("/run/libvirt/qemu/vm.pid", "utf8")) };
      assert.deepEqual(await ok(device.inUse()), { state: "yes", holders: [machine.pid] });
      assert.deepEqual(startedWith(machine), [UUID]);
      assert.deepEqual((await fails(device.remove(), "busy")).holders, [machine.pid]);
      assert.equal(await ok(device.state()), "active");
      const { parent, type: of, start, attributes } = await ok(definitions.get(UUID));
      assert.deepEqual([parent, of, start, attributes], ["mtty", "mtty-1", "manual", []]);

      assert.deepEqual(listed("--cap mdev"), [NAME]);
      await isDescribed(device);
      assert.deepEqual(
        parseParentNodeDevice(dumped("mtty_mtty")).getOrThrow(),
        (await described(mtty)).getOrThrow(),
      );
      const [given, ...others] = parseHostdevs(virsh("dumpxml vm")).getOrThrow();
      assert.deepEqual(others, []);
      assert.deepEqual(given, { ...wanted, display: "off", address: given?.address }); // QEMU's default, and a place

      assert.throws(() => virsh(`nodedev-destroy ${NAME}`), /device in use/u);
      virsh("destroy vm");
      assert.deepEqual(await ok(device.inUse()), { state: "no", holders: [] });
      virsh(`nodedev-destroy ${NAME}`);
      await fails(host.device(UUID), "not-found");
      assert.deepEqual(listed("--cap mdev --inactive"), [NAME]);
      const made = newMdevNodeDevice(type, { uuid: UUID }).getOrThrow();
      assert.deepEqual(parseMdevNodeDevice(dumped(NAME)).getOrThrow(), { ...made, parentAddress: "mtty" });
      virsh(`nodedev-undefine ${NAME}`);
      await fails(definitions.get(UUID), "not-found");
      assert.deepEqual(listed("--cap mdev --all"), [""]);
    });

    it("has the devices and definitions that this library makes", async () => {
      const name = mdevNodeDeviceName(OTHER, "mtty");
      await ok(definitions.define({ parent: "mtty", type: "mtty-2", uuid: OTHER }));
      await until(() => listed("--cap mdev --inactive").includes(name));
      virsh(`nodedev-autostart ${name}`);
      assert.equal((await ok(definitions.get(OTHER))).start, "auto");

      // Under mdpy, too, which is no node device itself.
      for (const [parent, type] of [
        ["mtty", "mtty-2"],
        ["mdpy", "mdpy-hd"],
      ] as const) {
        const uuid = parent === "mtty" ? OTHER : UUID;
        const device = await ok((await ok((await ok(host.parent(parent))).type(type))).create({ uuid }));
        await until(() => listed("--cap mdev").includes(mdevNodeDeviceName(uuid, parent)));
        await isDescribed(device);
        await ok(device.remove());
      }
      await until(() => listed("--cap mdev").join() === "");
      assert.deepEqual(listed("--cap mdev --inactive"), [name]);
      await ok(definitions.undefine(OTHER));
      await until(() => listed("--cap mdev --all").join() === "");
    });
  });
}
