import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";

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

/** The real mdevctl, in a folder of its own that it takes for `/`: 1.2 knows no other way. */
export class Mdevctl {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
    const program = execFileSync("which", ["mdevctl"], { encoding: "utf8" }).trim();
    const libraries = execFileSync("ldd", [program], { encoding: "utf8" }).match(/\/\S+/gu) ?? [];
    for (const path of [program, ...libraries]) {
      const copy = path === program ? join(root, "mdevctl") : join(root, path);
      mkdirSync(dirname(copy), { recursive: true });
      cpSync(path, copy, { dereference: true });
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
      execFile("chroot", [this.root, "/mdevctl", ...args], options, (error, stdout, stderr) => {
        resolve({ ok: error === null, stdout, stderr });
      });
    });
  }
}
