/**
 * Sees to it that every fence of the documentation is executed. The TypeScript ones are compiled against the built package
 * and run here. They end with status 0 and print what they say, and nothing else:
 *
 *     console.log(host.root); // prints: /sys
 *
 * Several lines of output are several `// prints:` comments, in order. A fence of another language, or one that takes another
 * machine than this, names the test that takes it out of the page and executes it: "sh run-by=test/…".
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
    if (fence.runBy !== undefined || fence.language !== "ts") {
      errors.push(...(await elsewhereErrors(place, path, fence.runBy)));
    }
    const file = resolve(workshop, `${place.replaceAll(/[/:]/gu, "__")}.ts`);
    // The same line numbers as in the document, and always a module, for top-level await.
    if (fence.language === "ts")
      await writeFile(file, `${"\n".repeat(fence.line)}${fence.code}\nexport {};\n`);
    placed.push({ ...fence, file, place });
  }
  return placed;
}

/**
 * Whether the test that a fence names can be the one that executes it. That it takes all that name it, it asks for itself.
 *
 * @param {string} place
 * @param {string} path
 * @param {string | undefined} test
 */
async function elsewhereErrors(place, path, test) {
  if (test === undefined) return [`${place}: nothing executes it: say which test does, with run-by=<test>`];
  const text = await readFile(resolve(root, test), "utf8").catch(() => undefined);
  if (text === undefined) return [`${place}: there is no ${test} to run it`];
  return text.includes(`"${path}"`) ? [] : [`${place}: ${test} does not read ${path}`];
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
  const isAsSaid = lines.join("\n") === [...prints, ""].join("\n") && complaints === "";
  if (child.exitCode === 0 && isAsSaid) return [];
  const says = prints.length === 0 ? "prints nothing" : `prints\n${prints.join("\n")}`;
  const ended = `ended with ${child.exitCode ?? child.signalCode}`;
  return [`${place}: says that it ${says}\nbut it ${ended} and printed\n${printed}${complaints}`];
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
const compiled = fences.filter(({ language }) => language === "ts");
errors.push(...compileErrors(compiled));
const elsewhere = fences.filter(({ runBy }) => runBy !== undefined);
const here = errors.length === 0 ? compiled.filter(({ runBy }) => runBy === undefined) : [];
for (const fence of here) errors.push(...(await runErrors(fence)));
if (fences.length === 0) errors.push("There is no fence at all: is something wrong with the extraction?");

for (const error of errors) console.error(error);
console.log(
  `${compiled.length} fences compiled, ${here.length} run, ${elsewhere.length} run elsewhere, ${errors.length} errors`,
);
process.exitCode = errors.length === 0 ? 0 : 1;
