/**
 * Compiles every TypeScript fence of the documentation against the built package, and runs those that say what they
 * print:
 *
 *     console.log(host.root); // prints: /sys
 *
 * Several lines of output are several `// prints:` comments, in order. A fence tagged "ts no-run" is only compiled.
 */
import { spawn } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { transform } from "esbuild";
import ts from "typescript";
import { extractFences } from "./extract.mjs";

/** @typedef {import("./extract.mjs").Fence & { place: string; file: string }} PlacedFence */

const root = resolve(import.meta.dirname, "../..");
// Inside the project, so that "vfio-mdev" is this package: Node and TypeScript resolve a package's own name.
const workshop = resolve(root, ".cache/doc-fences");

async function documents() {
  const below = async (/** @type {string} */ folder) =>
    (await readdir(resolve(root, folder), { recursive: true })).map((name) => `${folder}/${name}`);
  const pages = (await readdir(root)).concat(await below("docs"));
  return [
    ...pages.filter((path) => path.endsWith(".md")),
    ...(await below("src")).filter((path) => path.endsWith(".ts")),
  ].sort();
}

/** @param {string} path */
async function placeFences(path) {
  /** @type {PlacedFence[]} */
  const placed = [];
  for (const fence of extractFences(path, await readFile(resolve(root, path), "utf8"))) {
    const place = `${path}:${String(fence.line)}`;
    const file = resolve(workshop, `${place.replaceAll(/[/:]/gu, "__")}.ts`);
    // The same line numbers as in the document, and always a module, for top-level await.
    await writeFile(file, `${"\n".repeat(fence.line)}${fence.code}\nexport {};\n`);
    placed.push({ ...fence, file, place });
  }
  return placed;
}

/** @param {PlacedFence[]} fences */
function compileErrors(fences) {
  const { config } = ts.readConfigFile(resolve(root, "tsconfig.json"), (path) => ts.sys.readFile(path));
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const unusedIsFine = { noUnusedLocals: false, noUnusedParameters: false };
  const program = ts.createProgram(
    fences.map(({ file }) => file),
    { ...options, ...unusedIsFine },
  );
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n");
    if (!diagnostic.file || diagnostic.start === undefined) return message;
    const { line } = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start);
    const place = fences.find(({ file }) => file === diagnostic.file?.fileName)?.place;
    return `${place?.replace(/:\d+$/u, "") ?? diagnostic.file.fileName}:${String(line + 1)}: ${message}`;
  });
}

/** @param {PlacedFence} fence */
async function runErrors({ file, place, prints }) {
  const program = file.replace(/\.ts$/u, ".mjs");
  const { code } = await transform(await readFile(file, "utf8"), { loader: "ts", target: "node20" });
  await writeFile(program, code);
  const child = spawn(process.execPath, [program], {
    cwd: workshop,
    timeout: 30_000,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [printed, complaints] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((done) => child.on("close", done)),
  ]);
  const lines = printed.split("\n").map((line) => line.trimEnd());
  const failed = child.exitCode !== 0;
  if (!failed && lines.join("\n") === [...prints, ""].join("\n")) return [];
  return [`${place}: says that it prints\n${prints.join("\n")}\nbut it printed\n${printed}${complaints}`];
}

await rm(workshop, { recursive: true, force: true });
await mkdir(workshop, { recursive: true });
/** @type {PlacedFence[]} */
const fences = [];
/** @type {string[]} */
const errors = [];
for (const path of await documents()) {
  await placeFences(path).then(
    (placed) => fences.push(...placed),
    (/** @type {Error} */ error) => errors.push(error.message),
  );
}
errors.push(...compileErrors(fences));
const runnable = fences.filter(({ run }) => run);
for (const fence of errors.length === 0 ? runnable : []) errors.push(...(await runErrors(fence)));
if (fences.length === 0) errors.push("There is no fence at all: is something wrong with the extraction?");

for (const error of errors) console.error(error);
console.log(
  `${String(fences.length)} fences compiled, ${String(runnable.length)} run, ${String(errors.length)} errors`,
);
process.exitCode = errors.length === 0 ? 0 : 1;
