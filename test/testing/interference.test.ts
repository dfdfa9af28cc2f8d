import { describe, expect, it, vi } from "vitest";
import { SimulatedHost } from "../../src/testing/index.js";
import { expectError, handsOn, settle, typePath, uuid } from "./helpers.js";

const NAME = `${typePath("mtty", "mtty-1")}/name`;
const CREATE = `${typePath("mtty", "mtty-1")}/create`;

function host() {
  const simulated = new SimulatedHost();
  const mtty = simulated.addMtty();
  return { simulated, mtty, ...handsOn(simulated.fs) };
}

describe("failNext", () => {
  it("fails so many calls, and then no more", async () => {
    const { simulated, read } = host();
    simulated.failNext({ path: NAME, errno: "EIO", times: 2 });
    await expectError(read(NAME), "EIO (read)");
    await expectError(read(NAME), "EIO (read)");
    expect(await read(NAME)).toBe("Single port serial\n");
  });

  it("fails at the system call that answers so", async () => {
    const { simulated, mtty, read, write, ls, create } = host();
    const { fs } = simulated;
    simulated.failNext({ path: /./gu, errno: "EACCES", times: 7 });
    await expectError(read(NAME), "EACCES (open)");
    await expectError(write(CREATE, uuid(1)), "EACCES (open)");
    await expectError(ls("/sys"), "EACCES (scandir)");
    await expectError(fs.readlink("/sys"), "EACCES (readlink)");
    await expectError(fs.realpath("/sys"), "EACCES (realpath)");
    await expectError(fs.lstat("/sys"), "EACCES (lstat)");
    await expect(fs.lstat("/sys")).rejects.toThrow("EACCES: permission denied, lstat '/sys'");
    simulated.failNext({ path: CREATE, errno: "ENOSPC" });
    await expectError(create("mtty", "mtty-1", uuid(1)), "ENOSPC (write)");
    simulated.failNext({ path: CREATE, errno: "EINTR", syscall: "close" });
    await expectError(create("mtty", "mtty-1", uuid(1)), "EINTR (close)");
    expect(mtty.devices).toEqual([]);
  });

  it("can be meant for one operation, a detached write among the writes", async () => {
    const { simulated, read } = host();
    simulated.failNext({ operation: "writeFile", path: /mtty/u, errno: "EIO" });
    await read(NAME);
    await expectError(
      simulated.fs.writeDetached?.(CREATE, uuid(1), { flag: 1 }) ?? Promise.resolve(),
      "EIO (write)",
    );
    simulated.failNext({ operation: "writeDetached", path: /mtty/u, errno: "EIO" });
    await simulated.fs.writeFile(CREATE, uuid(1), { flag: 1 });
  });
});

describe("delay", () => {
  it("lets calls take longer", async () => {
    vi.useFakeTimers();
    try {
      const { simulated, read } = host();
      simulated.delay({ path: NAME, ms: 50, times: 1 });
      let over = false;
      const reading = read(NAME).then(() => (over = true));
      await vi.advanceTimersByTimeAsync(49);
      expect(over).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      await reading;
      await read(NAME);
    } finally {
      vi.useRealTimers();
    }
  });

  it("lasts for ever until it is ended, and no signal stops a write that was held up", async () => {
    const { simulated, mtty, read } = host();
    const stuck = simulated.delay({ operation: "writeFile", ms: "forever" });
    const controller = new AbortController();
    const written = simulated.fs.writeFile(CREATE, uuid(1), { flag: 1, signal: controller.signal });
    await settle();
    controller.abort();
    await read(NAME);
    expect(mtty.devices).toEqual([]);
    stuck.end();
    stuck.end();
    await written;
    expect(mtty.devices).toEqual([uuid(1)]);
    await simulated.fs.writeFile(CREATE, uuid(2), { flag: 1 });
  });

  it("ends early, with no timer left behind", async () => {
    vi.useFakeTimers();
    try {
      const { simulated, read } = host();
      const slow = simulated.delay({ ms: 1e6 });
      const reading = read(NAME);
      await vi.advanceTimersByTimeAsync(1);
      slow.end();
      await reading;
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("the log", () => {
  it("has every call, with the text of a write", async () => {
    const { simulated, read, write } = host();
    await read(NAME);
    await write(CREATE, uuid(1));
    await simulated.fsAs(1000).readdir("/sys");
    expect(simulated.operations).toEqual([
      { operation: "readFile", path: NAME },
      { operation: "writeFile", path: CREATE, text: uuid(1) },
      { operation: "readdir", path: "/sys" },
    ]);
  });

  it("calls back before a call has any effect, until it is told to stop", async () => {
    const { simulated, mtty, read, write } = host();
    const steps: string[] = [];
    const stop = simulated.onOperation(({ operation }) => {
      steps.push(`${operation}: ${mtty.devices.length}`);
      if (operation === "writeFile") mtty.create("mtty-1", uuid(1));
    });
    await expectError(write(CREATE, uuid(1)), "EEXIST (write)");
    await read(NAME);
    stop();
    await read(NAME);
    expect(steps).toEqual(["writeFile: 0", "readFile: 1"]);
  });

  it("cuts off where the listener throws", async () => {
    const { simulated, mtty, write } = host();
    simulated.onOperation(({ operation }) => {
      if (operation === "writeFile") throw new Error("the power went");
    });
    await expect(write(CREATE, uuid(1))).rejects.toThrow("the power went");
    expect(mtty.devices).toEqual([]);
  });
});
