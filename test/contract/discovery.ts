import assert from "node:assert/strict";
import { fails, ok } from "./expect.js";
import type { Runner, Subject } from "./subject.js";

const ids = (objects: readonly { readonly id: string }[]): string[] => objects.map(({ id }) => id);

/** Parents and types: what there is, and how it is found. */
export function discovery({ describe, it }: Runner, { host }: Subject): void {
  describe("discovery", () => {
    it("tells what the host supports", async () => {
      const support = await ok(host.support());
      assert.equal(support.mdev, true);
      assert.equal(support.parents, true);
      assert.equal(support.vfio, true);
    });

    it("lists the parents in their order", async () => {
      const parents = await ok(host.parents());
      assert.deepEqual(ids(parents), ["mbochs", "mdpy", "mtty"]);
      assert.deepEqual(
        parents.map(({ path }) => path),
        ["mbochs", "mdpy", "mtty"].map((name) => `/sys/devices/virtual/${name}/${name}`),
      );
      assert.ok(parents.every(({ layout }) => layout === "merged"));
    });

    it("finds a parent by its name", async () => {
      const parent = await ok(host.parent("mtty"));
      assert.equal(parent.path, "/sys/devices/virtual/mtty/mtty");
    });

    it("suggests the parent that may have been meant", async () => {
      const error = await fails(host.parent("MTTY"), "not-found");
      assert.equal(error.suggestion, "mtty");
      assert.equal((await fails(host.parent("0000:3b:00.0"), "not-found")).suggestion, undefined);
    });

    it("knows of a parent what the kernel tells", async () => {
      const parent = await ok(host.parent("mtty"));
      assert.equal(await ok(parent.driver()), undefined);
      assert.equal(await ok(parent.numaNode.read()), undefined);
      assert.equal(await ok(parent.pci()), undefined);
      const info = await ok(parent.read());
      assert.deepEqual(JSON.parse(JSON.stringify(info)), {
        id: "mtty",
        path: "/sys/devices/virtual/mtty/mtty",
        layout: "merged",
        devices: [],
        types: ["mtty-1", "mtty-2"],
        problems: [],
      });
      assert.ok(Object.isFrozen(info) && Object.isFrozen(info.types));
    });

    it("lists the types of each parent in their order", async () => {
      const types = async (id: string): Promise<string[]> =>
        ids(await ok((await ok(host.parent(id))).types()));
      assert.deepEqual(await types("mtty"), ["mtty-1", "mtty-2"]);
      assert.deepEqual(await types("mdpy"), ["mdpy-hd", "mdpy-vga", "mdpy-xga"]);
      assert.deepEqual(await types("mbochs"), ["mbochs-large", "mbochs-medium", "mbochs-small"]);
    });

    it("finds a type by its id, and says which was meant", async () => {
      const mtty = await ok(host.parent("mtty"));
      assert.equal(
        (await ok(mtty.type("mtty-2"))).path,
        "/sys/devices/virtual/mtty/mtty/mdev_supported_types/mtty-2",
      );
      assert.equal((await fails(mtty.type("Mtty-2"), "not-found")).suggestion, "mtty-2");
      assert.equal((await fails(mtty.type("Dual port serial"), "not-found")).suggestion, "mtty-2");
    });

    it("finds types by their name for people and by what they are", async () => {
      const mtty = await ok(host.parent("mtty"));
      assert.deepEqual(ids(await ok(mtty.findTypes({ name: "Dual port serial" }))), ["mtty-2"]);
      assert.deepEqual(ids(await ok(mtty.findTypes({ name: /port serial$/g, available: true }))), [
        "mtty-1",
        "mtty-2",
      ]);
      assert.deepEqual(ids(await ok(mtty.findTypes({ deviceApi: "vfio-pci" }))), ["mtty-1", "mtty-2"]);
      assert.deepEqual(await ok(mtty.findTypes({ deviceApi: "vfio-ccw" })), []);
      assert.deepEqual(await ok(mtty.findTypes({ available: false })), []);
    });

    it("has no devices where there are none", async () => {
      assert.deepEqual(await ok(host.devices()), []);
      for (const parent of await ok(host.parents())) {
        assert.deepEqual(await ok(parent.devices()), []);
        for (const type of await ok(parent.types())) assert.deepEqual(await ok(type.devices()), []);
      }
      await fails(host.device("83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"), "not-found");
    });

    it("refuses ids that could lead elsewhere", async () => {
      for (const id of ["", ".", "..", "a/b", "/sys", "a\nb", "a\0b", "x".repeat(300)]) {
        await fails(host.parent(id), "invalid-argument");
        await fails((await ok(host.parent("mtty"))).type(id), "invalid-argument");
        await fails(host.device(id), "invalid-argument");
      }
    });
  });
}
