import type { SimulatedAttribute } from "../definitions.js";
import { Errno } from "../errno.js";
import type { Directory, FileHandlers } from "./kernfs.js";

const UEVENT_ACTIONS = /^(add|remove|change|move|online|offline|bind|unbind)\b/u;

/** The text up to a newline at its end: how most `store` functions compare. */
export function line(text: string): string {
  return text.replace(/\n$/u, "");
}

/** Adds a file, in folders that are made where they are missing. */
export function addAttribute(folder: Directory, path: string, attribute: SimulatedAttribute): void {
  const { mode, read, write } = attribute;
  const handlers: FileHandlers = { ...(read ? { read } : {}), ...(write ? { write } : {}) };
  const cut = path.lastIndexOf("/");
  const where = folder.ensure(path.slice(0, Math.max(cut, 0)));
  where.file(path.slice(cut + 1), mode ?? (read ? 0o444 : 0) | (write ? 0o200 : 0), handlers);
}

/** A file that only ever says the same. */
export function addConstant(folder: Directory, name: string, text: string): void {
  folder.file(name, 0o444, { read: () => text });
}

/** `uevent` of a device: its text, and an action written to it. */
export function addUevent(folder: Directory, read: () => string): void {
  folder.file("uevent", 0o644, { read, write: ueventStore });
}

/** `uevent` of what is no device: write-only. */
export function addSilentUevent(folder: Directory): void {
  folder.file("uevent", 0o200, { write: ueventStore });
}

function ueventStore(text: string): void {
  if (!UEVENT_ACTIONS.test(text)) throw new Errno("EINVAL");
}

/** `power/` of a device without power management. */
export function addPower(folder: Directory): void {
  const power = folder.directory("power");
  addChoice(power, "async", ["disabled", "enabled"]);
  addChoice(power, "control", ["auto", "on"]);
  power.file("autosuspend_delay_ms", 0o644, {}); // no handler: EIO, as without autosuspend
  addConstant(power, "runtime_active_kids", "0\n");
  addConstant(power, "runtime_active_time", "0\n");
  addConstant(power, "runtime_enabled", "disabled\n");
  addConstant(power, "runtime_status", "unsupported\n");
  addConstant(power, "runtime_suspended_time", "0\n");
  addConstant(power, "runtime_usage", "0\n");
}

function addChoice(folder: Directory, name: string, choices: readonly [string, ...string[]]): void {
  let [value] = choices;
  folder.file(name, 0o644, {
    read: () => `${value}\n`,
    write: (text) => {
      if (!choices.includes(line(text))) throw new Errno("EINVAL");
      value = line(text);
    },
  });
}
