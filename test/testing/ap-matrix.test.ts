import { describe, expect, it } from "vitest";
import { type MatrixOptions, SimulatedHost } from "../../src/testing/index.js";
import { BUS, expectError, handsOn, settle, typePath, uuid } from "./helpers.js";

const TYPE = "vfio_ap-passthrough";
const AP = "/sys/bus/ap";
const MASKS = "f".repeat(64);
const KINDS = ["adapter", "domain", "control_domain"] as const;

function host(options: MatrixOptions = {}) {
  const simulated = new SimulatedHost();
  const matrix = simulated.addMatrix({ freed: { adapters: [5, 6] }, ...options });
  const hands = handsOn(simulated.fs);
  const file = (n: number, name: string): string => `${BUS}/${uuid(n)}/${name}`;
  return {
    simulated,
    matrix,
    ...hands,
    add: (n: number): string => matrix.create(TYPE, uuid(n)),
    show: (n: number, name = "matrix"): Promise<string> => hands.read(file(n, name)),
    put: (n: number, name: string, text: string): Promise<void> => hands.write(file(n, name), text),
  };
}

describe("the matrix", () => {
  it("is a parent with one type", async () => {
    const { simulated, matrix, read, ls } = host();
    expect(matrix.path).toBe("/sys/devices/vfio_ap/matrix");
    expect(await simulated.fs.realpath("/sys/class/mdev_bus/matrix")).toBe(matrix.path);
    expect(await simulated.fs.readlink(`${matrix.path}/driver`)).toBe("../../../bus/matrix/drivers/vfio_ap");
    const type = typePath("matrix", TYPE);
    expect(await ls(type)).toEqual(["available_instances", "create", "device_api", "devices", "name"]);
    expect(await read(`${type}/name`)).toBe("VFIO AP Passthrough Device\n");
    expect(await read(`${type}/device_api`)).toBe("vfio-ap\n");
    expect(await read(`${type}/available_instances`)).toBe("65536\n");
    matrix.create(TYPE);
    expect(await read(`${type}/available_instances`)).toBe("65535\n");
    expect(await read(`${matrix.path}/features`)).toBe("guest_matrix hotplug ap_config\n");
  });

  it("has its devices' files in their root", async () => {
    const { add, ls } = host();
    add(1);
    const files = await ls(`${BUS}/${uuid(1)}`);
    expect(files.filter((name) => /assign|matrix|control|ap_config/.test(name))).toEqual([
      "ap_config",
      "assign_adapter",
      "assign_control_domain",
      "assign_domain",
      "control_domains",
      "guest_matrix",
      "matrix",
      "unassign_adapter",
      "unassign_control_domain",
      "unassign_domain",
    ]);
    expect(files).not.toContain("power");
    const old = host({ driver: "6.1" });
    old.add(1);
    expect(await old.ls(`${BUS}/${uuid(1)}`)).not.toContain("ap_config");
    await expectError(old.read(`${old.matrix.path}/features`), "ENOENT (open)");
  });

  it("is one, and not on kernel 5.10", () => {
    const { simulated } = host();
    expect(() => simulated.addMatrix()).toThrow("one AP bus");
    expect(() => new SimulatedHost({ kernel: "5.10" }).addMatrix()).toThrow("not simulated");
    expect(() => host({ adapters: [7], maxAdapterId: 6, maxDomainId: 6, domains: [] })).toThrow(
      "from 0 to 6",
    );
  });

  it("has write-only and read-only files", async () => {
    const { add, show, put } = host();
    add(1);
    for (const kind of KINDS) await expectError(show(1, `assign_${kind}`), "EACCES (open)");
    for (const name of ["matrix", "guest_matrix", "control_domains"])
      await expectError(put(1, name, "0"), "EACCES (open)");
  });

  it("goes with its queues, and leaves the bus", async () => {
    const { matrix, add, ls, simulated } = host();
    add(1);
    await matrix.unplug();
    await matrix.unplug();
    expect(await ls(`${AP}/drivers`)).toEqual(["cex4card", "cex4queue"]);
    await expectError(simulated.fs.readlink(`${AP}/devices/05.0004/driver`), "ENOENT (readlink)");
    expect(await ls("/sys/class/mdev_bus")).toEqual([]);
  });
});

describe("a number that is assigned", () => {
  it.each([
    ["173", 0xad],
    ["0xad", 0xad],
    ["0255", 0xad], // octal
    ["010\n", 8],
    ["+5", 5],
    ["0X5", 5],
    ["0", 0],
  ])("%j is %d", async (text, id) => {
    const { add, show, put } = host();
    add(1);
    await put(1, "assign_control_domain", text);
    expect(await show(1, "control_domains")).toBe(`${id.toString(16).padStart(4, "0")}\n`);
    await put(1, "unassign_control_domain", text);
    expect(await show(1, "control_domains")).toBe("");
  });

  it.each([
    ["", "no error"], // nothing is written
    ["\n", "EINVAL (write)"],
    ["ab", "EINVAL (write)"],
    ["08", "EINVAL (write)"],
    ["-1", "EINVAL (write)"],
    ["5 6", "EINVAL (write)"],
    ["5\n\n", "EINVAL (write)"],
    ["18446744073709551616", "ERANGE (write)"],
    ["0x1ffffffffffffffff\n", "ERANGE (write)"],
    ["18446744073709551615", "ENODEV (write)"],
    ["256", "ENODEV (write)"],
  ])("%j: %s", async (text, error) => {
    const { add, show, put } = host();
    add(1);
    for (const kind of KINDS)
      for (const un of ["", "un"]) await expectError(put(1, `${un}assign_${kind}`, text), error);
    expect(await show(1)).toBe("");
  });

  it("may not be above the machine's highest", async () => {
    const { add, put } = host({ maxAdapterId: 6, maxDomainId: 0xff });
    add(1);
    await put(1, "assign_adapter", "6");
    await expectError(put(1, "assign_adapter", "7"), "ENODEV (write)");
    await expectError(put(1, "unassign_adapter", "7"), "ENODEV (write)");
    await expectError(put(1, "ap_config", "0x01,0x0,0x0"), "ENODEV (write)");
  });

  it("may be assigned already, or not at all", async () => {
    const { add, show, put } = host();
    add(1);
    for (const kind of KINDS) {
      for (let times = 0; times < 2; times++) await put(1, `assign_${kind}`, "5");
      expect(await show(1)).not.toBe("");
    }
    for (const kind of KINDS) for (let times = 0; times < 2; times++) await put(1, `unassign_${kind}`, "5");
    expect([await show(1), await show(1, "control_domains")]).toEqual(["", ""]);
  });

  it("shows", async () => {
    const { add, show, put } = host();
    add(1);
    for (const id of ["6", "5"]) await put(1, "assign_adapter", id);
    expect(await show(1)).toBe("05.\n06.\n");
    for (const id of ["0xab", "4"]) await put(1, "assign_domain", id);
    await put(1, "assign_control_domain", "4");
    expect(await show(1)).toBe("05.0004\n05.00ab\n06.0004\n06.00ab\n");
    expect(await show(1, "control_domains")).toBe("0004\n");
    const [adapters, domains] = [`06${"0".repeat(62)}`, `08${"0".repeat(40)}1${"0".repeat(21)}`];
    expect(await show(1, "ap_config")).toBe(`0x${adapters},0x${domains},0x08${"0".repeat(62)}\n`);
    for (const id of ["6", "5"]) await put(1, "unassign_adapter", id);
    expect(await show(1)).toBe(".0004\n.00ab\n");
  });
});

describe("a queue", () => {
  it("is one device's alone, whichever half comes last", async () => {
    const { matrix, add, show, put } = host();
    for (const n of [1, 2]) add(n);
    matrix.assign(uuid(1), { adapters: [5], domains: [4] });
    await put(2, "assign_domain", "4");
    await expectError(put(2, "assign_adapter", "5"), "EADDRINUSE (write)");
    await put(2, "assign_adapter", "6");
    await put(2, "unassign_domain", "4");
    await put(2, "assign_domain", "0x47");
    await put(2, "assign_adapter", "5");
    await expectError(put(2, "assign_domain", "4"), "EADDRINUSE (write)");
    expect(await show(2)).toBe("05.0047\n06.0047\n");
    expect(() => matrix.assign(uuid(2), { domains: [4] })).toThrow("EADDRINUSE");
    matrix.remove(uuid(1));
    await put(2, "assign_domain", "4");
  });

  it("may be the host's, which is looked at first", async () => {
    const { matrix, add, put } = host();
    for (const n of [1, 2]) add(n);
    matrix.assign(uuid(1), { adapters: [5], domains: [4] });
    await put(2, "assign_adapter", "7");
    await expectError(put(2, "assign_domain", "4"), "EADDRNOTAVAIL (write)");
    const both = `0x0${(5).toString(16)}${"0".repeat(62)},0x08,0x0`;
    await expectError(put(2, "ap_config", both), "EADDRNOTAVAIL (write)");
  });

  it("need not be there", async () => {
    const { add, put, show } = host({ freed: { adapters: [5, 0x20] } });
    add(1);
    await put(1, "assign_adapter", "0x20");
    await put(1, "assign_domain", "1");
    expect(await show(1)).toBe("20.0001\n");
    expect(await show(1, "guest_matrix")).toBe("");
  });

  it("says what it is for", async () => {
    const { simulated, matrix, add, read, ls } = host({ adapters: [4, 5, 6], domains: [4, 0x47] });
    const status = (name: string): Promise<string> => read(`${AP}/devices/${name}/status`);
    add(1);
    expect(await ls(`${AP}/devices`)).toEqual([
      "04.0004",
      "04.0047",
      "05.0004",
      "05.0047",
      "06.0004",
      "06.0047",
      "card04",
      "card05",
      "card06",
    ]);
    expect(await simulated.fs.realpath(`${AP}/devices/05.0004`)).toBe("/sys/devices/ap/card05/05.0004");
    expect(await ls(`${AP}/drivers/vfio_ap`)).toEqual(["05.0004", "05.0047", "06.0004", "06.0047"]);
    expect(await status("05.0004")).toBe("unassigned\n");
    matrix.assign(uuid(1), { adapters: [5], domains: [4] });
    expect(await status("05.0004")).toBe("assigned\n");
    const vm = simulated.open(uuid(1));
    expect(await status("05.0004")).toBe("in use\n");
    vm.close();
    expect(await status("05.0004")).toBe("assigned\n");
    await expectError(status("04.0004"), "ENOENT (open)");
  });

  it("stays a device's that is removed while it is open, until it is closed", async () => {
    const { simulated, matrix, add, put, remove, write } = host();
    for (const n of [1, 2]) add(n);
    matrix.assign(uuid(1), { adapters: [5], domains: [4] });
    matrix.assign(uuid(2), { adapters: [5] });
    const vm = simulated.open(uuid(1));
    const removal = remove(uuid(1));
    await settle();
    await expectError(put(2, "assign_domain", "4"), "EADDRINUSE (write)");
    await expectError(write(`${AP}/apmask`, "+5"), "EBUSY (write)");
    const pause = simulated.pauseRemove({ before: "folder" });
    vm.close();
    await pause.reached;
    await put(2, "assign_domain", "4"); // the driver is through with it, though its folder is still there
    pause.resume();
    await removal;
  });
});

describe("ap_config", () => {
  it("changes all or nothing", async () => {
    const { matrix, add, show, put } = host();
    for (const n of [1, 2]) add(n);
    matrix.assign(uuid(1), { adapters: [5], domains: [4], controlDomains: [4] });
    matrix.assign(uuid(2), { adapters: [6], domains: [4] });
    const before = await show(1, "ap_config");
    await expectError(put(1, "ap_config", "0x06,0x08,0x1"), "EADDRINUSE (write)");
    await expectError(put(1, "ap_config", "0x0c,0x08,0x1"), "EADDRNOTAVAIL (write)");
    expect(await show(1, "ap_config")).toBe(before);
    await put(1, "ap_config", "0x02,0x01,0x8\n");
    expect([await show(1), await show(1, "control_domains")]).toEqual(["06.0007\n", "0000\n"]);
    await put(1, "ap_config", before);
    expect([await show(1), await show(1, "ap_config")]).toEqual(["05.0004\n", before]);
  });

  it.each([
    ["\n"],
    ["0x0"],
    ["0x0,0x0"],
    [`0x0,0x0,0x${"0".repeat(65)}`],
    ["0X0,0x0,0x0"],
    ["0x0, 0x0,0x0"],
    ["0x0;0x0;0x0"],
    ["+5,+4,+4"],
  ])("refuses %j", async (text) => {
    const { add, put } = host();
    add(1);
    await expectError(put(1, "ap_config", text), "EINVAL (write)");
  });

  it("takes what its parser takes", async () => {
    const { add, put, show } = host();
    add(1);
    for (const text of ["06,08,8", "x06,x08,x8", "0x06,0x08,0x8,0xff", "0x06\n0x08\n0x8\n"]) {
      await put(1, "ap_config", ",,");
      expect(await show(1)).toBe("");
      await put(1, "ap_config", text);
      expect([await show(1), await show(1, "control_domains")]).toEqual(["05.0004\n06.0004\n", "0000\n"]);
    }
  });
});

describe("the masks of the host", () => {
  it("are writable as a whole and in parts, and bind the queues anew", async () => {
    const { simulated, read, write, ls } = host({ freed: {} });
    const mask = (): Promise<string> => read(`${AP}/apmask`);
    expect(await mask()).toBe(`0x${MASKS}\n`);
    expect(await ls(`${AP}/drivers/vfio_ap`)).toEqual([]);
    await write(`${AP}/apmask`, "-5,-6\n");
    expect(await mask()).toBe(`0xf9${"f".repeat(62)}\n`);
    await write(`${AP}/aqmask`, "-4,-0x47,-0xab,-0xff");
    expect(await read(`${AP}/aqmask`)).toBe(
      "0xf7fffffffffffffffeffffffffffffffffffffffffeffffffffffffffffffffe\n",
    );
    expect(await ls(`${AP}/drivers/vfio_ap`)).toHaveLength(8);
    await write(`${AP}/apmask`, "0x41");
    expect(await mask()).toBe(`0x41${"0".repeat(62)}\n`);
    await write(`${AP}/apmask`, "+0-255,-0x10-0x1f,+16");
    expect(await mask()).toBe(`0x${"f".repeat(4)}8000${"f".repeat(56)}\n`);
    expect(await simulated.fs.readlink(`${AP}/devices/05.0004/driver`)).toMatch(/vfio_ap$/); // by the domain
    await write(`${AP}/aqmask`, `0x${MASKS}`);
    expect(await simulated.fs.readlink(`${AP}/devices/05.0004/driver`)).toMatch(/cex4queue$/);
  });

  it.each(["g", "+256", "+5-4", "+0-256", "-", "+08", "0x0 ", "+5 -6", "+,", `0x${"0".repeat(65)}`])(
    "refuse %j",
    async (text) => {
      const { write, read } = host();
      const before = await read(`${AP}/apmask`);
      await expectError(write(`${AP}/apmask`, text), "EINVAL (write)");
      expect(await read(`${AP}/apmask`)).toBe(before);
    },
  );

  it("take no queue from a device", async () => {
    const { matrix, add, write, read } = host();
    add(1);
    matrix.assign(uuid(1), { adapters: [5], domains: [4] });
    await expectError(write(`${AP}/apmask`, "+5"), "EBUSY (write)");
    await expectError(write(`${AP}/apmask`, `0x${MASKS}`), "EBUSY (write)");
    await write(`${AP}/aqmask`, "-4"); // now the domain keeps it free
    await write(`${AP}/apmask`, "+5,+6");
    expect(await read(`${AP}/apmask`)).toBe(`0x${MASKS}\n`);
    await expectError(write(`${AP}/aqmask`, "+4"), "EBUSY (write)");
  });
});

describe("what the guest has", () => {
  it("is without the adapters that lack a queue", async () => {
    const { matrix, add, show, put } = host({
      adapters: [5, 6],
      domains: [4],
      freed: { adapters: [5, 6, 7] },
    });
    add(1);
    matrix.assign(uuid(1), { adapters: [5, 6, 7], domains: [4] });
    expect(await show(1)).toBe("05.0004\n06.0004\n07.0004\n");
    expect(await show(1, "guest_matrix")).toBe("05.0004\n06.0004\n");
    await put(1, "assign_domain", "5"); // the host has no such domain
    expect(await show(1, "guest_matrix")).toBe("05.0004\n06.0004\n");
    await put(1, "unassign_adapter", "6");
    expect(await show(1, "guest_matrix")).toBe("05.0004\n");
  });

  it("comes and goes with the host's adapters and domains, while it runs", async () => {
    const { simulated, matrix, add, show, read } = host({ domains: [4], freed: { adapters: [5, 6, 7] } });
    add(1);
    simulated.open(uuid(1));
    matrix.assign(uuid(1), { adapters: [5, 7], domains: [4, 0x47] });
    const guest = (): Promise<string> => show(1, "guest_matrix");
    expect(await guest()).toBe("05.0004\n");
    matrix.addAdapter(7);
    expect(await guest()).toBe("05.0004\n07.0004\n");
    expect(await read(`${AP}/devices/07.0004/status`)).toBe("in use\n");
    matrix.addDomain(0x47);
    expect(await guest()).toBe("05.0004\n05.0047\n07.0004\n07.0047\n");
    matrix.removeAdapter(5);
    expect(await guest()).toBe("07.0004\n07.0047\n");
    matrix.removeDomain(4);
    expect(await guest()).toBe("07.0047\n");
    expect(await show(1)).toBe("05.0004\n05.0047\n07.0004\n07.0047\n");
    matrix.removeAdapter(7);
    expect(await guest()).toBe(".0047\n");
    expect(() => matrix.removeAdapter(7)).toThrow("no adapter 7");
    expect(() => matrix.addDomain(0x47)).toThrow("no domain 71");
    expect(() => matrix.addAdapter(256)).toThrow("no adapter 256");
    expect(() => matrix.removeDomain(4)).toThrow("no domain 4");
  });

  it("follows what is assigned and unassigned", async () => {
    const { matrix, add, put, show } = host({ domains: [4, 7] });
    add(1);
    matrix.assign(uuid(1), { adapters: [5, 6], domains: [4] });
    const guest = (): Promise<string> => show(1, "guest_matrix");
    expect(await guest()).toBe("05.0004\n06.0004\n");
    await put(1, "unassign_domain", "4");
    expect(await guest()).toBe("05.\n06.\n");
    await put(1, "assign_domain", "7");
    await put(1, "unassign_adapter", "6");
    expect(await guest()).toBe("05.0007\n");
    await put(1, "ap_config", "0x02,0x08,0x0");
    expect(await guest()).toBe("06.0004\n");
  });

  it("comes and goes with an adapter or a domain that makes no queue", async () => {
    const { matrix, add, show } = host({ adapters: [5], domains: [4] });
    for (const n of [1, 2]) add(n);
    matrix.assign(uuid(1), { adapters: [5, 6] });
    matrix.assign(uuid(2), { domains: [4, 7] });
    const guests = (): Promise<string[]> => Promise.all([1, 2].map((n) => show(n, "guest_matrix")));
    expect(await guests()).toEqual(["05.\n", ".0004\n"]);
    matrix.removeAdapter(5);
    matrix.removeDomain(4);
    expect(await guests()).toEqual(["", ""]);
    matrix.addAdapter(6);
    matrix.addDomain(7);
    expect(await guests()).toEqual(["06.\n", ".0007\n"]);
  });

  it("is cut off with the matrix at the end of a page", async () => {
    const domains = Array.from({ length: 256 }, (_, id) => id);
    const { matrix, add, show } = host({ domains });
    add(1);
    matrix.assign(uuid(1), { adapters: [5, 6], domains });
    expect(await show(1)).toHaveLength(4095);
    expect((await show(1, "guest_matrix")).slice(-8)).toBe("\n06.00ff");
  });
});
