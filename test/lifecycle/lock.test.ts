import { spawnSync } from "node:child_process";
import {
  mkdtempSync,
  rmSync,
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { DirectoryStore, type Lock, MdevHost, type StateStore, takeLock } from "../../src/index.js";
import { markOfThisProcess } from "../../src/state/process-mark.js";
import { MemoryStore, SimulatedHost } from "../../src/testing/index.js";
import { random } from "../contract/random.js";
import { fails, ok } from "../contract/expect.js";
import { bundle, Program } from "../support/built.js";
import { temporaryFolder } from "../support/temporary.js";
import { makeSerialWorld } from "../support/world.js";

const STORES: readonly (readonly [string, () => StateStore])[] = [
  ["a store in memory", () => new MemoryStore()],
  ["a folder", () => new DirectoryStore(temporaryFolder())],
];

describe.each(STORES)("a lock in %s", (_, makeStore) => {
  it("is had by one at a time, in one process too", async () => {
    const store = makeStore();
    const first = await ok(takeLock(store, "one"));
    const error = await fails(takeLock(store, "one", { timeout: 30 }), "conflict");
    expect(error.message).toContain(`process ${process.pid}`);
    const other = await ok(takeLock(store, "other", { timeout: 30 }));
    await ok(first.release());
    const second = await ok(takeLock(store, "one", { timeout: 0 }));
    for (const lock of [first, second, second, other]) await ok(lock.release());
    expect(await store.names()).toEqual([]);
  });

  it("is waited for", async () => {
    const store = makeStore();
    let inside = 0;
    const turns = Array.from({ length: 20 }, async () => {
      const lock = await ok(takeLock(store, "one"));
      expect(++inside).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 1));
      inside -= 1;
      await ok(lock.release());
    });
    await Promise.all(turns);
  });

  it("is given up by signal", async () => {
    const store = makeStore();
    const lock = await ok(takeLock(store, "one"));
    const controller = new AbortController();
    const waiting = takeLock(store, "one", { signal: controller.signal });
    controller.abort();
    await fails(waiting, "aborted");
    await ok(lock.release());
    await ok(takeLock(store, "one", { timeout: 0 }));
  });

  it("is not released for somebody who has it by now", async () => {
    const store = makeStore();
    const lock = await ok(takeLock(store, "one"));
    const entry = await store.read("one");
    await store.remove("one", entry?.tag ?? "");
    await ok(takeLock(store, "one", { timeout: 0 }));
    await fails(lock.release(), "conflict");
    await fails(takeLock(store, "one", { timeout: 20 }), "conflict");
  });

  it("is released at the end of its block", async () => {
    const store = makeStore();
    const lock = await ok(takeLock(store, "one"));
    await lock[Symbol.asyncDispose]();
    expect(await store.read("one")).toBeUndefined();
  });

  const boot = async (store: StateStore): Promise<string> => store.boot();
  const held = async (store: StateStore, mark: object): Promise<void> => {
    await store.create("one", JSON.stringify({ boot: await boot(store), ...mark }));
  };
  const mine = markOfThisProcess();

  it.each([
    ["that has ended", { ...mine, pid: spawnSync("true").pid }],
    ["whose number is another's by now", { ...mine, started: "1" }],
    ["of an earlier boot of the machine", { ...mine, boot: "long ago" }],
    ["of another pid namespace, before a restart", { ...mine, namespace: "pid:[1] ", boot: "long ago" }],
  ])("is taken over from a process %s", async (_name, mark) => {
    const store = makeStore();
    await held(store, mark);
    await ok(takeLock(store, "one", { timeout: 0 }));
  });

  it.each([
    ["that lives", mine],
    ["of another pid namespace", { ...mine, pid: 2 ** 22 + 5, namespace: "pid:[1] time:[2]" }],
    ["of another machine", { ...mine, pid: 2 ** 22 + 5, kernel: "another" }],
    ["that did not see its own /proc", { pid: 2 ** 22 + 5 }],
    ["of a thread of ours that did not know its start", { ...mine, started: undefined }],
    ["without a number", { boot: undefined }],
    ["with a strange number", { ...mine, pid: -1 }],
  ])("is not taken over from a process %s", async (name, mark) => {
    const store = makeStore();
    await held(store, mark);
    const error = await fails(takeLock(store, "one", { timeout: 30 }), "conflict");
    if (name !== "that lives") expect(error.message).toContain("cannot be seen from here");
    expect(await store.read("one")).toBeDefined();
  });

  it.each(["", "half a", "null", "[]", '{"pid":"4"}', "\0"])("is not taken over from %j", async (text) => {
    const store = makeStore();
    await store.create("one", text);
    await fails(takeLock(store, "one", { timeout: 20 }), "conflict");
  });

  it.each(["", ".", "../x", "a/b", ".hidden", "a b", "x".repeat(201), "ä"])(
    "cannot be named %j",
    async (name) => {
      const error = await fails(takeLock(makeStore(), name), "invalid-argument");
      expect(error.operation).toContain("take the lock");
    },
  );
});

describe("the lock of a parent", () => {
  it("is that of its card", async () => {
    const simulated = new SimulatedHost();
    simulated.addNvidiaSriovGpu({ address: "0000:3b:00.0", functions: 2 });
    simulated.addNvidiaSriovGpu({ address: "0000:5e:00.0", functions: 2 });
    const state = new MemoryStore();
    const hosts = [1, 2].map(() => new MdevHost({ fs: simulated.fs, state }));
    const lock = async (host: number, id: string): Promise<boolean> => {
      const parent = await ok((hosts[host] as MdevHost).parent(id));
      return (await parent.lock({ timeout: 20 })).ok;
    };
    const cards = await ok((hosts[0] as MdevHost).cards());
    const [[a = "", b = ""] = [], [c = ""] = []] = cards.map(({ parents }) => parents.map(({ id }) => id));
    expect(await lock(0, a)).toBe(true);
    expect(await lock(1, b)).toBe(false);
    expect(await lock(1, c)).toBe(true);
    expect((await state.names()).length).toBe(2);
  });

  it("needs a store, and a parent that is there", async () => {
    const { parent, simulated, mtty } = await makeSerialWorld();
    expect(await fails(parent.lock(), "unsupported")).toMatchObject({ missing: "option state" });
    const host = new MdevHost({ fs: simulated.fs, state: new MemoryStore() });
    const other = await ok(host.parent("mtty"));
    await mtty.unplug();
    await fails(other.lock(), "gone");
  });

  it("leaves sysfs alone", async () => {
    const { simulated } = await makeSerialWorld();
    const parent = await ok(new MdevHost({ fs: simulated.fs, state: new MemoryStore() }).parent("mtty"));
    const lock = await ok(parent.lock());
    await ok(lock.release());
    expect(simulated.operations.filter(({ operation }) => operation.startsWith("write"))).toEqual([]);
  });
});

describe("a folder as a store", () => {
  it("makes its folder when it is needed, and leaves nothing", async () => {
    const path = join(temporaryFolder(), "run/vfio-mdev");
    const store = new DirectoryStore(path);
    expect(await store.names()).toEqual([]);
    const lock = await ok(takeLock(store, "one"));
    expect(readdirSync(path)).toEqual(["one"]);
    await ok(lock.release());
    expect(readdirSync(path)).toEqual([]);
  });

  it("takes away what a process left that died while it made an entry, once that is old", async () => {
    const path = temporaryFolder();
    mkdirSync(join(path, ".vfio-mdev-new-fresh"));
    mkdirSync(join(path, ".vfio-mdev-new-old"));
    spawnSync("touch", ["-d", "2 minutes ago", join(path, ".vfio-mdev-new-old")]);
    const store = new DirectoryStore(path);
    expect(await store.names()).toEqual([]);
    await store.create("one", "");
    expect(readdirSync(path).sort()).toEqual([".vfio-mdev-new-fresh", "one"]);
  });

  it("says what is in the way: a file, a folder with something else, a folder that cannot be made", async () => {
    const path = temporaryFolder();
    writeFileSync(join(path, "file"), "");
    mkdirSync(join(path, "folder"));
    writeFileSync(join(path, "folder/else"), "");
    const store = new DirectoryStore(path);
    await fails(takeLock(store, "file", { timeout: 20 }), "io");
    await fails(takeLock(store, "folder", { timeout: 20 }), "io");
    await fails(takeLock(new DirectoryStore(join(path, "file/x")), "one", { timeout: 20 }), "io");
    await fails(takeLock(new DirectoryStore("/proc/nowhere"), "one", { timeout: 20 }), "io");
  });

  it("never removes an entry of another tag", async () => {
    const store = new DirectoryStore(temporaryFolder());
    const tag = (await store.create("one", "1")) ?? "";
    expect(await store.create("one", "2")).toBeUndefined();
    expect(await store.remove("one", globalThis.crypto.randomUUID())).toBe(false);
    expect(await store.remove("one", "../one")).toBe(false);
    expect(await store.remove("one", tag)).toBe(true);
    expect(await store.remove("one", tag)).toBe(false);
    expect(await store.create("one", "3")).toBeDefined();
    expect(await store.remove("one", tag)).toBe(false);
    expect((await store.read("one"))?.text).toBe("3");
  });
});

describe("several processes", () => {
  let built: string;
  let esm: string;
  let cjs: string;
  beforeAll(() => {
    built = mkdtempSync(join(tmpdir(), "vfio-mdev-"));
    esm = bundle(built, "index.ts", "esm");
    cjs = bundle(built, "index.ts", "cjs");
    return () => rmSync(built, { recursive: true, force: true });
  });

  const HOLD = (file: string, then: string): string => `
    import * as module from ${JSON.stringify(file)};
    const { DirectoryStore, takeLock } = module.default ?? module;
    const lock = await takeLock(new DirectoryStore(process.argv[2]), "one").getOrThrow();
    console.log("held");
    ${then}`;

  it("take over from one that was killed, promptly", async () => {
    const folder = temporaryFolder();
    const holder = new Program(built, HOLD(esm, "setInterval(() => {}, 1000);"), [folder]);
    expect(await holder.line()).toBe("held");
    const store = new DirectoryStore(folder);
    const error = await fails(takeLock(store, "one", { timeout: 50 }), "conflict");
    expect(error.message).toContain(`process ${holder.pid}`);
    const waiting = takeLock(store, "one");
    const killed = performance.now();
    await holder.kill();
    await ok(waiting);
    expect(performance.now() - killed).toBeLessThan(1_000);
  });

  it("take over from one that exited with it", async () => {
    const folder = temporaryFolder();
    const holder = new Program(built, HOLD(cjs, "process.exit();"), [folder]);
    expect(await holder.line()).toBe("held");
    await holder.ended;
    await ok(takeLock(new DirectoryStore(folder), "one", { timeout: 0 }));
  });

  it("do not take over from one that is alive but does not answer", async () => {
    const folder = temporaryFolder();
    const holder = new Program(built, HOLD(esm, "setTimeout(() => { for (;;); }, 10);"), [folder]);
    expect(await holder.line()).toBe("held");
    await fails(takeLock(new DirectoryStore(folder), "one", { timeout: 300 }), "conflict");
    await holder.kill();
  });

  it("exclude each other with both module formats in one process", async () => {
    const folder = temporaryFolder();
    const both = new Program(
      built,
      `import * as first from ${JSON.stringify(esm)};
       import second from ${JSON.stringify(cjs)};
       const take = ({ DirectoryStore, takeLock }) =>
         takeLock(new DirectoryStore(process.argv[2]), "one", { timeout: 50 });
       await take(first).getOrThrow();
       const refused = await take(second);
       console.log(refused.ok ? "both" : refused.error.type);`,
      [folder],
    );
    expect(await both.line()).toBe("conflict");
  });

  const rounds = Number(process.env["VFIO_MDEV_LOCK_ROUNDS"] ?? 12);
  it(
    `are never inside at once, though ${rounds} of them are killed at random`,
    { timeout: 30_000 + rounds * 1_000 },
    async () => {
      const folder = temporaryFolder();
      const log = join(folder, "log");
      const store = join(folder, "store");
      const seed = Number(process.env["VFIO_MDEV_SEED"] ?? 7);
      const next = random(seed);
      const WORK = `
        import { appendFileSync } from "node:fs";
        import { DirectoryStore, takeLock } from ${JSON.stringify(esm)};
        const [, , store, log] = process.argv;
        const say = (what) => appendFileSync(log, what + " " + process.pid + "\\n");
        console.log("ready");
        for (;;) {
          const lock = await takeLock(new DirectoryStore(store), "one").getOrThrow();
          say("enter");
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 12));
          say("leave");
          await lock.release().getOrThrow();
        }`;
      const start = async (): Promise<Program> => {
        const program = new Program(built, WORK, [store, log]);
        await program.line();
        return program;
      };
      const workers = await Promise.all([1, 2, 3, 4].map(start));
      for (let round = 0; round < rounds; round++) {
        await new Promise((resolve) => setTimeout(resolve, next() * 60));
        const victim = Math.floor(next() * workers.length);
        const worker = workers[victim] as Program;
        appendFileSync(log, `kill ${worker.pid}\n`);
        await worker.kill();
        workers[victim] = await start();
      }
      for (const worker of workers) appendFileSync(log, `kill ${worker.pid}\n`);
      await Promise.all(workers.map((worker) => worker.kill()));
      const { entered, overlaps, takenOver } = judge(readFileSync(log, "utf8"));
      expect({ seed, overlaps }).toEqual({ seed, overlaps: [] });
      expect(entered).toBeGreaterThan(rounds);
      if (process.env["VFIO_MDEV_LOCK_ROUNDS"] !== undefined)
        console.log(`${entered} times inside, ${takenOver} taken over from the dead`);
      const lock: Lock = await ok(takeLock(new DirectoryStore(store), "one", { timeout: 1_000 }));
      await ok(lock.release());
    },
  );
});

/** Reads who was inside when: somebody may come in while another is, only when that one had been killed before. */
function judge(log: string): { entered: number; takenOver: number; overlaps: string[] } {
  const killed = new Set<string>();
  const overlaps: string[] = [];
  let [inside, entered, takenOver]: [string | undefined, number, number] = [undefined, 0, 0];
  for (const line of log.trim().split("\n")) {
    const [what, pid = ""] = line.split(" ");
    if (what === "kill") killed.add(pid);
    if (what === "enter") {
      if (inside !== undefined && !killed.has(inside)) overlaps.push(`${pid} while ${inside}`);
      if (inside !== undefined) takenOver += 1;
      [inside, entered] = [pid, entered + 1];
    }
    if (what === "leave") {
      if (inside !== pid) overlaps.push(`${pid} left while ${inside ?? "nobody"} was inside`);
      inside = undefined;
    }
  }
  return { entered, takenOver, overlaps };
}
