import childProcess, { type ChildProcess } from "node:child_process";
import { constants, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { NodeFileSystem } from "../../src/index.js";
import { Fifo, makeTree, temporaryFolder } from "../support/temporary.js";

const ONLY_WRITE = { flag: constants.O_WRONLY };

const spawned: ChildProcess[] = [];
let environments: (NodeJS.ProcessEnv | undefined)[] = [];
beforeEach(() => {
  spawned.length = 0;
  environments = [];
  const { spawn } = childProcess;
  vi.spyOn(childProcess, "spawn").mockImplementation((...given: Parameters<typeof spawn>) => {
    const child = spawn(...given);
    spawned.push(child);
    environments.push(given[2].env);
    return child;
  });
  syncBuiltinESMExports();
});
afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
  for (const child of spawned) child.stdin?.end();
});

describe("a detached write", () => {
  it("writes the whole text into a file that is there, without emptying it", async () => {
    const folder = makeTree(temporaryFolder(), { file: "abcdef" });
    const text = 'ä"\\\u2028\n';
    await new NodeFileSystem().writeDetached(join(folder, "file"), text, ONLY_WRITE);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe(text);
    await new NodeFileSystem().writeDetached(join(folder, "file"), "xy", ONLY_WRITE);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe(`xy${text.slice(1)}`);
  });

  it("writes a page, and a text longer than what its process reads at once", async () => {
    const path = join(makeTree(temporaryFolder(), { file: "" }), "file");
    for (const size of [4096, 40_000]) {
      await new NodeFileSystem().writeDetached(path, "€".repeat(size), ONLY_WRITE);
      expect(readFileSync(path, "utf8")).toBe("€".repeat(size));
    }
  });

  it.each([
    ["is missing", "missing", { code: "ENOENT", errno: -2, syscall: "open" }],
    ["is a folder", "folder", { code: "EISDIR", errno: -21, syscall: "open" }],
    ["is below a file", "file/below", { code: "ENOTDIR", errno: -20, syscall: "open" }],
    ["is full", "/dev/full", { code: "ENOSPC", errno: -28, syscall: "write" }],
    ["refuses the text", "/proc/self/oom_score_adj", { code: "EINVAL", errno: -22, syscall: "write" }],
  ])("tells the errno, the code and the path when the file %s", async (_what, name, facts) => {
    const folder = makeTree(temporaryFolder(), { file: "", folder: null });
    const path = name.startsWith("/") ? name : join(folder, name);
    const failure: unknown = await new NodeFileSystem()
      .writeDetached(path, "xyz", ONLY_WRITE)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(failure).toMatchObject({ ...facts, path });
    expect((failure as Error).message).toContain(facts.code);
  });

  it("uses one process for writes that come one after another, and one more for each that is blocked", async () => {
    const folder = makeTree(temporaryFolder(), { file: "" });
    const fs = new NodeFileSystem();
    for (let round = 0; round < 5; round++)
      await fs.writeDetached(join(folder, "file"), `${round}`, ONLY_WRITE);
    await fs.writeDetached(join(folder, "missing"), "x", ONLY_WRITE).catch(() => undefined);
    expect(spawned).toHaveLength(1);
    const fifo = new Fifo(folder, "pipe");
    const blocked = fs.writeDetached(fifo.path, "1", ONLY_WRITE);
    await fs.writeDetached(join(folder, "file"), "x", ONLY_WRITE);
    await fs.writeDetached(join(folder, "file"), "y", ONLY_WRITE);
    expect(spawned).toHaveLength(2);
    expect(await fifo.chunks()).toEqual(["1"]);
    await blocked;
    await Promise.all([1, 2].map((text) => fs.writeDetached(join(folder, "file"), `${text}`, ONLY_WRITE)));
    expect(spawned).toHaveLength(2);
  });

  it("lets its process end when it is idle", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const folder = makeTree(temporaryFolder(), { file: "" });
      const fs = new NodeFileSystem();
      await fs.writeDetached(join(folder, "file"), "x", ONLY_WRITE);
      const [child] = spawned as [ChildProcess];
      const ended = new Promise((resolve) => child.once("exit", resolve));
      vi.advanceTimersByTime(10_000);
      expect(await ended).toBe(0);
      await fs.writeDetached(join(folder, "file"), "y", ONLY_WRITE);
      expect(spawned).toHaveLength(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it("does not preload what the program preloads", async () => {
    vi.stubEnv("NODE_OPTIONS", "--require=/nonexistent.cjs");
    try {
      const path = join(makeTree(temporaryFolder(), { file: "" }), "file");
      await new NodeFileSystem().writeDetached(path, "x", ONLY_WRITE);
      expect(readFileSync(path, "utf8")).toBe("x");
      expect(environments[0]).not.toHaveProperty("NODE_OPTIONS");
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it("fails when its process is killed, and the next one gets another", async () => {
    const folder = makeTree(temporaryFolder(), { file: "" });
    const fs = new NodeFileSystem();
    const fifo = new Fifo(folder, "pipe");
    const blocked = fs.writeDetached(fifo.path, "1", ONLY_WRITE);
    await vi.waitFor(() => expect(spawned).toHaveLength(1));
    spawned[0]?.kill("SIGKILL");
    await expect(blocked).rejects.toThrow("the writing process ended before it answered");
    await fs.writeDetached(join(folder, "file"), "x", ONLY_WRITE);
    const idle = spawned[1];
    const ended = new Promise((resolve) => idle?.once("exit", resolve));
    idle?.kill("SIGKILL");
    await ended;
    await fs.writeDetached(join(folder, "file"), "y", ONLY_WRITE);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("y");
    expect(spawned).toHaveLength(3);
  });

  it("fails when no process can be started", async () => {
    const { execPath } = process;
    process.execPath = "/nonexistent/node";
    try {
      const failure: unknown = await new NodeFileSystem()
        .writeDetached("/dev/null", "x", ONLY_WRITE)
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({
        message: "the writing process did not start",
        cause: { code: "ENOENT" },
      });
    } finally {
      process.execPath = execPath;
    }
  });

  it("is not begun when the signal was aborted before", async () => {
    const path = join(makeTree(temporaryFolder(), { file: "untouched" }), "file");
    const reason = new Error("enough");
    const fs = new NodeFileSystem();
    const signal = AbortSignal.abort(reason);
    await expect(fs.writeDetached(path, "x", { ...ONLY_WRITE, signal })).rejects.toBe(reason);
    const controller = new AbortController();
    const starting = new NodeFileSystem().writeDetached(path, "x", {
      ...ONLY_WRITE,
      signal: controller.signal,
    });
    controller.abort(reason);
    await expect(starting).rejects.toBe(reason);
    expect(readFileSync(path, "utf8")).toBe("untouched");
  });

  it("holds up neither the event loop nor the thread pool, however many are blocked", async () => {
    const folder = makeTree(temporaryFolder(), { file: "text" });
    const fs = new NodeFileSystem();
    const pipes = Array.from({ length: 6 }, (_, at) => new Fifo(folder, `pipe${at}`));
    const blocked = pipes.map((pipe, at) => fs.writeDetached(pipe.path, `${at}`, ONLY_WRITE));
    await vi.waitFor(() => expect(spawned).toHaveLength(6));
    for (let round = 0; round < 8; round++)
      expect(await promises.readFile(join(folder, "file"), "utf8")).toBe("text");
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(await fs.readFile(join(folder, "file"), "utf8")).toBe("text");
    await fs.writeFile(join(folder, "file"), "TEXT", ONLY_WRITE);
    for (const [at, pipe] of pipes.entries()) expect(await pipe.chunks()).toEqual([`${at}`]);
    await Promise.all(blocked);
  });
});

describe("a process with a blocked detached write", () => {
  const LIMIT = 1_000;
  const bundles = mkdtempSync(join(tmpdir(), "vfio-mdev-bundle-"));
  const outfile = join(bundles, "node-file-system.cjs");

  beforeAll(() => {
    buildSync({
      entryPoints: [join(import.meta.dirname, "../../src/file-system/node-file-system.ts")],
      bundle: true,
      platform: "node",
      format: "cjs",
      outfile,
    });
  });
  afterAll(() => rmSync(bundles, { recursive: true }));

  interface Program {
    readonly process: ChildProcess;
    /** What it printed. */
    output(): string;
    /** How it ended, and how many milliseconds after its last words. */
    readonly ended: Promise<{ readonly code: number | null; readonly after: number }>;
  }

  /** Runs a program that has `fs`, `promises`, `fifo` and `file`. */
  function run(fifo: string, file: string, program: string): Program {
    const code = `
      const { NodeFileSystem } = require(${JSON.stringify(outfile)});
      const promises = require("node:fs/promises");
      const [fifo, file] = ${JSON.stringify([fifo, file])};
      const fs = new NodeFileSystem();
      const flag = { flag: 1 };
      const blocked = () => new Promise((resolve) => setTimeout(resolve, 150));
      (async () => { ${program} })().catch((error) => { console.log("failed", error); process.exit(9); });`;
    const child = childProcess.spawn(process.execPath, ["-e", code], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    let output = "";
    let printed = performance.now();
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      printed = performance.now();
    });
    const ended = new Promise<{ code: number | null; after: number }>((resolve) => {
      child.once("exit", (exit) => resolve({ code: exit, after: performance.now() - printed }));
    });
    return { process: child, output: () => output, ended };
  }

  it("reads on, and exits at once when it is told to", async () => {
    const folder = makeTree(temporaryFolder(), { file: "text" });
    const fifo = new Fifo(folder, "pipe");
    const { output, ended } = run(
      fifo.path,
      join(folder, "file"),
      `fs.writeDetached(fifo, "1\\n", flag).catch(() => undefined);
      await blocked();
      console.log(await fs.readFile(file, "utf8"), await promises.readFile(file, "utf8"));
      process.exit(3);`,
    );
    const { code, after } = await ended;
    expect(output()).toBe("text text\n");
    expect(code).toBe(3);
    expect(after).toBeLessThan(LIMIT);
    // The write goes on without it.
    expect(await fifo.chunks()).toEqual(["1\n"]);
  });

  it("ends by itself when it has given up", async () => {
    const folder = makeTree(temporaryFolder(), { file: "text" });
    const fifo = new Fifo(folder, "pipe");
    const { output, ended } = run(
      fifo.path,
      join(folder, "file"),
      `const controller = new AbortController();
      fs.writeDetached(fifo, "1\\n", { flag: 1, signal: controller.signal }).catch(() => undefined);
      await blocked();
      controller.abort();
      console.log("given up");`,
    );
    const { code, after } = await ended;
    expect(output()).toBe("given up\n");
    expect(code).toBe(0);
    expect(after).toBeLessThan(LIMIT);
    expect(await fifo.chunks()).toEqual(["1\n"]);
  });

  it("stays alive while somebody waits for the outcome, and ends by itself after it", async () => {
    const folder = makeTree(temporaryFolder(), { file: "text" });
    const fifo = new Fifo(folder, "pipe");
    const { process, output, ended } = run(
      fifo.path,
      join(folder, "file"),
      `console.log("waiting");
      await fs.writeDetached(fifo, "1\\n", flag);
      console.log("done");`,
    );
    await vi.waitFor(() => expect(output()).toBe("waiting\n"), 5_000);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(process.exitCode).toBeNull();
    expect(await fifo.chunks()).toEqual(["1\n"]);
    const { code, after } = await ended;
    expect(output()).toBe("waiting\ndone\n");
    expect(code).toBe(0);
    expect(after).toBeLessThan(LIMIT);
  });
});
