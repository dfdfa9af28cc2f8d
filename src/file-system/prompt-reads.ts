import type { Dirent } from "node:fs";
import { fs } from "./node-fs.js";
import { SlowDevices } from "./slow-devices.js";

const PAGE = 4096;
/** A read that took longer, in milliseconds, marks its device as slow. */
const SLOW = 20;
/** After so many milliseconds of reading without a pause, the event loop gets its turn. */
const SLICE = 2;
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;
// A pipe in place of an attribute must not hold up the event loop; to sysfs the second flag is nothing.
const READ = O_RDONLY | O_NONBLOCK;

// The folder of the device (parent) that a path belongs to: what comes before its types, its mdevs, its vendor files.
const DEVICE_FOLDER =
  /^(.*?)\/(?:mdev_supported_types|nvidia|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\/|$)/;

/**
 * The calls of the local file system that are made at once: a thread of the pool takes ten times as long. Who makes them
 * gives the event loop its turn when that is due, and leaves to the pool what a driver may hold up.
 */
export class PromptReads {
  readonly #page = Buffer.allocUnsafe(PAGE);
  readonly #written = new Map<string, number>();
  readonly #slow = new SlowDevices();
  #sliceStart = 0;
  /** The time, as it was at the last look. */
  #now = 0;
  /** What this process had used when the slice began. */
  #usage: NodeJS.ResourceUsage | undefined;
  #turn: Promise<void> | undefined;

  /** Whether the event loop is due its turn: asked before each object, not before each of its files. */
  get due(): boolean {
    this.#now = performance.now();
    return this.#now - this.#sliceStart > SLICE;
  }

  /** Lets the event loop run, and begins a new slice. */
  turn(): Promise<void> {
    this.#turn ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#turn = undefined;
        this.#sliceStart = this.#now = performance.now();
        this.#usage = process.resourceUsage();
        resolve();
      });
    });
    return this.#turn;
  }

  /** Whether a driver may hold a read up: its device is being written to, or was slow lately. */
  mayBlock(path: string): boolean {
    if (this.#written.size === 0 && !this.#slow.any(this.#now)) return false;
    const folder = deviceFolder(path);
    return this.#written.has(folder) || this.#slow.has(folder, this.#now);
  }

  /** Does a write, and knows meanwhile that its device may hold reads up. */
  async whileWriting(path: string, write: () => Promise<void>): Promise<void> {
    const folder = deviceFolder(path);
    this.#written.set(folder, (this.#written.get(folder) ?? 0) + 1);
    try {
      await write();
    } finally {
      const others = (this.#written.get(folder) ?? 1) - 1;
      if (others === 0) this.#written.delete(folder);
      else this.#written.set(folder, others);
    }
  }

  /** The text of a file, with one `read` call where it fits a page. */
  text(path: string): string {
    return this.#text(path, READ);
  }

  /** The same; ELOOP where the file is a link. */
  textUnlinked(path: string): string {
    return this.#text(path, READ | O_NOFOLLOW);
  }

  /** The names in a folder, with what they are. */
  entries(path: string): Dirent[] {
    return fs.readdirSync(path, { withFileTypes: true });
  }

  /**
   * Whether a folder is where its path says, with no link on the way, in three calls and not one for each component.
   * `false` may also mean that this cannot be told so: without `/proc`, or in another mount namespace.
   */
  isPlain(path: string): boolean {
    let folder: number | undefined;
    try {
      folder = fs.openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      return fs.readlinkSync(`/proc/self/fd/${folder}`) === path;
    } catch {
      return false;
    } finally {
      if (folder !== undefined) fs.closeSync(folder);
    }
  }

  /** The target of a symbolic link. */
  link(path: string): string {
    return fs.readlinkSync(path);
  }

  /** The inode number of what is at a path; `undefined` where there is nothing. */
  inode(path: string): number | undefined {
    const ino = fs.lstatSync(path, { throwIfNoEntry: false })?.ino;
    // A number that fits is kept in place, and not as an object of its own.
    return ino !== undefined && ino === (ino | 0) ? ino | 0 : ino;
  }

  #text(path: string, flags: number): string {
    const begun = performance.now();
    const file = fs.openSync(path, flags);
    try {
      const size = fs.readSync(file, this.#page, 0, PAGE, null);
      if (size < PAGE) return this.#page.toString("utf8", 0, size);
      // Pages of 64 KiB exist: a full buffer need not be all.
      return Buffer.concat([this.#page.subarray(0, size), fs.readFileSync(file)]).toString("utf8");
    } finally {
      fs.closeSync(file);
      this.#now = performance.now();
      if (this.#now - begun > SLOW) this.#learn(path);
    }
  }

  /** Learns that a device is slow, unless this process only had to make way for others: then it neither waited nor worked. */
  #learn(path: string): void {
    const [was, now] = [this.#usage, process.resourceUsage()];
    const madeWay =
      now.voluntaryContextSwitches === was?.voluntaryContextSwitches && workOf(now) - workOf(was) <= SLOW;
    if (!madeWay) this.#slow.add(deviceFolder(path), this.#now);
  }
}

/** The processor's time, in milliseconds. */
function workOf({ userCPUTime, systemCPUTime }: NodeJS.ResourceUsage): number {
  return (userCPUTime + systemCPUTime) / 1_000;
}

function deviceFolder(path: string): string {
  return DEVICE_FOLDER.exec(path)?.[1] ?? path.slice(0, path.lastIndexOf("/"));
}
