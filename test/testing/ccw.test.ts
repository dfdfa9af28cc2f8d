import { describe, expect, it } from "vitest";
import { SimulatedHost } from "../../src/testing/index.js";
import { BUS, expectError, handsOn, settle, typePath, uuid } from "./helpers.js";
import { treeOf } from "./tree.js";

const DRIVERS = "/sys/bus/css/drivers";
const TYPE = "vfio_ccw-io";

function machine(options: Parameters<SimulatedHost["addSubchannel"]>[0] = { id: "0.0.0313" }) {
  const simulated = new SimulatedHost();
  const subchannel = simulated.addSubchannel(options);
  const hands = handsOn(simulated.fs);
  const to = (file: "bind" | "unbind", driver = "vfio_ccw", id = options.id): Promise<void> =>
    hands.write(`${DRIVERS}/${driver}/${file}`, id);
  return { simulated, subchannel, to, ...hands };
}

describe("a simulated subchannel", () => {
  // as recorded from Linux 7.2.13 on s390x, `parent` included
  it("shows what the kernel shows", async () => {
    const { simulated, read, ls } = machine({ id: "0.0.0003", device: "0.0.1111" });
    const folder = "/sys/devices/css0/0.0.0003";
    expect(await simulated.fs.readlink("/sys/class/mdev_bus/0.0.0003")).toBe("../../devices/css0/0.0.0003");
    expect(await simulated.fs.readlink("/sys/bus/css/devices/0.0.0003")).toBe(
      "../../../devices/css0/0.0.0003",
    );
    expect(await simulated.fs.readlink(`${folder}/driver`)).toBe("../../../bus/css/drivers/vfio_ccw");
    expect(await ls(typePath("0.0.0003", TYPE))).toEqual([
      "available_instances",
      "create",
      "device_api",
      "devices",
      "name",
    ]);
    expect(await read(`${typePath("0.0.0003", TYPE)}/name`)).toBe("I/O subchannel (Non-QDIO)\n");
    expect(await read(`${folder}/parent/uevent`)).toBe("");
    expect(await read(`${folder}/driver_override`)).toBe("vfio_ccw\n");
  });

  it("gives one device, from either driver's count", async () => {
    const { create, remove, available, ls, simulated } = machine();
    await create("0.0.0313", TYPE, uuid(1));
    await expectError(create("0.0.0313", TYPE, uuid(2)), "Unknown system error -87 (write)");
    await expectError(create("0.0.0313", TYPE, uuid(1)), "EEXIST (write)");
    expect(await ls(`${BUS}/${uuid(1)}`)).not.toContain("power");
    expect(await ls(`${BUS}/${uuid(1)}/vfio-dev/vfio0`)).not.toContain("power");
    expect(await ls("/sys/class/vfio/0")).not.toContain("power");
    expect(await simulated.fs.realpath(`${BUS}/${uuid(1)}/driver`)).toBe(
      "/sys/bus/mdev/drivers/vfio_ccw_mdev",
    );
    await remove(uuid(1));
    expect(await available("0.0.0313", TYPE)).toBe(1);

    const old = new SimulatedHost({ kernel: "5.10" });
    old.addSubchannel({ id: "0.0.0313" });
    const hands = handsOn(old.fs);
    await hands.create("0.0.0313", TYPE, uuid(1));
    await expectError(hands.create("0.0.0313", TYPE, uuid(2)), "EPERM (write)");
    expect(await hands.ls("/sys/devices/css0/0.0.0313")).not.toContain("parent");
  });

  it("goes back and forth between its drivers, and leaves no trace of where it was", async () => {
    const { simulated, subchannel, to, write, create, ls, read } = machine({
      id: "0.0.0313",
      device: "0.0.e1d2",
      driver: "io_subchannel",
    });
    const look = () => treeOf(simulated.fs, ["/sys/bus/css", "/sys/bus/ccw", "/sys/devices"]);
    const before = await look();
    expect(subchannel.driver).toBe("io_subchannel");
    expect(await ls("/sys/bus/ccw/devices")).toEqual(["0.0.e1d2"]);
    expect(() => subchannel.create(TYPE)).toThrow("0.0.0313 is not bound to vfio_ccw");
    expect(subchannel.devices).toEqual([]);

    for (let round = 0; round < 2; round++) {
      await write(`${subchannel.path}/driver_override`, "vfio_ccw\n");
      await to("unbind", "io_subchannel");
      expect(subchannel.driver).toBeUndefined();
      expect(await ls("/sys/bus/ccw/devices")).toEqual([]);
      await to("bind");
      expect(subchannel.driver).toBe("vfio_ccw");
      await create("0.0.0313", TYPE, uuid(round));
      await to("unbind");
      expect(await ls(BUS)).toEqual([]);
      await write(`${subchannel.path}/driver_override`, "\n");
      expect(await read(`${subchannel.path}/driver_override`)).toBe("(null)\n");
      await to("bind", "io_subchannel");
      expect(await look()).toEqual(before);
    }
  });

  it("answers what the kernel answers to binding what cannot be bound", async () => {
    const { to, write, subchannel } = machine();
    await expectError(to("bind"), "EBUSY (write)");
    await expectError(to("bind", "io_subchannel"), "ENODEV (write)"); // driver_override
    await expectError(to("unbind", "io_subchannel"), "ENODEV (write)");
    await expectError(to("bind", "vfio_ccw", "0.0.9999"), "ENODEV (write)");
    await write(`${subchannel.path}/driver_override`, "\n");
    await expectError(to("bind", "io_subchannel"), "EBUSY (write)");
  });

  // from the source of the driver: no machine with QDIO was recorded
  it("that does QDIO never becomes a parent", async () => {
    const { simulated, to, ls, subchannel } = machine({ id: "0.0.0313", qdio: true });
    expect(subchannel.driver).toBe("io_subchannel");
    await to("unbind", "io_subchannel");
    await expectError(to("bind"), "ENODEV (write)");
    expect(await ls(subchannel.path)).not.toContain("mdev_supported_types");
    await to("bind", "io_subchannel");
    expect(() => simulated.addSubchannel({ id: "0.0.0314", qdio: true, driver: "vfio_ccw" })).toThrow("QDIO");
  });

  it("is let go when its device is closed, and no sooner", async () => {
    const { simulated, subchannel, to, ls } = machine();
    const vm = simulated.open(subchannel.create(TYPE));
    let over = false;
    const unbound = to("unbind").then(() => (over = true));
    await settle();
    expect(over).toBe(false);
    vm.close();
    await unbound;
    expect(await ls("/sys/class/mdev_bus")).toEqual([]);
    expect(subchannel.driver).toBeUndefined();
  });

  it("can be unplugged, whoever has it", async () => {
    for (const driver of ["vfio_ccw", "io_subchannel"] as const) {
      const { simulated, subchannel, to, ls } = machine({ id: "0.0.0313", driver });
      await subchannel.unplug();
      expect(await ls("/sys/devices")).toEqual(["virtual"]);
      await expectError(to("bind"), "ENODEV (write)");
      simulated.addSubchannel({ id: "0.0.0313" });
      expect(await ls("/sys/class/mdev_bus")).toEqual(["0.0.0313"]);
    }
  });

  it("takes and loses types, and removes devices, as any parent", () => {
    const { subchannel } = machine();
    subchannel.addType({ id: "vfio_ccw-other" });
    subchannel.removeType("vfio_ccw-other");
    subchannel.remove(subchannel.create(TYPE));
    expect(subchannel.devices).toEqual([]);
  });

  it("has a bus id, and no more than eight paths", () => {
    const simulated = new SimulatedHost();
    for (const id of ["313", "0.0.313", "0.4.0313", "0.0.0AB1", "1.0.0313"])
      expect(() => simulated.addSubchannel({ id })).toThrow(id);
    expect(() => simulated.addSubchannel({ id: "0.0.0313", device: "1111" })).toThrow("1111");
    for (const chpids of [[256], [0.5], Array.from({ length: 9 }, () => 0)])
      expect(() => simulated.addSubchannel({ id: "0.0.0313", chpids })).toThrow("eight channel paths");
  });
});
