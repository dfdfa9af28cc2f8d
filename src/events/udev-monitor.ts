import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
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
  readonly #end: Promise<string | Error>;
  #complaint = "";

  private constructor(program: string, child: ChildProcess) {
    this.#program = program;
    this.#child = child;
    this.#end = endOf(child);
    child.unref();
    for (const pipe of pipesOf(child)) pipe.setEncoding("utf8").unref();
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
    const end = await Promise.race([this.#end, pause(PATIENCE, signal).then(() => "closed its output")]);
    const program = this.#program;
    if (typeof end === "string") {
      const said = this.#complaint.trim().replaceAll(/\s+/gu, " ");
      const words = said === "" ? "" : `, and said: ${said}`;
      return new IoError({ tried: TRIED, reason: `${program} ${end}${words}` });
    }
    const { code } = end as NodeJS.ErrnoException;
    const facts = { tried: TRIED, errno: code, cause: end };
    if (code === "ENOENT")
      return new UnsupportedError({ ...facts, reason: `there is no program ${program}`, missing: program });
    return new IoError({ ...facts, reason: `${program} does not start` });
  }

  /** Ends it at once: it has nothing to tidy up, and need not heed SIGTERM. */
  stop(): void {
    UdevMonitor.#running.delete(this);
    this.#child.kill("SIGKILL");
    for (const pipe of pipesOf(this.#child)) pipe.destroy(); // whoever else may hold the other end
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

/** How a child ended, as a clause; the error with which it did not begin. */
function endOf(child: ChildProcess): Promise<string | Error> {
  return new Promise((resolve) => {
    child.once("error", resolve);
    child.once("exit", (status, signal) => {
      resolve(signal === null ? `ended with status ${status ?? "unknown"}` : `was ended by ${signal}`);
    });
  });
}

// Pipes of a child are sockets, though typed as plain streams; it has none where no more files can be opened.
function pipesOf(child: ChildProcess): readonly Socket[] {
  const pipes = [child.stdout, child.stderr] as readonly (Socket | null | undefined)[];
  return pipes.filter((pipe) => pipe !== null && pipe !== undefined);
}
