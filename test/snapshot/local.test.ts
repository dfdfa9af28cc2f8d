import { execFileSync } from "node:child_process";
import { renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import * as promises from "node:fs/promises";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { MdevHost, NodeFileSystem, readOnly, text } from "../../src/index.js";
import { fails, ok } from "../contract/expect.js";
import { TREE } from "../support/merged-tree.js";
import { sysfsTree } from "../support/sysfs-tree.js";
import { makeTree, temporaryFolder } from "../support/temporary.js";
import { UUID } from "../support/world.js";

const GPU = "devices/pci0000:3a/0000:3b:00.0";
const TYPE = `${GPU}/mdev_supported_types/nvidia-9`;

function makeSysfs(): string {
  return `${makeTree(temporaryFolder(), TREE)}/sys`;
}

describe("a snapshot of local files", () => {
  it("is the same whatever reads them, call by call or at once", async () => {
    const sysfs = makeSysfs();
    const expected = await ok(new MdevHost({ sysfs, fs: promises }).snapshot());
    expect(expected.devices).toMatchObject([{ id: UUID, type: "nvidia-9", state: "active", iommuGroup: 7 }]);
    expect(expected.parents[0]?.types.map(({ id }) => id)).toEqual(["nvidia-9", "nvidia-10"]);
    expect(expected.problems).toEqual([]);
    for (const fs of [new NodeFileSystem(), new NodeFileSystem({ reads: "pool" })]) {
      const host = new MdevHost({ sysfs, fs });
      const snapshot = await ok(host.snapshot());
      expect(snapshot).toEqual(expected);
      expect(await ok(host.snapshot({ previous: snapshot, timeout: 10_000 }))).toEqual(expected);
    }
  });

  it("goes through the methods that somebody overrode", async () => {
    const paths: string[] = [];
    class Noted extends NodeFileSystem {
      override readFile(path: string, encoding: "utf8"): Promise<string> {
        paths.push(path);
        return super.readFile(path, encoding);
      }
    }
    const sysfs = makeSysfs();
    await ok(new MdevHost({ sysfs, fs: new Noted() }).snapshot());
    expect(paths).toContain(`${sysfs}/${TYPE}/available_instances`);
  });

  it("ends when the limit strikes between two turns of the event loop", async () => {
    const types = Object.fromEntries(
      Array.from({ length: 600 }, (_, at) => [
        `t-${at}`,
        { device_api: "vfio-pci\n", available_instances: "1\n", name: "n\n" },
      ]),
    );
    const sysfs = `${makeTree(temporaryFolder(), sysfsTree({ path: "devices/x", types }))}/sys`;
    const host = new MdevHost({ sysfs, fs: new NodeFileSystem() });
    await fails(host.snapshot({ timeout: 1 }), "timeout");
    const controller = new AbortController();
    setImmediate(() => {
      controller.abort();
    });
    await fails(host.snapshot({ signal: controller.signal }), "aborted");
    expect((await ok(host.snapshot())).parents[0]?.types.length).toBe(600);
  });
});

describe("a link in the tree", () => {
  const secret = (): string =>
    makeTree(temporaryFolder(), { secret: "the secret\n", "t/name": "the secret\n" });
  const relink = (path: string, target: string): void => {
    rmSync(path, { recursive: true });
    symlinkSync(target, path);
  };

  it.each([
    ["an attribute", `${TYPE}/name`, "/secret"],
    ["a type's folder", TYPE, "/t"],
    ["the folder of the types", `${GPU}/mdev_supported_types`, ""],
    ["a device's folder", `${GPU}/${UUID}`, "/t"],
  ])("that leads out of sysfs is never read through: %s", async (_what, path, target) => {
    for (const fs of [new NodeFileSystem(), promises]) {
      const sysfs = makeSysfs();
      relink(`${sysfs}/${path}`, `${secret()}${target}`);
      const include = { devices: { name: readOnly("name", text) }, types: { name: readOnly("name", text) } };
      const snapshot = await ok(new MdevHost({ sysfs, fs }).snapshot({ include }));
      expect(JSON.stringify(snapshot)).not.toContain("the secret");
      expect(snapshot.problems.map(({ type }) => type)).toContain("invalid-argument");
    }
  });

  it("above a parent that leads out of sysfs leads to no device", async () => {
    const sysfs = makeSysfs();
    const host = new MdevHost({ sysfs });
    expect((await ok(host.device(UUID))).path).toBe(`${sysfs}/${GPU}/${UUID}`);
    const outside = temporaryFolder();
    renameSync(`${sysfs}/devices/pci0000:3a`, `${outside}/pci0000:3a`);
    symlinkSync(`${outside}/pci0000:3a`, `${sysfs}/devices/pci0000:3a`);
    await fails(host.device(UUID), "invalid-argument");
    const snapshot = await ok(host.snapshot());
    expect([snapshot.parents, snapshot.devices]).toEqual([[], []]);
    expect(snapshot.problems.map(({ type }) => type)).toContain("invalid-argument");
  });

  it("that stays in sysfs is followed", async () => {
    for (const fs of [new NodeFileSystem(), promises]) {
      const sysfs = makeSysfs();
      writeFileSync(`${sysfs}/elsewhere`, "from elsewhere\n");
      relink(`${sysfs}/${TYPE}/name`, `${sysfs}/elsewhere`);
      const include = { devices: { type: readOnly("mdev_type/name", text) } };
      const { parents, devices, problems } = await ok(new MdevHost({ sysfs, fs }).snapshot({ include }));
      expect(problems).toEqual([]);
      expect(parents[0]?.types.map(({ name }) => name)).toEqual(["from elsewhere", "GRID 10"]);
      expect(devices[0]?.attributes.type).toBe("from elsewhere");
    }
  });
});

it("a snapshot needs few descriptors", { timeout: 60_000 }, async () => {
  const folder = temporaryFolder();
  const outfile = `${folder}/library.cjs`;
  await build({
    entryPoints: ["src/index.ts"],
    bundle: true,
    platform: "node",
    format: "cjs",
    outfile,
    logLevel: "silent",
  });
  const sysfs = `${makeTree(
    folder,
    sysfsTree(
      ...Array.from({ length: 40 }, (_, at) => ({
        path: `devices/gpu${at}`,
        types: Object.fromEntries(
          Array.from({ length: 8 }, (_t, type) => [`t-${type}`, { device_api: "a\n", name: "n\n" }]),
        ),
      })),
    ),
  )}/sys`;
  const program = `
    const { MdevHost } = require(${JSON.stringify(outfile)});
    const fs = process.argv[1] === "promises" ? require("node:fs/promises") : undefined;
    new MdevHost({ sysfs: ${JSON.stringify(sysfs)}, fs }).snapshot().getOrThrow()
      .then(({ parents, problems }) => console.log(parents.length, problems.length));`;
  const run = (most: number, fs: string): string =>
    execFileSync("sh", ["-c", `ulimit -n ${most}; exec "$0" -e "$1" "$2"`, process.execPath, program, fs], {
      encoding: "utf8",
    });
  expect(run(24, "local")).toBe("40 0\n");
  expect(run(64, "promises")).toBe("40 0\n");
});
