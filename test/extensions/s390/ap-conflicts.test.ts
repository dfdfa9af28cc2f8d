import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findApConflicts } from "../../../src/extensions/s390/index.js";
import { tinyMatrix } from "./ap-arbitraries.js";

const ALL = Array.from({ length: 256 }, (_, id) => id);
const FREE = { apmask: ALL.filter((id) => id !== 5 && id !== 6), aqmask: ALL };
// vfio-ap.rst
const GUEST1 = { adapters: [5, 6], domains: [4, 0xab] };
const GUEST2 = { adapters: [5], domains: [0x47, 0xff] };
const GUEST3 = { adapters: [6], domains: [0x47, 0xff] };

describe("the conflict check", () => {
  it("finds none between the guests of the kernel's document, though they share adapters and domains", () => {
    const report = findApConflicts(GUEST3, { devices: { guest1: GUEST1, guest2: GUEST2 }, host: FREE });
    expect(report.conflicts).toEqual([]);
    expect(report.free.toJSON()).toEqual(["06.0047", "06.00ff"]);
    expect(report).toMatchObject({ adaptersTooHigh: [], domainsTooHigh: [], hostKnown: true });
  });

  it("says who has what, the host first", () => {
    const { conflicts, free } = findApConflicts(
      { adapters: [4, 5, 6], domains: [0x47] },
      { devices: { guest1: GUEST1, guest2: GUEST2, guest3: GUEST3 }, host: FREE },
    );
    expect(JSON.parse(JSON.stringify(conflicts))).toEqual([
      { owner: "host", queues: ["04.0047"], errno: "EADDRNOTAVAIL" },
      { owner: "device", device: "guest2", queues: ["05.0047"], errno: "EADDRINUSE" },
      { owner: "device", device: "guest3", queues: ["06.0047"], errno: "EADDRINUSE" },
    ]);
    expect(free.size).toBe(0);
  });

  it("takes a queue for the host's only where both masks have it", () => {
    const wanted = { adapters: [5, 7], domains: [4, 8] };
    const { conflicts } = findApConflicts(wanted, { devices: {}, host: { apmask: [5], aqmask: [8] } });
    expect(conflicts.map(({ queues }) => String(queues))).toEqual(["05.0008"]);
  });

  it("does not guess what the host has", () => {
    expect(findApConflicts(GUEST1, { devices: {} })).toMatchObject({ conflicts: [], hostKnown: false });
  });

  it("names what is above the machine's highest", () => {
    const host = { apmask: [], aqmask: [], maxAdapterId: 5, maxDomainId: 0xaa };
    expect(findApConflicts(GUEST1, { devices: {}, host })).toMatchObject({
      adaptersTooHigh: [6],
      domainsTooHigh: [0xab],
    });
  });

  it("agrees with brute force", () => {
    fc.assert(
      fc.property(tinyMatrix, tinyMatrix, tinyMatrix, (wanted, other, masks) => {
        const host = { apmask: masks.adapters, aqmask: masks.domains };
        const { conflicts, free } = findApConflicts(wanted, { devices: { other }, host });
        const pairs = wanted.adapters.flatMap((a) => wanted.domains.map((d) => [a, d] as const));
        const inside = (a: number, d: number, { adapters, domains }: typeof other): boolean =>
          adapters.includes(a) && domains.includes(d);
        const taken = (matrix: typeof other): number => pairs.filter(([a, d]) => inside(a, d, matrix)).length;
        const of = (owner: string): number =>
          conflicts.find((each) => each.owner === owner)?.queues.size ?? 0;
        expect([of("host"), of("device")]).toEqual([taken(masks), taken(other)]);
        expect(free.size).toBe(pairs.filter(([a, d]) => !inside(a, d, masks) && !inside(a, d, other)).length);
      }),
    );
  });
});
