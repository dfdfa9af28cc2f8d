import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ApQueueSet } from "../../../src/extensions/s390/index.js";
import { anyConfig, tinyMatrix } from "./ap-arbitraries.js";

const names = ({ adapters, domains }: { adapters: number[]; domains: number[] }): Set<string> =>
  new Set(adapters.flatMap((a) => domains.map((d) => `0${a}.000${d}`)));
const sorted = (set: Iterable<string>): string[] => [...set].sort();

describe("a set of queues", () => {
  it("is each adapter with each domain, by brute force", () => {
    fc.assert(
      fc.property(tinyMatrix, tinyMatrix, (one, other) => {
        const [a, b] = [ApQueueSet.of(one), ApQueueSet.of(other)];
        const [left, right] = [names(one), names(other)];
        expect(a.toJSON()).toEqual(sorted(left));
        expect(a.size).toBe(left.size);
        expect(a.union(b).toJSON()).toEqual(sorted(new Set([...left, ...right])));
        expect(a.intersection(b).toJSON()).toEqual(sorted([...left].filter((name) => right.has(name))));
        expect(a.difference(b).toJSON()).toEqual(sorted([...left].filter((name) => !right.has(name))));
        expect(a.overlaps(b)).toBe([...left].some((name) => right.has(name)));
        expect(a.equals(b)).toBe(sorted(left).join() === sorted(right).join());
      }),
    );
  });

  it("keeps the laws of sets when it is no matrix any more", () => {
    fc.assert(
      fc.property(tinyMatrix, tinyMatrix, tinyMatrix, (...matrices) => {
        const [a, b, c] = matrices.map((matrix) => ApQueueSet.of(matrix)) as [
          ApQueueSet,
          ApQueueSet,
          ApQueueSet,
        ];
        const union = a.union(b);
        expect(union.equals(b.union(a))).toBe(true);
        expect(union.intersection(c).equals(a.intersection(c).union(b.intersection(c)))).toBe(true);
        expect(union.difference(b).union(b).equals(union)).toBe(true);
        expect(union.size + a.intersection(b).size).toBe(a.size + b.size);
        expect(ApQueueSet.from(union).equals(union)).toBe(true);
        expect([...union].every((queue) => union.has(queue) && (a.has(queue) || b.has(queue)))).toBe(true);
      }),
    );
  });

  it("holds all 65536", () => {
    const ids = Array.from({ length: 256 }, (_, id) => id);
    const all = ApQueueSet.of({ adapters: ids, domains: ids });
    expect(all.size).toBe(65536);
    fc.assert(
      fc.property(anyConfig, (matrix) => {
        const some = ApQueueSet.of(matrix);
        expect(some.size).toBe(matrix.adapters.length * matrix.domains.length);
        expect(all.difference(some).size).toBe(65536 - some.size);
        expect(all.intersection(some).equals(some)).toBe(true);
      }),
    );
  });

  it("is ordered, frozen and JSON", () => {
    const set = ApQueueSet.of({ adapters: [6, 5, 5], domains: [0xab, 4] });
    expect(JSON.stringify(set)).toBe('["05.0004","05.00ab","06.0004","06.00ab"]');
    expect(String(set)).toBe("05.0004, 05.00ab, 06.0004, 06.00ab");
    expect([...set][1]).toEqual({ adapter: 5, domain: 0xab });
    expect(Object.isFrozen(set) && [...set].every(Object.isFrozen)).toBe(true);
    expect(set.has({ adapter: 5, domain: -1 })).toBe(false);
    expect(ApQueueSet.of({ adapters: [5], domains: [] }).size).toBe(0);
    expect(ApQueueSet.from([{ adapter: 300, domain: 1 }]).size).toBe(0);
  });
});
