/**
 * Every gate, one after the other, to the end; a gate is a script of package.json. The gates share one build.
 * `--skip <gate>`, as often as wanted, leaves one out.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import { parseArgs } from "node:util";

const gates = [
  "typecheck",
  "lint",
  "format:check",
  "knip",
  "coverage",
  "build",
  "typecheck:dist",
  "test:package",
  "docs",
  "docs:check",
  "docs:facts",
  "licences",
  "api",
  "lint:pkg",
];

const root = resolve(import.meta.dirname, "..");
const { scripts } = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8"));
const env = {
  ...process.env,
  PATH: `${resolve(root, "node_modules/.bin")}${delimiter}${process.env["PATH"] ?? ""}`,
};
const { values } = parseArgs({ options: { skip: { type: "string", multiple: true, default: [] } } });

/** @type {string[]} */
const failed = [];
for (const gate of gates) {
  if (values.skip.includes(gate)) continue;
  console.log(`\n=== ${gate}`);
  const command = scripts[gate].replace("npm run build && ", "");
  if (spawnSync(command, { cwd: root, env, shell: true, stdio: "inherit" }).status === 0) continue;
  failed.push(gate);
  if (gate === "build") break; // the gates after it look at what it built
}

console.log(failed.length === 0 ? "\nAll gates passed." : `\nFailed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
