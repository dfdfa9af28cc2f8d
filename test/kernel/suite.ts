// Runs inside a guest, as root, against the real kernel (see run.mjs).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { release } from "node:os";
import { afterEach, describe, it } from "node:test";
import { MdevHost, nodeFileSystem } from "../../src/index.js";
import { contract } from "../contract/contract.js";
import { differencesOf, type Runner, type Subject, type Usage } from "../contract/subject.js";
import { watching } from "./events.js";
import { examples } from "./examples.js";
import { pages } from "./pages.js";
import { permissions } from "./permissions.js";
import { killAll, open } from "./processes.js";
import { virtualMachines } from "./qemu.js";
import { races } from "./races.js";
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

  afterEach(killAll);
  // A file system of its own is the local one here, but no `/proc` comes with it.
  const usage: Usage = { open, blind: new MdevHost({ fs: nodeFileSystem }) };
  const [host, differences] = [new MdevHost(), differencesOf(release())];
  const subject: Subject = { host, differences, usage, rounds, seed };
  const runner: Runner = {
    afterEach,
    describe: (name, body) => void describe(name, body),
    it: (name, body) => void it(name, body),
  };
  contract(runner, subject);
  races(subject, usage);
  snapshots(runner, host, differences);
  examples(runner, host);
  pages(runner, host);
  permissions(runner, host);
  watching(host, rounds);
  virtualMachines(host);
});
