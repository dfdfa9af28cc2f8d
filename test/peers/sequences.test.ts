import { existsSync, mkdirSync } from "node:fs";
import { randomInt } from "node:crypto";
import { beforeAll, expect, it } from "vitest";
import { pick, random } from "../contract/random.js";
import { memoryFolder } from "./memory-folder.js";
import { installation, Mdevctl } from "./mdevctl.js";
import { randomOperation, randomTree, UUIDS } from "./random-tree.js";
import { noted, randomScripts } from "./scripts.js";
import { type Operation, Ours, type Question, startable, Theirs } from "./sides.js";

const seed = Number(process.env["VFIO_MDEV_SEED"] ?? randomInt(2 ** 31));
const rounds = Number(process.env["VFIO_MDEV_ROUNDS"] ?? 500);
const AT_ONCE = 3; // they wait for processes and timers, more than they compute

beforeAll(() => {
  console.log(`seed ${seed}: VFIO_MDEV_SEED=${seed} repeats these ${rounds} sequences`);
});

/**
 * mdevctl does as many as there are in the order of the folder, which is nobody's choice; one is enough to compare. Where
 * there are scripts, it asks them about what is active already, too.
 */
function isComparable(operation: Operation, { machine }: Theirs, hasScripts: boolean): boolean {
  const isActive = (uuid: string): boolean => existsSync(`${machine.root}/sys/bus/mdev/devices/${uuid}`);
  if (operation.do === "define") return !hasScripts || !isActive(operation.uuid);
  if (operation.do !== "start automatic") return true;
  const defined = startable(machine).filter(({ parent }) => parent === operation.parent);
  const automatic = defined.filter(({ start }) => start === "auto");
  return automatic.length <= 1 && !(hasScripts && automatic.some(({ uuid }) => isActive(uuid)));
}

/** Where there are files that are no definitions: mdevctl then lists nothing at all, and starts nothing. */
async function brokenPaths(ours: Ours): Promise<readonly string[]> {
  const { problems } = await ours.store.list().getOrThrow();
  return problems.flatMap(({ path }) => path?.split("/mdevctl.d/")[1] ?? []);
}

function isSpoilt(broken: readonly string[], { parent, uuid }: Omit<Question, "list">): boolean {
  return broken.some((path) => {
    const [folder, name] = path.split("/");
    return (parent === undefined || folder === parent) && (uuid === undefined || name === uuid);
  });
}

async function sequence(
  round: number,
  ours: Ours,
  theirs: Theirs,
  hasScripts: boolean,
): Promise<{ readonly operations: number; readonly accepted: number; readonly scripts: number }> {
  const next = random(seed + round);
  const tree = { ...randomTree(next), ...(hasScripts && { scripts: randomScripts(next) }) };
  ours.lay(tree);
  theirs.lay(tree);
  // No operation makes more of them, and none can undo them.
  const broken = await brokenPaths(ours);
  const done: Operation[] = [];
  let count = 0;
  let scripts = 0;
  const where = (): string =>
    `VFIO_MDEV_SEED=${seed + round} VFIO_MDEV_ROUNDS=1\n${JSON.stringify({ tree, done }, null, 1)}`;
  const length = 3 + Math.floor(next() * 8);
  while (done.length < length) {
    const operation = randomOperation(next);
    if (!isComparable(operation, theirs, hasScripts)) continue;
    if (operation.do === "start automatic" && isSpoilt(broken, { parent: operation.parent })) continue;
    done.push(operation);
    const accepted = { ours: await ours.perform(operation), theirs: await theirs.perform(operation) };
    if (accepted.theirs) count += 1;
    expect(accepted.ours, where()).toBe(accepted.theirs);
    expect(ours.machine.look(), where()).toEqual(theirs.machine.look());
    const calls = { ours: noted(ours.machine.root), theirs: noted(theirs.machine.root) };
    expect(calls.ours, where()).toEqual(calls.theirs);
    scripts += calls.theirs.length;
  }
  const parent = pick([...Object.keys(tree.parents), "10"], next);
  const uuid = pick(UUIDS, next);
  const questions: Question[] = [
    { list: "types" },
    { list: "active" },
    { list: "defined" },
    pick<Question>(
      [
        { list: "types", parent },
        { list: "active", uuid },
        { list: "active", parent },
      ],
      next,
    ),
    pick<Question>(
      [
        { list: "defined", uuid },
        { list: "defined", parent },
        { list: "defined", parent, uuid },
      ],
      next,
    ),
  ];
  // Of an active device mdevctl shows what it could read of its broken definition until it stumbled.
  const isHalf = broken.some((path) => existsSync(`${ours.machine.root}/sys/devices/virtual/${path}`));
  for (const question of questions) {
    if (question.list === "active" && isHalf) continue;
    const [mine, other] = [await ours.ask(question), await theirs.ask(question)];
    const spoilt = question.list === "defined" && isSpoilt(broken, question);
    expect(spoilt ? undefined : mine, `${JSON.stringify(question)} ${where()}`).toBe(other);
  }
  return { operations: done.length, accepted: count, scripts };
}

it.each([
  { of: "this machine", suite: undefined, hasScripts: false },
  { of: "Debian 13", suite: "trixie", hasScripts: false },
  { of: "Debian 13", suite: "trixie", hasScripts: true }, // 1.2 speaks an older protocol: see the named differences
])(
  `${rounds} random sequences end alike: files, devices, JSON, and what is refused (mdevctl of $of, scripts: $hasScripts)`,
  async ({ suite, hasScripts }) => {
    const folder = memoryFolder();
    const from = installation(suite);
    let [begun, operations, accepted, scripts, version] = [0, 0, 0, 0, ""];
    const worker = async (name: string): Promise<void> => {
      const [root, jail] = [`${folder}/${name}-ours`, `${folder}/${name}-theirs`];
      mkdirSync(root);
      const mdevctl = new Mdevctl(jail, from);
      version = await mdevctl.version();
      const showsDefinitions = /^1\.[0-2]\./u.test(version);
      const [ours, theirs] = [new Ours(root, { showsDefinitions }), new Theirs(mdevctl)];
      while (begun < rounds) {
        const done = await sequence(begun++, ours, theirs, hasScripts);
        operations += done.operations;
        accepted += done.accepted;
        scripts += done.scripts;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => worker(String(n))));
    const counts = `${operations} operations, ${accepted} of them accepted by both, ${scripts} runs of scripts`;
    console.log(`mdevctl ${version}: ${rounds} sequences, ${counts}`);
  },
);
