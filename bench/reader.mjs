/**
 * One reader in a process of its own: `node bench/reader.mjs <reader> <sysfs> [mode]`.
 *
 * `serve`, the default: reads once for each line of standard input, and answers with the nanoseconds by the clock. `print`:
 * prints the document. `delay`: reads once warm, and prints how late timers came. `heap`: prints the bytes that one snapshot
 * keeps. `once`: reads once after a mark that strace sees.
 */
import { accessSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { documentOf, readPromises, readSync } from "./rivals.mjs";

const [reader = "", sysfs = "", mode = "serve"] = process.argv.slice(2);

/** @returns {Promise<() => unknown>} */
async function makeReader() {
  if (reader === "sync") return () => readSync(sysfs);
  if (reader === "promises") return () => readPromises(sysfs);
  const { MdevHost } = await import("vfio-mdev");
  const host = new MdevHost({ sysfs });
  const device = /** @type {string} */ (process.env["BENCH_DEVICE"]);
  if (reader === "device") return () => host.device(device).getOrThrow();
  if (reader === "ours") return () => host.snapshot().getOrThrow();
  if (reader !== "refresh") throw new Error(`there is no reader ${reader}`);
  let previous = await host.snapshot().getOrThrow();
  return async () => {
    previous = await host.snapshot({ previous }).getOrThrow();
    return previous;
  };
}

const mark = (/** @type {string} */ name) => {
  try {
    accessSync(`/bench-mark-${name}`);
  } catch {
    // it is there for strace alone
  }
};

const pause = () => new Promise((resolve) => setTimeout(resolve, 20));

const read = await makeReader();
switch (mode) {
  case "print": {
    const made = /** @type {any} */ (await read());
    console.log(JSON.stringify(reader === "ours" || reader === "refresh" ? documentOf(made) : made));
    break;
  }
  case "once":
    await read();
    mark("begin");
    await read();
    mark("end");
    break;
  case "delay": {
    for (let round = 0; round < 2; round++) await read();
    const histogram = monitorEventLoopDelay({ resolution: 1 });
    histogram.enable();
    await pause();
    await read();
    await pause();
    histogram.disable();
    // The timer itself comes each millisecond.
    console.log(JSON.stringify({ p99: histogram.percentile(99) / 1e6, max: histogram.max / 1e6 }));
    break;
  }
  case "heap": {
    const collect = /** @type {() => void} */ (globalThis.gc);
    const used = () => {
      for (let round = 0; round < 3; round++) collect();
      return process.memoryUsage().heapUsed;
    };
    // What is left of a call that has ended keeps nothing alive.
    const take = async (/** @type {(snapshot: any) => any} */ pick) => pick(await read());
    const sizeOf = async (/** @type {(snapshot: any) => any} */ pick) => {
      await pause();
      const before = used();
      const kept = await take(pick);
      await pause();
      return { bytes: used() - before, kept };
    };
    const count = await take(({ parents, devices }) => ({
      devices: devices.length,
      types: parents.reduce(
        (/** @type {number} */ sum, /** @type {any} */ { types }) => sum + types.length,
        0,
      ),
    }));
    const { bytes: all } = await sizeOf((snapshot) => snapshot);
    const { bytes: ofParents } = await sizeOf(({ parents }) => parents);
    const [perDevice, perType] = [(all - ofParents) / count.devices, ofParents / count.types];
    console.log(JSON.stringify({ perDevice, perType }));
    break;
  }
  default:
    for await (const line of createInterface({ input: process.stdin })) {
      if (line !== "") break;
      const begun = process.hrtime.bigint();
      await read();
      console.log(String(process.hrtime.bigint() - begun));
    }
}
