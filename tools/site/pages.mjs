/**
 * The guides of the documentation site, in the order of its navigation. A test fails for a page of `docs/` that is in
 * no group.
 *
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const groups = {
  "Start here": ["docs/getting-started.md", "docs/concepts.md", "docs/errors.md"],
  Tasks: [
    "docs/snapshots.md",
    "docs/events.md",
    "docs/races.md",
    "docs/ownership.md",
    "docs/locks.md",
    "docs/definitions.md",
    "docs/planning.md",
    "docs/configurations.md",
    "docs/migration.md",
    "docs/file-systems.md",
    "docs/recording.md",
    "docs/recipes.md",
    "docs/examples.md",
    "docs/extensions.md",
    "docs/unknown-drivers.md",
  ],
  Layouts: [
    "docs/layouts.md",
    "docs/layout-merged.md",
    "docs/layout-nvidia-vfio.md",
    "docs/layout-general.md",
    "docs/layout-class-based.md",
    "docs/proposal-2016.md",
  ],
  "Vendors and classes": [
    "docs/nvidia.md",
    "docs/intel.md",
    "docs/s390-channel-io.md",
    "docs/s390-crypto.md",
    "docs/display.md",
  ],
  Consumers: ["docs/qemu.md", "docs/libvirt.md", "docs/incus.md", "docs/kubevirt.md"],
  "The package": ["docs/performance.md", "docs/runtimes.md", "docs/stability.md", "docs/licences.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"],
};
