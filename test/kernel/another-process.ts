// Another process that uses this library, inside a guest: processes.ts starts it. It says `ready`, and what it found as
// one line of JSON.
//
//   another-process.mjs use UUID [UID]        whether the device is in use, as that user
//   another-process.mjs create TYPE UID GID   creates a device, as that user
//   another-process.mjs take UUID UID GID     opens and removes it, as that user
//   another-process.mjs stuck exit|end UUID…  removes devices that somebody has open, reads files meanwhile, and ends
//   another-process.mjs fight TYPE ROUNDS N   creates and removes, N at a time, so many times, when its input ends
//   another-process.mjs hunt                  removes every device that it sees, until its input ends
import { open, readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { type MdevDevice, MdevHost, nodeFileSystem } from "../../src/index.js";
import { ok } from "../contract/expect.js";

export type Action = keyof typeof actions;

const host = new MdevHost();
const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
const stopped = new Promise<void>((resolve) => process.stdin.once("end", resolve).resume());

class Tally {
  readonly counts: Record<string, number> = {};
  add(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }
}

async function use([uuid = "", user]: string[]): Promise<void> {
  if (user !== undefined) process.setuid?.(Number(user));
  say(await ok((await ok(host.device(uuid))).inUse()));
}

function become(user = "", group = ""): void {
  process.setgroups?.([Number(group)]);
  process.setgid?.(Number(group));
  process.setuid?.(Number(user));
}

async function create([id = "", user, group]: string[]): Promise<void> {
  become(user, group);
  const type = await ok((await ok(host.parent(id.replace(/-.*/u, "")))).type(id));
  const created = await type.create();
  say(created.ok ? created.value.id : created.error.type);
}

async function take([uuid = "", user, group]: string[]): Promise<void> {
  become(user, group);
  const device = await ok(host.device(uuid));
  const node = (await ok(device.vfioNodes())).group ?? "";
  const opened = await open(node, "r+").then(
    async (file) => file.close().then(() => "ok"),
    ({ code }: NodeJS.ErrnoException) => code,
  );
  const removed = await device.remove();
  say([node, opened, removed.ok ? "ok" : removed.error.type]);
}

async function stuck([how, ...uuids]: string[]): Promise<void> {
  // It sees no processes, so that it learns from the kernel alone that somebody has them open.
  const blind = new MdevHost({ fs: nodeFileSystem });
  const devices: MdevDevice[] = [];
  for (const uuid of uuids) devices.push(await ok(blind.device(uuid)));
  const limit = new AbortController();
  const removals = devices.map((device) => device.remove({ signal: limit.signal }).then((result) => result));
  for (const device of devices) {
    while ((await ok(device.state())) !== "removing") await pause(5);
  }
  if (how === "end") limit.abort();
  const outcomes = how === "end" ? await Promise.all(removals) : [];
  const begun = performance.now();
  // More than there are threads for it.
  const texts = await Promise.all(devices.concat(devices).map(() => readFile("/proc/version", "utf8")));
  const listed = await ok(host.devices());
  say({
    outcomes: outcomes.map((outcome) =>
      outcome.ok ? "ok" : [outcome.error.type, (outcome.error as { pending?: string }).pending],
    ),
    read: texts.every((text) => text.startsWith("Linux")),
    listed: listed.length,
    milliseconds: Math.round(performance.now() - begun),
  });
  if (how === "exit") process.exit(0);
  process.stdin.unref();
}

async function fight([id = "", rounds = "", workers = ""]: string[]): Promise<void> {
  const type = await ok((await ok(host.parent(id.replace(/-.*/u, "")))).type(id));
  await stopped;
  const tally = new Tally();
  let left = Number(rounds);
  const work = async (): Promise<void> => {
    while (left-- > 0) {
      const created = await type.create();
      if (!created.ok) {
        const { type: tag, errno } = created.error;
        tally.add(tag === "no-instances" ? tag : `${tag} ${errno}`);
        continue;
      }
      tally.add("made");
      const removed = await created.value.remove();
      tally.add(removed.ok ? `removed: ${removed.value.removed}` : `not removed: ${removed.error.message}`);
    }
  };
  await Promise.all(Array.from({ length: Number(workers) }, work));
  say(tally.counts);
}

async function hunt(): Promise<void> {
  const tally = new Tally();
  const hunting = { on: true };
  void stopped.then(() => (hunting.on = false));
  while (hunting.on) {
    for (const device of await ok(host.devices())) {
      const result = await device.remove();
      tally.add(result.ok ? `removed: ${result.value.removed}` : result.error.type);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  say(tally.counts);
}

const actions = { use, create, take, stuck, fight, hunt };
const [action = "", ...args] = process.argv.slice(2);
say("ready");
await actions[action as Action](args);
