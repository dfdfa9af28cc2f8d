/**
 * Finds the TypeScript fences of a Markdown page, or of the doc comments of a TypeScript file.
 *
 * @typedef {{ line: number; run: boolean; code: string; prints: string[] }} Fence
 *   `line` is where the opening backticks are, counted from 1; `prints` the lines it promises to print.
 */

const OPENING = /^\s*(?<ticks>`{3,})(?<language>\w*) *(?<tag>.*?)\s*$/u;
const PRINTS = /\/\/ prints: ?(?<text>.*?)\s*$/u;

/**
 * @param {string} path
 * @param {string} text
 * @returns {Fence[]}
 */
export function extractFences(path, text) {
  return path.endsWith(".md") ? fencesOf(path, text.split("\n"), 1) : fencesOfComments(path, text);
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
    const line = firstLine + index;
    const body = [];
    while (lines[++index]?.trim() !== opening["ticks"]) {
      if (index >= lines.length) throw new Error(`${path}:${line}: this fence is never closed`);
      body.push(lines[index] ?? "");
    }
    if (/^(?:tsx|typescript|js|mjs|cjs|jsx|javascript)$/u.test(opening["language"] ?? "")) {
      throw new Error(`${path}:${line}: write \`\`\`ts, so that the example is checked`);
    }
    if (opening["language"] !== "ts") continue;
    if (opening["tag"] !== "" && opening["tag"] !== "no-run") {
      throw new Error(`${path}:${line}: \`\`\`ts ${opening["tag"]}: the only tag is no-run`);
    }
    const prints = body.flatMap((text) => PRINTS.exec(text)?.groups?.["text"] ?? []);
    const run = opening["tag"] === "" && prints.length > 0;
    fences.push({ line, run, code: body.join("\n"), prints });
  }
  return fences;
}
