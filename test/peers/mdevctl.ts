import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** How a run of mdevctl ended. */
export interface Run {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** The folders that mdevctl wants to find, whatever it is asked; 1.2 some of them, later ones others. */
const DEMANDED = ["etc/mdevctl.d", "usr/lib/mdevctl"].flatMap((at) =>
  ["callouts", "notifiers"].map((kind) => `${at}/scripts.d/${kind}`),
);
/** What its scripts need beside it. */
const PROGRAMS = ["/usr/bin/mdevctl", "/bin/sh", "/usr/bin/cat", "/usr/bin/env"];

/** Where programs are taken from: this machine's own `/`, or that of a Debian suite, which is unpacked once. */
export function installation(suite?: string): string {
  if (suite === undefined) return "/";
  const setup = resolve(import.meta.dirname, "interop/setup.sh");
  return execFileSync(setup, [suite, "mdevctl"], { encoding: "utf8" }).trim();
}

/** The real mdevctl, in a folder of its own that it takes for `/`: 1.2 knows no other way. */
export class Mdevctl {
  readonly root: string;

  /** @param from - where it is installed */
  constructor(root: string, from = "/") {
    this.root = root;
    for (const program of PROGRAMS) {
      // The loader of that system itself says what it needs.
      const loader = ["/lib64/ld-linux-x86-64.so.2", "--list", program];
      const libraries =
        execFileSync("chroot", [from, ...loader], { encoding: "utf8" }).match(/\/\S+/gu) ?? [];
      for (const path of [program, ...libraries]) {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        cpSync(join(from, path), join(root, path), { dereference: true });
      }
    }
    this.prepare();
  }

  /** Its own folders, after a tree was laid anew. */
  prepare(): void {
    for (const folder of DEMANDED) mkdirSync(join(this.root, folder), { recursive: true });
  }

  /** Its version: `1.2.0`. */
  async version(): Promise<string> {
    return (await this.run("--version")).stdout.replace(/^mdevctl /u, "").trim();
  }

  /** Runs it to its end. */
  run(...args: string[]): Promise<Run> {
    return new Promise((resolve) => {
      const options = { env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" }, timeout: 30_000 };
      execFile("chroot", [this.root, "/usr/bin/mdevctl", ...args], options, (error, stdout, stderr) => {
        resolve({ ok: error === null, stdout, stderr });
      });
    });
  }
}
