import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { entries } from "../../tools/entries.mjs";

const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as { exports: unknown };

test("package.json exports exactly the entries of tools/entries.mjs", () => {
  const expected = entries.map(({ subpath, name }) => [
    subpath,
    {
      import: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
      require: { types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` },
    },
  ]);
  expect(exports).toEqual({ ...Object.fromEntries(expected), "./package.json": "./package.json" });
});
