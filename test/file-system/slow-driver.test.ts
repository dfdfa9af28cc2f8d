import { spawn } from "node:child_process";
import { constants, rmSync } from "node:fs";
import { readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { describe, expect, it } from "vitest";
import { MdevHost, type MdevType, NodeFileSystem, text } from "../../src/index.js";
import { fails, ok } from "../contract/expect.js";
import { TREE } from "../support/merged-tree.js";
import { Fifo, makeTree, temporaryFolder } from "../support/temporary.js";
import { makeSerialWorld, MTTY_1, OTHER_UUID, UUID } from "../support/world.js";

/** As long as nothing may hold up the event loop, in milliseconds. */
const LIMIT = 500;
const IN_TIME = { timeout: 100 };
const GPU = "sys/devices/pci0000:3a/0000:3b:00.0";
const TYPE = `${GPU}/mdev_supported_types/nvidia-9`;

/** Does something, and fails where the event loop stood still meanwhile. */
async function turning<T>(work: () => Promise<T>): Promise<T> {
  const delays = monitorEventLoopDelay({ resolution: 5 });
  delays.enable();
  try {
    return await work();
  } finally {
    await new Promise((resolve) => setTimeout(resolve, 20));
    delays.disable();
    expect(delays.max / 1e6).toBeLessThan(LIMIT);
  }
}

/** A GPU with named pipes in place of some of its files, which nobody writes to. */
function makePipes(...names: readonly string[]): {
  readonly host: MdevHost;
  readonly pipes: readonly Fifo[];
} {
  const folder = makeTree(temporaryFolder(), TREE);
  const pipes = names.map((name) => {
    rmSync(join(folder, name), { force: true });
    return new Fifo(folder, name);
  });
  return { host: new MdevHost({ sysfs: join(folder, "sys") }), pipes };
}

const typeOf = (host: MdevHost): Promise<MdevType> =>
  ok(host.parent("0000:3b:00.0").map((parent) => parent.type("nvidia-9")));

describe("a driver that does not answer", () => {
  it("holds up nothing but who asks it, and him as long as he likes: simulated", async () => {
    const { simulated, type, host } = await makeSerialWorld();
    const delay = simulated.delay({ path: `${MTTY_1}/name`, ms: "forever" });
    await turning(async () => {
      const asking = fails(type.name.read(IN_TIME), "timeout");
      expect(await ok(type.availableInstances.read())).toBe(24);
      expect(await ok(host.devices())).toEqual([]);
      await asking;
    });
    delay.end();
    expect(await ok(type.name.read())).toBe("Single port serial");
  });

  it("does not freeze the event loop, a pipe in place of each attribute", async () => {
    const { host } = makePipes(
      `${TYPE}/name`,
      `${TYPE}/description`,
      `${TYPE}/device_api`,
      `${TYPE}/available_instances`,
      `${GPU}/numa_node`,
      `${GPU}/vendor`,
      `${GPU}/${UUID}/uevent`,
    );
    await turning(async () => {
      const type = await typeOf(host);
      const device = await ok(host.device(UUID));
      const work = [
        type.name.read(IN_TIME),
        type.availableInstances.read(IN_TIME),
        type.read(IN_TIME),
        type.parent.read(IN_TIME),
        type.parent.pci(IN_TIME),
        type.parent.findTypes({ available: true }, IN_TIME),
        device.read(IN_TIME),
        device.attribute("uevent", text).read(IN_TIME),
      ];
      await Promise.all(work);
    });
  });

  it("is not waited for longer than the caller says, a pipe in place of what is written to", async () => {
    const { host, pipes } = makePipes(`${TYPE}/create`, `${GPU}/${UUID}/remove`);
    await turning(async () => {
      const type = await typeOf(host);
      const device = await ok(host.device(UUID));
      const creating = fails(type.create({ uuid: OTHER_UUID, ...IN_TIME }), "timeout");
      // By then its process has been started.
      const removing = fails(device.remove({ timeout: 3_000 }), "timeout");
      expect((await creating).pending).toMatch(/it is removed again/u);
      expect(await ok(type.name.read())).toBe("GRID 9");
      expect((await removing).pending).toMatch(/may still remove it/u);
    });
    const [create, remove] = pipes;
    create?.release();
    expect(await remove?.chunks()).toEqual(["1\n"]);
  });

  it("leaves a thread to the rest of the program, however many writes and reads it holds up", async () => {
    const folder = temporaryFolder();
    const writes = Array.from({ length: 3 }, (_, at) => new Fifo(folder, `gpu${at}/${UUID}/vendor`));
    const reads = Array.from({ length: 6 }, (_, at) => new Fifo(folder, `gpu${at}/name`));
    const systems = [new NodeFileSystem({ reads: "pool" }), new NodeFileSystem({ reads: "pool" })] as const;
    const written = writes.map((pipe) => systems[0].writeFile(pipe.path, "1", { flag: constants.O_WRONLY }));
    const read = reads.map((pipe, at) => systems[at % 2 === 0 ? 0 : 1].readFile(pipe.path, "utf8"));
    for (let round = 0; round < 8; round++)
      expect(await readFile("/proc/self/comm", "utf8")).toBe(await readFile("/proc/self/comm", "utf8"));
    // One that failed makes way, too.
    await unlink((reads[3] ?? expect.fail()).path);
    for (const [at, pipe] of reads.entries()) {
      if (at !== 3)
        spawn("sh", ["-c", 'printf %s "$1" > "$2"', "sh", `${at}`, pipe.path], { stdio: "ignore" });
    }
    const ends = (await Promise.allSettled(read)).map((end) =>
      end.status === "fulfilled" ? end.value : "failed",
    );
    expect(ends).toEqual(["0", "1", "2", "failed", "4", "5"]);
    for (const pipe of writes) expect(await pipe.chunks()).toEqual(["1"]);
    await Promise.all(written);
  });
});
