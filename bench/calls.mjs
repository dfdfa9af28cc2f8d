/** The system calls that a program makes on files, as strace sees them. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const ON_FILES = new Set(
  "access close fstat getdents64 lstat newfstatat open openat pread64 read readlink readlinkat stat statx".split(
    " ",
  ),
);
const ATTRIBUTE = /"[^"]*(?:^|\/)(?:name|description|device_api|available_instances)"/u;

/**
 * The calls of a program between its marks, or all where it makes none; and how many each attribute takes, from the one
 * that opens it to the one that closes it.
 */
export function callsOf(
  /** @type {string} */ work,
  /** @type {readonly string[]} */ [command = "", ...args],
  env = process.env,
) {
  const log = join(work, "strace.log");
  const ended = spawnSync("strace", ["-o", log, command, ...args], { env, stdio: "ignore" });
  if (ended.status !== 0) throw new Error(`strace of ${command} ended with ${ended.status}`);
  let lines = readFileSync(log, "utf8").split("\n");
  const begin = lines.findIndex((line) => line.includes("bench-mark-begin"));
  if (begin !== -1)
    lines = lines.slice(
      begin + 1,
      lines.findIndex((line) => line.includes("bench-mark-end")),
    );
  let [all, attributes, onAttributes] = [0, 0, 0];
  let open = "";
  for (const line of lines) {
    const call = line.slice(0, line.indexOf("("));
    if (!ON_FILES.has(call)) continue;
    const [, descriptor = ""] = /^\w+\((\d+)/u.exec(line) ?? [];
    // The event loop reads what wakes it up: no file.
    if (call === "read" && line.endsWith("= 8") && descriptor !== open) continue;
    if (call === "read" && line.includes("EAGAIN")) continue;
    all++;
    if (call === "openat" && ATTRIBUTE.test(line)) {
      open = / = (\d+)$/u.exec(line)?.[1] ?? "";
      attributes++;
      onAttributes++;
    } else if (open !== "" && descriptor === open) {
      onAttributes++;
      if (call === "close") open = "";
    }
  }
  return { all, perAttribute: onAttributes / attributes };
}
