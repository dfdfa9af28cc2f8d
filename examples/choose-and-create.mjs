// @ts-check
/**
 * One program for every layout: discover, choose by what the display has to be, create, configure, remove. It asks
 * what a type and a device can do, and never which layout or vendor they are of. Here it runs on four simulated hosts.
 *
 *     npm run build && node examples/choose-and-create.mjs
 */
import { MdevHost, text } from "vfio-mdev";
import { DisplayType, meets } from "vfio-mdev/display";
import { SimulatedHost } from "vfio-mdev/testing";

const needs = { framebufferBytes: 2 ** 30 }; // 1 GiB at least
const params = "frame_rate_limiter=0";

const mdev = new SimulatedHost();
mdev.addNvidiaGpu({ address: "0000:3b:00.0" });
const general = new SimulatedHost();
general.addGeneral({ types: [{ id: "GRID M60-0B" }, { id: "GRID M60-1B" }], weight: 4, params: "" });
const classBased = new SimulatedHost();
classBased.addClassBased({ address: "0000:86:00.0" });
const sriov = new SimulatedHost();
sriov.addNvidiaSriovGpu({ address: "0000:41:00.0", attributes: ["vgpu_params"] });

for (const { fs } of [mdev, general, classBased, sriov]) {
  const host = new MdevHost({ fs, timeout: 30_000 }); // new MdevHost() is the local machine

  // Discover; the least framebuffer that is enough comes first.
  const candidates = [];
  for (const parent of await host.parents().getOrThrow()) {
    for (const type of await parent.types().getOrThrow()) {
      const display = await type.as(DisplayType);
      if (!display.ok) continue; // nothing of a display is known
      const facts = await display.value.read().getOrThrow();
      if (meets(facts, needs)) candidates.push({ parent, type, bytes: facts.framebufferBytes ?? 0 });
    }
  }
  candidates.sort((a, b) => a.bytes - b.bytes);

  for (const { parent, type, bytes } of candidates) {
    // Create, with what this type can be given.
    const can = type.createOptions;
    const created = await type.create({
      uuid: can.has("uuid") ? "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001" : undefined,
      group: can.has("group") ? "desktop-7" : undefined,
      params: can.has("params") ? params : undefined,
    });
    if (!created.ok && created.error.type === "no-instances") continue; // the next one may have room
    const device = created.getOrThrow();
    console.log(`${parent.layout}: ${type.id} on ${parent.id}, ${bytes / 2 ** 20} MiB`);

    // Configure what this device has.
    const vgpuParams = device.attribute("nvidia/vgpu_params", text);
    if (await vgpuParams.exists().getOrThrow()) await vgpuParams.write(params).getOrThrow();
    if (await device.can("weight").getOrThrow()) await device.weight.write(8).getOrThrow();
    if (await device.can("reset").getOrThrow()) await device.reset().getOrThrow();
    if (await device.can("online").getOrThrow()) await device.online.write(true).getOrThrow();
    const { id, group, weight, online } = await device.read().getOrThrow();
    const set = { group, weight, online, vgpuParams: await vgpuParams.read().getOrThrow() };
    console.log(" ", id, JSON.stringify(set));

    // Remove; a driver may need some seconds after a virtual machine stopped.
    if (await device.can("online").getOrThrow()) await device.online.write(false).getOrThrow();
    const { removed } = await device.remove({ retries: 10 }).getOrThrow();
    console.log("  removed:", removed);
    break;
  }
}
// prints: merged: nvidia-46 on 0000:3b:00.0, 1024 MiB
// prints:   83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 {"vgpuParams":"frame_rate_limiter=0"}
// prints:   removed: true
// prints: general: GRID M60-1B on general, 1024 MiB
// prints:   83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 {"group":"desktop-7","weight":8,"online":true}
// prints:   removed: true
// prints: class-based: 13 on 0000:86:00.0, 1024 MiB
// prints:   83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 {}
// prints:   removed: true
// prints: nvidia-vfio: nvidia-1145 on 0000:41:00.4, 1024 MiB
// prints:   0000:41:00.4 {"vgpuParams":"frame_rate_limiter=0"}
// prints:   removed: true
