import { describe, expect, it } from "vitest";
import { SimulatedHost, type SimulatedParent } from "../../src/testing/index.js";
import { UNASKED_OPERATIONS } from "./exceptions.js";
import { type Outcome, recordedOperations, type RecordedOperation, uuid } from "./recordings.js";

const BUS = "/sys/bus/mdev/devices";
const CLASS = "/sys/class/mdev_bus";
const MTTY = "/sys/devices/virtual/mtty/mtty";
const TYPE = `${CLASS}/mtty/mdev_supported_types/mtty-1`;
const U = uuid(0x10);
const NOBODY = 65534;

/** What node's string flags are as numbers. */
const FLAGS = { w: 0o1101, a: 0o2101, "r+": 2, "w+": 0o1102, wx: 0o1301, O_WRONLY: 1 } as const;

/** The calls of the recording that FileSystem can make too, and how. */
const CALLS: Readonly<Record<string, "read" | number>> = {
  "fs.readFileSync": "read",
  "fs.writeFileSync": FLAGS.w,
  "fs.writeFileSync(…, {flag:'a'})": FLAGS.a,
  "fs.writeFileSync(…, {flag:'r+'})": FLAGS["r+"],
  "fs.writeFileSync(…, {flag:'w+'})": FLAGS["w+"],
  "fs.writeFileSync(…, {flag:'wx'})": FLAGS.wx,
  "fs.writeFileSync(…, {flag:'1'})": FLAGS.O_WRONLY,
  "fs.writeFileSync {flag:'r+'}": FLAGS["r+"],
  "fs.writeFileSync {flag:O_WRONLY}": FLAGS.O_WRONLY,
  "fs.openSync O_WRONLY + fs.writeSync": FLAGS.O_WRONLY,
  "fs.appendFileSync": FLAGS.a,
  "fs.promises.writeFile": FLAGS.w,
  "fs.promises.writeFile {flush:true}": FLAGS.w,
  "fs.createWriteStream().end(uuid)": FLAGS.w,
  "fs.createWriteStream({flush:true})": FLAGS.w,
};

class Replay {
  readonly simulated = new SimulatedHost();
  readonly fs = this.simulated.fs;
  mtty: SimulatedParent = this.simulated.addMtty();

  constructor() {
    this.simulated.addMdpy();
    this.simulated.addMbochs();
  }

  write(path: string, text: string, flag: number = FLAGS.w): Promise<void> {
    return this.fs.writeFile(path, text, { flag });
  }

  create(id: string, type = TYPE): Promise<void> {
    return this.write(`${type}/create`, id);
  }

  remove(id: string): Promise<void> {
    return this.write(`${BUS}/${id}/remove`, "1");
  }

  async devices(): Promise<string[]> {
    return (await this.fs.readdir(BUS)).sort();
  }

  async ls(path: string): Promise<string[]> {
    return (await this.fs.readdir(path)).sort();
  }

  /** Exactly these devices, of type mtty-1. */
  async have(...wanted: string[]): Promise<void> {
    for (const id of await this.devices()) if (!wanted.includes(id)) await this.remove(id);
    for (const id of wanted) if (!(await this.devices()).includes(id)) await this.create(id);
  }

  async available(types: readonly string[]): Promise<Record<string, string>> {
    const entries = types.map(async (type) => {
      const path = `${CLASS}/${type.split("-")[0] ?? ""}/mdev_supported_types/${type}/available_instances`;
      const text = this.fs.readFile(path, "utf8").then(
        (value) => value.trim(),
        (error: unknown) => (error as { code: string }).code,
      );
      return [type, await text] as const;
    });
    return Object.fromEntries(await Promise.all(entries));
  }

  async expectState({ devices, available }: Pick<RecordedOperation, "devices" | "available">): Promise<void> {
    const have = await this.devices();
    if (devices !== undefined) expect(typeof devices === "number" ? have.length : have).toEqual(devices);
    if (available !== undefined) expect(await this.available(Object.keys(available))).toEqual(available);
  }
}

async function outcomeOf(call: Promise<unknown>): Promise<Outcome> {
  try {
    const value = await call;
    return { ok: true, ...(value === undefined ? {} : { value }) };
  } catch (error) {
    const { code, errno, syscall, message } = error as Error & Required<Outcome>;
    return { ok: false, code, errno, syscall, message };
  }
}

/** The recording shortens long texts; these are whole again. */
function dataOf({ data, about }: RecordedOperation): string {
  if (typeof data !== "string") return "";
  const length = Number(/… \((\d+) bytes\)$/u.exec(data)?.[1] ?? "0");
  if (length === 0) return data;
  const shown = data.slice(0, data.indexOf("…"));
  return about.startsWith('"0') ? "1".padStart(length, "0") : shown.padEnd(length);
}

/** What was there before an operation, where the recorder did not take over what the one before it left. */
function before({ group, about }: RecordedOperation): readonly string[] | undefined {
  if (about === "first" || ["create: accepted?", "create: how it is written"].includes(group)) return [];
  if (group === "remove: value" || group === "attributes" || about.startsWith("unbind the device from"))
    return [U];
  if (about === "by path, after removal" || about === "create the same UUID again at once") return [];
  if (group === "races")
    return about.startsWith("8 concurrent removes")
      ? [U]
      : /^(300|8|40|a second)/u.test(about)
        ? []
        : undefined;
  return undefined;
}

/** A plain call: its outcome, to the word, and what is there afterwards. */
async function call(replay: Replay, operation: RecordedOperation): Promise<void> {
  const { api = "", path = "", outcome, inDevice } = operation;
  const how = CALLS[api];
  if (how === undefined) throw new Error(`no such call: ${api}`);
  const asked =
    how === "read" ? replay.fs.readFile(path, "utf8") : replay.write(path, dataOf(operation), how);
  const told = await outcomeOf(asked);
  // a write of FileSystem does not tell how many bytes it wrote
  expect(how === "read" ? told : { ...told, value: outcome.value }).toEqual(outcome);
  await replay.expectState(operation);
  const device = (await replay.devices())[0];
  if (inDevice && device !== undefined) expect(await replay.ls(`${BUS}/${device}`)).toEqual(inDevice);
}

type Scenario = (replay: Replay, operation: RecordedOperation) => Promise<void>;

async function tally(calls: readonly Promise<unknown>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const settled of await Promise.allSettled(calls)) {
    const { code, syscall } = settled.status === "fulfilled" ? {} : (settled.reason as Outcome);
    const key = code === undefined ? "ok" : `${code} (${syscall ?? ""})`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

const asUser: Scenario = async (replay, operation) => {
  const fs = replay.simulated.fsAs(NOBODY);
  const { about, outcome } = operation;
  const asked = about.includes("read available_instances")
    ? fs.readFile(`${TYPE}/available_instances`, "utf8")
    : fs.writeFile(
        about.includes("remove") ? `${BUS}/${U}/remove` : `${TYPE}/create`,
        about.includes("remove") ? "1" : U,
        {
          flag: FLAGS.w,
        },
      );
  expect(await outcomeOf(asked)).toMatchObject(outcome);
  await replay.expectState(operation);
};

/** Everything that is more than one call, by group and beginning of `about`. */
const SCENARIOS: readonly (readonly [group: string, about: RegExp, play: Scenario])[] = [
  [
    "create: no instance left",
    /: created until it failed$/u,
    async (replay, { path = "", availableBeforeEach = [], created, outcome, available }) => {
      await replay.have();
      let last: Outcome = { ok: true };
      for (const [i, counts] of availableBeforeEach.entries()) {
        expect(await replay.available(Object.keys(counts))).toEqual(counts);
        last = await outcomeOf(replay.write(path, uuid(0x100 + i)));
        if (!last.ok) break;
      }
      expect(last).toEqual(outcome.ok ? { ok: true } : outcome);
      expect((await replay.devices()).length).toBe(created);
      await replay.expectState({ ...(available ? { available } : {}) });
    },
  ],
  [
    "create: no instance left",
    /: the same failure by other calls$/u,
    async (replay, { path = "", byCall = {} }) => {
      const recorded = byCall["fs.promises.writeFile"]; // the only one of them that FileSystem has
      expect(recorded).toBeDefined();
      expect(await outcomeOf(replay.write(path, uuid(0x1ff)))).toMatchObject(recorded ?? {});
    },
  ],
  [
    "create: no instance left",
    /: after removing all$/u,
    async (replay, operation) => {
      await replay.have();
      await replay.expectState(operation);
    },
  ],
  ["permissions", /^uid 65534: (write|read)/u, asUser],
  [
    "permissions",
    /^root: chown create/u,
    async (replay, operation) => {
      replay.simulated.chown(`${TYPE}/create`, NOBODY);
      await replay.expectState(operation);
    },
  ],
  [
    "permissions",
    /^root: chmod create to 0666$/u,
    async (replay, operation) => {
      replay.simulated.chmod(`${TYPE}/create`, 0o666);
      await replay.expectState(operation);
    },
  ],
  [
    "permissions",
    /^read create with mode 0666$/u,
    async (replay, operation) => {
      expect(await outcomeOf(replay.fs.readFile(`${TYPE}/create`, "utf8"))).toEqual(operation.outcome);
      await replay.expectState(operation);
      replay.simulated.chmod(`${TYPE}/create`, 0o200);
      replay.simulated.chown(`${TYPE}/create`, 0);
    },
  ],
  [
    "timing",
    /another thread lists the device folder/u,
    async (replay, { listings = {} }) => {
      await replay.have();
      const seen = new Set<string>();
      const look = (): Promise<void> =>
        replay.ls(`${MTTY}/${U}`).then(
          (names) => void seen.add(names.join(" ")),
          (error: unknown) => void seen.add((error as { code: string }).code),
        );
      const { simulated } = replay;
      for (const before of [
        "bus",
        "power",
        "driver",
        "iommu_group",
        "vfio-dev",
        "vendor",
        "devices",
        "mdev_type",
      ] as const) {
        const pause = simulated.pauseCreate({ before });
        const done = replay.create(U);
        await pause.reached;
        await look();
        pause.resume();
        await done;
        await look();
        await replay.remove(U);
      }
      const removal = [
        "mdev_type",
        "devices",
        "power",
        "uevent",
        "bus",
        "driver",
        "vendor",
        "vfio-dev",
        "iommu_group",
        "folder",
      ];
      for (const before of removal as "folder"[]) {
        await replay.create(U);
        const pause = simulated.pauseRemove({ before });
        const done = replay.remove(U);
        await pause.reached;
        await look();
        pause.resume();
        await done;
        await look();
      }
      expect([...seen]).toEqual(expect.arrayContaining(Object.keys(listings)));
    },
  ],
  [
    "timing",
    /^200 times create and remove/u,
    async (replay, { missing }) => {
      const wrong: Record<string, number> = {};
      for (let i = 0; i < 200; i++) {
        await replay.create(uuid(0x200 + i));
        const device = `${BUS}/${uuid(0x200 + i)}`;
        const links = [`${TYPE}/devices/${uuid(0x200 + i)}`, device];
        const files = ["remove", "mdev_type", "iommu_group", "driver"].map((name) => `${device}/${name}`);
        for (const path of [...links, ...files]) await replay.fs.lstat(path).catch(() => (wrong[path] = 1));
        await replay.remove(uuid(0x200 + i));
        for (const path of links)
          await replay.fs.lstat(path).then(
            () => (wrong[path] = 1),
            () => undefined,
          );
      }
      expect(wrong).toEqual(missing);
    },
  ],
  [
    "races",
    /^300 times/u,
    async (replay, operation) => {
      const counts = { "create ok": 0, "remove ok": 0 };
      for (let i = 0; i < 300; i++) {
        await replay.create(U);
        counts["create ok"]++;
        await replay.remove(U);
        counts["remove ok"]++;
      }
      expect(counts).toEqual(operation.tally);
      await replay.expectState(operation);
    },
  ],
  [
    "races",
    /^8 concurrent creates/u,
    async (replay, operation) => {
      expect(await tally(Array.from({ length: 8 }, () => replay.create(U)))).toEqual(operation.tally);
      await replay.expectState(operation);
    },
  ],
  [
    "races",
    /^8 concurrent removes/u,
    async (replay, operation) => {
      expect(await tally(Array.from({ length: 8 }, () => replay.remove(U)))).toEqual(operation.tally);
      await replay.expectState(operation);
    },
  ],
  [
    "races",
    /^40 concurrent creates/u,
    async (replay, operation) => {
      expect(await tally(Array.from({ length: 40 }, (_, i) => replay.create(uuid(0x400 + i))))).toEqual(
        operation.tally,
      );
      await replay.expectState(operation);
    },
  ],
  [
    "races",
    /^concurrent removes of all/u,
    async (replay, operation) => {
      expect(await tally((await replay.devices()).map((id) => replay.remove(id)))).toEqual(operation.tally);
      await replay.expectState(operation);
    },
  ],
  [
    "remove: while open",
    /^a process holds the group open/u,
    async (replay, { inUse, afterClose }) => {
      await replay.have(U);
      const holder = replay.simulated.open(U, { what: "group" });
      await expectInUse(replay, holder.pid, inUse);
      await replay.remove(U);
      holder.close();
      await replay.expectState(afterClose ?? {});
    },
  ],
  [
    "remove: while open",
    /^a process holds the device open/u,
    async (replay, { inUse, meanwhile, afterClose }) => {
      if (!meanwhile) throw new Error("nothing was recorded meanwhile");
      await replay.have(U);
      const holder = replay.simulated.open(U);
      await expectInUse(replay, holder.pid, inUse);
      let returned = false;
      const removal = replay.remove(U).then(() => (returned = true));
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(returned).toBe(false);
      await replay.expectState(meanwhile);
      expect((await outcomeOf(replay.ls(`${BUS}/${U}`))).code).toBe(meanwhile.inDevice);
      expect(await replay.ls(`${MTTY}/${U}`)).toEqual(meanwhile.inDeviceByRealPath);
      expect(await replay.ls(`${TYPE}/devices`)).toEqual(meanwhile.inTypeDevices);
      expect(await replay.ls("/sys/kernel/iommu_groups")).toEqual(meanwhile.groups);
      expect(await replay.ls("/dev/vfio")).toEqual(meanwhile.devVfio);
      const second = {
        "second remove": replay.remove(U),
        "create of the same UUID": replay.create(U),
        "create of another UUID": replay.create(uuid(0x77)),
      };
      const said: string[] = [];
      for (const [what, write] of Object.entries(second)) {
        const { ok, code = "", syscall = "" } = await outcomeOf(write);
        said.push(`${what}: ${ok ? "ok" : `${code} ${syscall}`}`);
      }
      expect(said).toEqual(meanwhile.second);
      await replay.remove(uuid(0x77));
      holder.close();
      await removal;
      await replay.expectState(afterClose ?? {});
    },
  ],
  [
    "parent goes away",
    /^rmmod mtty with a device that nothing holds open$/u,
    async (replay, operation) => {
      await replay.have(U);
      await replay.mtty.unplug();
      await replay.expectState(operation);
      expect(await replay.ls(CLASS)).toEqual(operation.mdevBus);
    },
  ],
  [
    "parent goes away",
    /^readdir of the types$/u,
    async (replay, operation) => {
      expect(await outcomeOf(replay.ls(`${CLASS}/mtty/mdev_supported_types`))).toEqual(operation.outcome);
    },
  ],
  [
    "parent goes away",
    /^modprobe mtty again$/u,
    async (replay, operation) => {
      replay.mtty = replay.simulated.addMtty();
      await replay.expectState(operation);
      expect(await replay.ls(CLASS)).toEqual(operation.mdevBus);
    },
  ],
  [
    "races",
    /^a second thread writes 1 to remove as soon as the file shows/u,
    async (replay, operation) => {
      const told: Record<string, number> = {};
      for (const n of [0x500, 0x501, 0x502, 0x503]) {
        const id = uuid(n);
        const pause = replay.simulated.pauseCreate({ before: n === 0x501 ? "active" : "vendor" });
        const created = replay.create(id);
        await pause.reached;
        if (n === 0x501) {
          pause.resume();
          await created;
        }
        const { ok, code = "", syscall = "" } = await outcomeOf(replay.remove(id));
        pause.resume();
        await created;
        const left = (await replay.devices()).includes(id);
        const file = await replay.fs.lstat(`${BUS}/${id}/remove`).then(
          () => "too",
          () => "is gone",
        );
        const then = `the device is ${left ? `there, its remove file ${file}` : "gone"}`;
        const key = `create ok, remove ${ok ? "ok" : `${code} ${syscall}`}, then ${then}`;
        told[key] = (told[key] ?? 0) + 1;
      }
      expect(told).toEqual(operation.tally);
      await replay.expectState(operation);
    },
  ],
];

async function expectInUse(replay: Replay, pid: number, inUse: RecordedOperation["inUse"]): Promise<void> {
  const fds = await replay.ls(`/proc/${pid}/fd`);
  const targets = await Promise.all(fds.map((fd) => replay.fs.readlink(`/proc/${pid}/fd/${fd}`)));
  expect(targets.filter((target) => target.includes("vfio"))).toEqual(inUse?.descriptors);
  const { code = "", syscall = "" } = await outcomeOf(replay.write("/dev/vfio/0", "x", FLAGS["r+"]));
  expect(`${code} (${syscall})`).toBe(inUse?.openingTheGroupToo);
}

const scenarioOf = (operation: RecordedOperation): Scenario | undefined => {
  if (operation.api !== undefined && operation.api in CALLS && operation.availableBeforeEach === undefined)
    return call;
  return SCENARIOS.find(([group, about]) => group === operation.group && about.test(operation.about))?.[2];
};

const exceptionsFor = (operation: RecordedOperation): string[] =>
  UNASKED_OPERATIONS.filter(({ matches }) => matches(operation)).map(({ what }) => what);

describe("the recorded operations", () => {
  it("are as many as were recorded", () => {
    expect(recordedOperations.length).toBe(202);
  });

  it("are each replayed, or named as an exception, and never both", () => {
    const wrong = recordedOperations
      .filter((each) => exceptionsFor(each).length + (scenarioOf(each) ? 1 : 0) !== 1)
      .map((each) => `${each.group}: ${each.about} [${each.api ?? ""}] ${exceptionsFor(each).join(", ")}`);
    expect(wrong).toEqual([]);
  });

  it.each(UNASKED_OPERATIONS.map(({ what, matches }) => [what, matches] as const))(
    "have something of the exception: %s",
    (_what, matches) => expect(recordedOperations.some(matches)).toBe(true),
  );

  it("are answered by the simulation as by the real kernel", async () => {
    const replay = new Replay();
    let group = "";
    for (const [i, operation] of recordedOperations.entries()) {
      const play = scenarioOf(operation);
      if (!play) continue;
      const needed = before(operation) ?? (operation.group === group ? undefined : []);
      if (needed) await replay.have(...needed);
      group = operation.group;
      try {
        await play(replay, operation);
      } catch (error) {
        throw new Error(`operation ${i}, ${operation.group}: ${operation.about}`, { cause: error });
      }
    }
  });
});
