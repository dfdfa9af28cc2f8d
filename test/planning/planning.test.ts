import { describe, expect, test, vi } from "vitest";
import { type HostSnapshot, MdevHost } from "../../src/index.js";
import {
  apply,
  type ApplyEvent,
  explain,
  formatPlan,
  place,
  type Placement,
  plan,
  planningFacts,
  readState,
  type WantedDevice,
  type WantedState,
} from "../../src/planning/index.js";
import { MemoryStore, SimulatedHost } from "../../src/testing/index.js";
import { fails } from "../contract/expect.js";

function hostOf(simulated: SimulatedHost): MdevHost {
  return new MdevHost({ fs: simulated.fs, state: new MemoryStore() });
}

async function snapshotOf(simulated: SimulatedHost): Promise<HostSnapshot> {
  return hostOf(simulated).snapshot({ include: planningFacts }).getOrThrow();
}

async function planOf(host: MdevHost, wanted: WantedState): Promise<ReturnType<typeof plan>> {
  return plan(await readState(host, wanted).getOrThrow(), wanted);
}

async function reach(
  host: MdevHost,
  wanted: WantedState,
): Promise<Awaited<ReturnType<typeof apply>>["value"]> {
  return apply(host, (await planOf(host, wanted)).getOrThrow()).getOrThrow();
}

describe("placement", () => {
  test("finds out once why those alike have no place, however many they are", async () => {
    const simulated = new SimulatedHost();
    for (let bus = 0x40; bus < 0x48; bus++) {
      const gpu = simulated.addNvidiaSriovGpu({ address: `0000:${bus.toString(16)}:00.0` });
      if (bus > 0x40) gpu.create(gpu.functions[0] ?? "", "nvidia-1147"); // no room for the whole card
    }
    let asked = 0;
    const where = (): boolean => (asked += 1) > 0;
    const names = ["L40S-1Q", "L40S-48Q"];
    const many = Array.from({ length: 90 }, (_, at) => ({
      name: `vm-${at}`,
      type: { name: names[at % 2] },
      parent: { where },
    }));
    const { placed, unplaced } = place(await snapshotOf(simulated), many).getOrThrow();
    expect([placed.length, unplaced.length]).toEqual([46, 44]);
    expect(asked).toBeLessThan(10 * 128);
  });

  function twoGpus(): SimulatedHost {
    const simulated = new SimulatedHost();
    simulated.addNvidiaGpu({ address: "0000:3b:00.0", numaNode: 0 });
    simulated.addNvidiaGpu({ address: "0000:af:00.0", numaNode: 1 }).create("nvidia-47");
    return simulated;
  }

  const devices: readonly WantedDevice[] = [{ name: "d", type: { name: "P40-2Q" }, count: 2 }];

  test.each<[what: string, placement: Placement | undefined, parents: string[]]>([
    ["compact by itself", undefined, ["0000:af:00.0", "0000:af:00.0"]],
    ["separate", { strategy: "separate" }, ["0000:3b:00.0", "0000:3b:00.0"]],
    ["near a node", { numaNode: 0 }, ["0000:3b:00.0", "0000:3b:00.0"]],
    ["near a node that no card is near to", { numaNode: 7 }, ["0000:af:00.0", "0000:af:00.0"]],
    [
      "by a score",
      { strategy: "separate", score: ({ devices: many }) => many },
      ["0000:af:00.0", "0000:af:00.0"],
    ],
    ["by a score that is none", { score: () => Number.NaN }, ["0000:af:00.0", "0000:af:00.0"]],
  ])("is %s", async (_what, placement, parents) => {
    const { placed } = place(await snapshotOf(twoGpus()), devices, { placement }).getOrThrow();
    expect(placed.map(({ parent }) => parent)).toEqual(parents);
  });

  test("of a group is on one card that has room for all", async () => {
    const simulated = new SimulatedHost();
    simulated.addMdpy({ count: 2 });
    simulated.addNvidiaSriovGpu({ address: "0000:41:00.0" }).create("0000:41:00.4", "nvidia-1154");
    simulated.addNvidiaSriovGpu({ address: "0000:61:00.0" });
    const snapshot = await snapshotOf(simulated);
    const grouped = (count: number): WantedDevice => ({
      name: "g",
      type: { name: "L40S-16Q" },
      count,
      placement: { strategy: "grouped" },
    });
    const cards = (count: number): string[] =>
      place(snapshot, [grouped(count)])
        .getOrThrow()
        .placed.map(({ card }) => card);
    expect(cards(2)).toEqual(["0000:41:00.0", "0000:41:00.0"]);
    expect(cards(3)).toEqual(["0000:61:00.0", "0000:61:00.0", "0000:61:00.0"]);
    const { placed, unplaced } = place(snapshot, [grouped(4)]).getOrThrow();
    expect(placed).toEqual([]);
    expect(unplaced.map(({ parents }) => parents)).toEqual(
      Array(4).fill({ "no-type": 1, "other-card": 31, "no-instances": 1 }),
    );
  });

  test("counts what the types of a parent share", async () => {
    const simulated = new SimulatedHost();
    const mtty = simulated.addMtty(); // 24 ports
    for (let port = 0; port < 19; port++) mtty.create("mtty-1");
    const { placed, unplaced } = place(await snapshotOf(simulated), [
      { name: "two", type: { id: "mtty-2" }, count: 2 },
      { name: "one", type: { id: "mtty-1" }, count: 2 },
    ]).getOrThrow();
    expect(placed.map(({ name }) => name)).toEqual(["two/0", "two/1", "one/0"]);
    expect(unplaced).toMatchObject([{ name: "one/1", reason: "no-place", parents: { "no-instances": 1 } }]);
  });

  test("counts the framebuffer of a card over all its functions", async () => {
    const simulated = new SimulatedHost();
    simulated.addNvidiaSriovGpu({ address: "0000:41:00.0" });
    simulated.addNvidiaSriovGpu({ address: "0000:61:00.0", interface: "mdev" });
    const { placed, unplaced } = place(await snapshotOf(simulated), [
      { name: "d", type: { name: "L40S-16Q" }, count: 7 },
    ]).getOrThrow();
    expect(placed.map(({ card }) => card)).toEqual([
      ...Array<string>(3).fill("0000:41:00.0"),
      ...Array<string>(3).fill("0000:61:00.0"),
    ]);
    expect(unplaced).toMatchObject([{ name: "d/6", parents: { "card-full": 26, "no-instances": 6 } }]);
  });

  test.each<[rule: "auto" | "one-type" | "one-size" | "mixed", placed: string[]]>([
    ["auto", ["q", "b"]],
    ["one-type", ["q"]],
    ["one-size", ["q", "b"]],
    ["mixed", ["q", "b", "large"]],
  ])("puts on a card what the rule %s allows", async (cards, names) => {
    const simulated = new SimulatedHost();
    simulated.addNvidiaSriovGpu({ address: "0000:41:00.0", mode: "heterogeneous" });
    const { placed } = place(
      await snapshotOf(simulated),
      [
        { name: "q", type: { name: "L40S-2Q" } },
        { name: "b", type: { name: "L40S-2B" } },
        { name: "large", type: { name: "L40S-8Q" } },
      ],
      { cards },
    ).getOrThrow();
    expect(placed.map(({ name }) => name)).toEqual(names);
  });

  test("mixes sizes on a card that has several", async () => {
    const simulated = new SimulatedHost();
    const gpu = simulated.addNvidiaSriovGpu({ address: "0000:41:00.0", mode: "heterogeneous" });
    const count = async (): Promise<number> => {
      const wanted = [{ name: "large", type: { name: "L40S-8Q" } }];
      return place(await snapshotOf(simulated), wanted).getOrThrow().placed.length;
    };
    gpu.create("0000:41:00.4", "nvidia-1148");
    expect(await count()).toBe(0);
    gpu.create("0000:41:00.5", "nvidia-1147");
    expect(await count()).toBe(1);
  });

  test("gives those first their place that have the fewest to choose from", async () => {
    const simulated = new SimulatedHost();
    simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
    simulated.addNvidiaGpu({ address: "0000:af:00.0" });
    const { placed } = place(await snapshotOf(simulated), [
      { name: "any", type: { name: "P40-2Q" }, count: 12 },
      { name: "there", type: { name: "P40-2Q" }, parent: { id: "0000:3b:00.0" } },
    ]).getOrThrow();
    expect(placed).toHaveLength(13);
  });

  test("explains each parent", async () => {
    const simulated = twoGpus();
    simulated.addMtty();
    simulated.addMdpy({ count: 1 }).create("mdpy-hd");
    const wanted: WantedState = {
      owner: "me",
      devices: [{ name: "d", type: { name: "P40-2Q" }, parent: { where: ({ id }) => id !== "mtty" } }],
    };
    const current = await readState(hostOf(simulated), wanted).getOrThrow();
    const verdicts = (name: string): string[] | undefined =>
      explain(current, wanted, name).value?.map(({ parent, verdict }) => `${parent} ${verdict}`);
    expect(verdicts("d")).toEqual([
      "0000:3b:00.0 possible",
      "0000:af:00.0 chosen",
      "mdpy no-type",
      "mtty not-selected",
    ]);
    expect(explain(current, wanted, "e").error?.type).toBe("not-found");
  });
});

describe("a plan", () => {
  test("keeps what is as it is wanted, and says the same again", async () => {
    const simulated = new SimulatedHost();
    simulated.addNvidiaSriovGpu({ address: "0000:41:00.0" });
    simulated.addMdpy({ count: 4 });
    const host = hostOf(simulated);
    const wanted = (first: string): WantedState => ({
      owner: "me",
      devices: [
        { name: first, type: { name: "L40S-2Q" } },
        { name: "b", type: { name: "L40S-2Q" } },
        { name: "screens", type: { id: "mdpy-hd" }, count: "all" },
      ],
    });
    expect((await reach(host, wanted("a")))?.reached).toBe(true);
    const again = (await planOf(host, wanted("a"))).getOrThrow();
    expect(again.steps.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual(
      ["keep a", "keep b", ...[0, 1, 2, 3].map((at) => `keep screens/${at}`)].sort(),
    );
    // The vGPU of b is not taken for that of a new a, although both are alike.
    const other = (await planOf(host, wanted("c"))).getOrThrow();
    const changes = other.steps
      .filter(({ kind }) => kind !== "keep")
      .map(({ kind, name, parent }) => `${kind} ${name} ${parent}`);
    expect(changes).toEqual(["remove a 0000:41:00.4", "create c 0000:41:00.4"]);
  });

  test("knows a type by name that no function shows any more", async () => {
    const simulated = new SimulatedHost();
    simulated.addNvidiaSriovGpu({ address: "0000:41:00.0", functions: 2 });
    const host = hostOf(simulated);
    const wanted = (name: string): WantedState => ({
      owner: "me",
      devices: [{ name: "d", type: { name }, count: 2 }],
    });
    await reach(host, wanted("L40S-2Q"));
    expect((await planOf(host, wanted("L40S-2Q"))).getOrThrow().changes).toBe(0);
    expect((await planOf(host, wanted("L40S-4Q"))).getOrThrow().unplaced).toMatchObject([
      { name: "d/0", parents: { "no-type": 2 } },
      { name: "d/1", parents: { "no-type": 2 } },
    ]);
    expect(
      (await planOf(host, { owner: "me", devices: [] })).getOrThrow().steps.map(({ kind }) => kind),
    ).toEqual(["remove", "remove"]);
  });

  test("leaves what is to be replaced where its successor has no place", async () => {
    const simulated = new SimulatedHost();
    simulated.addMdpy({ count: 1 });
    const host = hostOf(simulated);
    await reach(host, { owner: "me", devices: [{ name: "d", type: { id: "mdpy-hd" } }] });
    const made = (
      await planOf(host, { owner: "me", devices: [{ name: "d", type: { id: "mtty-1" } }] })
    ).getOrThrow();
    expect(made.changes).toBe(0);
    expect(formatPlan(made)).toMatch(/^no place for d: no-type on 1; \/sys\/.* stays as it is$/);
    const other = (
      await planOf(host, { owner: "me", devices: [{ name: "d", type: { id: "mdpy-xga" } }] })
    ).getOrThrow();
    expect(other.steps.map(({ kind }) => kind)).toEqual(["remove", "create"]);
  });

  test("touches nothing that has the UUID and is not proven to be the owner's", async () => {
    const simulated = new SimulatedHost();
    const mdpy = simulated.addMdpy({ count: 4 });
    const host = hostOf(simulated);
    const uuid = mdpy.create("mdpy-hd");
    const made = (
      await planOf(host, { owner: "me", devices: [{ name: "d", type: { id: "mdpy-xga" }, uuid }] })
    ).getOrThrow();
    expect(made).toMatchObject({
      changes: 0,
      unplaced: [{ name: "d", reason: "taken", path: `${mdpy.path}/${uuid}` }],
    });
  });

  test("sets the attributes that differ, and no others", async () => {
    const simulated = new SimulatedHost();
    const gpu = simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
    const host = hostOf(simulated);
    const wanted = (params: string): WantedState => ({
      owner: "me",
      devices: [{ name: "d", type: { name: "P40-2Q" }, attributes: [["nvidia/vgpu_params", params]] }],
    });
    await reach(host, wanted("a=1\n"));
    expect((await planOf(host, wanted("a=1\n"))).getOrThrow().changes).toBe(0);
    const made = (await planOf(host, wanted("a=2\n"))).getOrThrow();
    expect(made.steps).toMatchObject([{ kind: "configure", attributes: [["nvidia/vgpu_params", "a=2\n"]] }]);
    const { reached } = await apply(host, made).getOrThrow();
    expect([reached, gpu.devices.length]).toEqual([true, 1]);
  });

  test.each<[what: string, wanted: unknown]>([
    ["no owner", { devices: [] }],
    ["an unknown key", { owner: "me", devices: [], device: [] }],
    [
      "two devices of one name",
      {
        owner: "me",
        devices: [
          { name: "d", type: { id: "a" } },
          { name: "d", type: { id: "a" } },
        ],
      },
    ],
    [
      "a name that another one's number makes",
      {
        owner: "me",
        devices: [
          { name: "d/0", type: { id: "a" } },
          { name: "d", count: 1, type: { id: "a" } },
        ],
      },
    ],
    ["no type", { owner: "me", devices: [{ name: "d", type: {} }] }],
    ["a count below 0", { owner: "me", devices: [{ name: "d", type: { id: "a" }, count: -1 }] }],
    [
      "one UUID for several",
      {
        owner: "me",
        devices: [{ name: "d", type: { id: "a" }, count: 2, uuid: "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001" }],
      },
    ],
    ["an unknown strategy", { owner: "me", devices: [], placement: { strategy: "best" } }],
    [
      "an attribute that is none",
      { owner: "me", devices: [{ name: "d", type: { id: "a" }, attributes: ["a=1"] }] },
    ],
    ["nothing at all", undefined],
  ])("refuses %s", (_what, wanted) => {
    const nothing = {
      owner: "me",
      snapshot: { parents: [], devices: [], problems: [] },
      owned: [],
      unproven: [],
    };
    expect(plan(nothing, wanted as WantedState).error?.type).toBe("invalid-argument");
  });

  test("names the candidates of an ambiguous type", async () => {
    const simulated = new SimulatedHost();
    simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
    for (const per of [undefined, "card" as const]) {
      const made = await planOf(hostOf(simulated), {
        owner: "me",
        devices: [{ name: "d", type: { vgpu: { gigabytes: 1 } }, per }],
      });
      expect(made.error).toMatchObject({ candidates: [{ id: "nvidia-46" }, { id: "nvidia-62" }] });
    }
  });
});

describe("applying", () => {
  const ports = (count: number): WantedState => ({
    owner: "me",
    devices: [{ name: "p", type: { id: "mtty-1" }, count }],
  });

  test("tells of each step, and reads before each creation how many there can be", async () => {
    const simulated = new SimulatedHost();
    simulated.addMtty();
    const host = hostOf(simulated);
    const events: ApplyEvent[] = [];
    const made = (await planOf(host, ports(2))).getOrThrow();
    await apply(host, made, { onProgress: (event) => void events.push(event) }).getOrThrow();
    expect(events.map((event) => (event.type === "availability" ? event.available : event.type))).toEqual([
      "started",
      24,
      "ended",
      "started",
      23,
      "ended",
    ]);
  });

  test("goes to another card with what somebody else was faster with", async () => {
    const simulated = new SimulatedHost();
    const gpu = simulated.addNvidiaSriovGpu({ address: "0000:41:00.0" });
    simulated.addNvidiaSriovGpu({ address: "0000:61:00.0" });
    const host = hostOf(simulated);
    const wanted: WantedState = { owner: "me", devices: [{ name: "d", type: { name: "L40S-48Q" } }] };
    const made = (await planOf(host, wanted)).getOrThrow();
    expect(made.steps).toMatchObject([{ parent: "0000:41:00.4" }]);
    gpu.create("0000:41:00.5", "nvidia-1145");
    const report = await apply(host, made).getOrThrow();
    expect(report.results.map(({ status, step }) => `${status} ${step.parent}`)).toEqual([
      "lost 0000:41:00.4",
      "done 0000:61:00.4",
    ]);
    expect(report.reached).toBe(true);
  });

  test("does not go on for ever with what the kernel refuses", async () => {
    const simulated = new SimulatedHost();
    simulated.addMtty();
    const host = hostOf(simulated);
    const made = (await planOf(host, ports(1))).getOrThrow();
    simulated.failNext({ path: /\/create$/, errno: "EIO", times: 1_000 });
    const report = await apply(host, made).getOrThrow();
    expect(report.reached).toBe(false);
    expect(report.results.map(({ status }) => status)).toEqual(["failed", "failed"]);
    expect(report.rest?.unplaced).toMatchObject([{ name: "p/0", parents: { refused: 1 } }]);
  });

  test("works on several cards at the same time, and on one after the other", async () => {
    const simulated = new SimulatedHost();
    simulated.addMdpy({ count: 4 });
    simulated.addMtty();
    const host = hostOf(simulated);
    const wanted: WantedState = {
      owner: "me",
      devices: [
        { name: "port", type: { id: "mtty-1" }, count: 2 },
        { name: "screen", type: { id: "mdpy-hd" }, count: 2 },
      ],
    };
    const made = (await planOf(host, wanted)).getOrThrow();
    const running = new Set<string>();
    let most = 0;
    await apply(host, made, {
      onProgress: (event) => {
        if (event.type === "started") {
          expect(running).not.toContain(event.step.card);
          running.add(event.step.card);
          most = Math.max(most, running.size);
        } else if (event.type === "ended") running.delete(event.result.step.card);
      },
    }).getOrThrow();
    expect(most).toBe(2);
  });

  test("takes all back when not all can be done", async () => {
    const simulated = new SimulatedHost();
    const mtty = simulated.addMtty();
    const gpu = simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
    const host = hostOf(simulated);
    const state = (params: string, more: readonly WantedDevice[]): WantedState => ({
      owner: "me",
      devices: [
        { name: "v", type: { name: "P40-2Q" }, attributes: [["nvidia/vgpu_params", params]] },
        ...more,
      ],
    });
    await reach(host, state("a=1\n", [{ name: "old", type: { id: "mtty-2" } }]));
    const before = await host.snapshot().getOrThrow();
    const wanted = state("a=2\n", [{ name: "new", type: { id: "mtty-1" }, attributes: [["no_such", "1"]] }]);
    const made = (await planOf(host, wanted)).getOrThrow();
    const report = await apply(host, made, { onFailure: "undo" }).getOrThrow();
    expect(report.reached).toBe(false);
    expect(report.results.map(({ status, step }) => `${status} ${step.kind}`).sort()).toEqual(
      [
        "done configure",
        "done remove",
        "failed create",
        "failed create",
        "undone configure",
        "undone remove",
      ].sort(),
    );
    const after = await host.snapshot().getOrThrow();
    expect(after.devices.map(({ id, type }) => [id, type])).toEqual(
      before.devices.map(({ id, type }) => [id, type]),
    );
    expect([mtty.devices.length, gpu.devices.length]).toEqual([1, 1]);
    const [vgpu = ""] = gpu.devices;
    expect(await simulated.fs.readFile(`${gpu.path}/${vgpu}/nvidia/vgpu_params`, "utf8")).toBe("a=1\n");
    expect(
      (await planOf(host, state("a=1\n", [{ name: "old", type: { id: "mtty-2" } }]))).getOrThrow().changes,
    ).toBe(0);
  });

  test("leaves a device that is in use, and says who has it", async () => {
    const simulated = new SimulatedHost();
    const mtty = simulated.addMtty();
    const host = new MdevHost({ fs: simulated.fs, state: new MemoryStore(), proc: "/proc" });
    await reach(host, ports(2));
    simulated.open(mtty.devices[1] ?? "", { pid: 4711 });
    const report = await reach(host, ports(0));
    expect(report?.reached).toBe(false);
    expect(
      report?.results.filter(({ status }) => status === "failed").map(({ error }) => error),
    ).toMatchObject([
      { type: "busy", holders: [4711] },
      { type: "busy", holders: [4711] },
      { type: "busy", holders: [4711] },
    ]);
    expect(mtty.devices).toHaveLength(1);
  });

  test("ends at its limit, and says so", async () => {
    const simulated = new SimulatedHost();
    simulated.addMtty();
    const host = hostOf(simulated);
    const made = (await planOf(host, ports(5))).getOrThrow();
    const controller = new AbortController();
    const report = await apply(host, made, {
      signal: controller.signal,
      onProgress: ({ type }) => {
        if (type === "ended") controller.abort("enough");
      },
    }).getOrThrow();
    expect(report).toMatchObject({ reached: false, rest: undefined, interrupted: { type: "aborted" } });
    expect((await reach(host, ports(5)))?.reached).toBe(true);
  });

  test("has reached nothing with a device that is about to be taken back", async () => {
    const simulated = new SimulatedHost();
    const mtty = simulated.addMtty();
    const host = hostOf(simulated);
    const made = (await planOf(host, ports(1))).getOrThrow();
    simulated.delay({ operation: "readlink", path: /-.*\/driver$/, times: 1, ms: 100 });
    simulated.delay({ path: /\/remove$/, times: 1, ms: 200 });
    const options = { timeout: 50, waitFor: "driver", onFailure: "undo" } as const;
    const clock = vi.spyOn(performance, "now").mockReturnValue(performance.now()); // timers can come a little early
    const report = await apply(host, made, options).getOrThrow();
    clock.mockRestore();
    const error = report.results[0]?.error;
    expect(error?.type === "timeout" && error.pending).toMatch(/is removed again/);
    expect(mtty.devices).toHaveLength(1); // not yet
    expect(report).toMatchObject({ reached: false, interrupted: { type: "timeout" } });
    await vi.waitFor(() => expect(mtty.devices).toEqual([]), 5_000);
  });

  test("needs a store, and options that are some", async () => {
    const simulated = new SimulatedHost();
    const made = (await planOf(hostOf(simulated), ports(1))).getOrThrow();
    await fails(apply(new MdevHost({ fs: simulated.fs }), made), "unsupported");
    await fails(readState(new MdevHost({ fs: simulated.fs }), ports(1)), "unsupported");
    await fails(apply(hostOf(simulated), made, { onFailure: "panic" as "undo" }), "invalid-argument");
    await fails(readState(hostOf(simulated), { owner: "" } as WantedState), "invalid-argument");
  });
});
