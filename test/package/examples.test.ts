import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

test("docs/layouts.md prints examples/choose-and-create.mjs whole, and so the docs run it", () => {
  const program = readFileSync("examples/choose-and-create.mjs", "utf8").trim();
  expect(readFileSync("docs/layouts.md", "utf8")).toContain(program);
});
