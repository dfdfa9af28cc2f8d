import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

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

const fence = (page: string, language: string) => {
  const found = new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, "mu").exec(page)?.[1];
  if (found === undefined) throw new Error(`There is no ${language} in it.`);
  return found;
};
const shell = (cwd: string, commands: string) =>
  execFileSync(
    "sh",
    ["-euc", commands.replace(/npm install vfio-mdev$/mu, `npm install --prefer-offline "${tarball}"`)],
    {
      cwd,
      encoding: "utf8",
    },
  );

test.each([
  ["docs/getting-started.md", "first-device"],
  ["README.md", "."],
])("whoever follows %s from an empty folder sees what it says", (path, where) => {
  const page = readFileSync(path, "utf8");
  const cwd = mkdtempSync(join(folder, "stranger-"));
  writeFileSync(join(cwd, "package.json"), "{}"); // else npm looks for a project further up
  shell(cwd, fence(page, "sh"));
  const program = fence(page, "ts");
  writeFileSync(join(cwd, where, "first.mjs"), program);
  const told = [...program.matchAll(/\/\/ prints: (.*)$/gmu)].map(([, line]) => line);
  expect(told.length).toBeGreaterThan(1);
  expect(shell(join(cwd, where), "node first.mjs").trim().split("\n")).toEqual(told);
});
