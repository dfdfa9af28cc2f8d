// @ts-check
/**
 * Tests a manager of one's own without hardware, without root and without waiting.
 *
 *     node --test examples/desktop-pool
 */
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { MdevHost } from "vfio-mdev";
import { MemoryStore, SimulatedHost } from "vfio-mdev/testing";
import { DesktopPool } from "./desktop-pool.mjs";

const GPU = "0000:3b:00.0";

/** @type {SimulatedHost} */
let machine;
/** @type {import("vfio-mdev/testing").SimulatedParent} */
let gpu;
/** @type {DesktopPool} */
let pool;

beforeEach(() => {
  machine = new SimulatedHost();
  gpu = machine.addNvidiaGpu({ address: GPU });
  const host = new MdevHost({ fs: machine.fs, proc: "/proc", state: new MemoryStore() });
  pool = new DesktopPool({ host, gpu: GPU, type: "nvidia-156" });
});

test("it makes what is missing, and no more", async () => {
  assert.deepEqual(await pool.resize(3), { removed: 0, missing: 0 });
  assert.deepEqual(await pool.resize(3), { removed: 0, missing: 0 });
  assert.equal(gpu.devices.length, 3);
});

test("it says when the GPU is full", async () => {
  const { missing } = await pool.resize(1000);
  assert.equal(gpu.devices.length, 1000 - missing);
  assert.ok(missing > 0);
});

test("it leaves alone what somebody else made, and what a virtual machine uses", async () => {
  const foreign = gpu.create("nvidia-156");
  await pool.resize(2);
  const [used = ""] = gpu.devices.filter((uuid) => uuid !== foreign);
  machine.open(used, { vmName: "desktop-7" });
  assert.deepEqual(await pool.resize(0), { removed: 1, missing: 0 });
  assert.deepEqual([...gpu.devices].sort(), [foreign, used].sort());
});

test("it passes on what it did not expect", async () => {
  machine.failNext({ path: /\/create$/u, errno: "EINVAL" });
  await assert.rejects(pool.resize(1), { type: "rejected", errno: "EINVAL" });
});
