import * as nodeFs from "node:fs/promises";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { getSystemErrorMap } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { type SimulatedFileSystem, Errno, type ErrnoName, SimulatedHost } from "../../src/testing/index.js";
import { BUS, expectError, handsOn, typePath, uuid } from "./helpers.js";

const O_RDWR = 2;
const O_CREAT = 0o100;
const O_EXCL = 0o200;

function host() {
  const simulated = new SimulatedHost();
  const mtty = simulated.addMtty();
  return { simulated, mtty, ...handsOn(simulated.fs) };
}

describe("errors", () => {
  const fields = (error: unknown): object => {
    const { code, errno, syscall, path, message, name } = error as NodeJS.ErrnoException;
    return { code, errno, syscall, path, message, name };
  };
  const failure = (call: Promise<unknown>): Promise<unknown> =>
    call.then(
      () => expect.unreachable(),
      (error: unknown) => error,
    );

  // the same question to a real file system and to the simulation: the same error, to the word
  const questions: readonly (readonly [
    string,
    string,
    string,
    (fs: SimulatedFileSystem, path: string) => Promise<unknown>,
  ])[] = [
    ["readFile of nothing", "/nothing", "/sys/nothing", (fs, path) => fs.readFile(path, "utf8")],
    ["readFile of a folder", "", "/sys/class", (fs, path) => fs.readFile(path, "utf8")],
    ["readFile below a file", "/file/x", "/sys/bus/mdev/uevent/x", (fs, path) => fs.readFile(path, "utf8")],
    ["writeFile of nothing", "/nothing", "/sys/nothing", (fs, path) => fs.writeFile(path, "1", { flag: 1 })],
    ["writeFile of a folder", "", "/sys/class", (fs, path) => fs.writeFile(path, "1", { flag: 1 })],
    ["readdir of nothing", "/nothing", "/sys/nothing", (fs, path) => fs.readdir(path)],
    ["readdir of a file", "/file", "/sys/bus/mdev/uevent", (fs, path) => fs.readdir(path)],
    ["readlink of nothing", "/nothing", "/sys/nothing", (fs, path) => fs.readlink(path)],
    ["readlink of a file", "/file", "/sys/bus/mdev/uevent", (fs, path) => fs.readlink(path)],
    ["realpath of nothing", "/nothing/x", "/sys/nothing/x", (fs, path) => fs.realpath(path)],
    ["lstat of nothing", "/nothing", "/sys/nothing", (fs, path) => fs.lstat(path)],
    ["lstat below a file", "/file/x", "/sys/bus/mdev/uevent/x", (fs, path) => fs.lstat(path)],
  ];

  it.each(questions)("%s: as node's own", async (_what, real, simulatedPath, ask) => {
    const folder = await mkdtemp(`${tmpdir()}/vfio-mdev-`);
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(`${folder}/file`, "");
    const { simulated } = host();
    const expected = fields(await failure(ask(nodeFs, folder + real)));
    const told = fields(await failure(ask(simulated.fs, simulatedPath)));
    expect(JSON.stringify(told)).toBe(JSON.stringify(expected).replaceAll(folder + real, simulatedPath));
  });

  it("have the words of libuv for every errno", async () => {
    const { simulated, read } = host();
    const names = [...getSystemErrorMap().values()] as [string, string][];
    const known: ErrnoName[] = [
      "EPERM",
      "EINTR",
      "EIO",
      "ENXIO",
      "E2BIG",
      "EAGAIN",
      "ENOMEM",
      "EBUSY",
      "EROFS",
    ];
    const more: ErrnoName[] = [
      "ERANGE",
      "ENAMETOOLONG",
      "ENOSYS",
      "ENOTSUP",
      "EADDRINUSE",
      "EADDRNOTAVAIL",
      "ETIMEDOUT",
    ];
    for (const errno of [...known, ...more, "EMFILE", "ENOSPC", "ENODEV", "EEXIST", "EINVAL"] as const) {
      simulated.failNext({ path: "/sys/x", errno, syscall: "read" });
      const [number] = [...getSystemErrorMap()].find(([, [name]]) => name === errno) ?? [];
      const words = names.find(([name]) => name === errno)?.[1] ?? "";
      expect(fields(await failure(read("/sys/x")))).toMatchObject({
        code: errno,
        errno: number,
        message: `${errno}: ${words}, read`,
      });
    }
  });

  it("have no name for EUSERS, as node", async () => {
    const { simulated, create } = host();
    simulated.addMdpy({ count: 0 });
    expect(fields(await failure(create("mdpy", "mdpy-hd", uuid(1))))).toEqual({
      code: "Unknown system error -87",
      errno: -87,
      syscall: "write",
      path: undefined,
      message: "Unknown system error -87: Unknown system error -87, write",
      name: "Error",
    });
  });
});

describe("opening", () => {
  const create = `${typePath("mtty", "mtty-1")}/create`;
  const name = `${typePath("mtty", "mtty-1")}/name`;

  it("a write-only file cannot be read, nor a read-only one written, by root either", async () => {
    const { read, write } = host();
    await expectError(read(create), "EACCES (open)");
    await expectError(write(create, uuid(1), O_RDWR), "EACCES (open)");
    await expectError(write(name, "x"), "EACCES (open)");
  });

  it("a missing file is ENOENT, and EACCES for who would make it, in a folder that is there", async () => {
    const { write } = host();
    await expectError(write(`${create}d`, "x"), "ENOENT (open)");
    await expectError(write(`${create}d`, "x", 1 | O_CREAT), "EACCES (open)");
    await expectError(write("/sys/class/none/create", "x", 1 | O_CREAT), "ENOENT (open)");
    await expectError(write(create, "x", 1 | O_CREAT | O_EXCL), "EEXIST (open)");
  });

  it("an empty write opens and does nothing", async () => {
    const { write, ls } = host();
    await write(create, "");
    await expectError(write(name, ""), "EACCES (open)");
    expect(await ls(BUS)).toEqual([]);
  });

  it("another user may read what all may, and write what was given to him", async () => {
    const { simulated } = host();
    const nobody = handsOn(simulated.fsAs(65534));
    expect(await nobody.read(name)).toBe("Single port serial\n");
    await expectError(nobody.write(create, uuid(1)), "EACCES (open)");
    simulated.chown(create, 65534);
    await nobody.write(create, uuid(1));
    await expectError(nobody.remove(uuid(1)), "EACCES (open)");
    const { pid } = simulated.open(uuid(1));
    await expectError(nobody.ls(`/proc/${pid}/fd`), "EACCES (scandir)");
    await expectError(simulated.fsAs(65534).readlink(`/proc/${pid}/fd/3`), "EACCES (readlink)");
    expect(await nobody.read(`/proc/${pid}/comm`)).toBe("qemu-system-x86\n");
  });

  it("a mode alone does not make a file readable", async () => {
    const { simulated, read, write } = host();
    simulated.chmod(create, 0o666);
    await expectError(read(create), "EIO (read)");
    simulated.chmod(name, 0o666);
    await expectError(write(name, "x"), "EIO (write)");
  });

  it("a character device has nothing to read or write", async () => {
    const { read, write } = host();
    await expectError(read("/dev/vfio/vfio"), "EINVAL (read)");
    await expectError(write("/dev/vfio/vfio", "x"), "EINVAL (write)");
  });
});

describe("the tree", () => {
  it("follows links, and does not follow them for ever", async () => {
    const { simulated, read } = host();
    const { fs } = simulated;
    expect(await fs.realpath("/sys/class/mdev_bus/mtty/subsystem/mtty/power")).toBe(
      "/sys/devices/virtual/mtty/mtty/power",
    );
    const round = "/mtty/subsystem"; // two links
    expect(await simulated.fs.realpath(`/sys/class/mtty${round.repeat(20)}`)).toBe("/sys/class/mtty");
    await expectError(read(`/sys/class/mtty${round.repeat(21)}/x`), "ELOOP (open)");
  });

  it("keeps an inode number as long as the object is there", async () => {
    const { simulated, mtty } = host();
    const { fs } = simulated;
    const ino = async (): Promise<number> => (await fs.lstat(`${mtty.path}/${uuid(1)}`)).ino;
    mtty.create("mtty-1", uuid(1));
    const first = await ino();
    expect(await ino()).toBe(first);
    mtty.remove(uuid(1));
    mtty.create("mtty-1", uuid(1));
    expect(await ino()).not.toBe(first);
  });

  it("lists in no order to rely on", async () => {
    const { simulated, mtty } = host();
    for (let i = 0; i < 9; i++) mtty.create("mtty-1", uuid(i));
    const names = await simulated.fs.readdir(BUS);
    expect(names).not.toEqual([...names].sort());
    expect(await simulated.fs.readdir(BUS)).toEqual(names);
  });

  it("can be mounted elsewhere", async () => {
    const simulated = new SimulatedHost({ sysfs: "/host/sys", dev: "/host/dev", proc: "/host/proc" });
    const mtty = simulated.addMtty();
    const id = mtty.create("mtty-1");
    const { pid } = simulated.open(id);
    const { fs } = simulated;
    expect(await fs.realpath(`/host/sys/bus/mdev/devices/${id}`)).toBe(
      `/host/sys/devices/virtual/mtty/mtty/${id}`,
    );
    expect(await fs.readlink(`/host/proc/${pid}/fd/3`)).toBe("/host/dev/vfio/0");
    await expectError(fs.readdir("/sys"), "ENOENT (scandir)");
  });

  it("tells the kinds apart", async () => {
    const { simulated } = host();
    const kinds = async (path: string): Promise<boolean[]> => {
      const stat = await simulated.fs.lstat(path);
      return [stat.isDirectory(), stat.isFile(), stat.isSymbolicLink()];
    };
    expect(await kinds("/sys/class/mtty")).toEqual([true, false, false]);
    expect(await kinds("/sys/bus/mdev/uevent")).toEqual([false, true, false]);
    expect(await kinds("/sys/class/mtty/mtty")).toEqual([false, false, true]);
    expect(await kinds("/dev/vfio/vfio")).toEqual([false, false, false]);
  });
});

describe("writing", () => {
  function commands() {
    const simulated = new SimulatedHost();
    const taken: string[] = [];
    const parent = simulated.addParent({
      path: "devices/platform/tape.0",
      subsystem: "bus/platform",
      deviceDriver: "tape_mdev",
      types: [{ id: "tape-1" }],
      attributes: {
        head: {
          write: (text) => {
            if (text === "bad") throw new Errno("ERANGE");
            taken.push(text);
          },
        },
      },
    });
    return { taken, path: `${parent.path}/head`, ...handsOn(simulated.fs) };
  }

  it("more than a page is several commands", async () => {
    const { taken, path, write } = commands();
    await write(path, `${"a".repeat(4096)}${"b".repeat(4096)}c`);
    expect(taken).toEqual(["a".repeat(4096), "b".repeat(4096), "c"]);
    await write(path, "é".repeat(2049));
    expect(taken[3]).toBe("é".repeat(2048));
    expect(taken[4]).toBe("é");
  });

  it("what a handler refuses with, the writer gets", async () => {
    const { path, write } = commands();
    await expectError(write(path, "bad"), "ERANGE (write)");
  });

  it("a signal that was aborted before stops it, one that comes later does not", async () => {
    const { simulated, mtty } = host();
    const { fs } = simulated;
    const path = `${typePath("mtty", "mtty-1")}/create`;
    await expect(fs.writeFile(path, uuid(1), { flag: 1, signal: AbortSignal.abort() })).rejects.toMatchObject(
      {
        name: "AbortError",
        code: "ABORT_ERR",
      },
    );
    expect(mtty.devices).toEqual([]);
    const later = new AbortController();
    const written = fs.writeFile(path, uuid(2), { flag: 1, signal: later.signal });
    later.abort();
    await written;
    expect(mtty.devices).toEqual([uuid(2)]);
  });

  it("detached is the same write", async () => {
    const { simulated, mtty } = host();
    await simulated.fs.writeDetached?.(`${typePath("mtty", "mtty-1")}/create`, uuid(1), { flag: 1 });
    expect(mtty.devices).toEqual([uuid(1)]);
    await expectError(
      simulated.fs.writeDetached?.("/sys/none", "1", { flag: 1 }) ?? Promise.resolve(),
      "ENOENT (open)",
    );
  });

  it("nothing settles at once", async () => {
    const { simulated, mtty } = host();
    const pending = simulated.fs.writeFile(`${typePath("mtty", "mtty-1")}/create`, uuid(1), { flag: 1 });
    expect(mtty.devices).toEqual([]);
    await pending;
    expect(mtty.devices).toEqual([uuid(1)]);
  });
});
