import { spawn } from "node:child_process";
import nodeFs, {
  closeSync,
  constants,
  openSync,
  type PathLike,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import promises, { type FileHandle, open } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { type FileSystem, NodeFileSystem, nodeFileSystem } from "../../src/index.js";
import { Fifo, makeTree, temporaryFolder } from "../support/temporary.js";

const ONLY_WRITE = { flag: constants.O_WRONLY };
const UUID = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

/** How many turns the event loop had until something was done. */
async function turnsDuring<T>(
  work: () => Promise<T>,
): Promise<{ readonly turns: number; readonly value: T }> {
  let turns = 0;
  let counting = true;
  const turn = (): void => {
    turns += 1;
    if (counting) setImmediate(turn);
  };
  setImmediate(turn);
  try {
    return { value: await work(), turns };
  } finally {
    counting = false;
  }
}

/** Writes into a pipe after a while, from another process: who opens it to read is held up as long. */
function writeLater(fifo: Fifo, text: string, seconds: number): void {
  spawn("sh", ["-c", `sleep ${seconds}; printf '%s' "$1" > "$2"`, "sh", text, fifo.path], {
    stdio: "ignore",
  });
}

describe.each(["auto", "pool"] as const)("reading (%s)", (reads) => {
  const fs = new NodeFileSystem({ reads });

  it.each([
    ["nothing", 0],
    ["one byte", 1],
    ["a byte less than a page", 4095],
    ["exactly a page", 4096],
    ["a byte more than a page", 4097],
    ["two pages", 8192],
    ["64 KiB", 65_536],
    ["much", 300_001],
  ])("gives the whole text: %s", async (_what, size) => {
    const content = Array.from({ length: size }, (_, at) => "0123456789abcdef"[at % 16]).join("");
    const path = join(makeTree(temporaryFolder(), { file: content }), "file");
    expect(await fs.readFile(path, "utf8")).toBe(content);
  });

  it("gives characters that lie across the end of a page whole", async () => {
    for (const before of [4094, 4095, 4096]) {
      const content = `${"x".repeat(before)}€ä`;
      const path = join(makeTree(temporaryFolder(), { file: content }), "file");
      expect(await fs.readFile(path, "utf8")).toBe(content);
    }
  });

  it("gives bytes that are no UTF-8 as node does", async () => {
    const path = join(temporaryFolder(), "file");
    writeFileSync(path, Buffer.from([0x61, 0xff, 0xfe, 0x00, 0xc3, 0x0a]));
    expect(await fs.readFile(path, "utf8")).toBe("a\ufffd\ufffd\0\ufffd\n");
  });

  it("does not mix up texts that are read at once", async () => {
    const names = Array.from({ length: 50 }, (_, at) => `file${at}`);
    const folder = makeTree(
      temporaryFolder(),
      Object.fromEntries(names.map((name, at) => [name, name.repeat(at + 1)])),
    );
    const texts = await Promise.all(names.map((name) => fs.readFile(join(folder, name), "utf8")));
    expect(texts).toEqual(names.map((name, at) => name.repeat(at + 1)));
  });

  it("asks again each time", async () => {
    const path = join(makeTree(temporaryFolder(), { file: "one" }), "file");
    expect(await fs.readFile(path, "utf8")).toBe("one");
    writeFileSync(path, "2");
    expect(await fs.readFile(path, "utf8")).toBe("2");
  });
});

describe("answers", () => {
  /** What came of a call, as far as the library looks at it. */
  async function outcome(call: () => Promise<unknown>): Promise<unknown> {
    try {
      return plain(await call());
    } catch (error) {
      const { code, errno, syscall } = error as NodeJS.ErrnoException;
      return { code, errno, syscall };
    }
  }
  function plain(value: unknown): unknown {
    if (Array.isArray(value)) return [...(value as string[])].sort();
    if (typeof value !== "object" || value === null) return value;
    const stat = value as Awaited<ReturnType<FileSystem["lstat"]>>;
    return [stat.mode, stat.ino, stat.isDirectory(), stat.isFile(), stat.isSymbolicLink()];
  }

  const tree = {
    file: "text",
    empty: "",
    folder: null,
    "folder/inner": "inner",
    "to-file": { link: "file" },
    "to-folder": { link: "folder" },
    dangling: { link: "nowhere" },
    loop: { link: "loop" },
    absolute: { link: "/" },
  };
  const paths = [
    ...Object.keys(tree),
    ".",
    "missing",
    "file/below",
    "to-folder/inner",
    "missing/below",
    "x".repeat(300),
    "nul\0",
  ];

  it.each(["readFile", "readdir", "readlink", "lstat"] as const)("are node's: %s", async (name) => {
    const folder = makeTree(temporaryFolder(), tree);
    const ask = (fs: FileSystem, path: string): Promise<unknown> =>
      name === "readFile" ? fs.readFile(path, "utf8") : fs[name](path);
    for (const path of paths.map((each) => `${folder}/${each}`)) {
      const expected = await outcome(() => ask(promises, path));
      expect(await outcome(() => ask(nodeFileSystem, path)), path).toEqual(expected);
    }
  });

  it("are node's: writeFile and writeDetached", async () => {
    for (const path of [...paths, "/dev/full", "/proc/self/oom_score_adj"]) {
      const write = async (name: "writeFile" | "writeDetached", fs: FileSystem): Promise<unknown> => {
        const folder = makeTree(temporaryFolder(), tree);
        const full = path.startsWith("/") ? path : `${folder}/${path}`;
        const end = await outcome(async () => fs[name]?.(full, "XY", ONLY_WRITE));
        return [end, readFileSync(join(folder, "file"), "utf8"), await promises.readdir(folder)];
      };
      const expected = await write("writeFile", promises);
      expect(await write("writeFile", nodeFileSystem), path).toEqual(expected);
      expect(await write("writeDetached", nodeFileSystem), path).toEqual(expected);
    }
  });
});

describe("writing", () => {
  it("neither makes nor empties a file", async () => {
    const folder = makeTree(temporaryFolder(), { file: "abcdef" });
    await nodeFileSystem.writeFile(join(folder, "file"), "XY", ONLY_WRITE);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("XYcdef");
    const missing = nodeFileSystem.writeFile(join(folder, "missing"), "XY", ONLY_WRITE);
    await expect(missing).rejects.toMatchObject({ code: "ENOENT", errno: -2, syscall: "open" });
    expect(await promises.readdir(folder)).toEqual(["file"]);
  });

  it("opens once with the flag it was given, and makes one write of the whole text", async () => {
    const path = join(makeTree(temporaryFolder(), { file: "" }), "file");
    const handle = await open(path);
    await handle.close();
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    const opened = vi.spyOn(promises, "open");
    const written = vi.spyOn(prototype, "write");
    syncBuiltinESMExports();
    for (const text of ["1", "x".repeat(4096), "ä".repeat(2048)]) {
      await nodeFileSystem.writeFile(path, text, ONLY_WRITE);
      expect(opened.mock.calls).toEqual([[path, constants.O_WRONLY]]);
      expect(written.mock.calls).toEqual([[text]]);
      opened.mockClear();
      written.mockClear();
    }
  });

  it.each(["writeFile", "writeDetached"] as const)(
    "reaches the reader of a pipe in one chunk: %s",
    async (name) => {
      const fifo = new Fifo(temporaryFolder(), "pipe");
      fifo.release();
      const text = `${"x".repeat(4095)}\n`;
      for (let round = 0; round < 30; round++) {
        const written = nodeFileSystem[name](fifo.path, text, ONLY_WRITE);
        expect(await fifo.chunks()).toEqual([text]);
        await written;
      }
    },
  );

  it("tells when not all was taken", async () => {
    const path = join(makeTree(temporaryFolder(), { file: "" }), "file");
    const handle = await open(path);
    await handle.close();
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    vi.spyOn(prototype, "write").mockResolvedValueOnce({ bytesWritten: 1, buffer: "abc" });
    await expect(nodeFileSystem.writeFile(path, "abc", ONLY_WRITE)).rejects.toThrow(
      "only 1 of 3 bytes were taken",
    );
  });

  it("lets at most two writes block at a time, over all file systems of the process", async () => {
    const folder = makeTree(temporaryFolder(), { file: "text" });
    const pipes = Array.from({ length: 6 }, (_, at) => new Fifo(folder, `pipe${at}`));
    const systems = [new NodeFileSystem(), new NodeFileSystem()] as const;
    const written = pipes.map((pipe, at) =>
      systems[at % 2 === 0 ? 0 : 1].writeFile(pipe.path, `${at}`, ONLY_WRITE),
    );
    const [first, second, third, ...rest] = pipes as [Fifo, Fifo, Fifo, ...Fifo[]];
    // Four blocked threads would be all there are, and this would never be read.
    for (let round = 0; round < 4; round++)
      expect(await promises.readFile(join(folder, "file"), "utf8")).toBe("text");
    third.release();
    for (let round = 0; round < 4; round++) await promises.readFile(join(folder, "file"));
    expect(third.read()).toBe("");
    expect(await first.chunks()).toEqual(["0"]);
    expect(await third.chunks()).toEqual(["2"]);
    expect(await second.chunks()).toEqual(["1"]);
    for (const [at, pipe] of rest.entries()) expect(await pipe.chunks()).toEqual([`${at + 3}`]);
    await Promise.all(written);
  });

  it("gives a place back after a failure", async () => {
    const folder = temporaryFolder();
    const attempts = Array.from({ length: 20 }, () =>
      nodeFileSystem.writeFile(join(folder, "missing"), "x", ONLY_WRITE),
    );
    for (const end of await Promise.allSettled(attempts)) expect(end.status).toBe("rejected");
    const path = join(makeTree(folder, { file: "" }), "file");
    await nodeFileSystem.writeFile(path, "x", ONLY_WRITE);
    expect(readFileSync(path, "utf8")).toBe("x");
  });

  it("never writes what was aborted while it waited for its turn", async () => {
    const folder = makeTree(temporaryFolder(), { file: "untouched", later: "untouched" });
    const pipes = [new Fifo(folder, "pipe0"), new Fifo(folder, "pipe1")];
    const blocked = pipes.map((pipe) => nodeFileSystem.writeFile(pipe.path, "x", ONLY_WRITE));
    const controller = new AbortController();
    const reason = new Error("enough");
    const queued = nodeFileSystem.writeFile(join(folder, "file"), "written", {
      ...ONLY_WRITE,
      signal: controller.signal,
    });
    const behind = nodeFileSystem.writeFile(join(folder, "later"), "WRITTEN", ONLY_WRITE);
    controller.abort(reason);
    await expect(queued).rejects.toBe(reason);
    await expect(
      nodeFileSystem.writeFile(join(folder, "file"), "written", { ...ONLY_WRITE, signal: controller.signal }),
    ).rejects.toBe(reason);
    for (const pipe of pipes) expect(await pipe.chunks()).toEqual(["x"]);
    await Promise.all([...blocked, behind]);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("untouched");
    expect(readFileSync(join(folder, "later"), "utf8")).toBe("WRITTENed");
    // Nobody keeps a place that he gave up: two can write at a time still.
    const [first, second] = [new Fifo(folder, "first"), new Fifo(folder, "second")];
    const both = [first, second].map((pipe) => nodeFileSystem.writeFile(pipe.path, "x", ONLY_WRITE));
    expect(await second.chunks()).toEqual(["x"]);
    expect(await first.chunks()).toEqual(["x"]);
    await Promise.all(both);
  });

  it("never writes what was aborted while its file was opened", async () => {
    const fifo = new Fifo(temporaryFolder(), "pipe");
    const controller = new AbortController();
    const reason = new Error("enough");
    const written = nodeFileSystem.writeFile(fifo.path, "x", { ...ONLY_WRITE, signal: controller.signal });
    controller.abort(reason);
    fifo.release();
    await expect(written).rejects.toBe(reason);
    expect(fifo.read()).toBe("");
  });
});

describe("the event loop", () => {
  const CALLS = 10_000;
  const atOnce = (call: () => Promise<unknown>): Promise<unknown> =>
    Promise.all(Array.from({ length: CALLS }, call));
  const oneByOne = async (call: () => Promise<unknown>): Promise<void> => {
    for (let round = 0; round < CALLS; round++) await call();
  };

  it.each(["at once", "one by one"] as const)("gets its turn during thousands of calls %s", async (way) => {
    const folder = makeTree(temporaryFolder(), { file: "text", link: { link: "file" } });
    const fs = new NodeFileSystem();
    const work: Readonly<Record<string, () => Promise<unknown>>> = {
      readFile: () => fs.readFile(join(folder, "file"), "utf8"),
      readdir: () => fs.readdir(folder),
      readlink: () => fs.readlink(join(folder, "link")),
      lstat: () => fs.lstat(join(folder, "file")),
    };
    for (const [name, call] of Object.entries(work)) {
      const begun = process.cpuUsage();
      const { turns } = await turnsDuring<unknown>(
        way === "at once" ? () => atOnce(call) : () => oneByOne(call),
      );
      const { user, system } = process.cpuUsage(begun);
      // A turn after every 2 ms of work; 20 ms leave room for waking those who wait.
      expect(turns, name).toBeGreaterThan((user + system) / 20_000);
    }
  });

  it("is not held up by reads in the pool", async () => {
    const fifo = new Fifo(temporaryFolder(), "pipe");
    writeLater(fifo, "late", 0.1);
    const { turns, value } = await turnsDuring(() =>
      new NodeFileSystem({ reads: "pool" }).readFile(fifo.path, "utf8"),
    );
    expect(value).toBe("late");
    expect(turns).toBeGreaterThan(20);
  });

  /** Holds up the next read that is made at once. */
  const delayOneRead = (): void => {
    const { readSync } = nodeFs;
    vi.spyOn(nodeFs, "readSync").mockImplementationOnce((...given: unknown[]) => {
      for (const begun = performance.now(); performance.now() - begun < 100;);
      return (readSync as (...given: unknown[]) => number)(...given);
    });
    syncBuiltinESMExports();
  };

  it("is held up once at most by a slow device, and never by another of its files", async () => {
    const folder = makeTree(temporaryFolder(), { "gpu0/mdev_supported_types/nvidia-1/name": "first" });
    const [device, type, other] = [
      new Fifo(folder, `gpu0/${UUID}/nvidia/vm_name`),
      new Fifo(folder, "gpu0/mdev_supported_types/nvidia-1/description"),
      new Fifo(folder, "gpu1/mdev_supported_types/nvidia-1/name"),
    ];
    const fs = new NodeFileSystem();
    delayOneRead();
    const first = join(folder, "gpu0/mdev_supported_types/nvidia-1/name");
    expect((await turnsDuring(() => fs.readFile(first, "utf8"))).turns).toBeLessThan(10);
    for (const slow of [device, type]) {
      writeLater(slow, "late", 0.1);
      const { turns, value } = await turnsDuring(() => fs.readFile(slow.path, "utf8"));
      expect(value).toBe("late");
      expect(turns).toBeGreaterThan(20);
    }
    // Another device is read at once still: in the pool this would never end.
    expect(await fs.readFile(other.path, "utf8")).toBe("");
  });

  it("does not take a device for slow where this process had to make way for others meanwhile", async () => {
    const folder = makeTree(temporaryFolder(), { "gpu0/name": "first" });
    const unwritten = new Fifo(folder, "gpu0/description");
    const fs = new NodeFileSystem();
    delayOneRead();
    const usage = process.resourceUsage();
    const used = vi.spyOn(process, "resourceUsage").mockReturnValue(usage);
    onTestFinished(() => {
      used.mockRestore();
    });
    expect(await fs.readFile(join(folder, "gpu0/name"), "utf8")).toBe("first");
    // It is read at once still: in the pool this would never end.
    expect(await fs.readFile(unwritten.path, "utf8")).toBe("");
  });

  it("is not held up by a pipe in place of an attribute, which has nothing to read then", async () => {
    const folder = temporaryFolder();
    const [unwritten, open] = [new Fifo(folder, "gpu0/name"), new Fifo(folder, "gpu0/description")];
    open.release();
    const writer = openSync(open.path, constants.O_WRONLY);
    onTestFinished(() => closeSync(writer));
    const fs = new NodeFileSystem();
    const begun = performance.now();
    expect(await fs.readFile(unwritten.path, "utf8")).toBe("");
    await expect(fs.readFile(open.path, "utf8")).rejects.toMatchObject({ code: "EAGAIN" });
    writeSync(writer, "text");
    expect(await fs.readFile(open.path, "utf8")).toBe("text");
    expect(performance.now() - begun).toBeLessThan(1_000);
  });

  it("is not held up by a device that is being written to", async () => {
    const folder = temporaryFolder();
    const [create, remove, name] = [
      new Fifo(folder, "gpu0/mdev_supported_types/nvidia-1/create"),
      new Fifo(folder, `gpu0/${UUID}/remove`),
      new Fifo(folder, "gpu0/mdev_supported_types/nvidia-1/name"),
    ];
    const fs = new NodeFileSystem();
    for (const [target, call] of [
      [create, "writeFile"],
      [remove, "writeDetached"],
    ] as const) {
      const written = fs[call](target.path, "1", ONLY_WRITE);
      await new Promise((resolve) => setImmediate(resolve));
      writeLater(name, "late", 0.1);
      const { turns } = await turnsDuring(() => fs.readFile(name.path, "utf8"));
      expect(turns, call).toBeGreaterThan(20);
      expect(await target.chunks()).toEqual(["1"]);
      await written;
    }
    // Then it is read at once again: in the pool this would never end.
    expect(await fs.readFile(name.path, "utf8")).toBe("");
  });

  it("is not held up by a read that waited for its turn while a write to its device began", async () => {
    const folder = temporaryFolder();
    const create = new Fifo(folder, "gpu0/mdev_supported_types/nvidia-1/create");
    const name = new Fifo(folder, "gpu0/mdev_supported_types/nvidia-1/name");
    const fs = new NodeFileSystem();
    for (const begun = performance.now(); performance.now() - begun < 5;);
    writeLater(name, "late", 0.1);
    let written: Promise<void> | undefined;
    const { turns } = await turnsDuring(() => {
      const read = fs.readFile(name.path, "utf8");
      written = fs.writeFile(create.path, "1", ONLY_WRITE);
      return read;
    });
    create.release();
    await written;
    expect(turns).toBeGreaterThan(20);
  });
});

it("is what node:fs/promises is to the library", () => {
  const own: FileSystem = promises;
  const opened: (path: PathLike) => Promise<string[]> = promises.readdir;
  expect(typeof own.readFile).toBe("function");
  expect(opened).toBe(own.readdir);
});
