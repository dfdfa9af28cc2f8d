import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { entries, specifierOf } from "../../tools/entries.mjs";
import { load } from "./load.mjs";

interface Reported {
  /** Classes, functions, constants: they must be there at run time. */
  readonly values: readonly string[];
  /** `export { X }`: passed on from elsewhere, a value or a type. */
  readonly passedOn: readonly string[];
}

function reported(name: string): Reported {
  const report = readFileSync(`etc/${name}.api.md`, "utf8");
  const names = (pattern: RegExp) => [...report.matchAll(pattern)].map((match) => match[1] ?? "");
  return {
    values: names(/^export (?:abstract )?(?:class|function|const) (\w+)/gmu),
    passedOn: names(/^export \{ (?:\w+ as )?(\w+) \}/gmu),
  };
}

type Class = abstract new (...args: never) => object;
const isClass = (value: unknown): value is Class => typeof value === "function" && "prototype" in value;

function ancestors(start: Class): Class[] {
  const parent: unknown = Object.getPrototypeOf(start);
  return isClass(parent) ? [parent, ...ancestors(parent)] : [];
}

describe.each(["ESM", "CJS"] as const)("%s", (format) => {
  describe.each(entries)("$subpath", (entry) => {
    test("exports what the API report says", async () => {
      const found = Object.keys(await load[format](specifierOf(entry)));
      const { values, passedOn } = reported(entry.name);
      expect(values.filter((name) => !found.includes(name))).toEqual([]);
      expect(found.filter((name) => ![...values, ...passedOn].includes(name))).toEqual([]);
    });

    test("classes have their own names, and the core's classes above them", async () => {
      const core = await load[format]("vfio-mdev");
      const passedOn = Object.values(await load[format]("typescript-result"));
      const exported = Object.entries(await load[format](specifierOf(entry)));
      for (const [name, value] of exported) {
        if (passedOn.includes(value) || !isClass(value)) continue;
        expect(value.name).toBe(name);
        for (const ancestor of ancestors(value)) {
          // A second copy of a class would have the name and not be the class: `instanceof` would fail.
          if (ancestor.name in core) expect(ancestor).toBe(core[ancestor.name]);
        }
      }
    });
  });
});
