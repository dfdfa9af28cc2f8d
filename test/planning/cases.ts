import { expect, vi } from "vitest";
import { type HostSnapshot, MdevHost } from "../../src/index.js";
import {
  apply,
  type ApplyReport,
  formatPlan,
  type Plan,
  plan,
  planningFacts,
  readState,
  type StepResult,
  type WantedState,
} from "../../src/planning/index.js";
import { sameVgpuName } from "../../src/extensions/nvidia/index.js";
import type { ErrnoName } from "../../src/testing/index.js";
import { pick } from "../contract/random.js";
import { crash } from "../support/crash.js";
import { quiet } from "../support/settled.js";
import { World } from "./world.js";

/** Runs random cases; says in a word how the last one ended. */
export type Case = (next: () => number) => Promise<string>;

/** How many there were: each is a host, as whatever was before has left it, and a state that is wanted of it. */
export const counted = { cases: 0 };

const ERRNOS: readonly ErrnoName[] = ["EIO", "ENOSPC", "EBUSY", "EINVAL", "EACCES", "ENOENT", "ENODEV"];
const PATHS = [
  /\/create$/,
  /\/remove$/,
  /current_vgpu_type$/,
  /available_instances$/,
  /vgpu_params$/,
  /mdev_supported_types$/,
];

/** The plan for one more case. */
async function planCase(host: MdevHost, wanted: WantedState): Promise<Plan> {
  counted.cases += 1;
  return planNow(host, wanted);
}

async function planNow(host: MdevHost, wanted: WantedState): Promise<Plan> {
  const current = await readState(host, wanted).getOrThrow();
  const made = plan(current, wanted).getOrThrow();
  expect(plan(JSON.parse(JSON.stringify(current)) as typeof current, wanted).getOrThrow()).toEqual(made);
  return made;
}

/** What the host has, as others see it. */
function picture({ devices }: HostSnapshot): readonly string[] {
  return devices.map(({ id, type, parent }) => `${id} ${type} ${parent}`).sort();
}

/** Checks what holds whenever a run has ended and nobody interferes: the state is reached or it is said why not. */
async function checkEnd(world: World, wanted: WantedState, report: ApplyReport): Promise<string> {
  expect(await world.lost(), "devices of others").toEqual([]);
  const host = world.host();
  const after = await planNow(host, wanted);
  const failures = report.results.filter(({ status }) => status === "failed" || status === "lost");
  const refused = report.rest?.unplaced.some(({ parents }) => parents.refused !== undefined) ?? true;
  if (!refused) {
    expect(after.changes, `${formatPlan(after)}\n${JSON.stringify(failures, undefined, 1)}`).toBe(0);
    expect(report.rest).toEqual(after);
  }
  expect(report.reached).toBe(!refused && after.changes === 0 && after.unplaced.length === 0);

  // Each device that is wanted is there, or it is said why not; and nothing else is the owner's.
  const keeps = after.steps.filter(({ kind }) => kind === "keep");
  const { devices } = await host.ownedDevices("me").getOrThrow();
  if (!refused && after.unplaced.length === 0)
    expect(
      keeps
        .filter(({ proven }) => proven)
        .map(({ device }) => device)
        .sort(),
    ).toEqual(devices.map(({ id }) => id).sort());
  for (const { name, count, per, type } of wanted.devices) {
    for (const keep of keeps.filter((each) => each.name === name || each.name?.startsWith(`${name}/`))) {
      if (type.id !== undefined) expect(keep.type).toBe(type.id);
      if (type.name !== undefined) expect(sameVgpuName(keep.typeName ?? "", type.name)).toBe(true);
    }
    if (count === "all" || per === "card" || refused) continue;
    const names = count === undefined ? [name] : Array.from({ length: count }, (_, at) => `${name}/${at}`);
    for (const each of names) {
      const found = [...keeps, ...after.unplaced].filter((entry) => entry.name === each);
      expect(found, each).toHaveLength(1);
    }
  }
  expect(
    after.unplaced.filter(({ reason }) => reason !== "no-place"),
    "what is in the way",
  ).toEqual([]);
  if (!refused) await checkNoRoom(host, wanted, after);
  return report.reached ? "reached" : refused ? "refused" : "no place";
}

/** Where it is said that there is no room, the kernel says so too. */
async function checkNoRoom(host: MdevHost, wanted: WantedState, { unplaced }: Plan): Promise<void> {
  if (wanted.cards !== "mixed") return;
  const { parents } = await host.snapshot({ include: planningFacts }).getOrThrow();
  for (const { name, parents: reasons } of unplaced) {
    const entry = wanted.devices.find((each) => name === each.name || name.startsWith(`${each.name}/`));
    if (entry?.type.id === undefined || entry.parent !== undefined || reasons["other-card"] !== undefined)
      continue;
    for (const { id, types } of parents) {
      const available = types.find((type) => type.id === entry.type.id)?.availableInstances ?? 0;
      expect(available, `${entry.type.id} on ${id}, for ${name}`).toBeLessThanOrEqual(0);
    }
  }
}

async function calm(world: World, wanted: WantedState, isNew = true): Promise<string> {
  const host = world.host();
  const made = await (isNew ? planCase : planNow)(host, wanted);
  const report = await apply(host, made).getOrThrow();
  const { results } = report;
  // What was shown is what was done; what others took room from, or gave it, comes after.
  const done = results.filter(({ status }) => status === "done").map(({ step }) => step);
  const bad = results.filter(({ status }) => status !== "done");
  const changes = made.steps.filter(({ kind }) => kind !== "keep");
  const freed = changes.some(({ kind }) => kind === "remove");
  if (bad.length === 0) for (const step of changes) expect(done).toContainEqual(step);
  if (!freed && bad.length === 0) expect(done).toHaveLength(changes.length);
  return checkEnd(world, wanted, report);
}

/** Lets something happen at random calls, as long as it is not told to end. */
function interfere(world: World, next: () => number, odds: number, what: () => void): () => void {
  let inside = false;
  return world.simulated.onOperation(() => {
    if (inside || next() >= odds) return;
    inside = true;
    what();
    inside = false;
  });
}

/** Lets some of the next calls fail. */
function fail({ simulated }: World, next: () => number): () => void {
  const faults = Array.from({ length: 1 + Math.floor(next() * 3) }, () => ({
    path: pick(PATHS, next),
    code: pick(ERRNOS, next),
    left: pick([1, 1, 2, 6], next),
  }));
  return simulated.onOperation(({ path }) => {
    const fault = faults.find((each) => each.left > 0 && each.path.test(path));
    if (fault === undefined) return;
    fault.left -= 1;
    throw Object.assign(new Error(`${fault.code}: it fails, '${path}'`), { code: fault.code, path });
  });
}

/** What an error says may still happen to its device. */
function pendingOf({ error }: StepResult): string | undefined {
  return error?.type === "aborted" || error?.type === "timeout" ? error.pending : undefined;
}

/** Waits until what a report says is pending has come to its end: the last of it is that the ledger forgets the device. */
async function settled({ store }: World, { results }: ApplyReport): Promise<void> {
  for (const { step } of results.filter((result) => pendingOf(result) !== undefined)) {
    if (step.kind === "configure") continue; // it is set back without a pause
    const isForgotten = async (): Promise<void> =>
      expect((await store.names()).filter((name) => name.includes(step.device))).toEqual([]);
    await vi.waitFor(isForgotten, { timeout: 60_000, interval: 5 });
  }
  await quiet();
}

export const CASES: Readonly<Record<string, Case>> = {
  "nobody else": async (next) => {
    const world = new World(next);
    await calm(world, world.wanted());
    return calm(world, world.wanted());
  },

  rivals: async (next) => {
    const world = new World(next);
    if (next() < 0.5) await calm(world, world.wanted());
    const wanted = world.wanted();
    const host = world.host();
    const made = await planCase(host, wanted);
    const end = interfere(world, next, 0.02, () => {
      const dice = next();
      if (dice < 0.5) world.createForeign();
      else if (dice < 0.8) world.removeForeign();
      else world.removeAny();
    });
    const report = await apply(host, made, { onFailure: pick(["undo", "keep"] as const, next) }).getOrThrow();
    end();
    expect(await world.lost(), "devices of others").toEqual([]);
    expect(report.rest).toBeDefined();
    return calm(world, wanted, false);
  },

  faults: async (next) => {
    const world = new World(next);
    if (next() < 0.5) await calm(world, world.wanted());
    const wanted = world.wanted();
    const host = world.host();
    const made = await planCase(host, wanted);
    const end = fail(world, next);
    const { error } = await apply(host, made);
    end();
    expect(error?.type).not.toBe("invalid-argument");
    expect(await world.lost(), "devices of others").toEqual([]);
    return calm(world, wanted, false);
  },

  "taken back": async (next) => {
    const world = new World(next);
    if (next() < 0.7) await calm(world, world.wanted());
    const wanted = world.wanted();
    const host = world.host();
    const made = await planCase(host, wanted);
    const before = picture(await host.snapshot().getOrThrow());
    const controller = new AbortController();
    let left = Math.floor(next() * 8);
    const { value: report } = await apply(host, made, {
      onFailure: "undo",
      signal: controller.signal,
      onProgress: ({ type }) => {
        if (type === "ended" && left-- === 0) controller.abort();
      },
    });
    if (report === undefined) return "not begun";
    await settled(world, report); // what was in the kernel is taken back by itself
    const after = picture(await host.snapshot().getOrThrow());
    // What was given up in the kernel's hands may have been done all the same.
    const isUndone = report.results.every(
      (result) => result.status !== "undo-failed" && (result.step.kind === "create" || !pendingOf(result)),
    );
    const failed =
      report.interrupted !== undefined || report.results.some(({ status }) => status === "undone");
    if (failed && isUndone) expect(after).toEqual(before);
    expect(await world.lost(), "devices of others").toEqual([]);
    await calm(world, wanted, false);
    return failed ? "undone" : "done";
  },

  "crashes and limits": async (next) => {
    const world = new World(next);
    if (next() < 0.5) await calm(world, world.wanted());
    const wanted = world.wanted();
    const isCrash = next() < 0.6;
    const controller = new AbortController();
    let die = (): void => undefined;
    const died = new Promise<undefined>((resolve) => (die = () => resolve(undefined)));
    const end = isCrash ? die : (): void => controller.abort();
    const fs = ending(world, { calls: Math.floor(next() * 250), isCrash, end });
    const host = new MdevHost({ fs, state: world.store });
    const made = await planCase(world.host(), wanted);
    const applied = apply(host, made, { signal: controller.signal });
    const report = (await Promise.race([applied, died]))?.value;
    if (report !== undefined) await settled(world, report);
    await quiet(); // the kernel goes on with what it was told
    if (isCrash) await crash(world.store);
    expect(await world.lost(), "devices of others").toEqual([]);
    return calm(world, { ...wanted, unproven: "take" }, false);
  },
};

interface Ending {
  /** How many calls come before. */
  readonly calls: number;
  /** Whether the caller is killed, so that nothing ever returns to it; otherwise it gives up what has just begun. */
  readonly isCrash: boolean;
  end(): void;
}

/** A file system whose caller comes to its end at a call. */
function ending({ simulated }: World, { calls, isCrash, end }: Ending): typeof simulated.fs {
  let left = calls;
  return new Proxy(simulated.fs, {
    get: (target, name, receiver) => {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member !== "function") return member;
      return (...args: readonly unknown[]): unknown => {
        const isOver = left-- <= 0;
        const answer: unknown =
          isOver && isCrash ? new Promise(() => undefined) : Reflect.apply(member, target, args);
        if (isOver) end();
        return answer;
      };
    },
  });
}
