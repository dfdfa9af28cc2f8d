import { describe, expect, it } from "vitest";
import { VfioApDevice, VfioApParent } from "../../../src/extensions/s390/index.js";
import type { ErrnoName } from "../../../src/testing/index.js";
import { errorOf, FREED, machine, PARENT, TYPE, uuid } from "./ap-machine.js";

const GUEST1 = { adapters: [5, 6], domains: [4, 0xab] };
const ASSIGNING = ["assignAdapter", "assignDomain"] as const;
const OTHERS = ["unassignAdapter", "unassignDomain", "assignControlDomain", "unassignControlDomain"] as const;

describe("a vfio-ap device", () => {
  it("is what the kernel's document makes of its three guests", async () => {
    const { add, simulated } = machine();
    const [one, two, three] = [await add(uuid(1)), await add(uuid(2)), await add(uuid(3))];
    for (const id of [5, 6]) await one.assignAdapter.write(id).getOrThrow();
    for (const id of [4, 0xab]) await one.assignDomain.write(id).getOrThrow();
    await two.assignAdapter.write(5).getOrThrow();
    await three.assignAdapter.write(6).getOrThrow();
    for (const guest of [two, three])
      for (const id of [0x47, 0xff]) await guest.assignDomain.write(id).getOrThrow();

    expect(await one.matrix.readRaw().getOrThrow()).toBe("05.0004\n05.00ab\n06.0004\n06.00ab\n");
    expect(await one.matrix.read().getOrThrow()).toEqual(GUEST1);
    expect(await two.matrix.readRaw().getOrThrow()).toBe("05.0047\n05.00ff\n");
    expect(await three.guestMatrix.readRaw().getOrThrow()).toBe("06.0047\n06.00ff\n");
    simulated.open(uuid(3));
    expect(await three.guestMatrix.read().getOrThrow()).toEqual({ adapters: [6], domains: [0x47, 0xff] });
  });

  it("has its numbers written with 0x", async () => {
    const { add, writes } = machine();
    const device = await add(uuid(1));
    await device.assignAdapter.write(6).getOrThrow();
    await device.assignDomain.write(0xab).getOrThrow();
    await device.assignControlDomain.write(10).getOrThrow();
    await device.unassignControlDomain.write(10).getOrThrow();
    await device.unassignDomain.write(0xab).getOrThrow();
    await device.unassignAdapter.write(6).getOrThrow();
    expect(writes()).toEqual([
      "assign_adapter 0x6",
      "assign_domain 0xab",
      "assign_control_domain 0xa",
      "unassign_control_domain 0xa",
      "unassign_domain 0xab",
      "unassign_adapter 0x6",
    ]);
    expect(await device.config().getOrThrow()).toEqual({ adapters: [], domains: [], controlDomains: [] });
  });

  it("is created with a matrix, or not at all", async () => {
    const { host, hardware, add } = machine();
    await add(uuid(1), GUEST1);
    const parent = await host.parent("matrix").getOrThrow();
    const type = await parent.type(TYPE).getOrThrow();
    const attributes = [VfioApDevice.assignAdapter.to(5), VfioApDevice.assignDomain.to(0x47)];
    const device = await type.create({ attributes }).getOrThrow();
    expect(await (await device.as(VfioApDevice).getOrThrow()).matrix.readRaw().getOrThrow()).toBe(
      "05.0047\n",
    );
    const taken = await type.create({
      uuid: uuid(2),
      attributes: [...attributes, VfioApDevice.assignDomain.to(4)],
    });
    expect(errorOf(taken)).toMatchObject({ type: "conflict", errno: "EADDRINUSE" });
    expect(hardware.devices).toEqual([uuid(1), device.id]);
  });

  it.each(["6.12", "6.1"] as const)("has one configuration, on Linux %s", async (driver) => {
    const { add } = machine({ driver });
    const device = await add(uuid(1), { ...GUEST1, controlDomains: [4] });
    const config = await device.config().getOrThrow();
    expect(config).toEqual({ ...GUEST1, controlDomains: [4] });
    expect(Object.isFrozen(config)).toBe(true);
    expect([config.adapters, config.domains, config.controlDomains].every(Object.isFrozen)).toBe(true);
    expect(await device.controlDomains.read().getOrThrow()).toEqual([4]);
    expect(await device.apConfig.exists().getOrThrow()).toBe(driver === "6.12");
    expect(await device.apConfig.read().getOrThrow()).toEqual(driver === "6.12" ? config : undefined);
    const written = await device.apConfig.write({ adapters: [6], domains: [4], controlDomains: [] });
    if (driver === "6.12") expect(written.ok).toBe(true);
    else expect(errorOf(written)).toMatchObject({ type: "unsupported", missing: "ap_config" });
  });

  it("shows a matrix of more than a page in ap_config alone", async () => {
    const domains = Array.from({ length: 256 }, (_, id) => id);
    const { add } = machine({ domains });
    const device = await add(uuid(1), { adapters: [5, 6], domains });
    expect(errorOf(await device.matrix.read())).toMatchObject({ type: "decode" });
    expect((await device.config().getOrThrow()).domains).toHaveLength(256);
    const old = machine({ domains, driver: "6.1" });
    const cut = await old.add(uuid(1), { adapters: [5, 6], domains });
    expect(errorOf(await cut.config()).message).toMatch(/fills a page.*ap_config/);
  });

  it("is gone when it is gone, and not rejected", async () => {
    const { add, hardware } = machine();
    const device = await add(uuid(1));
    hardware.remove(uuid(1));
    expect(errorOf(await device.assignAdapter.write(5)).type).toBe("gone");
    expect(errorOf(await device.config()).type).toBe("gone");
  });

  it("is none of another driver's", async () => {
    const { simulated, host } = machine();
    const id = simulated.addMtty().create("mtty-1");
    const device = await host.device(id).getOrThrow();
    expect(errorOf(await device.as(VfioApDevice))).toMatchObject({
      type: "unsupported",
      missing: "VfioApDevice",
    });
    const parent = await host.parent("mtty").getOrThrow();
    expect(errorOf(await parent.as(VfioApParent)).type).toBe("unsupported");
  });

  it.each([256, -1, 0.5, NaN])("refuses %d before it asks the kernel", async (id) => {
    const { add, writes } = machine();
    const device = await add(uuid(1));
    for (const name of [...ASSIGNING, ...OTHERS])
      expect(errorOf(await device[name].write(id)).type).toBe("invalid-argument");
    const config = { adapters: [id], domains: [], controlDomains: [] };
    expect(errorOf(await device.apConfig.write(config)).type).toBe("invalid-argument");
    expect(writes()).toEqual([]);
  });
});

describe("a refusal of vfio-ap", () => {
  const meanings: readonly (readonly [ErrnoName, string])[] = [
    ["EBUSY", "busy"],
    ["EAGAIN", "busy"],
    ["EINVAL", "rejected"],
    ["ENODEV", "rejected"],
    ["ERANGE", "rejected"],
  ];

  it.each([...meanings, ["EADDRINUSE", "conflict"], ["EADDRNOTAVAIL", "conflict"]] as const)(
    "%s of assigning is %s",
    async (errno, type) => {
      const { add, simulated } = machine();
      const device = await add(uuid(1));
      for (const name of ASSIGNING) {
        simulated.failNext({ path: device[name].path ?? "", errno });
        expect(errorOf(await device[name].write(5))).toMatchObject({ type, errno });
      }
      simulated.failNext({ path: device.apConfig.path ?? "", operation: "writeFile", errno });
      const config = { adapters: [5], domains: [], controlDomains: [] };
      expect(errorOf(await device.apConfig.write(config))).toMatchObject({ type, errno });
    },
  );

  it.each(meanings)("%s of the others is %s", async (errno, type) => {
    const { add, simulated } = machine();
    const device = await add(uuid(1));
    for (const name of OTHERS) {
      simulated.failNext({ path: device[name].path ?? "", errno });
      expect(errorOf(await device[name].write(5))).toMatchObject({ type, errno });
    }
  });

  it("says whose the queue is in words", async () => {
    const { add } = machine({ maxAdapterId: 9, maxDomainId: 0xff });
    await add(uuid(1), GUEST1);
    const device = await add(uuid(2), { domains: [4] });
    expect(errorOf(await device.assignAdapter.write(5)).message).toBe(
      `cannot write assign_adapter of ${uuid(2)}: another mediated device has a queue that this would give: ` +
        `${uuid(1)} has 05.0004 (EADDRINUSE).`,
    );
    expect(errorOf(await device.assignAdapter.write(4)).message).toMatch(
      /reserved for the host's own drivers \(EADDRNOTAVAIL\)\. Take its adapter out of \/sys\/bus\/ap\/apmask/,
    );
    expect(errorOf(await device.assignAdapter.write(10)).message).toMatch(
      /above the highest of this machine \(ENODEV\)\. See \/sys\/bus\/ap\/ap_max_adapter_id/,
    );
  });
});

describe("the parent of vfio-ap", () => {
  it("has features where its driver has the file", async () => {
    for (const [driver, expected] of [
      ["6.12", ["guest_matrix", "hotplug", "ap_config"]],
      ["6.1", undefined],
    ] as const) {
      const parent = await machine({ driver }).host.parent("matrix").getOrThrow();
      expect(parent.path).toBe(PARENT);
      expect(await (await parent.as(VfioApParent).getOrThrow()).features.read().getOrThrow()).toEqual(
        expected,
      );
    }
  });

  it("knows who has what, and says so before the kernel refuses", async () => {
    const { add, host } = machine({ freed: FREED });
    const device = await add(uuid(1), GUEST1);
    await add(uuid(2), { adapters: [5], domains: [0x47] });
    const parent = await (await host.parent("matrix").getOrThrow()).as(VfioApParent).getOrThrow();
    const { configs } = await parent.holdings().getOrThrow();
    expect(Object.keys(configs)).toEqual([uuid(1), uuid(2)]);
    const wanted = { adapters: [5], domains: [4, 0x47] };
    const all = await parent.conflicts(wanted).getOrThrow();
    expect(all.conflicts.map((each) => `${each.device ?? ""} ${String(each.queues)}`)).toEqual([
      `${uuid(1)} 05.0004`,
      `${uuid(2)} 05.0047`,
    ]);
    const own = await parent.conflicts(wanted, { except: uuid(1).toUpperCase() }).getOrThrow();
    expect(own.conflicts.map((each) => each.device)).toEqual([uuid(2)]);
    expect(own).toMatchObject({ unknown: [], hostKnown: false });
    expect(errorOf(await device.assignDomain.write(0x47)).type).toBe("conflict");
  });

  it("counts a device that is being removed as unknown, for it still has its queues", async () => {
    const { add, host, simulated } = machine();
    const device = await add(uuid(1), GUEST1);
    const vm = simulated.open(uuid(1));
    const removal = device.device.remove();
    const other = await add(uuid(2), { adapters: [5] });
    await new Promise((resolve) => setTimeout(resolve, 5));
    const parent = await (await host.parent("matrix").getOrThrow()).as(VfioApParent).getOrThrow();
    const report = await parent.conflicts(GUEST1, { except: uuid(2) }).getOrThrow();
    expect(report).toMatchObject({ conflicts: [], unknown: [uuid(1)] });
    expect(errorOf(await other.assignDomain.write(4))).toMatchObject({ errno: "EADDRINUSE" });
    vm.close();
    await removal.getOrThrow();
    await other.assignDomain.write(4).getOrThrow();
  });

  it("fails on what it cannot read", async () => {
    const { add, host, simulated } = machine();
    const device = await add(uuid(1), GUEST1);
    const parent = await (await host.parent("matrix").getOrThrow()).as(VfioApParent).getOrThrow();
    simulated.failNext({ path: device.apConfig.path ?? "", operation: "readFile", errno: "EIO" });
    expect(errorOf(await parent.conflicts(GUEST1)).type).toBe("io");
    const signal = AbortSignal.abort();
    expect(errorOf(await parent.holdings({ signal })).type).toBe("aborted");
  });
});
