import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type HostSnapshot, MdevHost } from "../../src/index.js";
import { migrationMap, type MigrationOptions, planningFacts } from "../../src/planning/index.js";
import { SimulatedHost } from "../../src/testing/index.js";

const OTHER = "0000:af:00.0";

const snapshotOf = (simulated: SimulatedHost): Promise<HostSnapshot> =>
  new MdevHost({ fs: simulated.fs }).snapshot({ include: planningFacts }).getOrThrow();

/** A host with a P40 that has these devices. */
function aHost(address: string, ...types: string[]): { simulated: SimulatedHost; ids: string[] } {
  const simulated = new SimulatedHost();
  const gpu = simulated.addNvidiaGpu({ address });
  return { simulated, ids: types.map((type) => gpu.create(type)) };
}

async function mapOf(
  from: { simulated: SimulatedHost; ids: string[] },
  to: SimulatedHost,
  options?: MigrationOptions,
) {
  const [source, target] = [await snapshotOf(from.simulated), await snapshotOf(to)];
  return migrationMap(source, from.ids, target, options).getOrThrow();
}

const movesOf = (map: Awaited<ReturnType<typeof mapOf>>) =>
  map.possible ? map.moves : expect.fail("no moves");
const obstaclesOf = (map: Awaited<ReturnType<typeof mapOf>>) =>
  map.possible
    ? expect.fail("no obstacles")
    : map.obstacles.map(({ kind, device, reason }) => ({ kind, device, reason }));

describe("a map of a migration", () => {
  it("has a place on the target for each device, under its own UUID", async () => {
    const from = aHost("0000:3b:00.0", "nvidia-156", "nvidia-156");
    const moves = movesOf(await mapOf(from, aHost(OTHER).simulated));
    const parentPath = expect.stringMatching(/0000:af:00\.0$/) as string;
    expect(moves).toEqual(
      from.ids.map((device) => ({
        ...{ device, id: device, existing: false, parent: OTHER, parentPath, type: "nvidia-156" },
      })),
    );
  });

  it("goes by the name of a type, not by its id", async () => {
    const other = new SimulatedHost();
    const type = {
      id: "nvidia-900",
      heads: 4,
      frameRate: 60,
      framebuffer: 1024,
      resolution: "5120x2880",
      maxInstance: 4,
    };
    const types = [
      { ...type, name: "NVIDIA P40-2B" },
      { ...type, id: "nvidia-156", name: "NVIDIA P40-1Q" },
    ];
    other.addNvidiaSriovGpu({ address: OTHER, functions: 2, interface: "mdev", types });
    const [move] = movesOf(await mapOf(aHost("0000:3b:00.0", "nvidia-156"), other));
    expect(move).toMatchObject({ type: "nvidia-900", parent: "0000:af:00.4" });
  });

  it("goes by the id where a type has no name", async () => {
    const [here, there] = [new SimulatedHost(), new SimulatedHost()];
    const of = (name: string, ...ids: string[]) => ({
      ...{ path: `devices/virtual/x/${name}`, subsystem: "class/x", deviceDriver: "x" },
      types: ids.map((id) => ({ id, deviceApi: "vfio-pci", instances: 1 })),
    });
    const parent = here.addParent(of("x", "x-1"));
    there.addParent(of("y", "x-2", "x-1"));
    const from = { simulated: here, ids: [parent.create("x-1")] };
    expect(movesOf(await mapOf(from, there))).toMatchObject([{ parent: "y", type: "x-1" }]);
  });

  it("has another UUID, which is still to be chosen, where somebody has that one", async () => {
    const from = aHost("0000:3b:00.0", "nvidia-156");
    const to = aHost(OTHER);
    to.simulated.addMtty().create("mtty-1", from.ids[0]);
    expect(movesOf(await mapOf(from, to.simulated))).toMatchObject([{ id: undefined, existing: false }]);
  });

  it("takes over what is free on the target, one each, and makes the rest", async () => {
    const from = aHost("0000:3b:00.0", "nvidia-156", "nvidia-156", "nvidia-156");
    const to = aHost(OTHER, "nvidia-156", "nvidia-156");
    const [first, second] = to.ids;
    const another = to.simulated.addNvidiaGpu({ address: "0000:d8:00.0" }).create("nvidia-47");
    const free = ["nobody's", another, second ?? ""];
    const moves = movesOf(await mapOf(from, to.simulated, { free }));
    expect(moves.map(({ id, existing }) => [id, existing])).toEqual([
      [second, true],
      [undefined, false],
      [undefined, false],
    ]);
    expect(moves.some(({ id }) => id === first)).toBe(false);
  });

  it("takes over only what is the same to the virtual machine", async () => {
    const from = aHost("0000:3b:00.0", "nvidia-156");
    const to = aHost(OTHER, "nvidia-156");
    const [source, target] = [await snapshotOf(from.simulated), await snapshotOf(to.simulated)];
    const free = to.ids;
    const parents = target.parents.map((parent) => ({
      ...parent,
      types: parent.types.map((type) => ({ ...type, deviceApi: "vfio-ap" as const })),
    }));
    const devices = target.devices.map((device) => ({ ...device, layout: "nvidia-vfio" as const }));
    for (const other of [
      { ...target, parents },
      { ...target, devices },
    ]) {
      const map = migrationMap(source, from.ids, other, { free }).getOrThrow();
      expect(map.possible && map.moves.some(({ existing }) => existing)).toBe(false);
    }
  });

  it("keeps mediated devices and NVIDIA's own functions apart", async () => {
    const [vfio, mdev] = ["vfio", "mdev"].map((kind) => {
      const simulated = new SimulatedHost();
      simulated.addNvidiaSriovGpu({ address: OTHER, functions: 2, interface: kind as "vfio" | "mdev" });
      return simulated;
    });
    if (vfio === undefined || mdev === undefined) throw new Error("two hosts");
    const here = new SimulatedHost();
    const gpu = here.addNvidiaSriovGpu({ address: "0000:41:00.0", functions: 2 });
    gpu.create(gpu.functions[1] ?? "", "nvidia-1147");
    const from = { simulated: here, ids: ["0000:41:00.5"] };
    expect(movesOf(await mapOf(from, vfio))).toMatchObject([
      { id: "0000:af:00.4", parent: "0000:af:00.4", type: "nvidia-1147" },
    ]);
    expect(obstaclesOf(await mapOf(from, mdev))).toEqual([
      { kind: "no-type", device: "0000:41:00.5", reason: "the target has no NVIDIA L40S-1Q" },
    ]);
  });

  it("says what stands against it, all of it", async () => {
    const from = aHost("0000:3b:00.0", "nvidia-156", "nvidia-156", "nvidia-156");
    const full = aHost(OTHER, ...Array.from({ length: 10 }, () => "nvidia-156"));
    const map = await mapOf(from, full.simulated, { maxDevices: 1 });
    expect(obstaclesOf(map)).toEqual([
      { kind: "too-many", device: undefined, reason: "it has 3 devices, and can have 1" },
      { kind: "no-room", device: from.ids[2], reason: "the target has no room for GRID P40-2B" },
    ]);
    expect(map).toMatchObject({ obstacles: [{ parents: {} }, { parents: { "no-instances": 1 } }] });
  });

  it("counts by card: what one function takes, another has not", async () => {
    const [here, there] = [new SimulatedHost(), new SimulatedHost()];
    const gpu = here.addNvidiaSriovGpu({ address: "0000:41:00.0", functions: 4 });
    for (const address of gpu.functions.slice(0, 3)) gpu.create(address, "nvidia-1147");
    there.addNvidiaSriovGpu({ address: OTHER, functions: 4, framebufferBytes: 2 * 2 ** 30 });
    const map = await mapOf({ simulated: here, ids: gpu.functions.slice(0, 3) }, there);
    expect(obstaclesOf(map).map(({ kind, device }) => [kind, device])).toEqual([["no-room", "0000:41:00.6"]]);
  });

  it.each([
    [{ kernel: "5.17.9", qemu: "8.0.5", libvirt: "8.5.0" }, 3],
    [{ kernel: "5.18.0-1-amd64", qemu: "8.1", libvirt: "8.6.0" }, 0],
    [{ kernel: "6.1.0", qemu: "10.0.2", libvirt: "11.3.0" }, 0],
    [{ kernel: "4.99.1" }, 1],
    [{ kernel: "linux" }, 1],
    [{}, 0],
  ])("compares %j with what live migration takes", async (versions, faults) => {
    const from = aHost("0000:3b:00.0", "nvidia-156");
    for (const live of [{ source: versions }, { target: versions }]) {
      const map = await mapOf(from, aHost(OTHER).simulated, { live });
      expect(map.possible ? [] : map.obstacles.map(({ kind }) => kind)).toEqual(
        Array.from({ length: faults }, () => "too-old"),
      );
    }
  });

  it("names the host that is too old", async () => {
    const live = { target: { qemu: "7.2.0" } };
    const map = await mapOf(aHost("0000:3b:00.0", "nvidia-156"), aHost(OTHER).simulated, { live });
    expect(obstaclesOf(map)).toEqual([
      { kind: "too-old", device: undefined, reason: "QEMU of the target is 7.2.0; live migration takes 8.1" },
    ]);
  });

  it("is of devices that are whole, and show their type", async () => {
    const from = aHost("0000:3b:00.0", "nvidia-156", "nvidia-156");
    const source = await snapshotOf(from.simulated);
    const [first, second] = source.devices;
    if (first === undefined || second === undefined) throw new Error("two devices");
    const devices = [
      { ...first, state: "removing" as const },
      { ...second, type: undefined },
    ];
    const map = migrationMap({ ...source, devices }, from.ids, await snapshotOf(aHost(OTHER).simulated));
    expect(
      obstaclesOf(map.getOrThrow())
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual(["not-active", "unknown-type"]);
  });

  it("is of devices that there are, each once", async () => {
    const from = aHost("0000:3b:00.0", "nvidia-156");
    const source = await snapshotOf(from.simulated);
    expect(migrationMap(source, ["nobody"], source).error?.type).toBe("not-found");
    expect(migrationMap(source, [...from.ids, ...from.ids], source).error?.type).toBe("invalid-argument");
    expect(migrationMap(source, [], source).getOrThrow()).toEqual({ possible: true, moves: [] });
  });

  it("can be carried out as it is, whatever the hosts are, and is always the same", async () => {
    const types = fc.array(fc.constantFrom("nvidia-46", "nvidia-47", "nvidia-156", "nvidia-62"), {
      maxLength: 6,
    });
    const cards = fc.integer({ min: 1, max: 3 });
    await fc.assert(
      fc.asyncProperty(types, types, types, cards, async (moving, there, reserve, count) => {
        const from = aHost("0000:3b:00.0");
        const gpu = from.simulated.addNvidiaGpu({ address: "0000:3c:00.0" });
        for (const [at, type] of moving.entries()) {
          try {
            from.ids.push(
              (at % 2 === 0 ? gpu : from.simulated.addNvidiaGpu({ address: `0000:4${at}:00.0` })).create(
                type,
              ),
            );
          } catch {
            continue; // the card is full, or has another size
          }
        }
        const to = new SimulatedHost();
        const gpus = Array.from({ length: count }, (_, at) =>
          to.addNvidiaGpu({ address: `0000:a${at}:00.0` }),
        );
        const free: string[] = [];
        for (const [at, type] of [...there, ...reserve].entries()) {
          try {
            const id = gpus[at % count]?.create(type);
            if (id !== undefined && at >= there.length) free.push(id);
          } catch {
            continue;
          }
        }
        const [source, target] = [await snapshotOf(from.simulated), await snapshotOf(to)];
        const options = { free, cards: "one-type" as const }; // the simulated P40 takes no other
        const map = migrationMap(source, from.ids, target, options).getOrThrow();
        const copies = JSON.parse(JSON.stringify([source, target])) as [HostSnapshot, HostSnapshot];
        expect(migrationMap(copies[0], from.ids, copies[1], options).getOrThrow()).toEqual(map);
        if (!map.possible) {
          expect(map.obstacles.length).toBeGreaterThan(0);
          return;
        }
        expect(map.moves.map(({ device }) => device)).toEqual(from.ids);
        const host = new MdevHost({ fs: to.fs });
        const used = new Set<string>();
        for (const move of map.moves) {
          const type = await (await host.parent(move.parent).getOrThrow()).type(move.type).getOrThrow();
          const device = move.existing
            ? await host.device(move.id ?? "").getOrThrow()
            : await type.create({ uuid: move.id }).getOrThrow();
          if (move.existing) expect(free).toContain(move.id);
          expect(used.has(device.id)).toBe(false);
          used.add(device.id);
          const before = source.devices.find(({ id }) => id === move.device);
          expect((await device.read().getOrThrow()).type).toBe(before?.type);
        }
      }),
      { numRuns: 300 },
    );
  });
});
