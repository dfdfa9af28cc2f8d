// Runs on each runtime, with the built package (see run.mjs): a line of JSON per test.
import { MdevHost } from "../../src/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { contract } from "../contract/contract.js";
import { layoutContract } from "../contract/layouts.js";
import { differencesOf } from "../contract/subject.js";
import { localFiles } from "./local-files.js";
import { loading } from "./loading.js";
import { run, runner } from "./runner.js";

const seed = Number(process.env["VFIO_MDEV_SEED"]);

runner.describe("contract", () => {
  for (const kernel of ["5.10", "6.1"] as const) {
    runner.describe(`simulated kernel ${kernel}`, () => {
      const simulated = new SimulatedHost({ kernel });
      simulated.addMtty();
      simulated.addMdpy();
      simulated.addMbochs();
      contract(runner, {
        host: new MdevHost({ fs: simulated.fs, proc: "/proc" }),
        differences: differencesOf(kernel),
        usage: {
          blind: new MdevHost({ fs: simulated.fs }),
          open: async ({ id }, what = "device") => {
            const { pid, close } = simulated.open(id, { what });
            return { pid, close: async () => close() };
          },
        },
        rounds: 100,
        seed,
      });
    });
  }
  runner.describe("NVIDIA's vendor interface", () => {
    const simulated = new SimulatedHost();
    simulated.addNvidiaSriovGpu({ address: "0000:3b:00.0" });
    layoutContract(runner, {
      host: new MdevHost({ fs: simulated.fs }),
      capacity: 16,
      differences: {
        layout: "nvidia-vfio",
        can: ["remove", "reset"],
        createOptions: [],
        tellsType: true,
        typeFacts: ["name", "deviceApi", "availableInstances"],
      },
    });
  });
});
loading(runner);
localFiles(runner);

for await (const outcome of run()) console.log(JSON.stringify(outcome));
console.log(JSON.stringify({ end: true }));
