import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { MdevHost, NodeFileSystem, text } from "../../src/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { fails, ok } from "../contract/expect.js";
import { Meddler } from "../support/meddler.js";
import { sysfsTree } from "../support/sysfs-tree.js";
import { type Entry, makeTree, temporaryFolder } from "../support/temporary.js";
import { OTHER_UUID, UUID } from "../support/world.js";

const GPU = "devices/pci0000:3a/0000:3b:00.0";
const SECRET = "the secret\n";

/** A tree with everything in place, and what lies outside of its sysfs root. */
function tree(changed: Readonly<Record<string, Entry | undefined>>): Record<string, Entry> {
  const outside = sysfsTree({
    path: "devices/evil",
    entries: { secret: SECRET, numa_node: "6\n" },
    types: { "nvidia-9": { name: SECRET } },
    devices: { [OTHER_UUID]: { type: "nvidia-9", entries: { secret: SECRET } } },
  });
  const inside = sysfsTree({
    path: GPU,
    entries: { numa_node: "1\n" },
    types: { "nvidia-9": { name: "GRID 9\n", available_instances: "4\n" } },
    devices: { [UUID]: { type: "nvidia-9" } },
  });
  const moved = Object.entries(outside).map(
    ([path, entry]) => [path.replace(/^sys/u, "outside"), entry] as const,
  );
  const all: Record<string, Entry | undefined> = { ...Object.fromEntries(moved), ...inside, ...changed };
  return Object.fromEntries(
    Object.entries(all).filter((pair): pair is [string, Entry] => pair[1] !== undefined),
  );
}

let root: string;
let meddler: Meddler;
function hostOf(changed: Readonly<Record<string, Entry | undefined>>): MdevHost {
  root = makeTree(temporaryFolder(), tree(changed));
  meddler = new Meddler(new NodeFileSystem());
  return new MdevHost({ fs: meddler.fs, sysfs: `${root}/sys`, dev: `${root}/dev` });
}

/** The paths of all files that were opened, and of all folders that were listed. */
const opened = (): string[] =>
  meddler.calls.filter(({ name }) => /^(readFile|write.*|readdir)$/u.test(name)).map(({ path }) => path);
const expectNothingOutside = (): void => {
  expect(opened().filter((path) => !path.startsWith(`${root}/sys/`))).toEqual([]);
};

describe("a link that leads outside the sysfs root", () => {
  beforeEach(() => {
    root = "";
  });

  it.each([
    ["relative", "../../../outside/devices/evil"],
    ["far up", "../../../../../../../../../../../etc"],
    ["absolute", "/etc"],
    ["to the root itself", "../../../sys"],
    ["beside the root", "../../../sys-other"],
  ])("is no parent, as a class link: %s", async (_what, link) => {
    const host = hostOf({ "sys/class/mdev_bus/evil": { link } });
    meddler.meddle();
    expect((await ok(host.parents())).map(({ id }) => id)).toEqual(["0000:3b:00.0"]);
    await fails(host.parent("evil"), "not-found");
    expect((await ok(host.devices())).map(({ id }) => id)).toEqual([UUID]);
    expectNothingOutside();
  });

  it("is no device, as a bus link", async () => {
    for (const link of [
      `../../../../outside/devices/evil/${OTHER_UUID}`,
      "/etc",
      "../../../../../../../../..",
    ]) {
      const host = hostOf({ [`sys/bus/mdev/devices/${OTHER_UUID}`]: { link } });
      meddler.meddle();
      expect((await ok(host.devices())).map(({ id }) => id)).toEqual([UUID]);
      await fails(host.device(OTHER_UUID), "not-found");
      expect((await ok(host.parents())).map(({ id }) => id)).toEqual(["0000:3b:00.0"]);
      expectNothingOutside();
    }
  });

  it("is refused before the file is opened, as an attribute", async () => {
    const host = hostOf({ [`sys/${GPU}/numa_node`]: { link: "../../../../outside/devices/evil/secret" } });
    const parent = await ok(host.parent("0000:3b:00.0"));
    meddler.meddle();
    const error = await fails(parent.numaNode.readRaw(), "invalid-argument");
    expect(error.message).toContain("outside the sysfs root");
    expect(error.path).toBe(`${parent.path}/numa_node`);
    for (const attempt of [
      parent.numaNode.read(),
      parent.numaNode.exists(),
      parent.attribute("numa_node", text).write("x"),
      parent.attribute("numa_node", text).writeRaw("x"),
    ]) {
      await fails(attempt, "invalid-argument");
    }
    expect(opened()).toEqual([]);
    const info = await ok(parent.read());
    expect(info.numaNode).toBeUndefined();
    expect(info.problems).toEqual([
      expect.objectContaining({ type: "invalid-argument", path: `${parent.path}/numa_node` }),
    ]);
    expect(readFileSync(join(root, "outside/devices/evil/secret"), "utf8")).toBe(SECRET);
  });

  it("is refused before the file is opened, as a device's link to its type", async () => {
    const host = hostOf({
      [`sys/${GPU}/${UUID}/mdev_type`]: {
        link: "../../../../../outside/devices/evil/mdev_supported_types/nvidia-9",
      },
    });
    const device = await ok(host.device(UUID));
    meddler.meddle();
    await fails(device.attribute("mdev_type/name", text).read(), "invalid-argument");
    expect(opened()).toEqual([]);
    // The link's last name is all that its type takes from it.
    expect((await ok(device.type()))?.path).toBe(`${root}/sys/${GPU}/mdev_supported_types/nvidia-9`);
    expectNothingOutside();
  });

  it("names no type, where its last name is none", async () => {
    for (const link of ["..", "/", "../..", "."]) {
      const host = hostOf({ [`sys/${GPU}/${UUID}/mdev_type`]: { link } });
      expect(await ok((await ok(host.device(UUID))).type()), link).toBeUndefined();
    }
  });

  it("is no parent, as the folder of its types", async () => {
    const types = `sys/${GPU}/mdev_supported_types`;
    const replaced = Object.keys(tree({})).filter((path) => path.startsWith(`${types}/`));
    const host = hostOf({
      ...Object.fromEntries(replaced.map((path) => [path, undefined])),
      [types]: { link: "../../../../outside/devices/evil/mdev_supported_types" },
    });
    meddler.meddle();
    expect(await ok(host.parents())).toEqual([]);
    await fails(host.parent("0000:3b:00.0"), "not-found");
    expectNothingOutside();
  });

  it("is refused before a file is opened, as a folder above the parent", async () => {
    const replaced = Object.keys(tree({})).filter((path) => path.startsWith(`sys/${GPU}/`));
    const host = hostOf({
      ...Object.fromEntries(replaced.map((path) => [path, undefined])),
      "sys/devices/pci0000:3a": { link: "../../outside/devices" },
      "outside/devices/0000:3b:00.0": { link: "evil" },
      [`sys/bus/mdev/devices/${OTHER_UUID}`]: { link: `../../../${GPU}/${OTHER_UUID}` },
    });
    meddler.meddle();
    await fails(host.parent("0000:3b:00.0"), "invalid-argument");
    await fails(host.device(OTHER_UUID), "invalid-argument");
    expect(await ok(host.parents())).toEqual([]);
    expect(await ok(host.devices())).toEqual([]);
    expect(meddler.calls.filter(({ name }) => /^(readFile|write.*)$/u.test(name))).toEqual([]);
    expect(
      readFileSync(join(root, "outside/devices/evil/mdev_supported_types/nvidia-9/create"), "utf8"),
    ).toBe("");
    expect(readFileSync(join(root, `outside/devices/evil/${OTHER_UUID}/remove`), "utf8")).toBe("");
  });
});

describe("in memory", () => {
  it("a link that leads outside is refused as well, and before the file is opened", async () => {
    const simulated = new SimulatedHost();
    simulated.addMtty();
    const meddled = new Meddler(simulated.fs);
    const host = new MdevHost({ fs: meddled.fs });
    const parent = await ok(host.parent("mtty"));
    meddled.meddle(({ name, path, honest }) =>
      name === "lstat" && path.endsWith("/uevent")
        ? Promise.resolve({ isDirectory: () => false, isFile: () => false, isSymbolicLink: () => true })
        : name === "readlink" && path.endsWith("/uevent")
          ? Promise.resolve("/sysother/devices/virtual/mtty/mtty/uevent")
          : honest(),
    );
    await fails(parent.attribute("uevent", text).read(), "invalid-argument");
    await fails(parent.attribute("uevent", text).write("change"), "invalid-argument");
    expect(meddled.calls.filter(({ name }) => !["lstat", "readlink"].includes(name))).toEqual([]);
    meddled.meddle(({ name, path, honest }) =>
      name === "readlink" && path.endsWith("/mtty") ? Promise.resolve("../../../../../etc") : honest(),
    );
    expect(await ok(host.parents())).toEqual([]);
    await fails(host.parent("mtty"), "not-found");
  });

  it("a link between two parents' folders inside the root is followed", async () => {
    const host = hostOf({
      [`sys/${GPU}/numa_node`]: { link: "../0000:3c:00.0/numa_node" },
      "sys/devices/pci0000:3a/0000:3c:00.0/numa_node": "3\n",
    });
    expect(await ok((await ok(host.parent("0000:3b:00.0"))).numaNode.read())).toBe(3);
  });
});
