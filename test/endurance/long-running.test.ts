import { readdirSync } from "node:fs";
import { getEventListeners } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, expect, it, vi } from "vitest";
import { MdevHost, NodeFileSystem, pollingSource } from "../../src/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { DiskTree } from "../support/disk-tree.js";
import { quiet } from "../support/settled.js";
import { temporaryFolder } from "../support/temporary.js";

const UUID = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
const HOUR = 3_600_000;
const INTERVAL = 10_000;
/** What a heap may grow in 22 hours, in bytes: 50 for each look. */
const GROWTH = 400_000;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

afterEach(() => void vi.useRealTimers());

it("a watch of 24 hours on the local file system leaves nothing behind: no memory, files, timers, listeners", async () => {
  const simulated = new SimulatedHost();
  const mdpy = simulated.addMdpy();
  for (let device = 0; device < 3; device++) mdpy.create("mdpy-hd");
  const tree = await DiskTree.of(simulated, temporaryFolder());
  const host = new MdevHost({ fs: new NodeFileSystem(), sysfs: tree.sysfs, dev: tree.dev });
  const files = (): number => readdirSync("/proc/self/fd").length;
  const before = { files: files(), resources: process.getActiveResourcesInfo().length };

  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const listener = new AbortController();
  const told: Record<string, number> = {};
  const watch = host.watch({ source: pollingSource({ interval: INTERVAL }), signal: listener.signal });
  const listening = (async () => {
    for await (const { type } of watch) told[type] = (told[type] ?? 0) + 1;
  })();
  const pass = async (milliseconds: number): Promise<void> => {
    for (let passed = 0; passed < milliseconds; passed += INTERVAL) {
      await vi.advanceTimersByTimeAsync(INTERVAL);
      do await quiet();
      while (vi.getTimerCount() < 2); // until it has looked, and waits again, as the source does
    }
  };
  const heap = (): number => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };

  await pass(INTERVAL);
  let early = { heap: 0, files: 0, listeners: 0, timers: 0 };
  const now = (): typeof early => ({
    heap: heap(),
    files: files(),
    listeners: getEventListeners(listener.signal, "abort").length,
    timers: vi.getTimerCount(),
  });
  for (let hour = 1; hour <= 24; hour++) {
    tree.appear(UUID);
    await pass(HOUR / 2);
    tree.disappear(UUID);
    await pass(HOUR / 2);
    if (hour === 2) early = now();
  }
  const late = now();
  expect(told).toEqual({ snapshot: 1, "device-added": 24, "device-ready": 24, "device-removed": 24 });
  expect(late.heap - early.heap).toBeLessThan(GROWTH);
  expect({ ...late, heap: 0 }).toEqual({ ...early, heap: 0 });

  listener.abort();
  await listening;
  vi.useRealTimers();
  await quiet();
  expect(files()).toBe(before.files);
  expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(before.resources); // the test runner has its own
  expect(getEventListeners(listener.signal, "abort")).toEqual([]);
}, 300_000);
