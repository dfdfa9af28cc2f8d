// The local file system on a runtime: nodeFileSystem, and what stands on it.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as pause } from "node:timers/promises";
import { DefinitionStore } from "../../src/definitions/index.js";
import {
  DirectoryStore,
  type HostEvent,
  MdevHost,
  NodeFileSystem,
  nodeFileSystem,
  pollingSource,
  takeLock,
  text,
} from "../../src/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { fails, ok } from "../contract/expect.js";
import type { Runner } from "../contract/subject.js";
import { DiskTree } from "../support/disk-tree.js";

const O_WRONLY = 1;
const UUID = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
const OTHER = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1002";

export function localFiles({ describe, it, afterEach }: Runner): void {
  const folders: string[] = [];
  const temporary = (): string => {
    const folder = mkdtempSync(join(tmpdir(), "vfio-mdev-runtime-"));
    folders.push(folder);
    return folder;
  };
  /** A simulated host with one device, and its tree on disk. */
  const world = async (): Promise<{ tree: DiskTree; host: MdevHost; simulated: SimulatedHost }> => {
    const simulated = new SimulatedHost();
    simulated.addMtty();
    simulated.addMdpy().create("mdpy-hd", UUID);
    const tree = await DiskTree.of(simulated, temporary());
    return { tree, host: new MdevHost({ sysfs: tree.sysfs, dev: tree.dev }), simulated };
  };
  /** Puts a pipe that nobody reads in place of `remove`: it holds a writer up, as the kernel does while a device is in use. */
  const holdUp = (tree: DiskTree): void => {
    rmSync(tree.file(UUID, "remove"));
    execFileSync("mkfifo", [tree.file(UUID, "remove")]);
  };

  /** What the writer that is held up wrote, now that somebody reads. */
  const letGo = async (tree: DiskTree): Promise<string> => {
    const pipe = openSync(tree.file(UUID, "remove"), constants.O_RDONLY | constants.O_NONBLOCK);
    const chunk = Buffer.alloc(16);
    try {
      for (let look = 0; look < 500; look++) {
        try {
          const size = readSync(pipe, chunk);
          if (size > 0) return chunk.toString("utf8", 0, size);
        } catch (thrown) {
          if ((thrown as NodeJS.ErrnoException).code !== "EAGAIN") throw thrown;
        }
        await pause(20);
      }
    } finally {
      closeSync(pipe);
    }
    return assert.fail("nobody writes");
  };

  describe("local files", () => {
    afterEach(async () => {
      for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
    });

    for (const reads of ["auto", "pool"] as const) {
      it(`are read as they are, links included: reads: "${reads}"`, async () => {
        const { tree, simulated } = await world();
        const fs = new NodeFileSystem({ reads });
        const host = new MdevHost({ fs, sysfs: tree.sysfs, dev: tree.dev });
        const told = await ok(new MdevHost({ fs: simulated.fs }).snapshot());
        const seen = await ok(host.snapshot());
        const moved = JSON.stringify(seen).replaceAll(tree.sysfs, "/sys");
        const inodes = /"inode":\d+/gu;
        assert.equal(moved.replaceAll(inodes, ""), JSON.stringify(told).replaceAll(inodes, ""));
        assert.equal((await ok(host.device(UUID))).path, tree.file(UUID));
        assert.match(await fs.readFile("/proc/self/status", "utf8"), /^Name:/u);
        const long = "€".repeat(40_000);
        writeFileSync(tree.file(UUID, "long"), long);
        assert.equal(await fs.readFile(tree.file(UUID, "long"), "utf8"), long);
      });
    }

    it("are written in place, and whole", async () => {
      const { tree, host } = await world();
      const path = tree.file(UUID, "setting");
      writeFileSync(path, "abcdef");
      const setting = (await ok(host.device(UUID))).attribute("setting", text);
      await ok(setting.write("xyz"));
      assert.equal(readFileSync(path, "utf8"), "xyz\nef");
      assert.equal(await ok(setting.read()), "xyz\nef");
      await fails((await ok(host.device(UUID))).attribute("absent", text).write("x"), "unsupported");
    });

    it("tell why they cannot be read or written, by both ways to write", async () => {
      const folder = temporary();
      const code = (work: Promise<unknown>): Promise<unknown> =>
        work.then(
          () => undefined,
          (error: unknown) => (error as NodeJS.ErrnoException).code,
        );
      const option = { flag: O_WRONLY };
      assert.equal(await code(nodeFileSystem.readFile(join(folder, "absent"), "utf8")), "ENOENT");
      assert.equal(await code(nodeFileSystem.readFile(folder, "utf8")), "EISDIR");
      assert.equal(await code(nodeFileSystem.readdir(join(folder, "absent"))), "ENOENT");
      assert.equal(await code(nodeFileSystem.readlink(folder)), "EINVAL");
      for (const write of ["writeFile", "writeDetached"] as const) {
        assert.equal(await code(nodeFileSystem[write](join(folder, "absent"), "x", option)), "ENOENT");
        assert.equal(await code(nodeFileSystem[write](folder, "x", option)), "EISDIR");
        assert.equal(await code(nodeFileSystem[write]("/dev/full", "x", option)), "ENOSPC");
        const refused = nodeFileSystem[write]("/proc/self/oom_score_adj", "x", option);
        assert.equal(await code(refused), "EINVAL");
      }
    });

    it("are written by a process of its own, that can be given up on", async () => {
      const folder = temporary();
      const path = join(folder, "file");
      writeFileSync(path, "");
      const texts = ["1", 'ä"\\\u2028\n', "€".repeat(40_000)];
      for (const each of texts) await nodeFileSystem.writeDetached(path, each, { flag: O_WRONLY });
      assert.equal(readFileSync(path, "utf8"), texts.at(-1));
      const { tree, host } = await world();
      holdUp(tree);
      const removal = (await ok(host.device(UUID))).remove({ timeout: 2_000 });
      assert.match((await fails(removal, "timeout")).pending ?? "", /may still remove it/u);
      assert.equal(await letGo(tree), "1\n");
    });

    it("do not keep a program from ending while a removal is stuck", async () => {
      const { tree } = await world();
      holdUp(tree);
      const [program = "", ...args] = again("stuck-removal.mjs", tree.sysfs, UUID);
      const other = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
      const limit = setTimeout(() => other.kill("SIGKILL"), 20_000);
      const [told] = (await once(other.stdout, "data")) as [Buffer];
      assert.equal(told.toString().trim(), "timeout");
      assert.deepEqual(await once(other, "close"), [0, null]);
      clearTimeout(limit);
      assert.equal(await letGo(tree), "1\n"); // it was stuck all the time
    });

    it("tell when a device is gone", async () => {
      const { tree, host } = await world();
      const device = await ok(host.device(UUID));
      const removal = device.remove({ timeout: 20_000 });
      while (tree.removal(UUID) !== "1\n") await pause(5);
      tree.disappear(UUID);
      assert.deepEqual(await ok(removal), { removed: true });
      await fails(device.state(), "gone");
    });

    it("are watched by polling, until the listener leaves", async () => {
      const { tree, host } = await world();
      const listener = new AbortController();
      const events: HostEvent["type"][] = [];
      const steps = new Map<HostEvent["type"], () => void>([
        ["snapshot", () => tree.appear(OTHER)],
        ["device-ready", () => tree.disappear(OTHER)],
        ["device-removed", () => listener.abort()],
      ]);
      const limit = setTimeout(() => listener.abort(), 20_000);
      for await (const { type } of host.watch({
        source: pollingSource({ interval: 20 }),
        signal: listener.signal,
      })) {
        events.push(type);
        steps.get(type)?.();
      }
      clearTimeout(limit);
      assert.deepEqual(
        events.filter((type) => steps.has(type)),
        ["snapshot", "device-ready", "device-removed"],
      );
    });

    it("lock between processes, and a process that was killed holds nobody up", async () => {
      const folder = temporary();
      const store = new DirectoryStore(join(folder, "state"));
      const lock = await ok(takeLock(store, "all"));
      const refused = await fails(takeLock(store, "all", { timeout: 50 }), "conflict");
      assert.match(refused.message, new RegExp(`process ${process.pid}`, "u"));
      await ok(lock.release());

      const [program = "", ...args] = again("lock-holder.mjs", join(folder, "state"), "all");
      const other = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
      await once(other.stdout, "data");
      await fails(takeLock(store, "all", { timeout: 50 }), "conflict");
      other.kill("SIGKILL");
      await once(other, "close");
      await ok((await ok(takeLock(store, "all", { timeout: 5_000 }))).release());
    });

    it("keep definitions", async () => {
      const root = join(temporary(), "mdevctl.d");
      const store = new DefinitionStore({ root });
      await ok(store.define({ parent: "mdpy", type: "mdpy-hd", uuid: UUID, start: "auto" }));
      assert.equal(
        (JSON.parse(readFileSync(join(root, "mdpy", UUID), "utf8")) as { start: string }).start,
        "auto",
      );
      await ok(store.modify(UUID, { start: "manual" }));
      assert.equal((await ok(store.get(UUID))).start, "manual");
      await ok(store.undefine(UUID));
      assert.deepEqual((await ok(store.list())).definitions, []);
    });

    it("are left when the time is over or the caller says so", async () => {
      const { host } = await world();
      await fails(host.snapshot({ signal: AbortSignal.abort() }), "aborted");
      await fails(host.waitForParents({ ids: ["absent"], timeout: 50 }), "timeout");
    });
  });
}

/** The command that runs a program beside this one, on the same runtime. */
function again(name: string, ...args: string[]): string[] {
  const program = fileURLToPath(new URL(name, import.meta.url));
  const isDeno = "deno" in process.versions;
  return [process.execPath, ...(isDeno ? ["run", "-A", "--no-prompt"] : []), program, ...args];
}
