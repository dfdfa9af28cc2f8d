// @ts-check
/**
 * On a machine with mediated devices: what there is, read-only. On any other: the life of a device on a simulated one.
 *
 *     npm run demo
 */
import { MdevHost, text } from "vfio-mdev";
import { MbochsDevice, MdpyDevice, MdpyType, MttyDevice } from "vfio-mdev/samples";
import { SimulatedHost } from "vfio-mdev/testing";
import { treeOf } from "./tree.mjs";

const local = new MdevHost();
const { mdev } = await local.support().getOrThrow();
const parents = await local.parents().getOrThrow(); // NVIDIA's SR-IOV functions need no mdev bus

if (parents.length > 0) {
  console.log("The mediated devices of this machine (nothing is changed):\n");
  console.log(await treeOf(local));
} else {
  console.log(
    `This machine has ${mdev ? "no parents of mediated devices" : "no mdev bus"}: a simulated one follows.`,
  );
  await demonstrate();
}

async function demonstrate() {
  const simulated = new SimulatedHost();
  simulated.addMtty();
  simulated.addMdpy();
  simulated.addMbochs();
  simulated.addNvidiaGpu({ address: "0000:3b:00.0", numaNode: 0 });
  const host = new MdevHost({ fs: simulated.fs });

  title("What there is");
  console.log(await treeOf(host));

  title("A device of each sample driver, with its typed attributes");
  const mttyType = await typeOf(host, "mtty", "mtty-2");
  const serial = await mttyType.create().getOrThrow(); // with a random UUID
  const mtty = await serial.as(MttyDevice).getOrThrow();
  console.log(`mtty-2        ${serial.id}: ${await mtty.sampleMdevDev.read().getOrThrow()}`);

  const mdpyType = await typeOf(host, "mdpy", "mdpy-hd");
  const promised = await (await mdpyType.as(MdpyType).getOrThrow()).resolution.read().getOrThrow();
  const display = await mdpyType.create().getOrThrow();
  const given = await (await display.as(MdpyDevice).getOrThrow()).resolution.read().getOrThrow();
  console.log(`mdpy-hd       ${display.id}: ${size(given)} pixels (its type promised ${size(promised)})`);

  const mbochsType = await typeOf(host, "mbochs", "mbochs-small");
  const graphics = await mbochsType.create().getOrThrow();
  const memory = await (await graphics.as(MbochsDevice).getOrThrow()).memory.read().getOrThrow();
  console.log(`mbochs-small  ${graphics.id}: ${memory} bytes of video memory`);

  title("A vGPU, with an attribute that no extension knows, by its raw name");
  const gpu = await host.parent("0000:3b:00.0").getOrThrow();
  const [vgpuType] = await gpu.findTypes({ name: "GRID P40-2B", available: true }).getOrThrow();
  if (vgpuType === undefined) throw new Error("no such type is available");
  const vgpu = await vgpuType
    .create({ attributes: [["nvidia/vgpu_params", "frame_rate_limiter=0,disable_vnc=1\n"]] })
    .getOrThrow();
  const params = await vgpu.attribute("nvidia/vgpu_params", text).read().getOrThrow();
  const { group } = await vgpu.vfioNodes().getOrThrow();
  console.log(`${vgpuType.id} ${vgpu.id}: ${params}; QEMU opens ${group}`);

  title("What is refused");
  const full = await (await typeOf(host, "0000:3b:00.0", "nvidia-46")).create();
  if (!full.ok) console.log(`${full.error.type}: ${full.error.message}`);
  const taken = await mdpyType.create({ uuid: vgpu.id });
  if (!taken.ok) console.log(`${taken.error.type}: ${taken.error.message}`);
  const unknown = await gpu.type("GRID P40-2B");
  if (!unknown.ok) console.log(`${unknown.error.type}: ${unknown.error.message}`);

  title("Now there is");
  console.log(await treeOf(host));

  title("Removing the vGPU while a virtual machine has it open");
  const vm = simulated.open(vgpu.id, { vmName: "desktop-7" });
  const early = await vgpu.remove({ timeout: 50 });
  if (!early.ok) console.log(`${early.error.type}: ${early.error.message}`);
  console.log(`its state: ${await vgpu.state().getOrThrow()}`);
  vm.close();
  await vgpu.remove().getOrThrow();
  console.log("The virtual machine has closed it, and it is gone.");

  title("Removing the rest");
  for (const device of await host.devices().getOrThrow()) {
    const { removed } = await device.remove().getOrThrow();
    console.log(`${device.id}: ${removed ? "removed" : "was gone already"}`);
  }

  title("At the end");
  console.log(await treeOf(host));
}

/**
 * @param {MdevHost} host
 * @param {string} parent
 * @param {string} type
 */
function typeOf(host, parent, type) {
  return host
    .parent(parent)
    .map((found) => found.type(type))
    .getOrThrow();
}

/** @param {import("vfio-mdev").Resolution | undefined} resolution */
function size(resolution) {
  return resolution === undefined ? "unknown" : `${resolution.width}x${resolution.height}`;
}

/** @param {string} words */
function title(words) {
  console.log(`\n== ${words}\n`);
}
