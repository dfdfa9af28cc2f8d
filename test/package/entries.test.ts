import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { entries } from "../../tools/entries.mjs";

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, "utf8"));
const { exports } = readJson("package.json") as { exports: unknown };

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

test("typedoc.json documents exactly the entries of tools/entries.mjs", () => {
  expect(readJson("typedoc.json")).toMatchObject({ entryPoints: entries.map(({ source }) => source) });
});
