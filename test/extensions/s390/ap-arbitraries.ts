import fc from "fast-check";

export const anyId = fc.integer({ min: 0, max: 255 });
const ascending = (ids: number[]): number[] => [...new Set(ids)].sort((a, b) => a - b);
export const anyIds = fc.array(anyId, { maxLength: 256 }).map(ascending);
const fewIds = fc.array(anyId, { maxLength: 20 }).map(ascending);
/** One whose text fits into a page. */
export const smallMatrix = fc.record({ adapters: fewIds, domains: fewIds });
export const anyConfig = fc.record({ adapters: anyIds, domains: anyIds, controlDomains: anyIds });

/** Ids of so few that all can be tried. */
const tinyIds = (count: number): fc.Arbitrary<number[]> =>
  fc.subarray(Array.from({ length: count }, (_, id) => id)).map(ascending);
export const tinyMatrix = fc.record({ adapters: tinyIds(4), domains: tinyIds(4) });
export const tinyConfig = fc.record({
  adapters: tinyIds(3),
  domains: tinyIds(3),
  controlDomains: tinyIds(2),
});
