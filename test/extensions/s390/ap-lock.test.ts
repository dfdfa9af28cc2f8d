import { spawnSync } from "node:child_process";
import {
  mkdtempSync,
  rmSync,
  linkSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { applyMatrix, lockApConfig } from "../../../src/extensions/s390/index.js";
import { fails, ok } from "../../contract/expect.js";
import { bundle, Program } from "../../support/built.js";
import { temporaryFolder } from "../../support/temporary.js";
import { machine, uuid } from "./ap-machine.js";

const lockFile = (): string => join(temporaryFolder(), "s390apconfig.lock");
const WANTED = { adapters: [5], domains: [4] };

describe("the lock of s390-tools", () => {
  it("is their file: the number of the process and a newline; and it goes again", async () => {
    const path = lockFile();
    const lock = await ok(lockApConfig({ path }));
    expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
    const error = await fails(lockApConfig({ path, timeout: 20 }), "conflict");
    expect(error.message).toContain(`process ${process.pid}`);
    await ok(lock.release());
    await ok(lock.release());
    expect(readdirSync(join(path, ".."))).toEqual([]);
  });

  it("is waited for where another program has it", async () => {
    const path = lockFile();
    writeFileSync(path, "1\n");
    const error = await fails(lockApConfig({ path, timeout: 60 }), "conflict");
    expect(error.message).toContain("process 1,");
    expect(readFileSync(path, "utf8")).toBe("1\n");
    const waiting = lockApConfig({ path, timeout: 5_000 });
    setTimeout(() => unlinkSync(path), 50);
    await ok((await ok(waiting)).release());
  });

  it("is taken over from a process that is not there", async () => {
    const path = lockFile();
    writeFileSync(path, `${spawnSync("true").pid}\n`);
    const lock = await ok(lockApConfig({ path, timeout: 0 }));
    expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
    await ok(lock.release());
  });

  it.each(["", "0\n", "nobody\n"])(
    "that says %j is taken over after two minutes, not before",
    async (text) => {
      const path = lockFile();
      writeFileSync(path, text);
      const then = Date.now() / 1000 - 110;
      utimesSync(path, then, then);
      await fails(lockApConfig({ path, timeout: 40 }), "conflict");
      utimesSync(path, then - 20, then - 20);
      await ok((await ok(lockApConfig({ path, timeout: 0 }))).release());
    },
  );

  it("is not released for somebody who has it by now", async () => {
    const path = lockFile();
    const lock = await ok(lockApConfig({ path }));
    unlinkSync(path);
    writeFileSync(path, "1\n");
    await fails(lock.release(), "conflict");
    expect(readFileSync(path, "utf8")).toBe("1\n");
  });

  it.each(["", "relative", "/run/lock/", 7 as unknown as string])("is not at %j", async (path) => {
    await fails(lockApConfig({ path }), "invalid-argument");
  });

  it("is not there where its folder is none", async () => {
    await fails(lockApConfig({ path: "/proc/nowhere/lock", timeout: 50 }), "io");
  });
});

describe("a matrix that is applied", () => {
  it("holds the lock meanwhile, and leaves no trace of it", async () => {
    const path = lockFile();
    const { add, simulated } = machine();
    const device = await add(uuid(1));
    const seen: string[] = [];
    simulated.onOperation(({ text }) => {
      if (text !== undefined) seen.push(readFileSync(path, "utf8"));
    });
    await ok(applyMatrix(device, WANTED, { lockFile: path }));
    expect(seen).toEqual([`${process.pid}\n`]);
    expect(readdirSync(join(path, ".."))).toEqual([]);
    await fails(applyMatrix(device, { adapters: [0], domains: [4] }, { lockFile: path }), "conflict");
    expect(readdirSync(join(path, ".."))).toEqual([]);
  });

  it("changes nothing while somebody else has the lock", async () => {
    const path = lockFile();
    writeFileSync(path, "1\n");
    const { add, writes } = machine();
    const device = await add(uuid(1));
    await fails(applyMatrix(device, WANTED, { lockFile: path, timeout: 50 }), "conflict");
    expect(writes()).toEqual([]);
  });

  it("uses the lock that is held already", async () => {
    const path = lockFile();
    const device = await machine().add(uuid(1));
    const lock = await ok(lockApConfig({ path }));
    await ok(applyMatrix(device, WANTED, { lock, lockFile: path, timeout: 1_000 }));
    expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
    await ok(lock.release());
  });
});

// What their source says, in our own words: link, look whether the process is there, unlink, wait.
const STAND_IN = `
  import { appendFileSync, linkSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
  const [, , path, log, rounds] = process.argv;
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const say = (what) => appendFileSync(log, what + " " + process.pid + "\\n");
  const isThere = (pid) => { try { process.kill(pid, 0); return true; } catch (error) { return error.code !== "ESRCH"; } };
  const mine = path + String(process.pid).padStart(5, "0") + "7f";
  for (let round = 0; round < rounds; round++) {
    writeFileSync(mine, process.pid + "\\n");
    for (;;) {
      try { linkSync(mine, path); break; } catch {}
      try { const pid = parseInt(readFileSync(path, "utf8")); if (pid > 0 && !isThere(pid)) { unlinkSync(path); continue; } } catch {}
      await pause(3);
    }
    unlinkSync(mine);
    say("enter");
    await pause(2);
    say("leave");
    unlinkSync(path);
    await pause(1);
  }
  console.log("done");`;

describe("several programs", () => {
  let built: string;
  let module: string;
  beforeAll(() => {
    built = mkdtempSync(join(tmpdir(), "vfio-mdev-"));
    module = bundle(built, "extensions/s390/index.ts", "esm");
    return () => rmSync(built, { recursive: true, force: true });
  });
  const ours = (): string => `
    import { appendFileSync } from "node:fs";
    import { lockApConfig } from ${JSON.stringify(module)};
    const [, , path, log, rounds] = process.argv;
    const say = (what) => appendFileSync(log, what + " " + process.pid + "\\n");
    for (let round = 0; round < rounds; round++) {
      const lock = await lockApConfig({ path }).getOrThrow();
      say("enter");
      await new Promise((resolve) => setTimeout(resolve, 2));
      say("leave");
      await lock.release().getOrThrow();
    }
    console.log("done");`;

  it("of ours and of theirs are never inside at once", { timeout: 60_000 }, async () => {
    const path = lockFile();
    const log = join(temporaryFolder(), "log");
    const programs = [ours(), ours(), STAND_IN].map((code) => new Program(built, code, [path, log, "30"]));
    for (const program of programs) expect(await program.line()).toBe("done");
    const lines = readFileSync(log, "utf8").trim().split("\n");
    expect(lines).toHaveLength(180);
    for (let turn = 0; turn < lines.length; turn += 2)
      expect(lines[turn + 1]).toBe(lines[turn]?.replace("enter", "leave"));
    expect(readdirSync(join(path, ".."))).toEqual([]);
  });

  it("take over what one of ours held when it was killed", async () => {
    const path = lockFile();
    const holder = new Program(
      built,
      `import { lockApConfig } from ${JSON.stringify(module)};
       await lockApConfig({ path: process.argv[2] }).getOrThrow();
       console.log("held");
       setInterval(() => {}, 1000);`,
      [path],
    );
    expect(await holder.line()).toBe("held");
    await fails(lockApConfig({ path, timeout: 30 }), "conflict");
    await holder.kill();
    const theirs = new Program(built, STAND_IN, [path, join(temporaryFolder(), "log"), "1"]);
    expect(await theirs.line()).toBe("done");
    await ok((await ok(lockApConfig({ path, timeout: 1_000 }))).release());
  });

  it("leave ours alone as long as it lives", async () => {
    const path = lockFile();
    const lock = await ok(lockApConfig({ path }));
    const aside = `${path}99`;
    writeFileSync(aside, "1\n");
    expect(() => linkSync(aside, path)).toThrow("EEXIST");
    await ok(lock.release());
  });
});
