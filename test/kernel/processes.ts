// What the tests in a guest start beside themselves: users of VFIO (hold.c), and other processes of this library's.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { ok } from "../contract/expect.js";
import type { Usage } from "../contract/subject.js";
import type { Action } from "./another-process.js";

/** A process that was started, and answers in lines. */
export interface Started {
  readonly pid: number;
  /** Its next line; fails when it ends instead. */
  line(): Promise<string>;
  /** Gives it a line. */
  tell(line: string): void;
  /** Ends its standard input, which tells it to stop. */
  stop(): void;
  /** Its exit status, and when it ended by `performance.now()`. */
  readonly ended: Promise<{ readonly status: number | null; readonly at: number }>;
}

const running = new Set<ChildProcess>();

/** Kills what a test that failed has left running, so that no removal stays stuck. */
export async function killAll(): Promise<void> {
  for (const child of running) child.kill("SIGKILL");
  while (running.size > 0) await pause(10);
}

/** Starts a program. What it complains about is told when it ends too early, and only then. */
export function start(program: string, args: readonly string[]): Started {
  const child = spawn(program, args);
  running.add(child);
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaints += text));
  child.once("close", () => running.delete(child));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.stdin.on("error", () => undefined); // it may have ended
  const ended = once(child, "close").then(([status]) => ({
    status: status as number | null,
    at: performance.now(),
  }));
  return {
    pid: child.pid ?? assert.fail(`${program} did not start`),
    line: async () => {
      const { done, value } = await lines.next();
      if (done === true)
        assert.fail(`${program} ${args.join(" ")} ended with status ${(await ended).status}: ${complaints}`);
      return value;
    },
    tell: (line) => void child.stdin.write(`${line}\n`),
    stop: () => void child.stdin.end(),
    ended,
  };
}

/** Opens a device, or its group alone, from a process of its own, as a virtual machine does. */
export const open: Usage["open"] = async (device, what = "device") => {
  const group = String(await ok(device.iommuGroup()));
  const holder = start("./hold", what === "device" ? [group, device.id] : [group]);
  assert.equal(await holder.line(), "held");
  const close = async (): Promise<void> => {
    holder.stop();
    assert.equal((await holder.ended).status, 0);
  };
  return { pid: holder.pid, close };
};

/** Another process that uses this library (another-process.ts); `before` is what starts it, where it is not Node alone. */
export function anotherProcess(
  action: Action,
  args: readonly string[],
  before: readonly string[] = [],
): Started {
  const [program, ...rest] = [...before, process.execPath, "another-process.mjs", action, ...args];
  return start(program ?? process.execPath, rest);
}
