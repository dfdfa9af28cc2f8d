/**
 * `npm run bench:fleet`: what planning costs for a fleet. It prints a table, and fails when a guard is missed; nothing but
 * Node is needed.
 *
 *   node bench/fleet.mjs [--hosts 1000] [--rounds 5]
 *
 * A host has 8 cards with 16 functions each, of 12 types, as a snapshot has them, and devices that came one at a time. Hosts are made one
 * by one, outside of the time that is taken. A ratio is that of two figures of the same round; the median of the rounds is shown.
 */
import os from "node:os";
import { parseArgs } from "node:util";
import { place, plan } from "vfio-mdev/planning";

const { values: given } = parseArgs({
  options: { hosts: { type: "string", default: "1000" }, rounds: { type: "string", default: "5" } },
});
const hosts = Number(given.hosts);
const rounds = Number(given.rounds);
const [CARDS, FUNCTIONS] = [8, 16];
const hex = (/** @type {number} */ value, width = 2) => value.toString(16).padStart(width, "0");

/** The types of a card of 48 GiB, half of them for desktops. */
const TYPES = ["Q", "B"].flatMap((series, of) =>
  [1, 2, 4, 8, 16, 24].map((gib, at) => ({
    id: `nvidia-${500 + 10 * of + at}`,
    name: `NVIDIA A40-${gib}${series}`,
    description: `num_heads=4, frl_config=60, framebuffer=${gib * 1024}M, max_resolution=5120x2880, max_instance=${48 / gib}`,
    gib,
  })),
);

/**
 * A host as its snapshot; every `taken`-th function has a device.
 *
 * @param {number} number
 * @param {{ cards?: number; taken?: number }} options
 */
function hostOf(number, { cards = CARDS, taken = 3 } = {}) {
  /** @type {import("vfio-mdev").ParentSnapshot[]} */
  const parents = [];
  /** @type {import("vfio-mdev").DeviceSnapshot[]} */
  const devices = [];
  for (let card = 0; card < cards; card++) {
    const bus = `${hex(card >> 8, 4)}:${hex(card & 0xff)}`;
    const facts = { physicalFunction: `${bus}:00.0`, numaNode: card % 2, vendor: 0x10de, device: 0x2235 };
    for (let at = 0; at < FUNCTIONS; at++) {
      const id = `${bus}:${hex((at + 4) >> 3)}.${(at + 4) & 7}`;
      const path = `/sys/devices/pci${bus}/${id}`;
      const used = taken > 0 && (at + number) % taken === 0;
      const types = TYPES.map(({ gib, ...type }) => ({
        ...type,
        deviceApi: "vfio-pci",
        availableInstances: used || gib !== 1 ? 0 : 1,
        attributes: {},
      }));
      if (taken === 0) for (const type of types) type.availableInstances = 1;
      const attributes = { ...facts, subsystemVendor: 0x10de, subsystemDevice: 0x145a };
      parents.push({ id, path, layout: "merged", inode: undefined, types, attributes });
      if (!used) continue;
      const uuid = `${hex(number, 8)}-0000-4000-8000-${hex(card * FUNCTIONS + at, 12)}`;
      const place = { parent: id, parentPath: path, layout: /** @type {const} */ ("merged") };
      const rest = { driver: "nvidia", iommuGroup: devices.length, inode: undefined, attributes: {} };
      devices.push({ id: uuid, ...place, type: "nvidia-500", state: "active", ...rest });
    }
  }
  return { parents, devices, problems: [] };
}

const wanted = {
  owner: "fleet",
  devices: [
    { name: "desktops", type: { name: "A40-1Q" }, count: 4, per: /** @type {const} */ ("card") },
    ...Array.from({ length: 16 }, (_, at) => ({ name: `vm-${at}`, type: { name: "A40-1Q" } })),
  ],
};

/** The milliseconds that a fleet takes: to plan, and to look at each type of each function once. */
function measureFleet(/** @type {number} */ count) {
  let [planning, pass, steps, instances] = [0, 0, 0, 0];
  for (let number = 0; number < count; number++) {
    const snapshot = hostOf(number);
    const begun = performance.now();
    for (const { types } of snapshot.parents)
      for (const type of types) instances += (type.availableInstances ?? 0) + (type.name?.length ?? 0);
    const passed = performance.now();
    const current = { owner: wanted.owner, snapshot, owned: [], unproven: [] };
    const { changes, unplaced } = plan(current, wanted).getOrThrow();
    planning += performance.now() - passed;
    pass += passed - begun;
    steps += changes;
    if (changes !== 48 || unplaced.length > 0) throw new Error(`host ${number} was planned otherwise`);
  }
  if (instances === 0) throw new Error("there was nothing to look at");
  return { planning, pass, steps };
}

/** The milliseconds that 1,000 places on the functions of `cards` cards take, beside those of one look at each of their types. */
function measurePlaces(/** @type {number} */ cards) {
  const snapshot = hostOf(0, { cards, taken: 0 });
  const devices = Array.from({ length: 1000 }, (_, at) => ({ name: `vm-${at}`, type: { name: "A40-1Q" } }));
  const begun = performance.now();
  let instances = 0;
  for (const { types } of snapshot.parents)
    for (const type of types) instances += (type.availableInstances ?? 0) + (type.name?.length ?? 0);
  const passed = performance.now();
  const { placed } = place(snapshot, devices, { placement: { strategy: "separate" } }).getOrThrow();
  const ended = performance.now();
  if (placed.length !== 1000 || instances === 0) throw new Error("not all of them have a place");
  return { placing: ended - passed, pass: passed - begun };
}

function median(/** @type {readonly number[]} */ figures) {
  const sorted = [...figures].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const [low = NaN, high = NaN] = [sorted[half - 1], sorted[half]];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
}

measureFleet(Math.max(1, hosts / 10)); // warm
measurePlaces(100);
const measured = Array.from({ length: rounds }, () => ({
  part: measureFleet(hosts / 10),
  whole: measureFleet(hosts),
  few: measurePlaces(100),
  many: measurePlaces(1000),
}));
const of = (/** @type {(round: (typeof measured)[number]) => number} */ figure) =>
  median(measured.map(figure));
/** @type {readonly { what: string; figure: number; unit: string; guard?: number }[]} */
const rows = [
  { what: `plans of ${hosts} hosts`, figure: of(({ whole }) => whole.planning), unit: "ms" },
  { what: "a host's plan", figure: of(({ whole }) => whole.planning) / hosts, unit: "ms" },
  {
    what: `time of a host, ${hosts} hosts / ${hosts / 10} hosts`,
    figure: of(({ part, whole }) => whole.planning / part.planning / 10),
    unit: "×",
    guard: 1.5,
  },
  {
    what: "a host's plan / a look at each of its types",
    figure: of(({ whole }) => whole.planning / whole.pass),
    unit: "×",
  },
  { what: "1000 places on 16000 functions", figure: of(({ many }) => many.placing), unit: "ms", guard: 1000 },
  {
    what: "1000 places, on 16000 functions / on 1600",
    figure: of(({ few, many }) => many.placing / few.placing),
    unit: "×",
    guard: 12,
  },
  {
    what: "1000 places / a look at each type of 16000 functions",
    figure: of(({ many }) => many.placing / many.pass),
    unit: "×",
  },
];
console.log(`${os.cpus().length} × ${os.cpus()[0]?.model}, Node ${process.version}, ${rounds} rounds\n`);
console.log("| what | figure | guard |\n| --- | ---: | ---: |");
for (const { what, figure, unit, guard } of rows)
  console.log(`| ${what} | ${figure.toFixed(2)} ${unit} | ${guard ?? ""} |`);
const missed = rows.filter(({ figure, guard }) => guard !== undefined && !(figure <= guard));
if (missed.length > 0) {
  console.error(`\nGuards missed: ${missed.map(({ what }) => what).join("; ")}`);
  process.exitCode = 1;
}
