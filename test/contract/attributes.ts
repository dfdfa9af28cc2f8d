import assert from "node:assert/strict";
import { text } from "../../src/index.js";
import { fails, ok, plain } from "./expect.js";
import type { Runner, Subject } from "./subject.js";

const TYPES = {
  "mtty-1": ["mtty", "Single port serial", undefined, 24],
  "mtty-2": ["mtty", "Dual port serial", undefined, 12],
  "mdpy-hd": ["mdpy", "mdpy-hd", "virtual display, 1920x1080 framebuffer", 4],
  "mdpy-vga": ["mdpy", "mdpy-vga", "virtual display, 640x480 framebuffer", 4],
  "mdpy-xga": ["mdpy", "mdpy-xga", "virtual display, 1024x768 framebuffer", 4],
  "mbochs-large": ["mbochs", "mbochs-large", "virtual display, 64 MB video memory", 4],
  "mbochs-medium": ["mbochs", "mbochs-medium", "virtual display, 16 MB video memory", 16],
  "mbochs-small": ["mbochs", "mbochs-small", "virtual display, 4 MB video memory", 64],
} as const;

/** Attributes, typed and raw; and those that are not there, or not to be used so. */
export function attributes({ describe, it }: Runner, { host }: Subject): void {
  describe("attributes", () => {
    for (const [id, [parentId, name, description, available]] of Object.entries(TYPES)) {
      it(`reads those of ${id}`, async () => {
        const type = await ok((await ok(host.parent(parentId))).type(id));
        assert.equal(await ok(type.name.read()), name);
        assert.equal(await ok(type.description.read()), description);
        assert.equal(await ok(type.deviceApi.read()), "vfio-pci");
        assert.equal(await ok(type.deviceApi.readRaw()), "vfio-pci\n");
        assert.equal(await ok(type.availableInstances.read()), available);
        assert.equal(await ok(type.availableInstances.readRaw()), `${available}\n`);
        const info = await ok(type.read());
        const { path } = type;
        const facts = { id, path, parent: parentId, name, description, deviceApi: "vfio-pci" };
        assert.deepEqual(plain(info), {
          ...(plain(facts) as object),
          availableInstances: available,
          devices: [],
          problems: [],
        });
      });
    }

    it("tells whether there is one", async () => {
      const type = await ok((await ok(host.parent("mtty"))).type("mtty-1"));
      assert.equal(await ok(type.name.exists()), true);
      assert.equal(await ok(type.description.exists()), false);
      assert.equal(await ok(type.description.readRaw()), undefined);
    });

    it("reaches any file below an object, through links too", async () => {
      const parent = await ok(host.parent("mtty"));
      const through = parent.attribute("mdev_supported_types/mtty-1/name", text);
      assert.equal(await ok(through.read()), "Single port serial");
      const device = await ok((await ok(parent.type("mtty-1"))).create());
      assert.equal(await ok(device.attribute("mdev_type/name", text).read()), "Single port serial");
      await ok(device.remove());
    });

    it("answers what is not there with undefined, and refuses to write it", async () => {
      const parent = await ok(host.parent("mtty"));
      const absent = parent.attribute("mdev_supported_types/nothing/name", text);
      assert.equal(await ok(absent.read()), undefined);
      assert.equal(await ok(absent.exists()), false);
      assert.equal(
        (await fails(absent.write("x"), "unsupported")).missing,
        "mdev_supported_types/nothing/name",
      );
    });

    it("does not read what is write-only, nor write what is read-only", async () => {
      const type = await ok((await ok(host.parent("mtty"))).type("mtty-1"));
      assert.equal((await fails(type.attribute("create", text).read(), "permission")).errno, "EACCES");
      assert.equal((await fails(type.attribute("name", text).write("x"), "permission")).errno, "EACCES");
    });

    it("takes a folder for none", async () => {
      const type = await ok((await ok(host.parent("mtty"))).type("mtty-1"));
      await fails(type.attribute("devices", text).read(), "unsupported");
      await fails(type.attribute("devices", text).write("x"), "unsupported");
    });

    it("refuses names and texts that would do something else, before any I/O", async () => {
      const parent = await ok(host.parent("mtty"));
      for (const name of ["", "/sys/kernel/notes", "../mdpy/uevent", "a//b", "a/./b", "a/", "a\nb", "a\0b"]) {
        const attribute = parent.attribute(name, text);
        await fails(attribute.read(), "invalid-argument");
        await fails(attribute.readRaw(), "invalid-argument");
        await fails(attribute.write("x"), "invalid-argument");
        await fails(attribute.exists(), "invalid-argument");
      }
      const uevent = parent.attribute("uevent", text);
      for (const value of ["", "a\nb", "a\0", "\ud800", "x".repeat(4096)])
        await fails(uevent.write(value), "invalid-argument");
      await fails(uevent.writeRaw("x".repeat(4097)), "invalid-argument");
      await fails(uevent.writeRaw("add\n\n"), "invalid-argument");
    });
  });
}
