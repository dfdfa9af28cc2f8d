import { spawnSync } from "node:child_process";

/** Installs mdevctl where it is not there. */
export default function install(): void {
  const has = (program: string): boolean => spawnSync("which", [program]).status === 0;
  if (has("mdevctl")) return;
  const apt = (...args: string[]): boolean =>
    spawnSync("apt-get", ["-qq", "-y", ...args], {
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      stdio: ["ignore", "ignore", "inherit"],
    }).status === 0;
  if (!apt("install", "mdevctl") && !(apt("update") && apt("install", "mdevctl")))
    throw new Error("cannot install mdevctl: the tests against it need it, a Debian or a relative, and root");
}
