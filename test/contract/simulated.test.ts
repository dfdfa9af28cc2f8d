import { afterEach, describe, it } from "vitest";
import { MdevHost } from "../../src/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { contract } from "./contract.js";
import { differencesOf, type Usage } from "./subject.js";

for (const kernel of ["5.10", "6.1"] as const) {
  describe(`simulated kernel ${kernel}`, () => {
    const simulated = new SimulatedHost({ kernel });
    simulated.addMtty();
    simulated.addMdpy();
    simulated.addMbochs();
    const host = new MdevHost({ fs: simulated.fs, proc: "/proc" });
    const usage: Usage = {
      blind: new MdevHost({ fs: simulated.fs }),
      open: async ({ id }, what = "device") => {
        const { pid, close } = simulated.open(id, { what });
        return { pid, close: async () => close() };
      },
    };
    const seed = Number(process.env["VFIO_MDEV_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
    const differences = differencesOf(kernel);
    contract({ afterEach, describe, it }, { host, differences, usage, rounds: 200, seed });
  });
}
