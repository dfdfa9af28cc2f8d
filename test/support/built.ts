import { spawn, type ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildSync } from "esbuild";
import { onTestFinished } from "vitest";

const SOURCES = resolve(import.meta.dirname, "../../src");

/** An entry of the package as other processes load it, in one module format; the path of its one file. */
export function bundle(folder: string, entry: string, format: "esm" | "cjs"): string {
  const outfile = join(folder, `${entry.replaceAll("/", "-")}.${format === "esm" ? "mjs" : "cjs"}`);
  // typescript-result and debug come along: there is no node_modules beside it.
  const banner =
    format === "esm"
      ? 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);'
      : "";
  buildSync({
    entryPoints: [join(SOURCES, entry)],
    outfile,
    bundle: true,
    platform: "node",
    format,
    banner: { js: banner },
  });
  return outfile;
}

/** Where a program runs, if not as this one does. */
export interface Surroundings {
  /** The user that it runs as. */
  readonly user?: number;
  /** A command that runs what follows it. */
  readonly under?: readonly string[];
}

/** A process of its own, and what it says line by line. It ends with the test. */
export class Program {
  readonly process: ChildProcess;
  readonly ended: Promise<void>;
  readonly #lines: string[] = [];
  #rest = "";
  #silent = false;
  #news: () => void = () => undefined;

  constructor(
    folder: string,
    code: string,
    args: readonly string[] = [],
    { user, under = [] }: Surroundings = {},
  ) {
    const file = join(folder, `program-${Math.random().toString(36).slice(2)}.mjs`);
    writeFileSync(file, code);
    const [command = process.execPath, ...rest] = [...under, process.execPath, file, ...args];
    const identity = user === undefined ? {} : { uid: user, gid: user };
    this.process = spawn(command, rest, { stdio: ["ignore", "pipe", "inherit"], ...identity });
    this.ended = new Promise((done) => this.process.once("exit", () => done()));
    this.process.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (this.#rest + text).split("\n");
      this.#rest = lines.pop() ?? "";
      this.#lines.push(...lines);
      this.#news();
    });
    this.process.once("close", () => {
      this.#silent = true;
      this.#news();
    });
    onTestFinished(() => void this.process.kill("SIGKILL"));
  }

  get pid(): number {
    return this.process.pid ?? -1;
  }

  /** The next line that it says; rejects where it ends before. */
  async line(): Promise<string> {
    while (this.#lines.length === 0 && !this.#silent)
      await new Promise<void>((resolve) => (this.#news = resolve));
    return this.#lines.shift() ?? Promise.reject(new Error("the program has ended, and says nothing more"));
  }

  /** Ends it at once, whatever it does. */
  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.ended;
  }
}
