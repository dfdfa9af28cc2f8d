import assert from "node:assert/strict";
import type { MdevDevice, MdevType } from "../../src/index.js";
import { ok } from "./expect.js";
import { pick, random } from "./random.js";
import type { Runner, Subject } from "./subject.js";

const UUID = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1002";
const WORKERS = 4;

/** Many at once, over and over. */
export function concurrency({ describe, it }: Runner, { host, differences, rounds, seed }: Subject): void {
  const allTypes = async (): Promise<MdevType[]> => {
    const types = await Promise.all((await ok(host.parents())).map((parent) => ok(parent.types())));
    return types.flat();
  };
  const availability = async (): Promise<Record<string, number | undefined>> => {
    const types = await allTypes();
    const counts = await Promise.all(
      types.map(async (type) => [type.id, await ok(type.availableInstances.read())]),
    );
    return Object.fromEntries(counts) as Record<string, number | undefined>;
  };
  const tally = (outcomes: readonly string[]): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
    return counts;
  };

  describe("concurrency", () => {
    it("lets one of many make a UUID", async () => {
      const type = await ok((await ok(host.parent("mtty"))).type("mtty-1"));
      const results = await Promise.all(Array.from({ length: 8 }, () => type.create({ uuid: UUID })));
      const outcomes = results.map((result) => (result.ok ? "made" : result.error.type));
      assert.deepEqual(tally(outcomes), { made: 1, "already-exists": 7 });
      await ok((await ok(host.device(UUID))).remove());
    });

    it("gives out what there is, and no more", async () => {
      const [id, count] = differences.mttyOverbooks ? ["mdpy", 4] : ["mtty", 24];
      const parent = await ok(host.parent(id));
      const [type] = await ok(parent.types());
      assert.ok(type);
      const results = await Promise.all(Array.from({ length: count + 6 }, () => type.create()));
      const outcomes = results.map((result) => (result.ok ? "made" : result.error.type));
      const { made = 0, ...others } = tally(outcomes);
      assert.ok(differences.racyCount ? made >= count : made === count, `made ${made} of ${count}`);
      assert.deepEqual(others, { "no-instances": count + 6 - made });
      for (const device of await ok(parent.devices())) await ok(device.remove());
      assert.equal(await ok(type.availableInstances.read()), count);
    });

    it("tells one of many that it removed a device", async () => {
      const type = await ok((await ok(host.parent("mdpy"))).type("mdpy-hd"));
      const device = await ok(type.create());
      const results = await Promise.all(Array.from({ length: 8 }, () => ok(device.remove())));
      assert.deepEqual(tally(results.map(({ removed }) => String(removed))), { true: 1, false: 7 });
    });

    it(`leaves nothing over after ${rounds} rounds of creating and removing at once`, async () => {
      const before = await availability();
      const types = await allTypes();
      let left = rounds;
      const outcomes: string[] = [];
      const work = async (next: () => number): Promise<void> => {
        while (left-- > 0) {
          const created = await pick(types, next).create();
          if (created.ok) assert.deepEqual(await ok(created.value.remove()), { removed: true });
          outcomes.push(created.ok ? "made" : created.error.type);
        }
      };
      await Promise.all(Array.from({ length: WORKERS }, (_, worker) => work(random(seed + worker))));
      assert.deepEqual(tally(outcomes), { made: rounds });
      assert.deepEqual(await ok(host.devices()), []);
      assert.deepEqual(await availability(), before);
    });

    it(`agrees with a model after any sequence (seed ${seed})`, async () => {
      const next = random(seed);
      const types = await allTypes();
      const before = await availability();
      const model = new Map<string, MdevDevice>();
      for (let step = 0; step < rounds / 2; step++) {
        if (next() < 0.6) {
          const created = await pick(types, next).create();
          if (created.ok) model.set(created.value.id, created.value);
          else assert.equal(created.error.type, "no-instances", created.error.message);
        } else if (model.size > 0) {
          const device = pick([...model.values()], next);
          assert.deepEqual(await ok(device.remove()), { removed: true });
          model.delete(device.id);
        }
        assert.deepEqual(
          (await ok(host.devices())).map(({ id }) => id),
          [...model.keys()].sort(),
        );
      }
      for (const device of model.values()) await ok(device.remove());
      assert.deepEqual(await availability(), before);
    });

    it("lists while devices come and go", async () => {
      const type = await ok((await ok(host.parent("mtty"))).type("mtty-1"));
      const progress = { working: true };
      const churn = (async () => {
        for (let round = 0; round < rounds / 4; round++) await ok((await ok(type.create())).remove());
        progress.working = false;
      })();
      while (progress.working) {
        await new Promise((resolve) => void setImmediate(resolve)); // a simulation answers without one
        for (const device of await ok(host.devices())) {
          const info = await device.read();
          assert.ok(info.ok || info.error.type === "gone", info.ok ? "" : info.error.message);
        }
      }
      await churn;
    });
  });
}
