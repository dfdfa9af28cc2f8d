import { entries } from "./tools/entries.mjs";

/** @type {import("knip").KnipConfig} */
export default {
  entry: [
    ...entries.map(({ source }) => `${source}!`),
    "test/**/*.test-d.ts",
    "test/kernel/*.{mjs,ts}",
    "test/runtimes/*.{mjs,ts}",
    "tools/*.mjs",
    "bench/*.mjs",
    "examples/*.mjs",
    "examples/*/index.mjs",
    "examples/*/*.test.mjs",
  ],
  ignoreBinaries: [
    "apt-get",
    "chroot",
    "systemd-analyze",
    "mdevctl",
    "mkfifo",
    "modprobe",
    "mount",
    "rmmod",
    "strace",
    "udevadm",
    "umount",
    "unshare",
  ], // of the system
  ignoreExportsUsedInFile: { interface: true, type: true },
  project: ["src/**/*.ts!", "test/**/*.{ts,mjs}", "tools/**/*.mjs", "bench/**/*.mjs", "examples/**/*.mjs"],
};
