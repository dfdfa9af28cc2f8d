/** The most memory that a process takes that reads once, in kilobytes: `node bench/peak.mjs empty|ours|sync [sysfs]`. */
import { readSync } from "./rivals.mjs";

const [reader = "", sysfs = ""] = process.argv.slice(2);
if (reader === "sync") readSync(sysfs);
if (reader === "ours") {
  const { MdevHost } = await import("vfio-mdev");
  await new MdevHost({ sysfs }).snapshot().getOrThrow();
}
console.log(process.resourceUsage().maxRSS);
