/**
 * Finds the fences of a Markdown page, or of the doc comments of a TypeScript file, and who executes each.
 *
 * @typedef {{ line: number; language: string; runBy?: string; code: string; prints: string[] }} Fence
 *   `line` is where the opening backticks are, counted from 1; `runBy` the test that executes it, where `docs:check` does
 *   not; `prints` the lines it promises to print.
 */
import { readFileSync } from "node:fs";

const OPENING = /^(?<indent>\s*)(?<ticks>`{3,})(?<language>\w*) *(?<tag>.*?)\s*$/u;
const PRINTS = /\/\/ prints: ?(?<text>.*?)\s*$/u;
const RUN_BY = /^run-by=(?<test>\S+)$/u;

/**
 * @param {string} path
 * @param {string} text
 * @returns {Fence[]}
 */
export function extractFences(path, text) {
  return path.endsWith(".md") ? fencesOf(path, text.split("\n"), 1) : fencesOfComments(path, text);
}

/**
 * The fences of a page or source file on disk.
 *
 * @param {string} path
 */
export const readFences = (path) => extractFences(path, readFileSync(path, "utf8"));

/**
 * The code of those fences of a page that name a test as the one that executes them. The test says how many it takes, so that
 * none is left over.
 *
 * @param {string} test
 * @param {string} page
 * @param {number} count
 * @returns {string[]}
 */
export function fencesRunBy(test, page, count) {
  const fences = readFences(page).filter(({ runBy }) => runBy === test);
  if (fences.length === count) return fences.map(({ code }) => code);
  throw new Error(`${page}: ${fences.length} fences say that ${test} runs them, which takes ${count}`);
}

/** @type {typeof extractFences} */
function fencesOfComments(path, text) {
  return [...text.matchAll(/\/\*\*.*?\*\//gsu)].flatMap((comment) => {
    const firstLine = text.slice(0, comment.index).split("\n").length;
    const lines = comment[0].split("\n").map((line) => line.replace(/^\s*\* ?/u, ""));
    return fencesOf(path, lines, firstLine);
  });
}

/**
 * @param {string} path
 * @param {string[]} lines
 * @param {number} firstLine
 */
function fencesOf(path, lines, firstLine) {
  /** @type {Fence[]} */
  const fences = [];
  for (let index = 0; index < lines.length; index++) {
    const opening = OPENING.exec(lines[index] ?? "")?.groups;
    if (!opening) continue;
    const { indent = "", ticks, language = "", tag = "" } = opening;
    const line = firstLine + index;
    const body = [];
    while (lines[++index]?.trim() !== ticks) {
      if (index >= lines.length) throw new Error(`${path}:${line}: this fence is never closed`);
      body.push((lines[index] ?? "").replace(indent, ""));
    }
    const runBy = runByOf(`${path}:${line}`, language, tag);
    const prints = body.flatMap((text) => PRINTS.exec(text)?.groups?.["text"] ?? []);
    fences.push({ line, language, ...(runBy && { runBy }), code: body.join("\n"), prints });
  }
  return fences;
}

/**
 * @param {string} place
 * @param {string} language
 * @param {string} tag
 */
function runByOf(place, language, tag) {
  if (/^(?:tsx|typescript|js|mjs|cjs|jsx|javascript)$/u.test(language)) {
    throw new Error(`${place}: write \`\`\`ts, so that the example is checked`);
  }
  const runBy = RUN_BY.exec(tag)?.groups?.["test"];
  if (language === "" ? tag !== "" : tag !== "" && runBy === undefined) {
    throw new Error(`${place}: \`\`\`${language} ${tag}: all that can follow a language is run-by=<test>`);
  }
  return runBy;
}
