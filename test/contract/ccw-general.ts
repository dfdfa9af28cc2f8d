import assert from "node:assert/strict";
import { contract } from "./contract.js";
import type { Runner, Subject } from "./subject.js";

/** The behaviours of the contract that need mdpy or mbochs, and how many there are of each. */
const NEED_MORE: readonly (readonly [name: RegExp, times: number])[] = [
  [/^lists the parents in their order$/u, 1],
  [/^lists the types of each parent in their order$/u, 1],
  [/^reads those of (mdpy|mbochs)-/u, 6],
  [/^refuses a UUID that is in use, on any parent$/u, 1],
  [/^makes the same UUID again at once$/u, 1],
  [/^fills (mdpy|mbochs)-/u, 2],
  [/^counts what the types of a parent share$/u, 1],
  [/^give (mdpy|mbochs)'s? attributes their types$/u, 2],
  [/^refuse what they do not fit$/u, 1],
  [/^tells one of many that it removed a device$/u, 1],
  // as many workers as there are on types with room for one would find nothing left
  [/^leaves nothing over after \d+ rounds of creating and removing at once$/u, 1],
];

/**
 * The contract of a host with mtty, mdpy and mbochs, on a host with mtty alone beside other parents: all of it but what
 * needs the other two by name. What is left out is counted, so that nothing is left out unseen.
 */
export function generalContract(runner: Runner, subject: Subject): void {
  const leftOut: string[] = [];
  const mttyAlone: Runner = {
    ...runner,
    it: (name, body) => {
      if (NEED_MORE.some(([needs]) => needs.test(name))) leftOut.push(name);
      else runner.it(name, body);
    },
  };
  contract(mttyAlone, subject);
  runner.describe("the rest of the contract", () => {
    runner.it("is left out by name", async () => {
      for (const [needs, times] of NEED_MORE) {
        assert.equal(leftOut.filter((name) => needs.test(name)).length, times, String(needs));
      }
    });
  });
}
