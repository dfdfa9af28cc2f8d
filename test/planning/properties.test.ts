import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { DEFAULT_ROUNDS, LEAST_CASES } from "./rounds.js";
import { random } from "../contract/random.js";
import { type Case, CASES, counted } from "./cases.js";

const seed = Number(process.env["VFIO_MDEV_SEED"] ?? randomInt(2 ** 31));
const rounds = Number(process.env["VFIO_MDEV_ROUNDS"] ?? DEFAULT_ROUNDS);
/** So many cases at the same time: most of what they do is waiting. */
const AT_ONCE = 16;

test.each(Object.entries(CASES))(
  "any host, any wanted state: %s",
  async (name, run: Case) => {
    console.log(`${name}: VFIO_MDEV_SEED=${seed} VFIO_MDEV_ROUNDS=${rounds} repeats these cases`);
    let round = 0;
    const counts: Record<string, number> = {};
    const work = async (): Promise<void> => {
      while (round < rounds) {
        const own = seed + round++;
        try {
          const outcome = await run(random(own));
          counts[outcome] = (counts[outcome] ?? 0) + 1;
        } catch (thrown) {
          throw new Error(`VFIO_MDEV_SEED=${own} VFIO_MDEV_ROUNDS=1`, { cause: thrown });
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    console.log(`${name}: ${JSON.stringify(counts)}, ${counted.cases} cases so far`);
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(rounds);
  },
  600_000,
);

test("there were enough cases", () => {
  if (process.env["VFIO_MDEV_ROUNDS"] === undefined)
    expect(counted.cases).toBeGreaterThanOrEqual(LEAST_CASES);
  else expect(counted.cases).toBeGreaterThan(0);
});
