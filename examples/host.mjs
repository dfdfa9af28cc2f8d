// @ts-check
/** The host that an example runs on: this machine, or one that somebody recorded (`examples/record.mjs`). */
import { readFileSync } from "node:fs";
import { MdevHost } from "vfio-mdev";
import { replay } from "vfio-mdev/recording";

/** @param {string | undefined} recording the file of a recording */
export function hostOf(recording) {
  if (recording === undefined) return new MdevHost({ timeout: 30_000 });
  return new MdevHost({ fs: replay(readFileSync(recording, "utf8")).getOrThrow() });
}
