/** Tells which facts the documentation of the public surface leaves out: see facts.mjs. */
import { relative, resolve } from "node:path";
import ts from "typescript";
import { entries } from "../entries.mjs";
import { missingFacts } from "./facts.mjs";

const root = resolve(import.meta.dirname, "../..");
const OWN_FORMATS = new Set(["./planning", "./recording", "./testing", "."]);

const { config } = ts.readConfigFile(resolve(root, "tsconfig.build.json"), (path) => ts.sys.readFile(path));
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
const surfaces = entries.map(({ source, subpath }) => ({
  file: resolve(root, source),
  speaksFormats: !OWN_FORMATS.has(subpath),
}));
const program = ts.createProgram(
  surfaces.map(({ file }) => file),
  options,
);
const missing = missingFacts(program, surfaces);
for (const { rule, node, what } of missing) {
  const file = node.getSourceFile();
  const line = file.getLineAndCharacterOfPosition(node.getStart()).line + 1;
  console.error(`${relative(root, file.fileName)}:${String(line)}: ${rule}: ${what}`);
}
console.log(
  `${String(missing.length)} facts missing in the documentation of ${String(surfaces.length)} entry points`,
);
process.exitCode = missing.length === 0 ? 0 : 1;
