// A real QEMU, inside a guest.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { MdevDevice } from "../../src/index.js";
import {
  findQemuDevices,
  hostDeviceId,
  type QemuDevice,
  qemuDevice,
  type QemuDeviceOptions,
  type QmpCommand,
} from "../../src/interop/qemu/index.js";
import { fails, ok } from "../contract/expect.js";
import { start, type Started } from "./processes.js";

const BINARY = process.arch === "s390x" ? "qemu-system-s390x" : "qemu-system-x86_64";
/** A machine with nothing in it; QEMU's monitor is its standard input and output. */
const BARE = ["-accel", "tcg", "-m", "64", "-display", "none", "-nodefaults", "-qmp", "stdio"];
/** None of these tests takes as long, in milliseconds. */
const PATIENCE = 120_000;

interface Message {
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
  readonly event?: string;
}

/** The version of the QEMU in this guest. */
export function qemuVersion(): string {
  const [, version] =
    /version (\d+\.\d+)/u.exec(execFileSync(BINARY, ["--version"], { encoding: "utf8" })) ?? [];
  return version ?? assert.fail("QEMU tells no version");
}

/** Whether the QEMU in this guest is of a version or later. */
export function qemuSince(version: string): boolean {
  return version.localeCompare(qemuVersion(), "en", { numeric: true }) <= 0;
}

/** A QEMU that runs, and its monitor. */
export class VirtualMachine {
  readonly pid: number;
  readonly #process: Started;
  readonly #events: string[] = [];

  private constructor(process: Started) {
    this.#process = process;
    this.pid = process.pid;
  }

  /** Starts QEMU with these arguments; fails with what QEMU says when it does not want to. */
  static async start(args: readonly string[]): Promise<VirtualMachine> {
    const started = start(BINARY, [...BARE, ...args]);
    const limit = setTimeout(() => process.kill(started.pid, "SIGKILL"), PATIENCE);
    void started.ended.then(() => clearTimeout(limit));
    const machine = new VirtualMachine(started);
    assert.match(await started.line(), /^\{"QMP":/u);
    await machine.ask("qmp_capabilities");
    return machine;
  }

  /** What the monitor answers; fails with what it says when it refuses. */
  async ask(name: string, args: object = {}): Promise<unknown> {
    return this.execute({ execute: name, arguments: args });
  }

  async execute(command: QmpCommand<object>): Promise<unknown> {
    this.#process.tell(JSON.stringify(command));
    for (;;) {
      const answer = await this.#next();
      if (answer.error !== undefined) throw new Error(answer.error.desc);
      if ("return" in answer) return answer.return;
    }
  }

  /** Waits until the monitor has told an event. */
  async told(event: string): Promise<void> {
    while (!this.#events.includes(event)) await this.#next();
  }

  /** The devices that have an id, with what QEMU made of them. */
  async devices(): Promise<Record<string, string>> {
    const children = (await this.ask("qom-list", { path: "/machine/peripheral" })) as Record<
      "name" | "type",
      string
    >[];
    const devices = children.filter(({ type }) => type.startsWith("child<"));
    return Object.fromEntries(devices.map(({ name, type }) => [name, type.slice("child<".length, -1)]));
  }

  /** What a device has as a property. */
  async property(id: string, property: string): Promise<unknown> {
    return this.ask("qom-get", { path: `/machine/peripheral/${id}`, property });
  }

  /** Ends it as a user does. */
  async quit(): Promise<void> {
    await this.ask("quit");
    assert.equal((await this.#process.ended).status, 0);
  }

  /** Ends it as the kernel does when memory is short. */
  async kill(): Promise<void> {
    process.kill(this.pid, "SIGKILL");
    await this.#process.ended;
  }

  async #next(): Promise<Message> {
    const message = JSON.parse(await this.#process.line()) as Message;
    if (message.event !== undefined) this.#events.push(message.event);
    return message;
  }
}

/** What QEMU is given for a device. */
export async function given(device: MdevDevice, options: QemuDeviceOptions): Promise<QemuDevice> {
  const type = await ok(device.type());
  assert.ok(type);
  return qemuDevice(await ok(device.read()), await ok(type.read()), options).getOrThrow();
}

/** A machine has the device, and it cannot be removed. */
export async function isTaken(device: MdevDevice, { pid }: VirtualMachine): Promise<void> {
  assert.deepEqual(await ok(device.inUse()), { state: "yes", holders: [pid] });
  assert.deepEqual((await fails(device.remove(), "busy")).holders, [pid]);
  assert.equal(await ok(device.state()), "active");
}

/** Nobody has the device, and it can be removed. */
export async function isFree(device: MdevDevice): Promise<void> {
  assert.deepEqual(await ok(device.inUse()), { state: "no", holders: [] });
  assert.deepEqual(await ok(device.remove()), { removed: true });
}

/** The devices that a process was started with, by their ids here. */
export function startedWith({ pid }: Pick<VirtualMachine, "pid">): (string | undefined)[] {
  return findQemuDevices(readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")).map(hostDeviceId);
}
