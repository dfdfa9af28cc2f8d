// The tables of docs/runtimes.md, which say what ran.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * What ran on one runtime, or with one compiler.
 *
 * @typedef {object} Row
 * @property {"runtimes" | "types"} table
 * @property {string} title with the version
 * @property {Record<string, { passed: number, failed: number }>} cells by the heading of their column
 */

const page = join(import.meta.dirname, "../../docs/runtimes.md");
const TABLE = /(<!-- table: (\w+) -->\n).*?(\n<!-- end -->)/gsu;

/** The counts change with every test that is added; what the page says does not. @param {{ passed: number, failed: number }} cell */
const worded = ({ passed, failed }) =>
  failed === 0 && passed > 0 ? "passes" : `fails ${failed} of ${passed + failed}`;

/** @param {Row} row */
const lineOf = ({ title, cells }) => `| ${[title, ...Object.values(cells).map(worded)].join(" | ")} |`;

/** @param {readonly Row[]} rows @returns {string[]} */
function linesOf(rows) {
  const headings = ["", ...Object.keys(rows[0]?.cells ?? {})];
  return [`| ${headings.join(" | ")} |`, `| ${headings.map(() => "---").join(" | ")} |`, ...rows.map(lineOf)];
}

/** The lines as they are compared: Prettier pads them. @param {string} line */
const plain = (line) => line.replaceAll(/ {2,}/gu, " ").replaceAll(/-{3,}/gu, "---");

/** Where the page does not say what ran. @param {readonly Row[]} rows @param {boolean} isAll whether nothing was left out @returns {string[]} */
export function differences(rows, isAll) {
  const found = [];
  const tables = new Set(rows.map(({ table }) => table));
  for (const [, , name, table = ""] of readFileSync(page, "utf8").matchAll(
    /(<!-- table: (\w+) -->\n)(.*?)\n<!-- end -->/gsu,
  )) {
    tables.delete(/** @type {Row["table"]} */ (name));
    const said = table.trim().split("\n").map(plain);
    const ran = linesOf(rows.filter((row) => row.table === name)).map(plain);
    for (const line of ran) if (!said.includes(line)) found.push(`it does not say ${line}`);
    if (isAll)
      for (const line of said) if (!ran.includes(line)) found.push(`it says what did not run: ${line}`);
  }
  for (const name of tables) found.push(`it has no table of ${name}`);
  return found;
}

/** Writes the tables anew. @param {readonly Row[]} rows */
export function update(rows) {
  const text = readFileSync(page, "utf8").replaceAll(
    TABLE,
    (_, /** @type {string} */ begin, /** @type {string} */ name, /** @type {string} */ end) =>
      `${begin}\n${linesOf(rows.filter(({ table }) => table === name)).join("\n")}\n${end}`,
  );
  writeFileSync(page, text);
}
