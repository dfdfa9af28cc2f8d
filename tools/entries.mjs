/**
 * The entry points of the package, and the only list of them: tsup, knip, typedoc, the API reports and the tests of
 * the built package read it. `exports` of package.json have to be written out; a test compares them.
 *
 * @typedef {{ subpath: string; name: string; source: string }} Entry
 */

/** @type {readonly Entry[]} */
export const entries = [
  { subpath: ".", name: "index", source: "src/index.ts" },
  { subpath: "./nvidia", name: "nvidia", source: "src/extensions/nvidia/index.ts" },
  { subpath: "./intel", name: "intel", source: "src/extensions/intel/index.ts" },
  { subpath: "./s390", name: "s390", source: "src/extensions/s390/index.ts" },
  { subpath: "./display", name: "display", source: "src/extensions/display/index.ts" },
  { subpath: "./samples", name: "samples", source: "src/extensions/samples/index.ts" },
  { subpath: "./definitions", name: "definitions", source: "src/definitions/index.ts" },
  { subpath: "./qemu", name: "qemu", source: "src/interop/qemu/index.ts" },
  { subpath: "./libvirt", name: "libvirt", source: "src/interop/libvirt/index.ts" },
  { subpath: "./incus", name: "incus", source: "src/interop/incus/index.ts" },
  { subpath: "./kubevirt", name: "kubevirt", source: "src/interop/kubevirt/index.ts" },
  { subpath: "./planning", name: "planning", source: "src/planning/index.ts" },
  { subpath: "./recording", name: "recording", source: "src/recording/index.ts" },
  { subpath: "./testing", name: "testing", source: "src/testing/index.ts" },
];

/** What a user writes after `from`. */
export const specifierOf = (/** @type {Entry} */ entry) => entry.subpath.replace(/^\./u, "vfio-mdev");
