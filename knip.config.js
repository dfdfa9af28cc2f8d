import { entries } from "./tools/entries.mjs";

/** @type {import("knip").KnipConfig} */
export default {
  entry: [
    ...entries.map(({ source }) => `${source}!`),
    "test/**/*.test-d.ts",
    "test/kernel/*.{mjs,ts}",
    "tools/*.mjs",
    "examples/*.mjs",
    "examples/*/index.mjs",
  ],
  ignoreBinaries: ["mkfifo", "modprobe", "rmmod", "unshare"], // of the system
  ignoreExportsUsedInFile: { interface: true, type: true },
  project: ["src/**/*.ts!", "test/**/*.{ts,mjs}", "tools/**/*.mjs", "examples/**/*.mjs"],
};
