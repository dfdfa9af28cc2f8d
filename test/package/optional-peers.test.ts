import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";

const { dependencies } = JSON.parse(readFileSync("package.json", "utf8")) as {
  readonly dependencies: Readonly<Record<string, string>>;
};
const folder = mkdtempSync(join(tmpdir(), "vfio-mdev-peers-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A project that has installed this package with its dependencies, and none of its optional peers. */
mkdirSync(join(folder, "node_modules/vfio-mdev"), { recursive: true });
for (const path of ["dist", "package.json"])
  cpSync(path, join(folder, "node_modules/vfio-mdev", path), { recursive: true });
for (const name of Object.keys(dependencies))
  symlinkSync(resolve("node_modules", name), join(folder, "node_modules", name));

test.each([
  ["module", 'const { parseVgpuConfigs } = await import("vfio-mdev/planning");'],
  ["commonjs", 'const { parseVgpuConfigs } = require("vfio-mdev/planning");'],
])("%s: without js-yaml planning loads, and a reader says what to install", (type, load) => {
  const program = `${load} parseVgpuConfigs("version: v1").then((read) => console.log(read.error?.message));`;
  const output = execFileSync(process.execPath, [`--input-type=${type}`, "--eval", program], {
    cwd: folder,
    encoding: "utf8",
  });
  expect(output).toBe(
    "cannot understand the vGPU configurations: the package js-yaml cannot be loaded. Install it: npm install js-yaml.\n",
  );
});
