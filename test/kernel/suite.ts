// Runs inside a guest, as root, against the real kernel (see run.mjs).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { release } from "node:os";
import { afterEach, describe, it } from "node:test";
import { MdevHost } from "../../src/index.js";
import { contract } from "../contract/contract.js";
import { differencesOf, type Runner } from "../contract/subject.js";
import { snapshots } from "./snapshots.js";

/** What run.mjs asks for. */
function asked(name: string): number {
  const value = Number(process.env[name]);
  assert.ok(Number.isSafeInteger(value) && value > 0, `${name} is missing`);
  return value;
}

const rounds = asked("VFIO_MDEV_ROUNDS");
const seed = asked("VFIO_MDEV_SEED");

describe(`real kernel ${release()}`, () => {
  it("has the mdev module, and is no simulation", () => {
    assert.match(readFileSync("/proc/modules", "utf8"), /^mdev /m);
  });

  const runner: Runner = {
    afterEach,
    describe: (name, body) => void describe(name, body),
    it: (name, body) => void it(name, body),
  };
  const [host, differences] = [new MdevHost(), differencesOf(release())];
  contract(runner, { host, differences, rounds, seed });
  snapshots(runner, host, differences);
});
