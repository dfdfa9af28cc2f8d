import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { entries, specifierOf } from "../../tools/entries.mjs";

const specifiers = entries.map(specifierOf);

/** Built-in modules that Node has loaded after running a program. */
function builtinsAfter(type: "module" | "commonjs", program: string): string[] {
  const print = "console.log(JSON.stringify(process.moduleLoadList))";
  const output = execFileSync(process.execPath, [`--input-type=${type}`, "--eval", `${program};${print}`]);
  return (JSON.parse(output.toString()) as string[]).map((line) => line.replace(/^NativeModule /u, ""));
}

describe.each([
  ["module", (specifier: string) => `await import("${specifier}")`],
  ["commonjs", (specifier: string) => `require("${specifier}")`],
] as const)("%s", (type, importing) => {
  test.each(specifiers)("%s loads neither child_process nor crypto before it needs them", (specifier) => {
    const before = builtinsAfter(type, "0");
    const added = builtinsAfter(type, importing(specifier)).filter((name) => !before.includes(name));
    expect(added.filter((name) => ["child_process", "crypto", "worker_threads"].includes(name))).toEqual([]);
  });

  test("all entries load without a word on stdout or stderr", () => {
    const program = specifiers.map(importing).join(";");
    expect(execFileSync(process.execPath, [`--input-type=${type}`, "--eval", program]).toString()).toBe("");
  });
});
