/**
 * Makes a sysfs tree of NVIDIA vGPUs on plain files, with the names, links and modes of the kernel:
 * `node bench/tree.mjs <folder> <parents> <types> <devices>` (types and devices of each parent).
 */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";

const DRIVER = "nvidia-vgpu-vfio";

/** The sizes that the bars are about. */
export const SIZES = {
  small: { parents: 4, types: 12, devices: 8 },
  medium: { parents: 64, types: 24, devices: 16 },
  large: { parents: 512, types: 32, devices: 32 },
};

/** A UUID that a number makes: well spread, so that neighbours in a listing are none in the order. */
function uuidOf(/** @type {number} */ number) {
  const word = (/** @type {number} */ salt) => {
    let mixed = Math.imul(number + 1, 0x9e3779b1) ^ Math.imul(salt, 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
    mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
    return ((mixed ^ (mixed >>> 15)) >>> 0).toString(16).padStart(8, "0");
  };
  const digits = [1, 2, 3, 4].map(word).join("");
  const parts = [8, 12, 16, 20, 32].map((end, at, ends) => digits.slice(ends[at - 1] ?? 0, end));
  return parts.join("-");
}

function typeOf(/** @type {number} */ at) {
  const [series, gib] = ["QBCA"[at % 4], 1 << ((at >> 2) % 6)];
  const max = Math.max(1, 48 >> ((at >> 2) % 6));
  const size = `framebuffer=${gib * 1024}M, max_resolution=${series === "A" ? "1280x1024" : "5120x2880"}`;
  return {
    id: `nvidia-${300 + at}`,
    max,
    files: {
      name: `NVIDIA A40-${gib}${series}\n`,
      description: `num_heads=${series === "A" ? 1 : 4}, frl_config=60, ${size}, max_instance=${max}\n`,
      device_api: "vfio-pci\n",
    },
  };
}

/** The address and the folder of a parent: 32 functions on a bus. */
function placeOf(/** @type {number} */ at) {
  const hex = (/** @type {number} */ value, width = 2) => value.toString(16).padStart(width, "0");
  const [bus, slot] = [0x10 + 4 * (at >> 5), at & 31];
  const address = `0000:${hex(bus + 1)}:${hex(slot >> 3)}.${slot & 7}`;
  return { address, folder: `devices/pci0000:${hex(bus)}/0000:${hex(bus)}:01.0/${address}` };
}

/** Makes the tree; gives how many entries it has. */
export function makeTree(
  /** @type {string} */ root,
  /** @type {{ parents: number; types: number; devices: number }} */ { parents, types, devices },
) {
  let entries = 0;
  const folder = (/** @type {string} */ path) => void mkdirSync(`${root}/${path}`, { recursive: true });
  const link = (/** @type {string} */ path, /** @type {string} */ target) => {
    symlinkSync(target, `${root}/${path}`);
    entries++;
  };
  const file = (/** @type {string} */ path, /** @type {string} */ content, mode = 0o444) => {
    writeFileSync(`${root}/${path}`, content, { mode });
    entries++;
  };

  for (const path of ["class/mdev_bus", "bus/mdev/devices", `bus/mdev/drivers/${DRIVER}`, "bus/pci/drivers"])
    folder(path);
  folder("kernel/iommu_groups");
  const offered = Array.from({ length: types }, (_, at) => typeOf(at));
  let group = 0;
  for (let at = 0; at < parents; at++) {
    const { address, folder: parent } = placeOf(at);
    folder(parent);
    link(`class/mdev_bus/${address}`, `../../${parent}`);
    file(`${parent}/vendor`, "0x10de\n");
    file(`${parent}/numa_node`, "0\n");
    link(`${parent}/subsystem`, "../../../../bus/pci");
    const taken = new Map(offered.map(({ id }) => [id, 0]));
    const uuids = Array.from({ length: devices }, (_, device) => uuidOf(at * devices + device));
    for (const { id } of offered) folder(`${parent}/mdev_supported_types/${id}/devices`);
    for (const [device, uuid] of uuids.entries()) {
      const { id = "" } = offered[device % Math.min(types, 4)] ?? {};
      const home = `${parent}/${uuid}`;
      taken.set(id, (taken.get(id) ?? 0) + 1);
      folder(home);
      file(`${home}/uevent`, `DRIVER=${DRIVER}\n`, 0o644);
      link(`${home}/subsystem`, "../../../../../bus/mdev");
      file(`${home}/remove`, "", 0o200);
      link(`${home}/driver`, `../../../../../bus/mdev/drivers/${DRIVER}`);
      link(`${home}/iommu_group`, `../../../../../kernel/iommu_groups/${++group}`);
      folder(`${home}/nvidia`);
      file(`${home}/nvidia/vgpu_params`, "frame_rate_limiter=1\n", 0o644);
      link(`${home}/mdev_type`, `../mdev_supported_types/${id}`);
      link(`${parent}/mdev_supported_types/${id}/devices/${uuid}`, `../../../${uuid}`);
      link(`bus/mdev/devices/${uuid}`, `../../../${home}`);
      link(`bus/mdev/drivers/${DRIVER}/${uuid}`, `../../../../${home}`);
    }
    for (const { id, max, files } of offered) {
      const home = `${parent}/mdev_supported_types/${id}`;
      for (const [name, content] of Object.entries(files)) file(`${home}/${name}`, content);
      file(`${home}/available_instances`, `${Math.max(0, max - (taken.get(id) ?? 0))}\n`);
      file(`${home}/create`, "", 0o200);
    }
  }
  return entries;
}

if (process.argv[1]?.endsWith("tree.mjs")) {
  const [root = "", ...counts] = process.argv.slice(2);
  const [parents = 4, types = 12, devices = 8] = counts.map(Number);
  console.log(`${makeTree(root, { parents, types, devices })} entries in ${root}`);
}
