// Runs the contract suite against the real mdev framework of real kernels, each
// booted in QEMU (guest/), with the package as `npm install` would leave it.
//
//   npm run test:kernel -- [--kernel 5.10|6.1|6.12|7.x|s390x|debian-12|debian-13|all] [--full] [--seed N] [--only PATTERN]
//
// --kernel        which kernel (default 6.1); can be given again
// --full          all kernels, more rounds
// --rounds N      of the create and remove loops (default 200, with --full 1000; s390x: a fifth)
// --seed N        of the random sequences (default: a new one, printed)
// --only PATTERN  the tests whose names match; how many that are is not compared
// --timeout S     for one kernel (default 900, s390x 1800; with --full 3600)
// --verbose       names the tests that passed, too
// --update-count  rewrites expected-count.json, if all went well
//
// s390x has vfio_ccw on two subchannels, and mtty: the behaviours of channel I/O, and
// those of the others that need no other driver. It is emulated, on any machine.
//
// debian-12 and debian-13 are Linux 6.1 and 6.12 with that Debian's libvirt and Podman beside
// them: the commands of the documentation that take these.
//
// Needs what guest/setup.sh needs: an amd64 Debian, and root to build the guests.
// Fails if no guest ran, a test failed or was skipped, or fewer tests passed on a
// kernel than expected-count.json says.
import { execFileSync, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { buildPackage, bundle, installPackage } from "../../tools/stage.mjs";

const here = import.meta.dirname;
const expectedFile = join(here, "expected-count.json");

/**
 * The guest of a kernel.
 *
 * @typedef {object} Guest
 * @property {string} arch its machine
 * @property {string[]} debian the suites of Debian to take it from: the first one that can be built
 * @property {RegExp} version what its kernels' versions look like
 * @property {string} suite the tests: a file here, without `.ts`
 * @property {string} counted where in expected-count.json it has its number
 * @property {number} share how much of the rounds it does
 * @property {number} seconds it may take
 * @property {string[]} [boot] options of boot.sh
 * @property {string[]} [before] what runs the tests
 * @property {string[]} [node] options of Node
 * @property {string} [daemons] the suite of the Debian that it has beside it
 */

/** @param {string} debian @param {RegExp} version @returns {Guest} */
const x86 = (debian, version) => ({
  arch: "x86_64",
  debian: [debian],
  version,
  suite: "suite",
  counted: "tests",
  share: 1,
  seconds: 900,
});

/** A guest with a Debian beside it. @param {string} debian @param {RegExp} version @returns {Guest} */
const withDaemons = (debian, version) => ({
  ...x86(debian, version),
  suite: "suite-debian",
  counted: "debian",
  boot: ["--cpus", "1"], // the first cgroup has the kernel patch itself; under emulation, another CPU can trip over that
  before: ["./in-debian.sh"],
  daemons: debian,
});

/** @type {Map<string, Guest>} */
const kernels = new Map([
  ["5.10", x86("bullseye", /^5\.10\./)],
  ["6.1", x86("bookworm", /^6\.1\./)],
  ["6.12", x86("trixie", /^6\.12\./)],
  ["7.x", x86("sid", /^([7-9]|\d\d)\./)],
  [
    "s390x",
    {
      arch: "s390x",
      debian: ["sid", "trixie"],
      version: /^(6\.12|([7-9]|\d\d)\.\d+)\..*-s390x$/,
      suite: "suite-s390x",
      counted: "s390x",
      share: 1 / 5,
      seconds: 1800,
      before: ["./take-subchannels.sh", "0.0.1111", "0.0.2222", "--"],
      node: ["--jitless"], // V8's compiled code crashes now and then under emulation
    },
  ],
  ["debian-12", withDaemons("bookworm", /^6\.1\./)],
  ["debian-13", withDaemons("trixie", /^6\.12\./)],
]);

/** @param {string} file @returns {any} */
const readJson = (file) => JSON.parse(readFileSync(file, "utf8"));

// --- What a guest gets --------------------------------------------------------------

/** @param {string} stage @param {string[]} suites */
async function fill(stage, suites) {
  installPackage(stage, { peers: true });
  await bundle(
    [...suites, "another-process"].map((program) => join(here, `${program}.ts`)),
    stage,
  );
  for (const file of ["reporter.mjs", "guest/take-subchannels.sh", "guest/in-debian.sh"])
    cpSync(join(here, file), join(stage, basename(file)));
  for (const shown of ["README.md", "docs", "examples"])
    cpSync(join(here, "../..", shown), join(stage, shown), { recursive: true });
  if (suites.some((suite) => suite !== "suite-s390x")) {
    execFileSync(join(here, "guest/hold.sh"), [join(stage, "hold")], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
}

// --- One kernel -------------------------------------------------------------------

/** @type {import("node:child_process").ChildProcess | undefined} */
let child;
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.once(signal, () => {
    child?.kill("SIGTERM");
    process.exit(130);
  });
}

/** Runs one of guest/'s scripts; its exit status. @param {string} script @param {string[]} args @returns {Promise<number>} */
function guest(script, args) {
  return new Promise((resolve, reject) => {
    child = spawn(join(here, "guest", script), args, { stdio: ["ignore", "inherit", "inherit"] });
    child.once("error", reject);
    child.once("close", (status) => resolve(status ?? 125));
  });
}

/** Packs the Debian that a guest has beside it. @param {string} suite @param {string} stage */
function packDaemons(suite, stage) {
  const setup = join(here, "../peers/interop/setup.sh");
  const root = execFileSync(setup, [suite, "host"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  execFileSync("tar", ["-cf", join(stage, "debian.tar"), "-C", root.trim(), "."]);
}

/** Builds a guest; the options that boot.sh has to be given for it, or `undefined`. @param {Guest} guest */
async function setUp({ arch, debian }) {
  for (const suite of debian) {
    const options = ["--arch", arch, "--suite", suite];
    if ((await guest("setup.sh", options)) === 0) return options;
  }
  return undefined;
}

/** What reporter.mjs wrote. @param {string} file @returns {any[]} */
function readResults(file) {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1); // a last line cut short is none
  return lines.map((line) => JSON.parse(line));
}

/** The tests that had begun but were not over. @param {any[]} results */
function underWay(results) {
  const open = new Set();
  for (const { is, name } of results) {
    if (is === "begun") open.add(name);
    else if (is === "over") open.delete(name);
  }
  return [...open].join(" > ");
}

/** @param {string} kernel @param {string} stage @param {{ seed: number, rounds: number, timeout: number | undefined, verbose: boolean, update: boolean, only: string | undefined }} asked */
async function test(kernel, stage, { seed, verbose, update, only, ...asked }) {
  const described = guestOf(kernel);
  const { version, suite, counted, share, seconds: limit, daemons } = described;
  const { boot = [], before = [], node = [] } = described;
  const expected = update || only !== undefined ? 1 : expectedCount(counted);
  const rounds = Math.ceil(asked.rounds * share);
  const timeout = asked.timeout ?? limit;
  const file = join(stage, "results.jsonl");
  rmSync(file, { force: true });

  const built = await setUp(described);
  if (daemons) packDaemons(daemons, stage);
  const since = performance.now();
  const status = built
    ? await guest("boot.sh", [
        ...[...built, ...boot, "--timeout", String(timeout), "--share", stage, "--", ...before],
        ...["env", `VFIO_MDEV_SEED=${seed}`, `VFIO_MDEV_ROUNDS=${rounds}`],
        ...["node", ...node, ...(only === undefined ? [] : [`--test-name-pattern=${only}`])],
        ...["--enable-source-maps", "--test-reporter=./reporter.mjs", `${suite}.mjs`],
      ])
    : 125;
  const seconds = Math.round((performance.now() - since) / 1000);

  const results = readResults(file);
  const machine = results.find(({ is }) => is === "guest");
  const tests = results.filter(({ is }) => is === "test");
  const count = (/** @type {string} */ outcome) => tests.filter((test) => test.outcome === outcome).length;
  const [passed, failed] = [count("passed"), count("failed")];
  const skipped = only === undefined ? count("skipped") : 0; // those that --only leaves out

  /** @type {string[]} */
  const problems = [];
  if (!built) problems.push("its guest could not be built");
  else if (status === 124) problems.push(`it took more than ${timeout} s`);
  else if (status === 125) problems.push("its guest failed");
  else if (status > 1 || (status === 1 && failed === 0))
    problems.push(`the suite ended with status ${status}`);
  if (machine && !version.test(machine.kernel)) problems.push(`its guest has kernel ${machine.kernel}`);
  if (machine && results.at(-1).is !== "end") {
    problems.push(`the suite never ended; under way: ${underWay(results) || "nothing"}`);
  }
  if (built && !machine) problems.push("the suite reported nothing");
  if (skipped > 0) problems.push(`${skipped} skipped`);
  if (passed < expected) problems.push(`${passed} passed, but ${expected} are expected to`);

  if (machine) {
    console.log(`guest: Linux ${machine.kernel} ${machine.version} ${machine.arch}, Node ${machine.node}`);
  }
  for (const { is, text, name, outcome, ms, error } of results) {
    if (is === "note") console.log(`  # ${text}`);
    if (outcome === "failed")
      console.log(`  FAILED ${name} (${ms} ms)\n${String(error).replace(/^/gm, "    ")}`);
    if (outcome === "skipped" && only === undefined) console.log(`  SKIPPED ${name}`);
    if (outcome === "passed" && verbose) console.log(`  passed ${name} (${ms} ms)`);
  }
  for (const problem of problems) console.log(`  PROBLEM: ${problem}`);
  const title = machine?.kernel ?? `${kernel} (did not run)`;
  console.log(`kernel ${title}: ${passed} passed, ${failed} failed, ${skipped} skipped in ${seconds} s`);
  return { counted, passed, failed, sound: problems.length === 0 && failed === 0 };
}

// --- All of them ------------------------------------------------------------------

/** @param {string} name @param {string | undefined} text @param {number} otherwise */
function whole(name, text, otherwise) {
  if (text === undefined) return otherwise;
  if (!/^\d{1,15}$/.test(text)) throw new Error(`--${name} takes a whole number, not ${text}`);
  return Number(text);
}

/** @param {string} counted */
function expectedCount(counted) {
  const count = readCounts()[counted];
  if (Number.isInteger(count) && count > 0) return count;
  throw new Error(`expected-count.json holds no count of ${counted}: run with --update-count`);
}

function readCounts() {
  return existsSync(expectedFile) ? readJson(expectedFile) : {};
}

/** @param {string} kernel */
function guestOf(kernel) {
  const guest = kernels.get(kernel);
  if (guest) return guest;
  throw new Error(`no kernel ${kernel}: there are ${[...kernels.keys()].join(", ")} and all`);
}

/** The fewest tests that passed on a kernel, of each kind of guest. @param {{ counted: string, passed: number }[]} runs */
function leastOf(runs) {
  /** @type {Record<string, number>} */
  const least = {};
  for (const { counted, passed } of runs) least[counted] = Math.min(passed, least[counted] ?? passed);
  return least;
}

async function main() {
  const { values } = parseArgs({
    options: {
      kernel: { type: "string", multiple: true },
      full: { type: "boolean", default: false },
      rounds: { type: "string" },
      seed: { type: "string" },
      only: { type: "string" },
      timeout: { type: "string" },
      verbose: { type: "boolean", default: false },
      "update-count": { type: "boolean", default: false },
    },
  });
  const update = values["update-count"];
  if (update && values.only !== undefined) throw new Error("--update-count takes all tests, not --only some");
  const asked = values.kernel ?? [values.full ? "all" : "6.1"];
  const chosen = asked.includes("all") ? [...kernels.keys()] : asked;
  const guests = chosen.map(guestOf);
  if (!update) for (const { counted } of guests) expectedCount(counted); // rather now than after an hour
  const options = {
    seed: whole("seed", values.seed, randomInt(2 ** 31)),
    rounds: whole("rounds", values.rounds, values.full ? 1000 : 200),
    timeout:
      values.timeout === undefined && !values.full ? undefined : whole("timeout", values.timeout, 3600),
    verbose: values.verbose,
    update,
    only: values.only,
  };
  console.log(`seed ${options.seed}, ${options.rounds} rounds (VFIO_MDEV_SEED, VFIO_MDEV_ROUNDS)`);

  buildPackage();
  const stage = mkdtempSync(join(tmpdir(), "vfio-mdev-kernel-"));
  process.once("exit", () => rmSync(stage, { recursive: true, force: true }));
  await fill(stage, [...new Set(guests.map(({ suite }) => suite))]);

  const runs = [];
  for (const kernel of chosen) runs.push(await test(kernel, stage, options));

  const sound = runs.every((run) => run.sound);
  if (update) {
    const counts = sound ? leastOf(runs) : {};
    if (sound)
      writeFileSync(expectedFile, `${JSON.stringify({ ...readCounts(), ...counts }, undefined, 2)}\n`);
    console.log(
      sound
        ? `expected from now on: ${JSON.stringify(counts)} per kernel`
        : "the expected count was left as it is",
    );
  }
  const sum = (/** @type {number[]} */ numbers) => numbers.reduce((a, b) => a + b, 0);
  // A kernel that went wrong without a failing test counts as one failure.
  const failed = sum(runs.map((run) => (run.sound ? 0 : Math.max(1, run.failed))));
  console.log(`${sum(runs.map(({ passed }) => passed))} passed, ${failed} failed`);
  return sound ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`test:kernel: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
