// Runs inside an s390x guest, as root, against the real kernel (see run.mjs).
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { endianness, release } from "node:os";
import { afterEach, describe, it } from "node:test";
import { MdevHost, nodeFileSystem } from "../../src/index.js";
import { ccwContract, type Subchannel } from "../contract/ccw.js";
import { generalContract } from "../contract/ccw-general.js";
import { layoutContract } from "../contract/layouts.js";
import { differencesOf } from "../contract/subject.js";
import { watching } from "./events.js";
import { killAll } from "./processes.js";
import { channelMachines } from "./qemu-ccw.js";
import { subchannelCommands } from "./subchannel-commands.js";

/** What run.mjs asks for. */
function asked(name: string): number {
  const value = Number(process.env[name]);
  assert.ok(Number.isSafeInteger(value) && value > 0, `${name} is missing`);
  return value;
}

/** What take-subchannels.sh took: `0.0.0003=0.0.1111 0.0.0004=0.0.2222`. */
function taken(): [Subchannel, Subchannel] {
  const words = (process.env["VFIO_MDEV_SUBCHANNELS"] ?? "").split(" ").filter((word) => word !== "");
  const subchannels = words.map((word) => {
    const [id, device] = word.split("=");
    assert.ok(id && device, `VFIO_MDEV_SUBCHANNELS holds ${word}`);
    return { id, device };
  });
  const [first, second] = subchannels.sort((a, b) => (a.id < b.id ? -1 : 1));
  assert.ok(first && second && subchannels.length === 2, "there must be two subchannels");
  return [first, second];
}

const host = new MdevHost();
const runner = {
  afterEach,
  describe: (name: string, body: () => void): void => void describe(name, body),
  it: (name: string, body: () => Promise<void>): void => void it(name, body),
};
const differences = differencesOf(release());
const rounds = asked("VFIO_MDEV_ROUNDS");
const seed = asked("VFIO_MDEV_SEED");
const subchannels = taken();

describe(`real s390x kernel ${release()}`, () => {
  afterEach(killAll);

  it("is s390x with the modules mdev and vfio_ccw, and no simulation", () => {
    assert.equal(process.arch, "s390x");
    assert.equal(endianness(), "BE");
    const modules = readFileSync("/proc/modules", "utf8");
    assert.match(modules, /^mdev /m);
    assert.match(modules, /^vfio_ccw /m);
    assert.ok(statSync("/sys/bus/css/drivers/vfio_ccw").isDirectory());
  });

  describe("the general contract", () => generalContract(runner, { host, differences, rounds, seed }));

  describe("what holds for any layout", () =>
    layoutContract(runner, {
      host,
      capacity: subchannels.length,
      differences: {
        layout: "merged",
        can: ["remove"],
        createOptions: ["uuid"],
        tellsType: true,
        typeFacts: ["name", "deviceApi", "availableInstances"],
      },
    }));

  ccwContract(runner, {
    host,
    fs: nodeFileSystem,
    subchannels,
    differences,
    fullErrno: "EUSERS",
    parentFolder: true,
    rounds,
    seed,
  });

  watching(host, rounds);
  channelMachines(host, subchannels);
  subchannelCommands(host, subchannels[1]);
});
