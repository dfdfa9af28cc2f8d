import { spawnSync } from "node:child_process";

/** What the tests run, and the packages that have it. */
const PROGRAMS = { mdevctl: "mdevctl", "systemd-analyze": "systemd", udevadm: "udev" } as const;

/** Installs what is not there. */
export default function install(): void {
  const has = (program: string): boolean => spawnSync("which", [program]).status === 0;
  const missing = Object.entries(PROGRAMS).flatMap(([program, name]) => (has(program) ? [] : name));
  if (missing.length === 0) return;
  const apt = (...args: string[]): boolean =>
    spawnSync("apt-get", ["-qq", "-y", ...args], {
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      stdio: ["ignore", "ignore", "inherit"],
    }).status === 0;
  if (!apt("install", ...missing) && !(apt("update") && apt("install", ...missing)))
    throw new Error(`cannot install ${missing.join(", ")}: it takes a Debian or a relative, and root`);
}
