import { describe, expect, it, vi } from "vitest";
import { MdevHost } from "../../src/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { fails, ok } from "../contract/expect.js";
import { Meddler } from "../support/meddler.js";
import { MTTY, UUID } from "../support/world.js";

const DEVICE = `${MTTY}/${UUID}`;
const absent = (): Promise<never> => Promise.reject(Object.assign(new Error("none"), { code: "ENOENT" }));

/** A serial card whose devices seem to lack what a path says, for so many looks. */
async function makeLateWorld(late: RegExp, looks: number, timeout?: number) {
  const simulated = new SimulatedHost();
  simulated.addMtty();
  const meddler = new Meddler(simulated.fs);
  const host = new MdevHost({ fs: meddler.fs, timeout });
  const type = await ok(host.parent("mtty").map((parent) => parent.type("mtty-1")));
  let left = looks;
  meddler.meddle(({ name, path, honest }) => {
    const looked = (name === "lstat" || name === "readlink") && late.test(path);
    return looked && left-- > 0 ? absent() : honest();
  });
  return { simulated, meddler, host, type };
}

const LATE = {
  complete: /mdev_type$/u,
  driver: /[0-9a-f]{12}\/driver$/u,
  node: /^\/dev\/vfio\/0$/u,
} as const;

describe.each(["complete", "driver", "node"] as const)("waiting until a device is ready: %s", (waitFor) => {
  it("hands it out no earlier, and writes no attribute before", async () => {
    const { meddler, type } = await makeLateWorld(LATE[waitFor], 3);
    const device = await ok(type.create({ uuid: UUID, waitFor, attributes: [["uevent", "change"]] }));
    const looks = meddler.calls.filter(({ path }) => LATE[waitFor].test(path)).length;
    expect(looks).toBeGreaterThanOrEqual(4);
    const written = meddler.calls.findIndex(
      ({ name, path }) => name === "writeFile" && path.endsWith("/uevent"),
    );
    const seen = meddler.calls.map(({ path }) => LATE[waitFor].test(path)).lastIndexOf(true);
    expect(written).toBeGreaterThan(seen);
    await ok(device.remove());
  });

  it("removes it again when that takes too long", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    try {
      const { type, host, meddler } = await makeLateWorld(LATE[waitFor], 1_500);
      const creation = type.create({ uuid: UUID, waitFor });
      const end = fails(creation, waitFor === "complete" ? "rollback-failed" : "timeout");
      await vi.advanceTimersByTimeAsync(25_000);
      const error = await end;
      // One that is not complete cannot be removed without harm.
      const cause = error.type === "rollback-failed" ? error.failure : error;
      expect(cause).toMatchObject({ type: "timeout", path: DEVICE, pending: undefined });
      meddler.meddle();
      const left = (await ok(host.devices())).map(({ id }) => id);
      expect(left).toEqual(error.type === "rollback-failed" ? [UUID] : []);
    } finally {
      vi.useRealTimers();
    }
  });

  it("removes it behind the caller's back when the caller gives up", async () => {
    const { simulated, type } = await makeLateWorld(LATE[waitFor], 20, 60);
    const error = await fails(type.create({ uuid: UUID, waitFor }), "timeout");
    expect(error.pending).toContain("it is removed again");
    await expect
      .poll(() => simulated.operations.some(({ operation }) => operation === "writeDetached"))
      .toBe(true);
  });
});

it("refuses to wait for what it does not know, before any I/O", async () => {
  const { meddler, type } = await makeLateWorld(/never/u, 0);
  const before = meddler.calls.length;
  await fails(type.create({ waitFor: "udev" as never }), "invalid-argument");
  expect(meddler.calls).toHaveLength(before);
});

it("tells when it goes while it is waited for", async () => {
  const { simulated, meddler, type } = await makeLateWorld(LATE.driver, 1_000);
  const remove = `${DEVICE}/remove`;
  const end = fails(type.create({ uuid: UUID, waitFor: "driver" }), "gone");
  await expect.poll(() => meddler.calls.some(({ path }) => LATE.driver.test(path))).toBe(true);
  await simulated.fs.writeFile(remove, "1", { flag: 1 });
  await end;
});
