/**
 * `npm run bench`: how long a snapshot takes next to what else there is, and what it costs beside time. It prints a table with
 * the bars, and fails when a guard is missed. Needs Linux, a C compiler and strace; mdevctl is compared where it is installed
 * and a mount namespace can be had (root), as it reads /sys alone.
 *
 *   node bench/run.mjs [--rounds 15] [--size medium,large] [--guards] [--json file] [--work folder]
 *
 * `--guards`: only what has a guard. Every round runs each reader once, in an order that turns round; a ratio is taken
 * inside its round, and the median of the rounds is shown.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { callsOf } from "./calls.mjs";
import { makeTree, SIZES } from "./tree.mjs";

const here = import.meta.dirname;
const { values: given } = parseArgs({
  options: {
    rounds: { type: "string", default: "15" },
    size: { type: "string", default: "medium,large" },
    guards: { type: "boolean", default: false },
    json: { type: "string" },
    work: { type: "string" },
    inside: { type: "boolean", default: false },
  },
});
const rounds = Number(given.rounds);
const sizes = /** @type {("small" | "medium" | "large")[]} */ (given.size.split(","));
const node = process.execPath;
const reader = join(here, "reader.mjs");

/** @typedef {{ what: string; figure: number; unit: string; bar?: number | undefined; guard?: number | undefined; about?: string }} Row */

function median(/** @type {readonly number[]} */ figures) {
  const sorted = [...figures].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const [low = NaN, high = NaN] = [sorted[half - 1], sorted[half]];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
}

function run(/** @type {string} */ command, /** @type {readonly string[]} */ args, env = process.env) {
  const ended = spawnSync(command, args, { env, maxBuffer: 2 ** 30, encoding: "utf8" });
  if (ended.status !== 0) throw new Error(`${command} ${args.join(" ")}: ${ended.stderr || ended.error}`);
  return ended.stdout;
}

/** A reader that waits to be asked; gives its milliseconds. */
function serve(/** @type {string} */ command, /** @type {readonly string[]} */ args) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    read: async () => {
      child.stdin.write("\n");
      return Number((await lines.next()).value.split(" ")[0]) / 1e6;
    },
    end: () => void child.stdin.end(),
  };
}

function timed(/** @type {string} */ command, /** @type {readonly string[]} */ args) {
  const begun = process.hrtime.bigint();
  const ended = spawnSync(command, args, { stdio: "ignore" });
  if (ended.status !== 0) throw new Error(`${command} ended with ${ended.status}`);
  return Number(process.hrtime.bigint() - begun) / 1e6;
}

/** All readers in turn, round by round; the milliseconds of each. */
async function race(
  /** @type {Record<string, () => Promise<number>>} */ readers,
  /** @type {number} */ count,
  warm = 2,
) {
  const names = Object.keys(readers);
  const times = /** @type {Record<string, number[]>} */ (Object.fromEntries(names.map((name) => [name, []])));
  for (let round = -warm; round < count; round++) {
    const turn = ((round % names.length) + names.length) % names.length;
    const order = [...names.slice(turn), ...names.slice(0, turn)];
    if (round % 2 !== 0) order.reverse();
    for (const name of order) {
      const time = await readers[name]?.();
      if (round >= 0) times[name]?.push(time ?? NaN);
    }
  }
  return times;
}

const ratio = (
  /** @type {readonly number[] | undefined} */ a,
  /** @type {readonly number[] | undefined} */ b,
) => median((a ?? []).map((time, round) => time / (b?.[round] ?? NaN)));

/** The figures of one size; `sysfs` is where its tree is. */
async function measure(
  /** @type {"small" | "medium" | "large"} */ size,
  /** @type {string} */ sysfs,
  /** @type {string} */ work,
) {
  const floor = join(work, "floor");
  const mdevctl = sysfs === "/sys" && spawnSync("mdevctl", ["--version"]).status === 0;
  /** @type {Row[]} */
  const rows = [];
  const add = (
    /** @type {string} */ what,
    /** @type {number} */ figure,
    /** @type {Partial<Row>} */ { unit = "×", ...more } = {},
  ) => void rows.push({ what: `${what}, ${size}`, figure, unit, ...more });

  // Whoever reads something else is no rival.
  const expected = run(floor, [sysfs]);
  for (const name of ["ours", "refresh", "sync", "promises"]) {
    if (run(node, [reader, name, sysfs, "print"]).trimEnd() !== expected)
      throw new Error(`${name} does not read what the floor reads`);
  }
  if (run(floor, ["-f", sysfs]) !== expected) throw new Error("the floor by folders reads something else");

  const served = Object.fromEntries(
    [
      ["floor", floor, ["-s", sysfs]],
      ["floor by folders", floor, ["-f", "-s", sysfs]],
      ["ours", node, [reader, "ours", sysfs]],
      ["refresh", node, [reader, "refresh", sysfs]],
      ["sync", node, [reader, "sync", sysfs]],
      ...(given.guards ? [] : [["promises", node, [reader, "promises", sysfs]]]),
    ].map(([name, command, args]) => [
      /** @type {string} */ (name),
      serve(/** @type {string} */ (command), /** @type {string[]} */ (args)),
    ]),
  );
  const readers = Object.fromEntries(Object.entries(served).map(([name, { read }]) => [name, read]));
  if (mdevctl && !given.guards)
    readers["mdevctl"] = async () =>
      timed("mdevctl", ["types", "--dumpjson"]) + timed("mdevctl", ["list", "--dumpjson"]);
  const times = await race(readers, rounds);
  for (const { end } of Object.values(served)) end();

  const floorBar = { medium: 1.65, large: 1.5, small: undefined }[size];
  add("C floor", median(times["floor"] ?? []), { unit: "ms" });
  add("snapshot", median(times["ours"] ?? []), { unit: "ms" });
  add("snapshot / C floor", ratio(times["ours"], times["floor"]), { bar: floorBar });
  add("snapshot / C floor by folders", ratio(times["ours"], times["floor by folders"]));
  add("snapshot / readFileSync in a loop", ratio(times["ours"], times["sync"]), { bar: 0.8, guard: 0.95 });
  add("refresh with previous / snapshot", ratio(times["refresh"], times["ours"]), { bar: 0.4, guard: 0.5 });
  if (times["promises"])
    add("snapshot / fs.promises, 32 lanes", ratio(times["ours"], times["promises"]), { bar: 0.2 });
  if (times["mdevctl"])
    add("snapshot / mdevctl types + list", ratio(times["ours"], times["mdevctl"]), { bar: 0.45 });

  if (!given.guards) {
    const whole = await race(
      {
        ours: async () => timed(node, [join(here, "whole.mjs"), sysfs]),
        ...(mdevctl && { mdevctl: /** @type {() => Promise<number>} */ (readers["mdevctl"]) }),
      },
      rounds,
    );
    add("whole process", median(whole["ours"] ?? []), { unit: "ms" });
    if (mdevctl)
      add("whole process / mdevctl types + list", ratio(whole["ours"], whole["mdevctl"]), {
        bar: { small: undefined, medium: 1.1, large: 0.45 }[size],
      });
  }

  if (size === "medium") {
    const ours = callsOf(work, [node, reader, "ours", sysfs, "once"]);
    const least = callsOf(work, [floor, sysfs]);
    add("file calls of a snapshot / C floor", ours.all / least.all, { bar: 1, guard: 1.1 });
    add("file calls of an attribute", ours.perAttribute, { unit: "", bar: 3, guard: 3 });
  }
  if (size === "large") {
    const [uuid = ""] = readdirSync(`${sysfs}/bus/mdev/devices`);
    const env = { ...process.env, BENCH_DEVICE: uuid };
    const one = callsOf(work, [node, reader, "device", sysfs, "once"], env);
    add("file calls of host.device(id)", one.all, { unit: "", bar: 4, guard: 5 });
    const limited = (/** @type {number} */ most) =>
      spawnSync("sh", ["-c", `ulimit -n ${most}; exec "$0" "$@"`, node, join(here, "whole.mjs"), sysfs], {
        stdio: "ignore",
      }).status === 0;
    const enough = [24, 32, 48, 64].find(limited) ?? Infinity;
    add("descriptors that are enough", enough, { unit: "", bar: 24, guard: 64 });
    const heap = JSON.parse(run(node, ["--expose-gc", reader, "ours", sysfs, "heap"]));
    // The string of a UUID takes 56 bytes; those of types are shared.
    add("heap of a device beyond its UUID", heap.perDevice - 56, { unit: "B", bar: 160, guard: 250 });
    add("heap of a type", heap.perType, { unit: "B", bar: 100, guard: 200 });
    if (!given.guards) {
      const late = Array.from({ length: 5 }, () => JSON.parse(run(node, [reader, "ours", sysfs, "delay"])));
      add("event loop delay, p99", median(late.map(({ p99 }) => p99)), { unit: "ms", bar: 5 });
      add("event loop delay, longest", median(late.map(({ max }) => max)), { unit: "ms", bar: 10 });
      const peak = (/** @type {string[]} */ ...args) => Number(run(node, [join(here, "peak.mjs"), ...args]));
      const empty = median([1, 2, 3].map(() => peak("empty")));
      const [ours = 0, sync = 0] = ["ours", "sync"].map((name) =>
        median([1, 2, 3, 4, 5].map(() => peak(name, sysfs) - empty)),
      );
      add("peak memory / readFileSync in a loop", ours / sync, { bar: 0.75 });
    }
  }
  return { size, rows, perEntry: median(times["ours"] ?? []) / entriesOf(size) };
}

function entriesOf(/** @type {"small" | "medium" | "large"} */ size) {
  const { parents, types, devices } = SIZES[size];
  return parents * (types + devices);
}

/** What importing the library costs next to importing what it is built on. */
async function measureImport() {
  const load = (/** @type {string} */ name) =>
    Number(
      execFileSync(
        node,
        [
          "--input-type=module",
          "-e",
          `const begun = performance.now(); await import(${JSON.stringify(name)}); console.log(performance.now() - begun);`,
        ],
        { cwd: resolve(here, ".."), encoding: "utf8" },
      ),
    );
  const times = await race(
    { ours: async () => load("vfio-mdev"), base: async () => load("typescript-result") },
    2 * rounds,
  );
  return /** @type {Row[]} */ ([
    { what: "import", figure: median(times["ours"] ?? []), unit: "ms" },
    {
      what: "import / import of typescript-result",
      figure: ratio(times["ours"], times["base"]),
      unit: "×",
      bar: 1.3,
    },
  ]);
}

function print(/** @type {readonly Row[]} */ rows) {
  const cell = (/** @type {number | undefined} */ value, unit = "") =>
    value === undefined ? "" : `${Number.isInteger(value) ? value : value.toFixed(2)}${unit && ` ${unit}`}`;
  console.log("| what | figure | bar | guard |\n| --- | ---: | ---: | ---: |");
  for (const { what, figure, unit, bar, guard } of rows) {
    const met = bar === undefined || figure <= bar + 0.005 ? "" : " (missed)";
    console.log(`| ${what} | ${cell(figure, unit)}${met} | ${cell(bar)} | ${cell(guard)} |`);
  }
}

/** Where the readers find a tree: at /sys, where mdevctl looks too, if this process may have it there. */
function measureInNamespace(
  /** @type {"small" | "medium" | "large"} */ size,
  /** @type {string} */ sysfs,
  /** @type {string} */ work,
) {
  const script = 'mount --bind "$0" /sys && exec "$@"';
  const again = [
    node,
    process.argv[1] ?? "",
    "--inside",
    "--size",
    size,
    "--work",
    work,
    "--rounds",
    given.rounds,
  ];
  if (given.guards) again.push("--guards");
  const ended = spawnSync("unshare", ["-m", "sh", "-c", script, sysfs, ...again], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (ended.status !== 0) throw new Error(`the bench of ${size} ended with ${ended.status}`);
  return JSON.parse(ended.stdout);
}

async function main() {
  if (given.inside) {
    const [size = "medium"] = sizes;
    console.log(JSON.stringify(await measure(size, "/sys", given.work ?? "")));
    return;
  }
  const work = given.work ?? mkdtempSync(join(os.tmpdir(), "vfio-mdev-bench-"));
  const memory = existsSync("/dev/shm") ? "/dev/shm" : os.tmpdir();
  const trees = mkdtempSync(join(memory, "vfio-mdev-bench-"));
  try {
    mkdirSync(work, { recursive: true });
    const flags = ["-O2", "-Wall", "-Wno-format-truncation", "-Wno-restrict"];
    run(process.env["CC"] ?? "cc", [...flags, "-o", join(work, "floor"), join(here, "floor.c")]);
    const isolated = spawnSync("unshare", ["-m", "mount", "--bind", memory, memory]).status === 0;
    /** @type {Row[]} */
    const rows = given.guards ? [] : await measureImport();
    /** @type {Record<string, number>} */
    const perEntry = {};
    for (const size of sizes) {
      makeTree(`${trees}/${size}`, SIZES[size]);
      const measured = isolated
        ? measureInNamespace(size, `${trees}/${size}`, work)
        : await measure(size, `${trees}/${size}`, work);
      rows.push(...measured.rows);
      perEntry[size] = measured.perEntry;
    }
    if (perEntry["large"] !== undefined && perEntry["medium"] !== undefined)
      rows.push({
        what: "time of an entry, large / medium",
        figure: perEntry["large"] / perEntry["medium"],
        unit: "×",
        bar: 1.1,
      });
    const cpu = os.cpus();
    console.log(
      `${cpu.length} × ${cpu[0]?.model}, Linux ${os.release()}, Node ${process.version}, ${rounds} rounds\n`,
    );
    print(rows);
    if (given.json !== undefined) writeFileSync(given.json, JSON.stringify(rows, null, 2));
    const missed = rows.filter(({ figure, guard }) => guard !== undefined && !(figure <= guard + 0.005));
    if (missed.length > 0) {
      console.error(`\nGuards missed: ${missed.map(({ what }) => what).join("; ")}`);
      process.exitCode = 1;
    }
  } finally {
    rmSync(trees, { recursive: true, force: true });
    if (given.work === undefined) rmSync(work, { recursive: true, force: true });
  }
}

await main();
