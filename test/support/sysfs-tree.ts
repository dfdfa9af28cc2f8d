import type { Entry } from "./temporary.js";

/** One parent of a tree on disk. */
export interface TreeParent {
  /** Its folder, from the sysfs root. */
  readonly path: string;
  /** Files and links of its folder. */
  readonly entries?: Readonly<Record<string, Entry>>;
  /** Its types, by id, with their files. */
  readonly types: Readonly<Record<string, Readonly<Record<string, Entry>>>>;
  /** Its devices, by UUID, with their types and further entries. */
  readonly devices?: Readonly<
    Record<string, { readonly type: string; readonly entries?: Readonly<Record<string, Entry>> }>
  >;
}

/** A tree in the merged layout, with the links that the kernel makes. */
export function sysfsTree(...parents: readonly TreeParent[]): Record<string, Entry> {
  const tree: Record<string, Entry> = {
    "sys/class/mdev_bus": null,
    "sys/bus/mdev/devices": null,
    dev: null,
    proc: null,
  };
  for (const { path, entries, types, devices } of parents) {
    const id = path.slice(path.lastIndexOf("/") + 1);
    const folder = `sys/${path}`;
    tree[`sys/class/mdev_bus/${id}`] = { link: `../../${path}` };
    for (const [name, entry] of Object.entries(entries ?? {})) tree[`${folder}/${name}`] = entry;
    for (const [type, files] of Object.entries(types)) {
      const home = `${folder}/mdev_supported_types/${type}`;
      Object.assign(tree, { [`${home}/create`]: "", [`${home}/devices`]: null });
      for (const [name, entry] of Object.entries(files)) tree[`${home}/${name}`] = entry;
    }
    for (const [uuid, device] of Object.entries(devices ?? {})) {
      const home = `${folder}/${uuid}`;
      Object.assign(tree, { [`${home}/remove`]: "", [`${home}/uevent`]: "" });
      tree[`${home}/mdev_type`] = { link: `../mdev_supported_types/${device.type}` };
      tree[`${folder}/mdev_supported_types/${device.type}/devices/${uuid}`] = { link: `../../../${uuid}` };
      tree[`sys/bus/mdev/devices/${uuid}`] = { link: `../../../${path}/${uuid}` };
      for (const [name, entry] of Object.entries(device.entries ?? {})) tree[`${home}/${name}`] = entry;
    }
  }
  return tree;
}
