// Runs the contract suite, and a smoke test of the local file system, on every runtime of runtimes.mjs, with the package as
// `npm install` would leave it; and compiles a consumer with every TypeScript.
//
//   npm run test:runtimes -- [--full] [--only NAME] [--seed N] [--verbose] [--update]
//
// --full     the oldest Node that is promised, and every TypeScript; without it, a part of each
// --only N   what has this in its name: Bun, "Node.js 22", TypeScript; the docs are not compared
// --seed N   of the random sequences (default: a new one, printed)
// --verbose  names the tests that passed, too
// --update   writes the tables of docs/runtimes.md anew; takes --full
//
// The runtimes come from npm into $VFIO_MDEV_RUNTIMES_CACHE (default ~/.cache/vfio-mdev-runtimes). The counts go to
// .cache/reports/runtimes.json. Fails if a test failed, a runtime did not come to its end, or docs/runtimes.md says something else.
import { spawn, execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { buildPackage, bundle, installPackage } from "../../tools/stage.mjs";
import { compileConsumers } from "./consumers.mjs";
import { compilers, runtimes } from "./runtimes.mjs";
import { differences, update } from "./tables.mjs";

/** @typedef {import("./tables.mjs").Row} Row */
/** @typedef {import("./runner.js").Outcome} Outcome */

const here = import.meta.dirname;
/** How long a runtime may take, and how long it may go on when all tests are over, in milliseconds. */
const [PATIENCE, LINGER] = [300_000, 10_000];

const { values: asked } = parseArgs({
  options: {
    full: { type: "boolean", default: false },
    only: { type: "string" },
    seed: { type: "string", default: String(randomInt(2 ** 31)) },
    verbose: { type: "boolean", default: false },
    update: { type: "boolean", default: false },
  },
});

/** A package of npm in the cache. @param {string} name @param {string} version */
function installed(name, version) {
  const base = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const cache = process.env["VFIO_MDEV_RUNTIMES_CACHE"] ?? join(base, "vfio-mdev-runtimes");
  const folder = join(cache, `${name.replace("/", "-")}-${version}`);
  const home = join(folder, "node_modules", name);
  try {
    if (JSON.parse(readFileSync(join(home, "package.json"), "utf8")).version === version) return home;
  } catch {
    // not there yet
  }
  console.log(`installing ${name}@${version}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  execFileSync("npm", ["install", ...quiet, `${name}@${version}`], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  return home;
}

/** Runs the suite on a runtime. @param {import("./runtimes.mjs").Runtime} runtime @param {string} stage @returns {Promise<Row>} */
async function test({ name, version, args, ...runtime }, stage) {
  const program = join(installed(runtime.package, version), runtime.program);
  const begun = performance.now();
  const child = spawn(program, [...args, "suite.mjs"], {
    cwd: stage,
    env: { ...process.env, VFIO_MDEV_SEED: asked.seed },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("close", (status) => resolve(status)));
  let limit = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
  /** @type {Outcome[]} */
  const outcomes = [];
  let isWhole = false;
  for await (const line of createInterface({ input: child.stdout })) {
    const told = JSON.parse(line);
    if (told.end !== true) {
      outcomes.push(told);
      continue;
    }
    isWhole = true;
    clearTimeout(limit);
    limit = setTimeout(() => child.kill("SIGKILL"), LINGER);
  }
  const status = await ended;
  clearTimeout(limit);
  /** @type {string[]} */
  const problems = [];
  if (!isWhole) problems.push("it did not come to its end");
  else if (status !== 0) problems.push(`it did not end by itself (${String(status)})`);

  console.log(
    `${name} ${version}: ${outcomes.length} tests in ${Math.round((performance.now() - begun) / 1000)} s`,
  );
  for (const outcome of outcomes) {
    if (outcome.error !== undefined)
      console.log(`  FAILED ${outcome.name}\n${outcome.error.replace(/^/gmu, "    ")}`);
    else if (asked.verbose) console.log(`  passed ${outcome.name}`);
  }
  for (const problem of problems) console.log(`  PROBLEM: ${problem}`);
  /** @param {string} part */
  const cell = (part) => {
    const tests = outcomes.filter((outcome) => outcome.part === part);
    const failed = tests.filter(({ error }) => error !== undefined).length;
    return { passed: tests.length - failed, failed };
  };
  return {
    table: "runtimes",
    title: `${name} ${version}`,
    cells: {
      "contract suite, simulated kernels": cell("contract"),
      "loading, `import` and `require`": cell("loading"),
      "local files, watching, locks": cell("local files"),
      "ends by itself": { passed: problems.length === 0 ? 1 : 0, failed: problems.length },
    },
  };
}

const chosen = (/** @type {string} */ title) => asked.only === undefined || title.includes(asked.only);
if (asked.update && (!asked.full || asked.only !== undefined))
  throw new Error("--update takes --full, and not --only: the tables are of what ran");
console.log(`seed ${asked.seed} (VFIO_MDEV_SEED)`);
buildPackage();
const stage = mkdtempSync(join(tmpdir(), "vfio-mdev-runtimes-"));
process.once("exit", () => rmSync(stage, { recursive: true, force: true }));
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]))
  process.once(signal, () => process.exit(130));
writeFileSync(
  join(stage, "package.json"),
  JSON.stringify({ private: true, type: "module", dependencies: { "vfio-mdev": "*" } }),
);
installPackage(stage, { peers: true });
await bundle(
  ["suite", "lock-holder", "stuck-removal"].map((name) => join(here, `${name}.ts`)),
  stage,
);

/** @type {Row[]} */
const rows = [];
for (const runtime of runtimes) {
  if ((runtime.full && !asked.full) || !chosen(`${runtime.name} ${runtime.version}`)) continue;
  rows.push(await test(runtime, stage));
}
for (const { version, full } of compilers) {
  if ((full && !asked.full) || !chosen(`TypeScript ${version}`)) continue;
  rows.push(compileConsumers(version, installed("typescript", version), stage));
}

const counts = rows.flatMap(({ cells }) => Object.values(cells));
const sum = (/** @type {number[]} */ numbers) => numbers.reduce((a, b) => a + b, 0);
const passed = sum(counts.map((count) => count.passed));
let failed = sum(counts.map((count) => count.failed));
if (rows.length === 0) throw new Error(`nothing is called ${asked.only}`);
if (asked.update && failed === 0) update(rows);
else if (asked.only === undefined) {
  for (const difference of differences(rows, asked.full)) {
    console.log(`docs/runtimes.md: ${difference}`);
    failed++;
  }
}
mkdirSync(".cache/reports", { recursive: true });
writeFileSync(
  ".cache/reports/runtimes.json",
  `${JSON.stringify({ numPassedTests: passed, numFailedTests: failed, rows }, undefined, 2)}\n`,
);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
