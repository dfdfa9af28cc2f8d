import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A new folder that goes with the test; in memory, where programs can run there: a disk is slow to say that it has it. */
export function memoryFolder(): string {
  return makeIn("/dev/shm") ?? makeIn(tmpdir()) ?? tmpdir();
}

function makeIn(place: string): string | undefined {
  try {
    const folder = mkdtempSync(join(place, "vfio-mdev-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    cpSync("/bin/true", join(folder, "true"));
    return spawnSync(join(folder, "true")).status === 0 ? folder : undefined;
  } catch {
    return undefined;
  }
}
