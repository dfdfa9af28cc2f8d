import { addConstant } from "./device-files.js";
import type { Directory, LinkNode } from "./kernfs.js";

const FIRST_PID = 4711;
/** The kernel's number of the namespace that has every process. */
const FIRST_NAMESPACE = "pid:[4026531836]";

interface Process {
  readonly folder: Directory;
  readonly descriptors: Directory;
  opened: number;
}

/** `/proc`: the first process, and those that hold something open. */
export class Processes {
  readonly #proc: Directory;
  readonly #processes = new Map<number, Process>();
  #nextPid = FIRST_PID;

  constructor(proc: Directory) {
    this.#proc = proc;
    this.#start(1, "systemd");
  }

  /** A process opens files; it ends when the last one is closed. */
  open(targets: readonly string[], pid?: number): { pid: number; links: LinkNode[]; close(): void } {
    const chosen = pid ?? this.#takePid();
    const process = this.#processes.get(chosen) ?? this.#start(chosen, "qemu-system-x86");
    const links = targets.map((target) => {
      let fd = 0;
      while (process.descriptors.get(String(fd))) fd++;
      return process.descriptors.link(String(fd), target, 0o700);
    });
    process.opened++;
    const close = (): void => {
      for (const link of links) link.remove();
      if (--process.opened > 0) return;
      this.#processes.delete(chosen);
      process.folder.remove();
    };
    return { pid: chosen, links, close };
  }

  #start(pid: number, name: string): Process {
    const folder = this.#proc.directory(String(pid), 0o555);
    addConstant(folder, "comm", `${name}\n`);
    folder.directory("ns", 0o511).link("pid", FIRST_NAMESPACE);
    const process: Process = { folder, descriptors: folder.directory("fd", 0o500), opened: 0 };
    for (const standard of ["0", "1", "2"]) process.descriptors.link(standard, "/dev/null", 0o700);
    this.#processes.set(pid, process);
    return process;
  }

  #takePid(): number {
    while (this.#processes.has(this.#nextPid)) this.#nextPid++;
    return this.#nextPid++;
  }
}
