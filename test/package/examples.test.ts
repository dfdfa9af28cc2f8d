import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

test("docs/layouts.md prints examples/choose-and-create.mjs whole, and so the docs run it", () => {
  const program = readFileSync("examples/choose-and-create.mjs", "utf8").trim();
  expect(readFileSync("docs/layouts.md", "utf8")).toContain(program);
});

test.each(["choose-and-create.mjs", "accelerator/index.mjs", "demo.mjs"])("examples/%s runs", (name) => {
  expect(execFileSync(process.execPath, [`examples/${name}`], { encoding: "utf8" })).not.toBe("");
});

test("examples/watch.mjs tells what happens, and ends", () => {
  const output = execFileSync(process.execPath, ["examples/watch.mjs", "--simulated"], { encoding: "utf8" });
  expect(output.match(/^\{"type":"(?:snapshot|device-ready|parent-unregistered)"/gmu)).toHaveLength(3);
});
