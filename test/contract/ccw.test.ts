import { afterEach, describe, it } from "vitest";
import { MdevHost } from "../../src/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { ccwContract, type Subchannel } from "./ccw.js";
import { generalContract } from "./ccw-general.js";
import { layoutContract } from "./layouts.js";
import { differencesOf } from "./subject.js";

for (const kernel of ["5.10", "6.1"] as const) {
  describe(`channel I/O on simulated kernel ${kernel}`, () => {
    const simulated = new SimulatedHost({ kernel });
    const host = new MdevHost({ fs: simulated.fs });
    const runner = { afterEach, describe, it };
    const differences = differencesOf(kernel);
    const seed = Number(process.env["VFIO_MDEV_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
    const subchannels: readonly [Subchannel, Subchannel] = [
      { id: "0.0.0003", device: "0.0.1111" },
      { id: "0.0.0004", device: "0.0.2222" },
    ];
    simulated.addMtty();
    for (const subchannel of subchannels) simulated.addSubchannel(subchannel);

    // on 5.10 a behaviour of it takes mdpy instead of mtty, which counts wrong there
    if (kernel !== "5.10") {
      describe("the general contract", () => {
        generalContract(runner, { host, differences, rounds: 100, seed });
      });
    }
    describe("what holds for any layout", () => {
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
      });
    });
    ccwContract(runner, {
      host,
      fs: simulated.fs,
      subchannels,
      differences,
      fullErrno: kernel === "5.10" ? "EPERM" : "EUSERS",
      parentFolder: kernel !== "5.10",
      rounds: 200,
      seed,
    });
  });
}
