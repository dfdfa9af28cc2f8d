import { describe, expect, it } from "vitest";
import { InvalidArgumentError, MdevHost, readOnly, sharedLimits, text } from "../src/index.js";
import { SimulatedHost } from "../src/testing/index.js";
import { fails, ok } from "./contract/expect.js";

describe("a file of sysfs that belongs to no object", () => {
  const simulated = new SimulatedHost();
  simulated.addMtty();
  const host = new MdevHost({ fs: simulated.fs });

  it("is an attribute of the host", async () => {
    expect(await ok(host.attribute("bus/mdev/drivers_autoprobe", text).read())).toBe("1");
    const version = host.attribute(readOnly("module/mdev/version", text));
    expect([await ok(version.read()), version.path]).toEqual(["0.1", "/sys/module/mdev/version"]);
    expect(await ok(host.attribute("bus/ap/apmask", text).read())).toBeUndefined();
  });

  it("is none outside of sysfs", async () => {
    await fails(host.attribute("../etc/passwd", text).read(), "invalid-argument");
    await fails(host.attribute("/etc/passwd", text).read(), "invalid-argument");
  });
});

describe("a host", () => {
  it("has absolute roots", () => {
    for (const sysfs of ["", "sys", "./sys", "/sys\0"]) {
      expect(() => new MdevHost({ sysfs })).toThrow(InvalidArgumentError);
    }
    expect(() => new MdevHost({ timeout: -1 })).toThrow(InvalidArgumentError);
  });

  it("has its own limit where an operation is given none", async () => {
    const simulated = new SimulatedHost();
    simulated.addMtty();
    simulated.delay({ path: /mdev_bus$/u, ms: "forever" });
    const host = new MdevHost({ fs: simulated.fs, timeout: 5 });
    await fails(host.parents(), "timeout");
  });
});

describe("limits that several operations share", () => {
  it("are what the ones before left of the time", async () => {
    const limits = sharedLimits({ timeout: 1000 });
    const first = limits()?.timeout ?? 0;
    await new Promise((resolve) => setTimeout(resolve, 20));
    const second = limits()?.timeout ?? 0;
    expect(first).toBeLessThanOrEqual(1000);
    expect(second).toBeLessThan(first);
    expect(sharedLimits({ timeout: 1e-9 })()?.timeout).toBe(0);
  });

  it("are the caller's own where there is no limit of time, or none that could be", () => {
    const { signal } = new AbortController();
    for (const options of [undefined, { signal }, { timeout: NaN }, { timeout: 0 }]) {
      expect(sharedLimits(options)()).toBe(options);
    }
    expect(sharedLimits({ signal, timeout: 5 })()?.signal).toBe(signal);
  });
});
