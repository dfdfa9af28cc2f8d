import { type ChildProcess, spawn } from "node:child_process";
import { onTestFinished } from "vitest";

/** How a process ended. */
export interface End {
  readonly status: number | null;
  readonly output: string;
  /** From its last words to its end. */
  readonly milliseconds: number;
}

/**
 * Runs a program, the body of an async function after what `setup` has made, as a process of its own until it ends. It says
 * `done` when the body is through. `heard` gets all that it has said so far.
 */
export async function runToEnd(
  setup: string,
  program: string,
  heard?: (output: string, child: ChildProcess) => void,
): Promise<End> {
  const code = `${setup}
    (async () => { ${program} })().then(() => console.log("done"), (error) => { console.log(error); process.exit(9); });`;
  const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  let last = performance.now();
  child.stdout.setEncoding("utf8").on("data", (piece: string) => {
    output += piece;
    last = performance.now();
    heard?.(output, child);
  });
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { status, output, milliseconds: performance.now() - last };
}
