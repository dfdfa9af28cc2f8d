import { describe, expect, it } from "vitest";
import { Errno, type GeneralOptions, type KernelRelease, SimulatedHost } from "../../src/testing/index.js";
import { BUS, expectError, handsOn, settle, typePath, uuid } from "./helpers.js";
import { treeOf } from "./tree.js";

const ROOTS = ["/sys", "/dev", "/proc"];
const DEVICE = `${BUS}/${uuid(1)}`;

function host(options: GeneralOptions = {}, kernel: KernelRelease = "6.1") {
  const simulated = new SimulatedHost({ kernel });
  const parent = simulated.addGeneral(options);
  return { simulated, parent, ...handsOn(simulated.fs) };
}

describe("a parent in the general layout", () => {
  it("has types with create, available_instances and requires_group, and nothing else", async () => {
    const { simulated, ls, read } = host();
    expect(await ls("/sys/class/mdev_bus")).toEqual(["general"]);
    expect(await ls(`${typePath("general", "small")}/..`)).toEqual(["large", "small"]);
    for (const [type, requires] of [
      ["small", "0\n"],
      ["large", "1\n"],
    ] as const) {
      const folder = typePath("general", type);
      expect(await ls(folder)).toEqual(["available_instances", "create", "requires_group"]);
      expect(await read(`${folder}/requires_group`)).toBe(requires);
      expect(await read(`${folder}/available_instances`)).toBe("4\n");
      expect((await simulated.fs.lstat(`${folder}/create`)).mode & 0o7777).toBe(0o200);
    }
  });

  it.each([uuid(1), `${uuid(1)}\n`, uuid(0xabc).toUpperCase()])("creates with %j", async (text) => {
    const { create, ls } = host();
    await create("general", "small", text);
    expect(await ls(BUS)).toEqual([text.trim().toLowerCase()]);
  });

  it.each(["", "x", `{${uuid(1)}}`, `${uuid(1)}\n\n`, `${uuid(1)},params`])(
    "refuses to create with %j",
    async (text) => {
      const { write, ls } = host();
      const refused = write(`${typePath("general", "small")}/create`, text === "" ? "\n" : text);
      await expectError(refused, "EINVAL (write)");
      expect(await ls(BUS)).toEqual([]);
    },
  );

  it("refuses a UUID twice, on other parents too, and more than there are", async () => {
    const { simulated, create, available } = host({ capacity: 2 });
    simulated.addMtty().create("mtty-1", uuid(1));
    await expectError(create("general", "small", uuid(1)), "EEXIST (write)");
    await create("general", "small", uuid(2));
    expect(await available("general", "large")).toBe(1);
    await create("general", "large", uuid(3));
    await expectError(create("general", "small", uuid(4)), "ENOSPC (write)");
  });

  it("may count by its own rules", () => {
    const { parent } = host({ capacity: { countedBy: "core", full: "EIO", available: () => 0 } });
    expect(() => parent.create("small")).toThrow("EIO");
  });

  it.each(["5.10", "6.1"] as const)("on %s is what it was when its devices are gone", async (kernel) => {
    const { simulated, parent, ls, write } = host({ weight: 1 }, kernel);
    const initial = await treeOf(simulated.fs, ROOTS);
    for (const n of [1, 2]) parent.create("small", uuid(n));
    await write(`${DEVICE}/destroy`, "1");
    parent.remove(uuid(2));
    expect(await treeOf(simulated.fs, ROOTS)).toEqual(initial);
    parent.create("small", uuid(1));
    await parent.unplug();
    expect(await ls("/sys/class/mdev_bus").catch(() => [])).toEqual([]);
    expect(await ls("/sys/devices/virtual")).toEqual([]);
  });

  it("has the files that it is given", async () => {
    const { simulated, parent, read, ls } = host({
      id: "card7",
      types: [{ id: "1", attributes: { speed: { read: () => "9\n" } } }],
      attributes: { firmware: { read: () => "2\n" } },
      deviceAttributes: {
        "vendor/uuid": { read: (device) => device.uuid },
        broken: {
          read: () => {
            throw new Errno("EIO");
          },
        },
      },
    });
    parent.create("1", uuid(1));
    expect(await read("/sys/class/mdev_bus/card7/firmware")).toBe("2\n");
    expect(await read(`${typePath("card7", "1")}/speed`)).toBe("9\n");
    expect(await read(`${DEVICE}/vendor/uuid`)).toBe(uuid(1));
    await expectError(read(`${DEVICE}/broken`), "EIO (read)");
    expect(await simulated.fs.realpath(DEVICE)).toBe(`/sys/devices/virtual/card7/card7/${uuid(1)}`);
    expect(await ls(`${DEVICE}/type`)).toContain("requires_group");
  });
});

describe("a device in the general layout", () => {
  it("has a link to its type, and the files of the proposal", async () => {
    const { simulated, parent, ls, read } = host();
    parent.create("small", uuid(1));
    expect(await simulated.fs.readlink(`${DEVICE}/type`)).toBe("../mdev_supported_types/small");
    const names = await ls(DEVICE);
    expect(names).toEqual(expect.arrayContaining(["type", "destroy", "online", "reset", "group"]));
    for (const none of ["mdev_type", "remove", "Destroy", "priority", "weight", "params"])
      expect(names).not.toContain(none);
    const modes = await Promise.all(
      ["destroy", "online", "reset", "group"].map(
        async (name) => (await simulated.fs.lstat(`${DEVICE}/${name}`)).mode & 0o7777,
      ),
    );
    expect(modes).toEqual([0o200, 0o644, 0o200, 0o644]);
    expect(await read(`${DEVICE}/online`)).toBe("0\n");
    expect(await read(`${DEVICE}/group`)).toBe("\n");
    await expectError(read(`${DEVICE}/destroy`), "EACCES (open)");
    await expectError(read(`${DEVICE}/reset`), "EACCES (open)");
  });

  it.each(["destroy", "Destroy"] as const)("goes with %s", async (destroyFile) => {
    const { parent, write, ls, available } = host({ destroyFile });
    parent.create("small", uuid(1));
    await write(`${DEVICE}/${destroyFile}`, "0\n");
    for (const bad of ["x", "-1", "1 1"])
      await expectError(write(`${DEVICE}/${destroyFile}`, bad), "EINVAL (write)");
    expect(await ls(BUS)).toEqual([uuid(1)]);
    await write(`${DEVICE}/${destroyFile}`, "1\n");
    expect(await ls(BUS)).toEqual([]);
    expect(parent.devices).toEqual([]);
    expect(await available("general", "small")).toBe(4);
  });

  it("does not go while it is online", async () => {
    const { parent, write, read } = host();
    parent.create("small", uuid(1));
    await write(`${DEVICE}/online`, "1\n");
    expect(await read(`${DEVICE}/online`)).toBe("1\n");
    await expectError(write(`${DEVICE}/destroy`, "1"), "EBUSY (write)");
    expect(() => parent.remove(uuid(1))).toThrow("EBUSY");
    await write(`${DEVICE}/online`, "0");
    await write(`${DEVICE}/destroy`, "1");
    expect(parent.devices).toEqual([]);
  });

  it("does not go while it is open", async () => {
    const { simulated, parent, write } = host();
    parent.create("small", uuid(1));
    const vm = simulated.open(uuid(1));
    await expectError(write(`${DEVICE}/destroy`, "1"), "EBUSY (write)");
    expect(() => parent.remove(uuid(1))).toThrow("is open");
    vm.close();
    parent.remove(uuid(1));
  });

  it("does not go online without a group where its type requires one", async () => {
    const { parent, write, read } = host();
    parent.create("large", uuid(1));
    await expectError(write(`${DEVICE}/online`, "1"), "EINVAL (write)");
    expect(await read(`${DEVICE}/online`)).toBe("0\n");
    await write(`${DEVICE}/group`, "vm-7\n");
    expect(await read(`${DEVICE}/group`)).toBe("vm-7\n");
    await write(`${DEVICE}/online`, "1");
    await write(`${DEVICE}/online`, "0");
    await write(`${DEVICE}/group`, "\n");
    await write(`${DEVICE}/online`, "0");
    await expectError(write(`${DEVICE}/online`, "1"), "EINVAL (write)");
  });

  it.each(["2", "-1", "y", "", "1 0"])("is switched by 0 and 1, not by %j", async (text) => {
    const { parent, write } = host();
    parent.create("small", uuid(1));
    await expectError(write(`${DEVICE}/online`, text === "" ? "\n" : text), "EINVAL (write)");
  });

  it("counts its resets", async () => {
    const { parent, write } = host();
    parent.create("small", uuid(1));
    parent.create("small", uuid(2));
    await write(`${DEVICE}/reset`, "1");
    await write(`${DEVICE}/reset`, "1\n");
    for (const bad of ["0", "2", "x"]) await expectError(write(`${DEVICE}/reset`, bad), "EINVAL (write)");
    expect(parent.resetsOf(uuid(1).toUpperCase())).toBe(2);
    expect(parent.resetsOf(uuid(2))).toBe(0);
    expect(() => parent.resetsOf(uuid(3))).toThrow("has no device");
  });

  it("may have a priority, a weight and parameters", async () => {
    const { simulated, parent, write, read } = host({ priority: -5, weight: 100, params: "a=1" });
    parent.create("small", uuid(1));
    parent.create("small", uuid(2));
    const modes = await Promise.all(
      ["priority", "weight", "params"].map(
        async (name) => (await simulated.fs.lstat(`${DEVICE}/${name}`)).mode & 0o7777,
      ),
    );
    expect(modes).toEqual([0o644, 0o644, 0o644]);
    expect(await read(`${DEVICE}/priority`)).toBe("-5\n");
    await write(`${DEVICE}/priority`, "+7\n");
    await write(`${DEVICE}/weight`, "-12");
    expect(await read(`${DEVICE}/priority`)).toBe("7\n");
    expect(await read(`${DEVICE}/weight`)).toBe("-12\n");
    for (const bad of ["x", "1.5", "0x1"])
      await expectError(write(`${DEVICE}/weight`, bad), "EINVAL (write)");
    await expectError(write(`${DEVICE}/weight`, "9".repeat(20)), "ERANGE (write)");
    expect(await read(`${DEVICE}/params`)).toBe("a=1\n");
    await write(`${DEVICE}/params`, "what ever, you: like\n");
    expect(await read(`${DEVICE}/params`)).toBe("what ever, you: like\n");
    expect(await read(`${BUS}/${uuid(2)}/params`)).toBe("a=1\n");
    parent.remove(uuid(1));
    parent.create("small", uuid(1));
    expect(await read(`${DEVICE}/weight`)).toBe("100\n");
  });

  it("shows half-made and half-removed", async () => {
    const { simulated, create, write, ls } = host();
    const making = simulated.pauseCreate({ before: "mdev_type" });
    const created = create("general", "small", uuid(1));
    await making.reached;
    expect(await ls(DEVICE)).not.toContain("type");
    making.resume();
    await created;
    const removing = simulated.pauseRemove({ before: "folder" });
    const removed = write(`${DEVICE}/destroy`, "1");
    await removing.reached;
    expect(await ls(`/sys/devices/virtual/general/general/${uuid(1)}`)).not.toContain("type");
    await expectError(write(`${DEVICE}/destroy`, "1"), "ENOENT (open)");
    removing.resume();
    await removed;
    await settle();
  });
});
