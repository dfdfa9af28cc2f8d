// @ts-check
/**
 * A driver that nobody knows, and a class of devices beside displays, both from outside of the package: chooses an
 * accelerator by its cores and memory, whatever driver it is of, creates it and reads its typed attributes.
 *
 *     npm run build && node examples/accelerator/index.mjs
 */
import { MdevHost } from "vfio-mdev";
import { SimulatedHost } from "vfio-mdev/testing";
import { AcceleratorType } from "./accelerator-type.mjs";
import { ascend } from "./ascend-driver.mjs";
import { AscendDevice } from "./ascend.mjs";

const simulated = new SimulatedHost();
simulated.addParent(ascend());
simulated.addParent({
  // another one, which has files for it
  path: "devices/platform/tensor.0",
  subsystem: "bus/platform",
  deviceDriver: "tensor",
  types: [
    {
      id: "tensor-half",
      attributes: { cores: { read: () => "64\n" }, memory_bytes: { read: () => "4294967296\n" } },
    },
  ],
});
simulated.addMtty(); // a serial card: no accelerator
const host = new MdevHost({ fs: simulated.fs });

const candidates = [];
for (const parent of await host.parents().getOrThrow()) {
  for (const type of await parent.types().getOrThrow()) {
    const accelerator = await type.as(AcceleratorType);
    if (!accelerator.ok) continue; // unsupported: nothing is known of cores or memory
    const { cores = 0, memoryBytes = 0 } = await accelerator.value.read().getOrThrow();
    console.log(`${parent.id} ${type.id}: ${cores} cores, ${memoryBytes / 2 ** 30} GiB`);
    if (cores >= 8 && memoryBytes >= 8 * 2 ** 30) candidates.push(type);
  }
}

const [chosen] = candidates;
if (chosen === undefined) throw new Error("no accelerator is large enough");
const device = await chosen.create().getOrThrow();
const npu = await device.as(AscendDevice).getOrThrow();
const [id, hardware] = [await npu.vdavinciId.read().getOrThrow(), await npu.hwId.read().getOrThrow()];
console.log(`created ${chosen.id}: number ${id}, ${hardware}`);
console.log(`${await chosen.availableInstances.read().getOrThrow()} more can be created`);
await device.remove().getOrThrow();
