import type { ChildProcess } from "node:child_process";

// Runs in a child of its own: one command a line, one answer a line, until the parent is gone.
const CHILD = `
const fs = require("node:fs");
const chunk = Buffer.alloc(16384);
let rest = "";
const answer = (command) => {
  try {
    const { path, text, flag } = JSON.parse(Buffer.from(command, "base64").toString());
    const file = fs.openSync(path, flag);
    try {
      const size = Buffer.byteLength(text);
      const taken = fs.writeSync(file, text);
      return taken === size ? {} : { message: "only " + taken + " of " + size + " bytes were taken" };
    } finally {
      fs.closeSync(file);
    }
  } catch ({ code, errno, syscall, message }) {
    return { code, errno, syscall, message };
  }
};
for (let size; (size = fs.readSync(0, chunk)) > 0; ) {
  const lines = (rest + chunk.toString("latin1", 0, size)).split("\\n");
  rest = lines.pop();
  for (const line of lines) fs.writeSync(1, JSON.stringify(answer(line)) + "\\n");
}
`;
const IDLE = 2_000;

interface Answer {
  readonly message?: string;
  readonly code?: string;
  readonly errno?: number;
  readonly syscall?: string;
}

/**
 * Writes from child processes. A removal that waits for a virtual machine cannot be interrupted, not even by SIGKILL:
 * in this process it would hold back the exit and one thread of the pool that all file operations share.
 */
export class DetachedWriter {
  readonly #idle: ChildProcess[] = [];

  async write(path: string, text: string, flag: number, signal?: AbortSignal): Promise<void> {
    const child = this.#idleChild() ?? (await start());
    if (signal?.aborted === true) {
      this.#keep(child);
      signal.throwIfAborted();
    }
    // While somebody waits for the outcome the process stays alive for it; no longer.
    reference(child);
    const release = (): void => unreference(child);
    signal?.addEventListener("abort", release, { once: true });
    let answer: Answer;
    try {
      answer = await ask(child, { path, text, flag });
    } finally {
      signal?.removeEventListener("abort", release);
      unreference(child);
    }
    this.#keep(child);
    if (answer.message !== undefined) throw Object.assign(new Error(answer.message), answer, { path });
  }

  #idleChild(): ChildProcess | undefined {
    const child = this.#idle.pop();
    const ended = child !== undefined && (child.exitCode !== null || child.signalCode !== null);
    return ended ? this.#idleChild() : child;
  }

  /** Keeps a child for the next write, for a while. */
  #keep(child: ChildProcess): void {
    this.#idle.push(child);
    setTimeout(() => {
      const at = this.#idle.indexOf(child);
      if (at >= 0) this.#idle.splice(at, 1)[0]?.stdin?.end();
    }, IDLE).unref();
  }
}

async function start(): Promise<ChildProcess> {
  const { spawn } = await import("node:child_process");
  const env = { ...process.env };
  delete env["NODE_OPTIONS"]; // what the program preloads has no place here
  const child = spawn(process.execPath, ["-e", CHILD], {
    cwd: "/",
    detached: true,
    env,
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.on("error", () => undefined); // `ask` hears of it
  child.stdin.on("error", () => undefined);
  unreference(child);
  return child;
}

function ask(child: ChildProcess, command: object): Promise<Answer> {
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) return Promise.reject(new Error("the writing process has no pipes"));
  return new Promise((resolve, reject) => {
    let text = "";
    const settle = (): void => {
      stdout.off("data", heard);
      child.off("error", failed).off("close", closed);
    };
    const heard = (chunk: Buffer): void => {
      text += chunk.toString();
      if (!text.endsWith("\n")) return;
      settle();
      resolve(JSON.parse(text) as Answer);
    };
    const failed = (cause: Error): void => {
      settle();
      reject(new Error("the writing process did not start", { cause }));
    };
    const closed = (): void => {
      settle();
      reject(new Error("the writing process ended before it answered"));
    };
    stdout.on("data", heard);
    child.on("error", failed).on("close", closed);
    stdin.write(`${Buffer.from(JSON.stringify(command)).toString("base64")}\n`);
  });
}

function reference(child: ChildProcess): void {
  child.ref();
  for (const pipe of pipesOf(child)) pipe.ref?.();
}

function unreference(child: ChildProcess): void {
  child.unref();
  for (const pipe of pipesOf(child)) pipe.unref?.();
}

/** What keeps the event loop alive, as a socket does. */
interface Referenced {
  ref?(): unknown;
  unref?(): unknown;
}

// Pipes of a child are sockets, though typed as plain streams. On Bun they are not, and go by the child.
function pipesOf(child: ChildProcess): readonly Referenced[] {
  return [child.stdin, child.stdout].filter((pipe) => pipe !== null) as readonly Referenced[];
}
