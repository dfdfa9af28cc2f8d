import { expect, test } from "vitest";
import { extractFences } from "../../tools/doc-fences/extract.mjs";

const page = (...lines: string[]) => lines.join("\n");

test("a fence that says what it prints is run", () => {
  const text = page("# Title", "", "```ts", "console.log(1, 2); // prints: 1 2", "// prints: 3", "```");
  const code = "console.log(1, 2); // prints: 1 2\n// prints: 3";
  expect(extractFences("a.md", text)).toEqual([{ line: 3, run: true, code, prints: ["1 2", "3"] }]);
});

test.each(["```ts\nconsole.log(1);\n```", "```ts no-run\nconsole.log(1); // prints: 1\n```"])(
  "%j is compiled only",
  (text) => {
    expect(extractFences("a.md", text)).toMatchObject([{ run: false }]);
  },
);

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

test("other languages are left alone", () => {
  expect(extractFences("a.md", "```sh\nls\n```\n\n```\ntree\n```")).toEqual([]);
});

test.each([
  ["```ts no-check\n```", "a.md:1: ```ts no-check: the only tag is no-run"],
  ["```typescript\n```", "a.md:1: write ```ts, so that the example is checked"],
  ["```ts\n", "a.md:1: this fence is never closed"],
])("%j is refused", (text, message) => {
  expect(() => extractFences("a.md", text)).toThrow(message);
});
