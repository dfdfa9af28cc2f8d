import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { groups } from "../../tools/site/pages.mjs";

const guides = readdirSync("docs")
  .filter((name) => name.endsWith(".md"))
  .map((name) => `docs/${name}`);
const listed = Object.values(groups).flat();

test("every guide is in one group of tools/site/pages.mjs", () => {
  expect(listed.filter((path) => path.startsWith("docs/")).sort()).toEqual(guides.sort());
});

test("every guide has a title and a heading", () => {
  const wrong = guides.filter((path) => !/^---\ntitle: \S.*\n---\n\n# \S/u.test(readFileSync(path, "utf8")));
  expect(wrong).toEqual([]);
});

test("no heading has code in backquotes, which anchors and lists of contents leave out", () => {
  const wrong = listed.filter((path) => /^#+ .*`/mu.test(readFileSync(path, "utf8")));
  expect(wrong).toEqual([]);
});

test("every picture of docs/ is on a page, or the site's icon", () => {
  const texts = listed.map((path) => readFileSync(path, "utf8")).join("");
  const pictures = readdirSync("docs").filter((name) => name.endsWith(".svg") && name !== "favicon.svg");
  expect(pictures.filter((name) => !texts.includes(`](${name})`))).toEqual([]);
});
