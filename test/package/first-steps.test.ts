import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Fence, fencesRunBy, readFences } from "../../tools/doc-fences/extract.mjs";

/** An empty folder, and in another one the package as `npm pack` makes it. */
let folder = "";
let tarball = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vfio-mdev-first-steps-"));
  mkdirSync(join(folder, "packed"));
  const name = execFileSync("npm", [
    "pack",
    "--ignore-scripts",
    "--silent",
    "--pack-destination",
    join(folder, "packed"),
  ]);
  tarball = join(folder, "packed", name.toString().trim());
});
afterAll(() => rmSync(folder, { recursive: true }));

const HERE = "test/package/first-steps.test.ts";
const shell = (cwd: string, commands: string) =>
  execFileSync(
    "sh",
    ["-euc", commands.replace(/npm install vfio-mdev\b/u, `npm install --prefer-offline "${tarball}"`)],
    { cwd, encoding: "utf8" },
  );

/** A folder in which a stranger has followed the commands that install. */
function installed(commands = ""): string {
  const cwd = mkdtempSync(join(folder, "stranger-"));
  writeFileSync(join(cwd, "package.json"), "{}"); // else npm looks for a project further up
  shell(cwd, commands);
  return cwd;
}

/** The programs of a page; the first one prints something. */
function programs(path: string): [Fence, ...Fence[]] {
  const [first, ...others] = readFences(path).filter(({ language }) => language === "ts");
  if (first === undefined) throw new Error(`There is no program in ${path}`);
  expect(first.prints.length).toBeGreaterThan(1);
  return [first, ...others];
}
const lines = (text: string): string[] => text.replace(/\n$/u, "").split("\n");

test("whoever gets started from an empty folder sees what the page says", () => {
  const path = "docs/getting-started.md";
  const [install, run = "", config = ""] = fencesRunBy(HERE, path, 3);
  const cwd = join(installed(install), "first-device");
  const [{ code, prints }, real] = programs(path);
  writeFileSync(join(cwd, "first.mjs"), code);
  expect(lines(shell(cwd, run))).toEqual(prints);

  // In TypeScript, by that configuration.
  rmSync(join(cwd, "first.mjs"));
  writeFileSync(join(cwd, "first.mts"), code);
  writeFileSync(join(cwd, "tsconfig.json"), config);
  execFileSync(process.execPath, [resolve("node_modules/typescript/bin/tsc"), "--project", cwd]);
  expect(lines(shell(cwd, run))).toEqual(prints);

  // On this machine, which need not have any mediated device.
  writeFileSync(join(cwd, "real.mjs"), real?.code ?? "");
  expect(shell(cwd, "node real.mjs")).toMatch(/^\{\n {2}mdev: [^]*"parents": \[/u);
});

test.each(["README.md", "docs/configurations.md", "docs/libvirt.md"])(
  "after the command of %s, its first program prints what it says",
  (path) => {
    const [install] = fencesRunBy(HERE, path, 1);
    const cwd = installed(install);
    const [{ code, prints }] = programs(path);
    writeFileSync(join(cwd, "first.mjs"), code);
    expect(lines(shell(cwd, "node first.mjs"))).toEqual(prints);
  },
);
