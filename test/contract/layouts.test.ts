import { afterEach, describe, it } from "vitest";
import { MdevHost } from "../../src/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { type LayoutDifferences, layoutContract } from "./layouts.js";

function run(
  name: string,
  differences: LayoutDifferences,
  capacity: number,
  build: (simulated: SimulatedHost) => void,
): void {
  describe(name, () => {
    const simulated = new SimulatedHost();
    build(simulated);
    layoutContract(
      { afterEach, describe, it },
      { host: new MdevHost({ fs: simulated.fs }), differences, capacity },
    );
  });
}

const merged: LayoutDifferences = {
  layout: "merged",
  can: ["remove"],
  createOptions: ["uuid"],
  tellsType: true,
  typeFacts: ["name", "description", "deviceApi", "availableInstances"],
};
run("merged: an NVIDIA GPU", merged, 24, (simulated) => simulated.addNvidiaGpu({ address: "0000:3b:00.0" }));
run("merged: an NVIDIA GPU with SR-IOV", merged, 16, (simulated) =>
  simulated.addNvidiaSriovGpu({ address: "0000:3b:00.0", interface: "mdev" }),
);

const general: LayoutDifferences = {
  layout: "general",
  can: ["remove", "online", "reset", "group", "priority", "weight", "params"],
  createOptions: ["uuid", "params", "group"],
  tellsType: true,
  typeFacts: ["name", "availableInstances", "requiresGroup"],
};
const everything = {
  priority: 1,
  weight: 2,
  params: "",
  types: [{ id: "small" }, { id: "other" }],
  capacity: 4,
};
run("general", general, 4, (simulated) => simulated.addGeneral(everything));
run("general, with Destroy", general, 4, (simulated) =>
  simulated.addGeneral({ ...everything, destroyFile: "Destroy" }),
);

const classBased: LayoutDifferences = {
  layout: "class-based",
  can: ["remove"],
  createOptions: ["uuid", "params", "group"],
  tellsType: false,
  typeFacts: ["name", "requiresGroup", "maxInstances", "params"],
};
run("class-based", classBased, 16, (simulated) => simulated.addClassBased());

const nvidiaVfio: LayoutDifferences = {
  layout: "nvidia-vfio",
  can: ["remove", "reset"],
  createOptions: [],
  tellsType: true,
  typeFacts: ["name", "deviceApi", "availableInstances"],
};
for (const mode of ["homogeneous", "heterogeneous"] as const) {
  run(`nvidia-vfio, ${mode}`, nvidiaVfio, 16, (simulated) =>
    simulated.addNvidiaSriovGpu({ address: "0000:3b:00.0", mode }),
  );
}
run(
  "nvidia-vfio without a header, and a list that is empty while a type is set",
  nvidiaVfio,
  16,
  (simulated) =>
    simulated.addNvidiaSriovGpu({ address: "0000:3b:00.0", header: false, listWhileSet: "empty" }),
);
