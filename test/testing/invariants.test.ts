import fc from "fast-check";
import { describe, it } from "vitest";
import { expect } from "vitest";
import { type KernelRelease, SimulatedHost } from "../../src/testing/index.js";
import { BUS, handsOn, typePath, uuid } from "./helpers.js";
import { treeOf } from "./tree.js";

const TYPES = {
  mtty: ["mtty-1", "mtty-2"],
  mdpy: ["mdpy-vga", "mdpy-xga", "mdpy-hd"],
  mbochs: ["mbochs-small", "mbochs-medium", "mbochs-large"],
  "0000:3b:00.0": ["nvidia-46", "nvidia-156"],
  "0.0.0313": ["vfio_ccw-io"],
} as const;
const PAIRS = Object.entries(TYPES).flatMap(([parent, types]) => types.map((type) => ({ parent, type })));
const UNITS: Readonly<Record<string, number>> = {
  "mtty-2": 2,
  "mbochs-small": 4,
  "mbochs-medium": 16,
  "mbochs-large": 64,
};
const units = (type: string): number => UNITS[type] ?? 1;

const step = fc.oneof(
  fc.record({ do: fc.constant("create" as const), at: fc.constantFrom(...PAIRS), id: fc.nat(20) }),
  fc.record({ do: fc.constant("remove" as const), id: fc.nat(20) }),
  fc.record({ do: fc.constant("open" as const), id: fc.nat(20) }),
  fc.record({ do: fc.constant("close" as const) }),
  fc.record({ do: fc.constant("unbind" as const), id: fc.nat(20) }),
);

function machine(kernel: KernelRelease) {
  const simulated = new SimulatedHost({ kernel });
  simulated.addMtty();
  simulated.addMdpy();
  simulated.addMbochs();
  simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
  simulated.addParent({
    path: "devices/css0/0.0.0313",
    subsystem: "bus/css",
    driver: "vfio_ccw",
    deviceDriver: "vfio_ccw_mdev",
    types: [{ id: "vfio_ccw-io", deviceApi: "vfio-ccw" }],
  });
  return { simulated, ...handsOn(simulated.fs) };
}

type Machine = ReturnType<typeof machine>;

/** The bus, the folders of the parents and the folders of the types tell the same devices; what they use is counted. */
async function expectConsistent(
  { simulated, ls, available }: Machine,
  unbound: ReadonlySet<string>,
): Promise<void> {
  const { fs } = simulated;
  const bus = await ls(BUS);
  const inTypes: string[] = [];
  const inParents: string[] = [];
  for (const [parent, types] of Object.entries(TYPES)) {
    const used: Record<string, string[]> = {};
    for (const type of types) {
      const ids = await ls(`${typePath(parent, type)}/devices`);
      inTypes.push(...ids);
      used[type] = ids.filter((id) => !unbound.has(id));
      for (const id of ids)
        expect(await fs.realpath(`${BUS}/${id}/mdev_type`)).toBe(await fs.realpath(typePath(parent, type)));
    }
    inParents.push(
      ...(await ls(`/sys/class/mdev_bus/${parent}`)).filter((name) => name.startsWith("83b8f4f2-")),
    );
    const sum = Object.entries(used).reduce((total, [type, ids]) => total + units(type) * ids.length, 0);
    if (parent === "mtty") expect(await available(parent, "mtty-1")).toBe(24 - sum);
    if (parent === "mbochs")
      expect(await available(parent, "mbochs-large")).toBe(Math.trunc((256 - sum) / 64));
    if (parent === "mdpy")
      expect(await available(parent, "mdpy-hd")).toBe(4 - (await countAll(ls, parent, types)));
    if (parent === "0.0.0313")
      expect(await available(parent, "vfio_ccw-io")).toBe(1 - (await countAll(ls, parent, types)));
    if (parent === "0000:3b:00.0") {
      const kinds = Object.values(used).filter((ids) => ids.length > 0);
      expect(kinds.length).toBeLessThan(2);
    }
  }
  expect(inTypes.sort()).toEqual(bus);
  expect(inParents.sort()).toEqual(bus);
  const groups = await Promise.all(
    bus.filter((id) => !unbound.has(id)).map((id) => fs.realpath(`${BUS}/${id}/iommu_group`)),
  );
  expect(new Set(groups).size).toBe(groups.length);
}

async function countAll(ls: Machine["ls"], parent: string, types: readonly string[]): Promise<number> {
  const all = await Promise.all(types.map((type) => ls(`${typePath(parent, type)}/devices`)));
  return all.flat().length;
}

describe.each(["6.1", "5.10"] as const)("kernel %s", (kernel) => {
  it("keeps its books through any sequence, and is what it was when all is removed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const host = machine(kernel);
        const { simulated, create, remove, write, ls } = host;
        const roots = ["/sys", "/dev", "/proc"];
        const initial = await treeOf(simulated.fs, roots);
        const unbound = new Set<string>();
        const ignore = (call: Promise<unknown>): Promise<unknown> => call.catch(() => undefined);
        const holders: { id: string; close: () => void }[] = [];
        for (const each of steps) {
          const id = "id" in each ? uuid(each.id) : "";
          const open = holders.some((holder) => holder.id === id);
          if (each.do === "create")
            await ignore(create(each.at.parent, each.at.type, id).then(() => unbound.delete(id)));
          if (each.do === "remove" && !open) await ignore(remove(id));
          if (each.do === "open") {
            try {
              holders.push({ id, close: simulated.open(id).close });
            } catch {
              // nothing there to open, or open already
            }
          }
          if (each.do === "close") holders.pop()?.close();
          if (each.do === "unbind" && kernel === "6.1" && !open)
            await ignore(write(`${BUS}/${id}/driver/unbind`, id).then(() => unbound.add(id)));
          await expectConsistent(host, unbound);
        }
        for (const holder of holders) holder.close();
        for (const id of await ls(BUS)) await remove(id);
        expect(await treeOf(simulated.fs, roots)).toEqual(initial);
      }),
      { numRuns: 25 },
    );
  }, 60_000);

  it("keeps its books when everything happens at once", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const host = machine(kernel);
        const { simulated, create, remove, ls } = host;
        const roots = ["/sys", "/dev", "/proc"];
        const initial = await treeOf(simulated.fs, roots);
        await Promise.allSettled(
          steps.map((each) =>
            each.do === "create"
              ? create(each.at.parent, each.at.type, uuid(each.id))
              : each.do === "remove"
                ? remove(uuid(each.id))
                : ls(BUS),
          ),
        );
        const stuck = new Set<string>();
        for (const id of await ls(BUS)) if (!(await ls(`${BUS}/${id}`)).includes("remove")) stuck.add(id);
        await expectConsistent(host, new Set());
        for (const id of await ls(BUS)) if (!stuck.has(id)) await remove(id);
        if (stuck.size === 0) expect(await treeOf(simulated.fs, roots)).toEqual(initial);
        else expect(await ls(BUS)).toEqual([...stuck].sort());
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});
