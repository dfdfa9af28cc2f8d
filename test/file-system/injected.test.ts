import * as promises from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { type FileSystem, MdevHost, type MdevHostOptions, NodeFileSystem } from "../../src/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { ok } from "../contract/expect.js";
import { readsMergedTree, TREE } from "../support/merged-tree.js";
import { makeTree, temporaryFolder } from "../support/temporary.js";
import { UUID } from "../support/world.js";

const onDisk = (fs: FileSystem): MdevHostOptions => {
  const root = makeTree(temporaryFolder(), TREE);
  return { fs, sysfs: `${root}/sys`, dev: `${root}/dev` };
};

const SYSTEMS: Readonly<Record<string, () => MdevHostOptions>> = {
  "node:fs/promises": () => onDisk(promises),
  NodeFileSystem: () => onDisk(new NodeFileSystem()),
  "NodeFileSystem in the pool": () => onDisk(new NodeFileSystem({ reads: "pool" })),
};

describe.each(Object.entries(SYSTEMS))("a merged tree through %s", (_name, options) => {
  readsMergedTree(options);
});

describe("an error without code and errno, as Deno has it", () => {
  it.each([
    ["Too many users (os error 87)", "no-instances", "EUSERS"],
    ["No such device (os error 19): open '/sys'", "gone", "ENODEV"],
    ["Unknown (os error 3000)", "io", "errno 3000"],
    ["Too many users", "io", undefined],
    ["Requires all access, run again with the --allow-all flag", "permission", "EACCES", "NotCapable"],
  ])("is understood by its words: %s", async (message, type, errno, name = "Error") => {
    const simulated = new SimulatedHost();
    simulated.addMdpy();
    const { fs } = simulated;
    const refusing: FileSystem = {
      readFile: (path, encoding) => fs.readFile(path, encoding),
      writeFile: async () => Promise.reject(Object.assign(new Error(message), { name })),
      readdir: (path) => fs.readdir(path),
      readlink: (path) => fs.readlink(path),
      lstat: (path) => fs.lstat(path),
    };
    const parent = await ok(new MdevHost({ fs: refusing }).parent("mdpy"));
    const created = await (await ok(parent.type("mdpy-hd"))).create();
    expect(created.ok ? {} : { type: created.error.type, errno: created.error.errno }).toEqual({
      type,
      errno,
    });
  });
});

describe("roots", () => {
  it("are absolute paths, in any spelling", async () => {
    const simulated = new SimulatedHost();
    simulated.addMtty();
    const { fs } = simulated;
    for (const sysfs of ["/sys", "/sys/", "/x/../sys", "//sys//."]) {
      const [parent] = await ok(new MdevHost({ fs, sysfs }).parents());
      expect(parent?.path, sysfs).toBe("/sys/devices/virtual/mtty/mtty");
    }
    for (const root of ["", "sys", "./sys", "/sys\0", 5, null] as string[]) {
      expect(() => new MdevHost({ fs, sysfs: root })).toThrow(
        expect.objectContaining({ type: "invalid-argument" }),
      );
      expect(() => new MdevHost({ fs, dev: root })).toThrow("is not an absolute path");
    }
    for (const timeout of [-1, NaN, 2 ** 31, "5"] as number[]) {
      expect(() => new MdevHost({ fs, timeout })).toThrow(
        expect.objectContaining({ type: "invalid-argument" }),
      );
    }
  });

  it("may be the root of everything", async () => {
    const simulated = new SimulatedHost({ sysfs: "/", dev: "/dev", proc: "/proc" });
    simulated.addMtty();
    const host = new MdevHost({ fs: simulated.fs, sysfs: "/" });
    const [parent] = await ok(host.parents());
    expect(parent?.path).toBe("/devices/virtual/mtty/mtty");
    const device = await ok((await ok(host.parent("mtty").map((found) => found.type("mtty-1")))).create());
    expect(await ok(device.remove())).toEqual({ removed: true });
  });

  it("may be reached through a link", async () => {
    const root = makeTree(temporaryFolder(), { ...TREE, alias: { link: "sys" } });
    const host = new MdevHost({ sysfs: `${root}/alias` });
    const type = await ok(host.parent("0000:3b:00.0").map((found) => found.type("nvidia-9")));
    expect(await ok(type.name.read())).toBe("GRID 9");
  });

  it("of another process are used as they are: its `/proc/<pid>/root` resolves to the own root", async () => {
    // The magic link reads `/` where the process has mounts of its own, yet leads into them.
    const root = "/proc/4711/root";
    const mine = new SimulatedHost();
    const theirs = new SimulatedHost();
    for (const [simulated, name] of [
      [mine, "mine"],
      [theirs, "theirs"],
    ] as const) {
      simulated.addParent({
        path: "devices/virtual/x/x",
        subsystem: "class/x",
        deviceDriver: "x",
        types: [{ id: "x-1", name }],
      });
    }
    const at = (path: string): [FileSystem, string] =>
      path.startsWith(`${root}/`) ? [theirs.fs, path.slice(root.length)] : [mine.fs, path];
    const fs: FileSystem = {
      readFile: (path, encoding) => at(path)[0].readFile(at(path)[1], encoding),
      writeFile: (path, content, options) => at(path)[0].writeFile(at(path)[1], content, options),
      readdir: (path) => at(path)[0].readdir(at(path)[1]),
      readlink: (path) => at(path)[0].readlink(at(path)[1]),
      lstat: (path) => at(path)[0].lstat(at(path)[1]),
    };
    const host = new MdevHost({ fs, sysfs: `${root}/sys`, dev: `${root}/dev` });
    const type = await ok(host.parent("x").map((found) => found.type("x-1")));
    expect(await ok(type.name.read())).toBe("theirs");
    await ok(type.create({ uuid: UUID }));
    expect(await theirs.fs.readdir("/sys/bus/mdev/devices")).toEqual([UUID]);
    expect(await mine.fs.readdir("/sys/bus/mdev/devices")).toEqual([]);
  });
});
