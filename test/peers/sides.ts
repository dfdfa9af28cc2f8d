import { closeSync, constants, existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import { execFileSync } from "node:child_process";
import { basename, dirname, join } from "node:path";
import {
  type AttributeEdit,
  Callouts,
  DefinedHost,
  type DefinedAttribute,
  DefinitionStore,
  devicesJson,
  listedDevices,
  typesJson,
} from "../../src/definitions/index.js";
import { type AsyncResult, type DeviceSnapshot, type FileSystem, MdevHost } from "../../src/index.js";
import type { Mdevctl } from "./mdevctl.js";
import { SCRIPT_FOLDERS } from "./scripts.js";
import { Machine, type Tree } from "./tree.js";

/** What can be asked of both. */
export type Operation =
  | {
      readonly do: "define";
      readonly uuid: string;
      readonly parent: string;
      readonly type: string;
      readonly auto: boolean;
    }
  | { readonly do: "define json"; readonly uuid: string; readonly parent: string; readonly json: string }
  | { readonly do: "define active"; readonly uuid: string }
  | { readonly do: "undefine"; readonly uuid: string; readonly parent?: string | undefined }
  | {
      readonly do: "modify";
      readonly uuid: string;
      readonly parent?: string | undefined;
      readonly start?: "auto" | "manual";
      readonly type?: string;
      readonly edit?: AttributeEdit;
    }
  | { readonly do: "start"; readonly uuid: string; readonly parent?: string | undefined }
  | { readonly do: "start automatic"; readonly parent: string }
  | { readonly do: "stop"; readonly uuid: string };

/** What both can be asked to print. */
export interface Question {
  readonly list: "types" | "active" | "defined";
  readonly parent?: string | undefined;
  readonly uuid?: string | undefined;
}

/** One of both, on a machine of its own. */
export interface Side {
  readonly machine: Machine;
  lay(tree: Tree): void;
  /** Whether it accepts. */
  perform(operation: Operation): Promise<boolean>;
  /** What it prints, without the newline at the end; `undefined`: it refuses. */
  ask(question: Question): Promise<string | undefined>;
}

/** This library. */
export class Ours implements Side {
  readonly machine: Machine;
  readonly callouts: Callouts;
  readonly store: DefinitionStore;
  readonly host: MdevHost;
  readonly defined: DefinedHost;
  /** Whether active devices are shown as mdevctl before 1.3 shows them: as their definitions say. */
  readonly #showsDefinitions: boolean;

  constructor(root: string, { showsDefinitions }: { readonly showsDefinitions: boolean }) {
    this.machine = new Machine(root);
    this.callouts = new Callouts({ folders: SCRIPT_FOLDERS.map((folder) => join(root, folder)) });
    this.store = new DefinitionStore({ root: join(root, "etc/mdevctl.d"), callouts: this.callouts });
    this.host = new MdevHost({ fs: this.#kernel(), sysfs: join(root, "sys"), timeout: 5_000 });
    this.defined = new DefinedHost({ host: this.host, store: this.store });
    this.#showsDefinitions = showsDefinitions;
  }

  lay(tree: Tree): void {
    this.machine.lay(tree);
  }

  async perform(operation: Operation): Promise<boolean> {
    return (await this.#perform(operation)).ok;
  }

  async ask({ list, parent, uuid }: Question): Promise<string | undefined> {
    const snapshot = await this.host.snapshot().getOrThrow();
    if (list === "types") return typesJson(snapshot, parent);
    const { definitions } = await this.store.list().getOrThrow();
    const attributes = new Map<string, readonly DefinedAttribute[]>();
    for (const { id, parent: of, type = "" } of snapshot.devices) {
      const asked = await this.callouts.attributes({ uuid: id, parent: of, type });
      attributes.set(id, asked.value ?? []); // what a script cannot tell, mdevctl shows as none
    }
    const attributesOf = ({ id }: DeviceSnapshot): readonly DefinedAttribute[] => attributes.get(id) ?? [];
    const active = listedDevices(snapshot, { definitions, attributesOf }).map((device) => {
      const definition = definitions.find(
        (each) => each.uuid === device.uuid && each.parent === device.parent,
      );
      return this.#showsDefinitions ? (definition ?? device) : device;
    });
    const all = list === "active" ? active : definitions;
    const asked = all.filter(
      (device) =>
        (uuid === undefined || device.uuid === uuid) && (parent === undefined || device.parent === parent),
    );
    return devicesJson(asked, { uuid });
  }

  #perform(operation: Operation): AsyncResult<unknown, Error> {
    const { store, host, defined } = this;
    switch (operation.do) {
      case "define": {
        const { uuid, parent, type, auto } = operation;
        return store.define({ uuid, parent, type, start: auto ? "auto" : "manual" });
      }
      case "define json":
        return store.define({ uuid: operation.uuid, parent: operation.parent, json: operation.json });
      case "define active":
        return host.device(operation.uuid).map((device) => store.defineDevice(device));
      case "undefine":
        return store.undefine(operation.uuid, { parent: operation.parent });
      case "modify": {
        const { uuid, parent, start, type, edit } = operation;
        return store.modify(uuid, { start, type, edits: edit && [edit] }, { parent });
      }
      case "start":
        return defined.start(operation.uuid, { parent: operation.parent });
      case "start automatic":
        return defined.startAuto({ parent: operation.parent });
      case "stop":
        return defined.stop(operation.uuid);
    }
  }

  /** Plain files in which devices come and go as in sysfs. */
  #kernel(): FileSystem {
    return {
      readFile: (path) => fs.readFile(path, "utf8"),
      readdir: (path) => fs.readdir(path),
      readlink: (path) => fs.readlink(path),
      lstat: (path) => fs.lstat(path),
      writeFile: async (path, text) => {
        if (!existsSync(path)) throw Object.assign(new Error("ENOENT"), { code: "ENOENT" });
        if (basename(path) === "remove") this.machine.remove(basename(dirname(path)));
        else if (basename(path) === "create") this.#create(dirname(path), text.trim());
        else writeFileSync(path, text);
      },
    };
  }

  #create(folder: string, uuid: string): void {
    const [type, parent] = [basename(folder), basename(dirname(dirname(folder)))];
    const file = this.machine.instances(parent, type);
    const count = Number(readFileSync(file, "utf8"));
    if (!this.machine.create(uuid, parent, type, count))
      throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    writeFileSync(file, `${count - 1}\n`);
  }
}

/** The real program. */
export class Theirs implements Side {
  readonly machine: Machine;
  readonly #mdevctl: Mdevctl;

  constructor(mdevctl: Mdevctl) {
    this.#mdevctl = mdevctl;
    this.machine = new Machine(mdevctl.root);
  }

  lay(tree: Tree): void {
    this.machine.lay(tree);
    this.#mdevctl.prepare();
  }

  async perform(operation: Operation): Promise<boolean> {
    const starting = this.#starting(operation);
    const args = this.#arguments(operation);
    const run = (): Promise<boolean> => this.#mdevctl.run(...args).then(({ ok }) => ok);
    const isAccepted = await (starting === undefined ? run() : this.#withKernel(starting, run));
    for (const uuid of this.machine.removed()) this.machine.remove(uuid);
    return isAccepted;
  }

  async ask({ list, parent, uuid }: Question): Promise<string | undefined> {
    const args = [list === "types" ? "types" : "list", "--dumpjson"];
    if (list === "defined") args.push("--defined");
    const { ok, stdout } = await this.#mdevctl.run(
      ...args,
      ...given("--parent", parent),
      ...given("--uuid", uuid),
    );
    return ok ? stdout.replace(/\n$/u, "") : undefined;
  }

  #arguments(operation: Operation): string[] {
    const uuid = "uuid" in operation ? ["--uuid", operation.uuid] : [];
    const parent = "parent" in operation ? given("--parent", operation.parent) : [];
    switch (operation.do) {
      case "define":
        return [
          "define",
          ...uuid,
          ...parent,
          "--type",
          operation.type,
          ...(operation.auto ? ["--auto"] : []),
        ];
      case "define json":
        writeFileSync(join(this.machine.root, "given.json"), operation.json);
        return ["define", ...uuid, ...parent, "--jsonfile", "/given.json"];
      case "define active":
        return ["define", ...uuid];
      case "modify": {
        const { start, type, edit } = operation;
        const flags = [...(start === undefined ? [] : [`--${start}`]), ...given("--type", type)];
        if (edit?.edit === "insert") {
          const [name, value] = edit.attribute;
          flags.push("--addattr", name, "--value", value);
        } else if (edit?.edit === "delete") flags.push("--delattr");
        const index = edit?.index === undefined ? undefined : String(edit.index);
        return ["modify", ...uuid, ...parent, ...flags, ...given("--index", index)];
      }
      case "start automatic":
        return ["start-parent-mdevs", operation.parent];
      default:
        return [operation.do, ...uuid, ...parent];
    }
  }

  /** Which device the operation may create. */
  #starting(operation: Operation): { uuid: string; parent: string; type: string } | undefined {
    if (operation.do !== "start" && operation.do !== "start automatic") return undefined;
    const found = startable(this.machine).filter(
      ({ uuid, parent, start }) =>
        (operation.parent === undefined || parent === operation.parent) &&
        (operation.do === "start" ? uuid === operation.uuid : start === "auto"),
    );
    const [only] = found;
    return found.length === 1 &&
      only !== undefined &&
      existsSync(this.machine.instances(only.parent, only.type))
      ? only
      : undefined;
  }

  /**
   * mdevctl reads `available_instances` once, after it has seen that the device is not there and before it writes to
   * `create`, and looks for the attributes right after that. So that file is a pipe meanwhile: when mdevctl opens it, the
   * device is made, and then the count is handed over. No time is guessed.
   */
  async #withKernel(
    { uuid, parent, type }: { uuid: string; parent: string; type: string },
    run: () => Promise<boolean>,
  ): Promise<boolean> {
    const file = this.machine.instances(parent, type);
    const count = Number(readFileSync(file, "utf8"));
    rmSync(file);
    execFileSync("mkfifo", [file]);
    const mdevctl = { isOver: false };
    let left = count;
    const kernel = (async () => {
      const pipe = await fs.open(file, "w");
      if (!mdevctl.isOver && this.machine.create(uuid, parent, type, count)) left = count - 1;
      await pipe.write(`${count}\n`);
      await pipe.close();
    })();
    const isAccepted = await run();
    mdevctl.isOver = true;
    const reader = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK); // lets go what nobody opened
    await kernel;
    closeSync(reader);
    rmSync(file);
    writeFileSync(file, left === count ? `${count}\n` : `${left}\n`);
    return isAccepted;
  }
}

/** What is defined there, as far as it can be understood at a glance. */
export function startable(
  machine: Machine,
): { uuid: string; parent: string; type: string; start: unknown }[] {
  return Object.entries(machine.look()).flatMap(([path, text]) => {
    const [, parent, uuid] = /^etc\/mdevctl\.d\/([^/]+)\/([^/]+)$/u.exec(path) ?? [];
    if (parent === undefined || uuid === undefined) return [];
    try {
      const { mdev_type: type, start } = JSON.parse(text.slice("file ".length)) as Record<string, unknown>;
      return typeof type === "string" ? [{ uuid, parent, type, start }] : [];
    } catch {
      return [];
    }
  });
}

function given(option: string, value: string | undefined): string[] {
  return value === undefined ? [] : [option, value];
}
