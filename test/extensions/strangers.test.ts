import { describe, expect, it } from "vitest";
import {
  Attribute,
  type AsyncResult,
  type AttributeReadError,
  type Codec,
  integer,
  type MdevDevice,
  MdevDeviceExtension,
  MdevHost,
  type MdevType,
  MdevTypeExtension,
  type Parent,
  ParentExtension,
  ReadableAttribute,
  readOnly,
  readWrite,
  Result,
  text,
  WritableAttribute,
  writeOnly,
} from "../../src/index.js";
import { Errno, SimulatedHost } from "../../src/testing/index.js";
import { fails, ok } from "../contract/expect.js";
import { UUID } from "../support/world.js";

/** What a stranger would write for Intel's proposed DLB2. */
const yesNo: Codec<boolean> = {
  decode: (raw) =>
    /^[01]\n?$/u.test(raw) ? Result.ok(raw.startsWith("1")) : Result.error("is neither 0 nor 1"),
  encode: (value) => Result.ok(value ? "1" : "0"),
};

class Dlb2Device extends MdevDeviceExtension {
  static readonly domains = readWrite("dlb2_mdev/num_sched_domains", integer, {
    writeErrnos: {
      EPERM: { is: "busy", because: "the device is in use", hint: "Stop its virtual machine first." },
    },
    readErrnos: { EPERM: { is: "unsupported", because: "this firmware does not tell" } },
  });
  static readonly locked = readOnly("dlb2_mdev/locked", yesNo);
  static readonly reset = writeOnly("dlb2_mdev/reset", yesNo);

  static fits(device: MdevDevice): AsyncResult<boolean, AttributeReadError> {
    return device.attribute(Dlb2Device.locked).exists();
  }

  readonly domains = this.attribute(Dlb2Device.domains);
  readonly locked = this.attribute(Dlb2Device.locked);
  readonly reset = this.attribute(Dlb2Device.reset);

  /** Several attributes at once, as one of ours would do it. */
  describe(): AsyncResult<string, AttributeReadError> {
    return this.domains
      .read()
      .map((domains) => this.locked.read().map((locked) => `${domains} domains, locked: ${locked}`));
  }
}

class Dlb2Type extends MdevTypeExtension {
  static fits(type: MdevType): boolean {
    return type.id === "dlb2-dlb2";
  }
  readonly label = this.attribute(readOnly("name", text));
}

class Dlb2Parent extends ParentExtension {
  static fits(parent: Parent): AsyncResult<boolean, AttributeReadError> {
    return parent.driver().map((driver) => driver === "dlb2");
  }
  readonly total = this.attribute(readOnly("total_resources/num_sched_domains", integer));
}

async function makeDlb2(): Promise<{
  simulated: SimulatedHost;
  host: MdevHost;
  device: MdevDevice;
  told: string[];
}> {
  const simulated = new SimulatedHost();
  let domains = "0\n";
  const told: string[] = [];
  const parent = simulated.addParent({
    path: "devices/pci0000:6d/0000:6d:00.0",
    subsystem: "bus/pci",
    driver: "dlb2",
    deviceDriver: "dlb2_mdev",
    types: [{ id: "dlb2-dlb2", name: "dlb2" }],
    attributes: { "total_resources/num_sched_domains": { read: () => "32\n" } },
    deviceAttributes: {
      "dlb2_mdev/num_sched_domains": {
        read: () => domains,
        write: (_device, content) => {
          if (content === "99\n") throw new Errno("EPERM");
          domains = content;
        },
      },
      "dlb2_mdev/locked": { read: () => "0\n" },
      "dlb2_mdev/reset": { write: (_device, content) => void told.push(content) },
    },
  });
  parent.create("dlb2-dlb2", UUID);
  const host = new MdevHost({ fs: simulated.fs });
  return { simulated, host, device: await ok(host.device(UUID)), told };
}

describe("an extension that a stranger wrote", () => {
  it("reads and writes its attributes", async () => {
    const { device, told } = await makeDlb2();
    const dlb2 = await ok(device.as(Dlb2Device));
    expect(dlb2).toBeInstanceOf(Dlb2Device);
    expect(dlb2.device).toBe(device);
    expect(dlb2.domains).toBeInstanceOf(Attribute);
    expect(dlb2.locked).toBeInstanceOf(ReadableAttribute);
    expect(dlb2.locked).not.toHaveProperty("write");
    expect(dlb2.reset).toBeInstanceOf(WritableAttribute);
    expect(dlb2.reset).not.toHaveProperty("read");
    await ok(dlb2.domains.write(16));
    expect(await ok(dlb2.domains.read())).toBe(16);
    await ok(dlb2.reset.write(true));
    expect(told).toEqual(["1\n"]);
    expect(await ok(dlb2.describe())).toBe("16 domains, locked: false");
  });

  it("has errnos of its own, for reading and for writing", async () => {
    const { simulated, device } = await makeDlb2();
    const { domains, reset } = await ok(device.as(Dlb2Device));
    const error = await fails(domains.write(99), "busy");
    expect(error).toMatchObject({ errno: "EPERM", hint: "Stop its virtual machine first." });
    simulated.failNext({ path: /num_sched_domains$/u, operation: "readFile", errno: "EPERM" });
    expect((await fails(domains.read(), "unsupported")).message).toContain("this firmware does not tell");
    simulated.failNext({ path: /reset$/u, operation: "writeFile", errno: "EPERM" });
    await fails(reset.write(true), "permission");
  });

  it("serves creating too", async () => {
    const { simulated, host, device } = await makeDlb2();
    await ok(device.remove());
    const type = await ok((await ok(host.parent("0000:6d:00.0"))).type("dlb2-dlb2"));
    const made = await ok(
      type.create({ attributes: [Dlb2Device.domains.to(8), Dlb2Device.reset.to(false)] }),
    );
    expect(await ok((await ok(made.as(Dlb2Device))).domains.read())).toBe(8);
    await ok(made.remove());
    await fails(type.create({ attributes: [Dlb2Device.domains.to(99)] }), "busy");
    expect(await simulated.fs.readdir("/sys/bus/mdev/devices")).toEqual([]);
  });

  it("extends parents and types, and fits by what it asks", async () => {
    const { simulated, host } = await makeDlb2();
    simulated.addMtty().create("mtty-1", "83b8f4f2-509f-382f-3c1e-e6bfe0fa1009");
    const parent = await ok(host.parent("0000:6d:00.0"));
    expect(await ok((await ok(parent.as(Dlb2Parent))).total.read())).toBe(32);
    const type = await ok(parent.type("dlb2-dlb2"));
    expect(await ok((await ok(type.as(Dlb2Type))).label.read())).toBe("dlb2");
    const mtty = await ok(host.parent("mtty"));
    expect((await fails(mtty.as(Dlb2Parent), "unsupported")).missing).toBe("Dlb2Parent");
    await fails((await ok(mtty.type("mtty-1"))).as(Dlb2Type), "unsupported");
    await fails(
      (await ok(host.device("83b8f4f2-509f-382f-3c1e-e6bfe0fa1009"))).as(Dlb2Device),
      "unsupported",
    );
  });

  it("does not fit what cannot be asked", async () => {
    const { simulated, device } = await makeDlb2();
    simulated.failNext({ path: /locked$/u, errno: "EIO" });
    await fails(device.as(Dlb2Device), "io");
    await ok(device.remove());
    await fails(device.as(Dlb2Device), "gone");
  });
});
