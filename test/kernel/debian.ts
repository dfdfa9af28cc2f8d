// A Debian with daemons, in the folder /debian of a guest (see guest/in-debian.sh): it has the guest's devices, processes and /run.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Where it is, for those outside of it. */
export const DEBIAN = "/debian";
// What Go has for the newest instructions of a processor is slow where they are emulated.
const ENVIRONMENT = { PATH: "/usr/sbin:/usr/bin", HOME: "/root", LC_ALL: "C", GODEBUG: "cpu.all=off" };

/** Writes a file in there. */
export function put(path: string, text: string): void {
  mkdirSync(dirname(DEBIAN + path), { recursive: true });
  writeFileSync(DEBIAN + path, text);
}

/** What commands print that root runs in there, at home; fails when one of them does. */
export function shell(commands: string): string {
  const args = [DEBIAN, "/bin/sh", "-euc", `cd ~; ${commands}`];
  return execFileSync("chroot", args, { encoding: "utf8", env: ENVIRONMENT, stdio: "pipe" });
}
