import { afterEach, describe, it } from "vitest";
import { MdevHost } from "../../src/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { contract } from "./contract.js";
import { differencesOf } from "./subject.js";

for (const kernel of ["5.10", "6.1"] as const) {
  describe(`simulated kernel ${kernel}`, () => {
    const simulated = new SimulatedHost({ kernel });
    simulated.addMtty();
    simulated.addMdpy();
    simulated.addMbochs();
    const host = new MdevHost({ fs: simulated.fs });
    const seed = Number(process.env["VFIO_MDEV_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
    contract({ afterEach, describe, it }, { host, differences: differencesOf(kernel), rounds: 200, seed });
  });
}
