import assert from "node:assert/strict";
import {
  MbochsDevice,
  MbochsType,
  MdpyDevice,
  MdpyType,
  MttyDevice,
  MttyParent,
} from "../../src/extensions/samples/index.js";
import { fails, ok } from "./expect.js";
import type { Runner, Subject } from "./subject.js";

/** The typed attributes of the sample drivers. */
export function extensions({ describe, it }: Runner, { host, differences }: Subject): void {
  describe("extensions", () => {
    it("give mtty's attributes their types", async () => {
      const parent = await ok(host.parent("mtty"));
      const sample = await ok((await ok(parent.as(MttyParent))).sampleMttyDev.read());
      assert.equal(sample, differences.genericDriver ? "This is phy device" : undefined);
      const device = await ok((await ok(parent.type("mtty-2"))).create());
      const mtty = await ok(device.as(MttyDevice));
      assert.equal(mtty.device, device);
      assert.equal(await ok(mtty.sampleMdevDev.read()), `This is MDEV ${device.id}`);
      await ok(device.remove());
    });

    it("give mdpy's attributes their types", async () => {
      const type = await ok((await ok(host.parent("mdpy"))).type("mdpy-xga"));
      assert.deepEqual(await ok((await ok(type.as(MdpyType))).resolution.read()), {
        width: 1024,
        height: 768,
      });
      const device = await ok(type.create());
      const mdpy = await ok(device.as(MdpyDevice));
      assert.deepEqual(await ok(mdpy.resolution.read()), { width: 1024, height: 768 });
      await ok(device.remove());
    });

    it("give mbochs' attributes their types", async () => {
      const type = await ok((await ok(host.parent("mbochs"))).type("mbochs-medium"));
      assert.equal(await ok((await ok(type.as(MbochsType))).memory.read()), 16 * 2 ** 20);
      const device = await ok(type.create());
      assert.equal(await ok((await ok(device.as(MbochsDevice))).memory.read()), 16 * 2 ** 20);
      await ok(device.remove());
    });

    it("refuse what they do not fit", async () => {
      const parent = await ok(host.parent("mdpy"));
      assert.equal((await fails(parent.as(MttyParent), "unsupported")).missing, "MttyParent");
      const type = await ok(parent.type("mdpy-hd"));
      await fails(type.as(MbochsType), "unsupported");
      const device = await ok(type.create());
      await fails(device.as(MttyDevice), "unsupported");
      await ok(device.remove());
    });
  });
}
