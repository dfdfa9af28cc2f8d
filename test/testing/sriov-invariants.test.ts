import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SimulatedHost, type VgpuType } from "../../src/testing/index.js";
import { handsOn, typePath } from "./helpers.js";
import { treeOf } from "./tree.js";

const ADDRESS = "0000:3b:00.0";
const FUNCTIONS = 8;
const ROOTS = ["/sys", "/dev", "/proc"];
const MIB = 2 ** 20;
const TYPES: readonly VgpuType[] = [1024, 1024, 2048, 3072, 4096, 8192].map((framebuffer, index) => ({
  id: `nvidia-${100 + index}`,
  name: `Card-${index}`,
  heads: 1,
  frameRate: 60,
  framebuffer,
  resolution: "1x1",
  maxInstance: 6,
}));
const sizeOf = (number: string): number => TYPES[Number(number) - 100]?.framebuffer ?? 0;

const step = fc.record({
  vf: fc.nat(FUNCTIONS - 1),
  do: fc.oneof(
    fc.constantFrom("delete" as const, "open" as const, "close" as const),
    fc.record({ set: fc.integer({ min: 100, max: 99 + TYPES.length }) }),
  ),
});
const size = fc.integer({ min: 1, max: 12 }).map((gibibytes) => gibibytes * 1024);
const mode = fc.constantFrom("homogeneous" as const, "heterogeneous" as const);

describe("the virtual functions of a card", () => {
  it("never have more framebuffer than it has, and offer what can be had", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), size, mode, async (steps, total, sharing) => {
        const simulated = new SimulatedHost();
        const gpu = simulated.addNvidiaSriovGpu({
          ...{ address: ADDRESS, functions: FUNCTIONS, types: TYPES, mode: sharing },
          ...{ framebufferBytes: total * MIB, attributes: ["placement_id"] },
        });
        const { read, write } = handsOn(simulated.fs);
        const initial = await treeOf(simulated.fs, ROOTS);
        const file = (vf: string, name: string): string => `/sys/bus/pci/devices/${vf}/nvidia/${name}`;
        const open = new Map<string, () => void>();
        for (const { vf: index, do: action } of steps) {
          const vf = gpu.functions[index] ?? "";
          if (action === "open" && !open.has(vf) && gpu.typeOf(vf) !== undefined)
            open.set(vf, simulated.open(vf).close);
          if (action === "close") {
            open.get(vf)?.();
            open.delete(vf);
          }
          if (action === "delete") {
            const may = gpu.typeOf(vf) !== undefined && !open.has(vf);
            const done = await succeeds(write(file(vf, "current_vgpu_type"), "0\n"));
            expect(done).toBe(may);
          }
          if (typeof action === "object") {
            const offered = (await read(file(vf, "creatable_vgpu_types"))).includes(`\n${action.set} `);
            const done = await succeeds(write(file(vf, "current_vgpu_type"), `${action.set}\n`));
            expect(done).toBe(offered);
          }
          const taken: { from: number; to: number }[] = [];
          for (const each of gpu.functions) {
            const number = (await read(file(each, "current_vgpu_type"))).trim();
            expect(gpu.typeOf(each)).toBe(number === "0" ? undefined : `nvidia-${number}`);
            if (number === "0") continue;
            const from = Number(await read(file(each, "placement_id"))) * 1024;
            taken.push({ from, to: from + sizeOf(number) });
          }
          taken.sort((a, b) => a.from - b.from);
          for (const [at, { to }] of taken.entries())
            expect(to).toBeLessThanOrEqual(taken[at + 1]?.from ?? total);
          if (sharing === "homogeneous") {
            expect(new Set(taken.map(({ from, to }) => to - from)).size).toBeLessThan(2);
            expect(taken.length).toBeLessThan(7);
          }
        }
        for (const close of open.values()) close();
        for (const vf of gpu.functions) if (gpu.typeOf(vf) !== undefined) gpu.remove(vf);
        expect(await treeOf(simulated.fs, ROOTS)).toEqual(initial);
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it.each(["5.10", "6.1"] as const)(
    "keep to it with mediated devices made and removed at once, on %s",
    async (kernel) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), size, mode, async (steps, total, sharing) => {
          const simulated = new SimulatedHost({ kernel });
          const gpu = simulated.addNvidiaSriovGpu({
            ...{ address: ADDRESS, functions: FUNCTIONS, types: TYPES, mode: sharing },
            ...{ framebufferBytes: total * MIB, interface: "mdev" },
          });
          const { create, remove, ls, available } = handsOn(simulated.fs);
          const initial = await treeOf(simulated.fs, ROOTS);
          const name = (at: number): string => `00000000-0000-4000-8000-${String(at).padStart(12, "0")}`;
          await Promise.allSettled(
            steps.map(({ vf, do: action }, at) =>
              typeof action === "object"
                ? create(gpu.functions[vf] ?? "", `nvidia-${action.set}`, name(at))
                : remove(name(at - 1)),
            ),
          );
          const types = gpu.functions.flatMap((vf) => gpu.typeOf(vf) ?? []);
          const used = types.map((id) => sizeOf(id.replace("nvidia-", "")));
          expect(used.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(total);
          if (sharing === "homogeneous") expect(new Set(used).size).toBeLessThan(2);
          for (const vf of gpu.functions) {
            const devices = (await ls(`/sys/bus/pci/devices/${vf}`)).filter((each) => each.length === 36);
            expect(devices.length).toBe(gpu.typeOf(vf) === undefined ? 0 : 1);
            if (devices.length === 1) expect(await available(vf, "nvidia-100")).toBe(0);
            const made = await Promise.all(TYPES.map(({ id }) => ls(`${typePath(vf, id)}/devices`)));
            expect(made.flat()).toEqual(devices);
          }
          let stuck = 0; // removed too early, and so without their remove file
          for (const id of await ls("/sys/bus/mdev/devices")) if (!(await succeeds(remove(id)))) stuck++;
          if (stuck === 0) expect(await treeOf(simulated.fs, ROOTS)).toEqual(initial);
        }),
        { numRuns: 40 },
      );
    },
    60_000,
  );
});

async function succeeds(call: Promise<void>): Promise<boolean> {
  return call.then(
    () => true,
    () => false,
  );
}
