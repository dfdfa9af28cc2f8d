import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import { IoError, UnsupportedError } from "../errors.js";
import { log } from "../log.js";
import { pause } from "./pause.js";

const TRIED = "listen to the kernel's events";
const ARGUMENTS = ["monitor", "--kernel", "--property"];
const LONGEST_COMPLAINT = 500;
/** How long it may take from the end of its output to its end. */
const PATIENCE = 500;

/** A child process that prints the kernel's events. It keeps this process from nothing, and ends with it. */
export class UdevMonitor {
  static readonly #running = new Set<UdevMonitor>();
  static #endsWithProcess = false;
  readonly #program: string;
  readonly #child: ChildProcess;
  /** It has ended, or never began, and nothing of its output is left. */
  readonly #closed: Promise<unknown>;
  #error: NodeJS.ErrnoException | undefined;
  #complaint = "";

  private constructor(program: string, child: ChildProcess) {
    this.#program = program;
    this.#child = child;
    child.once("error", (error) => (this.#error = error));
    this.#closed = new Promise((resolve) => child.once("close", resolve).once("error", resolve));
    child.unref();
    for (const pipe of pipesOf(child)) pipe.setEncoding("utf8").unref?.();
    child.stderr?.on("data", (piece: string) => {
      this.#complaint = (this.#complaint + piece).slice(-LONGEST_COMPLAINT);
    });
    UdevMonitor.#keep(this);
  }

  /** Starts the program; nothing is started where the signal was aborted by then. */
  static async start(program: string, signal: AbortSignal): Promise<UdevMonitor | undefined> {
    const { spawn } = await import("node:child_process");
    if (signal.aborted) return undefined;
    return new UdevMonitor(
      program,
      spawn(program, ARGUMENTS, { cwd: "/", stdio: ["ignore", "pipe", "pipe"] }),
    );
  }

  /** What it prints, until it ends: {@link UdevMonitor.failure} tells why it did. */
  async *output(): AsyncGenerator<string, void> {
    try {
      for await (const piece of this.#child.stdout ?? []) yield String(piece);
    } catch (thrown) {
      log.watch("no more of %s: %s", this.#program, thrown);
    }
  }

  /** Why there is no more output. */
  async failure(signal: AbortSignal): Promise<IoError | UnsupportedError> {
    await Promise.race([this.#closed, pause(PATIENCE, signal)]);
    const [program, cause] = [this.#program, this.#error];
    if (cause === undefined) {
      const said = this.#complaint.trim().replaceAll(/\s+/gu, " ");
      const words = said === "" ? "" : `, and said: ${said}`;
      return new IoError({ tried: TRIED, reason: `${program} ${this.#end}${words}` });
    }
    const facts = { tried: TRIED, errno: cause.code, cause };
    if (cause.code === "ENOENT")
      return new UnsupportedError({ ...facts, reason: `there is no program ${program}`, missing: program });
    return new IoError({ ...facts, reason: `${program} does not start` });
  }

  /** Ends it at once: it has nothing to tidy up, and need not heed SIGTERM. */
  stop(): void {
    UdevMonitor.#running.delete(this);
    this.#child.kill("SIGKILL");
    for (const pipe of pipesOf(this.#child)) pipe.destroy(); // whoever else may hold the other end
  }

  /** How it ended, as a clause. */
  get #end(): string {
    const { exitCode, signalCode } = this.#child;
    if (signalCode !== null) return `was ended by ${signalCode}`;
    return exitCode === null ? "closed its output" : `ended with status ${exitCode}`;
  }

  static #keep(monitor: UdevMonitor): void {
    UdevMonitor.#running.add(monitor);
    if (UdevMonitor.#endsWithProcess) return;
    UdevMonitor.#endsWithProcess = true;
    process.on("exit", () => {
      for (const running of UdevMonitor.#running) running.stop();
    });
  }
}

/** One end of a pipe to a child: a socket, though typed as a plain stream; other runtimes than Node may have another. */
type Pipe = Readable & { readonly unref?: () => void };

// There are none where no more files can be opened.
function pipesOf(child: ChildProcess): readonly Pipe[] {
  const pipes = [child.stdout, child.stderr] as readonly (Pipe | null | undefined)[];
  return pipes.filter((pipe) => pipe !== null && pipe !== undefined);
}
