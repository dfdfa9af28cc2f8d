import { mkdirSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { extractFences, fencesRunBy } from "../../tools/doc-fences/extract.mjs";

const page = (...lines: string[]) => lines.join("\n");

test("a fence says what it prints", () => {
  const text = page("# Title", "", "```ts", "console.log(1, 2); // prints: 1 2", "// prints: 3", "```");
  const code = "console.log(1, 2); // prints: 1 2\n// prints: 3";
  expect(extractFences("a.md", text)).toEqual([{ line: 3, language: "ts", code, prints: ["1 2", "3"] }]);
});

test("a fence says which test executes it", () => {
  const text = "```sh run-by=test/a.ts\nls\n```\n\n```\ntree\n```";
  expect(extractFences("a.md", text)).toEqual([
    { line: 1, language: "sh", runBy: "test/a.ts", code: "ls", prints: [] },
    { line: 5, language: "", code: "tree", prints: [] },
  ]);
});

test("a fence in a list has the indentation of its own lines", () => {
  const text = page("1. Do:", "", "   ```ts", "   if (a) {", "     b();", "   }", "   ```");
  expect(extractFences("a.md", text)).toMatchObject([{ line: 3, code: "if (a) {\n  b();\n}" }]);
});

test("fences of doc comments are found, with their line in the file", () => {
  const text = page(
    "const a = 1;",
    "/**",
    " * Text.",
    " *",
    " * ```ts",
    " * if (a) {",
    " *   b();",
    " * }",
    " * ```",
    " */",
  );
  expect(extractFences("a.ts", text)).toMatchObject([{ line: 5, code: "if (a) {\n  b();\n}" }]);
});

const ALL = "all that can follow a language is run-by=<test>";
test.each([
  ["```ts no-run\n```", `a.md:1: \`\`\`ts no-run: ${ALL}`],
  ["```sh run-by=\n```", `a.md:1: \`\`\`sh run-by=: ${ALL}`],
  ["``` run-by=test/a.ts\n```", `a.md:1: \`\`\` run-by=test/a.ts: ${ALL}`],
  ["```typescript\n```", "a.md:1: write ```ts, so that the example is checked"],
  ["```ts\n", "a.md:1: this fence is never closed"],
])("%j is refused", (text, message) => {
  expect(() => extractFences("a.md", text)).toThrow(message);
});

test("a test takes all fences of a page that name it, or none", () => {
  mkdirSync(".cache", { recursive: true });
  const path = ".cache/fences.md";
  writeFileSync(path, "```sh run-by=a\n1\n```\n```sh run-by=b\n2\n```\n```ts run-by=a\n3\n```\n");
  expect(fencesRunBy("a", path, 2)).toEqual(["1", "3"]);
  expect(() => fencesRunBy("a", path, 1)).toThrow(`${path}: 2 fences say that a runs them, which takes 1`);
});
