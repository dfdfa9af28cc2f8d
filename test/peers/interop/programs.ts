import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";

/** Programs of a Debian suite, in a folder of their own. */
export class Programs {
  readonly root: string;

  /** @param set - as setup.sh names it: libvirt and QEMU, or Incus */
  constructor(suite: string, set: "interop" | "incus" = "interop") {
    const setup = resolve(import.meta.dirname, "setup.sh");
    this.root = execFileSync(setup, [suite, set], { encoding: "utf8" }).trim();
    mkdirSync(`${this.root}/tmp/libvirt`, { recursive: true, mode: 0o777 });
  }

  /** Runs a program in that folder, as libvirt's user, with a /proc of its own; both outputs, and how it ended. */
  run(
    command: readonly string[],
    options: { readonly timeout?: number; readonly input?: string } = {},
  ): { output: string; status: number | null } {
    const script =
      'mount -t proc proc "$0/proc" && chmod 1777 "$0/tmp/libvirt" && exec chroot --userspec=64055:64055 "$0" /usr/bin/env -i HOME=/tmp XDG_RUNTIME_DIR=/tmp PATH=/usr/bin:/usr/sbin LC_ALL=C "$@"';
    const { stdout, stderr, status } = spawnSync(
      "unshare",
      ["--mount", "--", "bash", "-c", script, this.root, ...command],
      { encoding: "utf8", timeout: options.timeout ?? 60_000, input: options.input ?? "" },
    );
    return { output: stdout + stderr, status };
  }

  /** Writes a file that programs find under `/tmp`. */
  write(name: string, text: string): string {
    writeFileSync(`${this.root}/tmp/${name}`, text);
    return `/tmp/${name}`;
  }
}
