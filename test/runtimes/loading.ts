import assert from "node:assert/strict";
import { createRequire } from "node:module";
import type { Runner } from "../contract/subject.js";
import { entries, specifierOf } from "../../tools/entries.mjs";

const require = createRequire(import.meta.url);

/** The entries of the package, in both module formats. */
export function loading({ describe, it }: Runner): void {
  describe("loading", () => {
    for (const entry of entries) {
      const specifier = specifierOf(entry);
      it(`gives the same names to import and to require: ${specifier}`, async () => {
        const imported = (await import(specifier)) as object;
        const required = require(specifier) as object;
        const names = Object.keys(imported).filter((name) => name !== "module.exports" && name !== "default");
        assert.ok(names.length > 0);
        assert.deepEqual(Object.keys(required).sort(), names.sort());
      });
    }
  });
}
