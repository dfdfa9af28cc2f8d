import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** What a parent offers: the files of a type, by its id. */
export interface TreeType {
  readonly files: Readonly<Record<string, string>>;
}
export interface Tree {
  /** Parents, with their types. */
  readonly parents: Readonly<Record<string, Readonly<Record<string, TreeType>>>>;
  readonly devices: readonly { readonly uuid: string; readonly parent: string; readonly type: string }[];
  /** Definitions: `<parent>/<name>` and the text. */
  readonly definitions: Readonly<Record<string, string>>;
  /** Scripts of mdevctl, by their paths. */
  readonly scripts?: Readonly<Record<string, string>>;
}

/** The attributes that every device has; all take whatever is written. */
export const ATTRIBUTES = ["attr_a", "attr_b", "sub/attr_c"] as const;

/** A machine of plain files, and the part of the kernel: devices that come and go. */
export class Machine {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** Lays the tree, in place of the one before. */
  lay({ parents, devices, definitions, scripts = {} }: Tree): void {
    for (const each of ["sys", "etc/mdevctl.d", "usr/lib/mdevctl", "log"])
      rmSync(join(this.root, each), { recursive: true, force: true });
    mkdirSync(join(this.root, "sys/bus/mdev/devices"), { recursive: true });
    mkdirSync(join(this.root, "sys/class/mdev_bus"), { recursive: true });
    mkdirSync(join(this.root, "etc/mdevctl.d"), { recursive: true });
    for (const [parent, types] of Object.entries(parents)) {
      const supported = join(this.#parent(parent), "mdev_supported_types");
      mkdirSync(supported, { recursive: true });
      symlinkSync(`../../devices/virtual/${parent}`, join(this.root, "sys/class/mdev_bus", parent));
      for (const [type, { files }] of Object.entries(types)) {
        mkdirSync(join(supported, type, "devices"), { recursive: true });
        for (const [name, text] of Object.entries({ create: "", ...files }))
          writeFileSync(join(supported, type, name), text);
      }
    }
    for (const { uuid, parent, type } of devices) this.#make(uuid, parent, type);
    const files = [
      ...Object.entries(definitions).map(([path, text]) => [`etc/mdevctl.d/${path}`, text] as const),
      ...Object.entries(scripts),
    ];
    for (const [path, text] of files) {
      const file = join(this.root, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      if (path in scripts) chmodSync(file, 0o755);
    }
  }

  /** The file of the count of a type. */
  instances(parent: string, type: string): string {
    return join(this.#parent(parent), "mdev_supported_types", type, "available_instances");
  }

  /** What the kernel does when a UUID is written to `create`; `false`: it refuses. */
  create(uuid: string, parent: string, type: string, count: number): boolean {
    if (count <= 0) return false;
    this.#make(uuid, parent, type);
    return true;
  }

  /** What the kernel does after `1` was written to `remove`; the type has one more instance then. */
  remove(uuid: string): void {
    const link = join(this.root, "sys/bus/mdev/devices", uuid);
    const device = join(dirname(link), readlinkSync(link));
    const type = readlinkSync(join(device, "mdev_type")).split("/").at(-1) ?? "";
    const file = join(dirname(device), "mdev_supported_types", type, "available_instances");
    writeFileSync(file, `${Number(readFileSync(file, "utf8")) + 1}\n`);
    rmSync(device, { recursive: true });
    rmSync(link);
  }

  /** The devices whose `remove` was written to. */
  removed(): string[] {
    const devices = join(this.root, "sys/bus/mdev/devices");
    return readdirSync(devices).filter((uuid) => readFileSync(join(devices, uuid, "remove"), "utf8") !== "");
  }

  /** All that there is, by path: texts of files, targets of links, folders. */
  look(): Record<string, string> {
    const all: Record<string, string> = {};
    const walk = (path: string): void => {
      for (const name of readdirSync(join(this.root, path))) {
        const at = `${path}/${name}`;
        if (at === "etc/mdevctl.d/scripts.d") continue;
        const stat = lstatSync(join(this.root, at));
        if (stat.isDirectory()) {
          all[at] = "folder";
          walk(at);
        } else if (stat.isSymbolicLink()) all[at] = `link ${readlinkSync(join(this.root, at))}`;
        else all[at] = `file ${at.endsWith("/create") ? "" : readFileSync(join(this.root, at), "utf8")}`;
      }
    };
    for (const top of ["sys", "etc"]) walk(top);
    return all;
  }

  #parent(parent: string): string {
    return join(this.root, "sys/devices/virtual", parent);
  }

  #make(uuid: string, parent: string, type: string): void {
    const device = join(this.#parent(parent), uuid);
    for (const name of ["remove", ...ATTRIBUTES]) {
      mkdirSync(dirname(join(device, name)), { recursive: true });
      writeFileSync(join(device, name), "");
    }
    symlinkSync(`../mdev_supported_types/${type}`, join(device, "mdev_type"));
    symlinkSync(`../../../devices/virtual/${parent}/${uuid}`, join(this.root, "sys/bus/mdev/devices", uuid));
  }
}
