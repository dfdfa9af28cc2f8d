import type { ChildProcess } from "node:child_process";
import { open, readdir, stat } from "node:fs/promises";
import type { ScriptCall, ScriptEnd, ScriptRunner } from "./script-runner.js";

/** What is no program: not executable, not there, without its interpreter, in no format that can be run. */
const NO_PROGRAM: ReadonlySet<unknown> = new Set(["ENOENT", "EACCES", "ENOEXEC", "ENOTDIR", "ELOOP"]);
/** How programs begin: Node would give anything else to a shell. */
const BEGINNINGS = ["#!", "\x7fELF"] as const;
/** More than this is not kept of what a script writes, in characters. */
const ENOUGH = 1_000_000;

/**
 * Runs scripts as child processes, without a shell: with this process's environment and working directory. Of each output of a
 * script about a million characters are kept. Source: mdevctl 1.4.0, which runs them so.
 */
export class NodeScriptRunner implements ScriptRunner {
  /** `readdir(3)`; links are followed. */
  async scripts(folder: string): Promise<readonly string[]> {
    const scripts: string[] = [];
    for (const name of (await unlessAbsent(readdir(folder))) ?? []) {
      const found = await unlessAbsent(stat(`${folder}/${name}`));
      if (found?.isFile() === true) scripts.push(name);
    }
    return scripts;
  }

  /** `posix_spawn(3)`, `wait(2)`. It has ended when all who hold its outputs have closed them, or when the signal is aborted. */
  async run({ path, args, input, signal }: ScriptCall): Promise<ScriptEnd | undefined> {
    if (!(await isProgram(path))) return undefined;
    if (signal.aborted) return { status: undefined, output: "", complaint: "" };
    const { spawn } = await import("node:child_process"); // few programs that import this run scripts
    const child = spawn(path, args, { stdio: "pipe", shell: false });
    const end = (): void => {
      child.kill("SIGKILL");
      child.stdout.destroy(); // whoever else may hold the other end
      child.stderr.destroy();
    };
    signal.addEventListener("abort", end, { once: true });
    try {
      child.stdin.on("error", () => undefined).end(input); // it need not read it
      const [output, complaint] = [kept(child.stdout), kept(child.stderr)];
      const status = await ended(child);
      return { status, output: output(), complaint: complaint() };
    } catch (thrown) {
      if (NO_PROGRAM.has((thrown as NodeJS.ErrnoException).code)) return undefined;
      throw thrown;
    } finally {
      signal.removeEventListener("abort", end);
    }
  }
}

function ended(child: ChildProcess): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => resolve(status ?? undefined));
  });
}

/** Collects what a stream says. */
function kept(stream: NodeJS.ReadableStream): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (piece: string) => {
    if (text.length < ENOUGH) text += piece;
  });
  return () => text;
}

async function isProgram(path: string): Promise<boolean> {
  const file = await unlessAbsent(open(path));
  if (file === undefined) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    const beginning = buffer.toString("latin1", 0, bytesRead);
    return BEGINNINGS.some((each) => beginning.startsWith(each));
  } finally {
    await file.close();
  }
}

async function unlessAbsent<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (thrown) {
    if (NO_PROGRAM.has((thrown as NodeJS.ErrnoException).code)) return undefined;
    throw thrown;
  }
}
