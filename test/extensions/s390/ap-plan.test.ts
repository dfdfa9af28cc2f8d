import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ApConfig, ApQueueSet, type ApWrite, planApWrites } from "../../../src/extensions/s390/index.js";
import { tinyConfig } from "./ap-arbitraries.js";

const PARTS = { adapter: "adapters", domain: "domains", control_domain: "controlDomains" } as const;
const keyOf = (config: ApConfig): string =>
  JSON.stringify([config.adapters, config.domains, config.controlDomains]);

/** What one write makes of a configuration. */
function after(config: ApConfig, write: ApWrite): ApConfig {
  if (write.file === "ap_config") return write.config;
  const kind = write.file.replace(/^(?:un)?assign_/, "") as keyof typeof PARTS;
  const part = PARTS[kind];
  const others = config[part].filter((id) => id !== write.id);
  const ids = write.file.startsWith("un") ? others : [...others, write.id].sort((a, b) => a - b);
  return { ...config, [part]: ids };
}

/** How many writes of one number it takes at the least, found by trying all. */
function fewest(from: ApConfig, to: ApConfig): number {
  const steps: ApWrite[] = (["adapter", "domain", "control_domain"] as const).flatMap((kind) =>
    [0, 1, 2].flatMap((id) => [
      { file: `assign_${kind}` as const, id },
      { file: `unassign_${kind}` as const, id },
    ]),
  );
  let border: ApConfig[] = [from];
  const seen = new Set([keyOf(from)]);
  for (let count = 0; ; count++) {
    if (border.some((config) => keyOf(config) === keyOf(to))) return count;
    border = border
      .flatMap((config) => steps.map((write) => after(config, write)))
      .filter((config) => !seen.has(keyOf(config)) && seen.add(keyOf(config)));
  }
}

describe("a plan", () => {
  it("gets there, with the fewest writes", () => {
    fc.assert(
      fc.property(tinyConfig, tinyConfig, (from, to) => {
        const writes = planApWrites(from, to, { apConfig: false });
        expect(writes.reduce(after, from)).toEqual(to);
        expect(writes).toHaveLength(fewest(from, to));
      }),
      { numRuns: 60 },
    );
  });

  it("is one write of ap_config, or none", () => {
    fc.assert(
      fc.property(tinyConfig, tinyConfig, (from, to) => {
        const writes = planApWrites(from, to, { apConfig: true });
        expect(writes).toEqual(keyOf(from) === keyOf(to) ? [] : [{ file: "ap_config", config: to }]);
      }),
    );
  });

  it("needs no queue on its way that neither end has", () => {
    fc.assert(
      fc.property(tinyConfig, tinyConfig, (from, to) => {
        const [before, wanted] = [ApQueueSet.of(from), ApQueueSet.of(to)];
        let now: ApConfig = from;
        for (const write of planApWrites(from, to, { apConfig: false })) {
          now = after(now, write);
          const queues = ApQueueSet.of(now);
          const within = [before, wanted].some((end) => queues.difference(end).size === 0);
          expect(within).toBe(true);
        }
      }),
    );
  });

  it("would pass through a foreign queue the other way round", () => {
    // device: 5 with 4; wanted: 6 with 7; somebody else: 6 with 4
    const from = { adapters: [5], domains: [4], controlDomains: [] };
    const files = planApWrites(
      from,
      { adapters: [6], domains: [7], controlDomains: [] },
      { apConfig: false },
    );
    expect(files.map(({ file }) => file)).toEqual([
      "unassign_adapter",
      "unassign_domain",
      "assign_adapter",
      "assign_domain",
    ]);
  });

  it("does not care for the order of ids, nor for one that comes twice", () => {
    const one = { adapters: [6, 5, 5], domains: [4], controlDomains: [] };
    const same = { adapters: [5, 6], domains: [4], controlDomains: [] };
    for (const apConfig of [true, false]) expect(planApWrites(one, same, { apConfig })).toEqual([]);
  });
});
