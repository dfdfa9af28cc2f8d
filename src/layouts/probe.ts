import type { Folder } from "../file-system/folder.js";
import type { Io } from "../file-system/io.js";
import { classBased } from "./class-based.js";
import { general } from "./general.js";
import type { Layout, LayoutName } from "./layout.js";
import { filesOfSomeType } from "./mdev.js";
import { merged } from "./merged.js";
import { folderOf } from "../paths.js";
import { nvidiaVfio } from "./nvidia-vfio.js";

/** All layouts, in the order in which a parent is tried. */
const LAYOUTS: readonly Layout[] = [merged, general, classBased, nvidiaVfio];

/** The layouts' names. */
export const LAYOUT_NAMES: readonly LayoutName[] = LAYOUTS.map(({ name }) => name);

/** The layout of a name; `undefined` where there is none. */
export function layoutNamed(name: string): Layout | undefined {
  return LAYOUTS.find((layout) => layout.name === name);
}

/**
 * The layout of a folder, by its files and never by the kernel's version; `undefined` where it is no parent. Where types
 * are offered but none is there to tell by, it is `merged`.
 */
export async function probe(
  io: Io,
  parent: string,
  forced: LayoutName | undefined,
): Promise<Layout | undefined> {
  if (forced !== undefined) {
    const layout = layoutNamed(forced);
    return (await layout?.offers(io, parent)) === true ? layout : undefined;
  }
  const files = await filesOfSomeType(io, parent);
  for (const layout of LAYOUTS) {
    if (await layout.fits(io, parent, files)) return layout;
  }
  return files === undefined ? undefined : merged;
}

/** The layout of the parent that a device has; no listing of what the parent offers is needed where the device tells. */
export async function probeByDevice(
  io: Io,
  device: string,
  forced: LayoutName | undefined,
): Promise<Layout | undefined> {
  await io.stayInside(device);
  // Only this layout has that link.
  if (forced === undefined && (await io.exists(`${device}/mdev_type`))) return merged;
  return probe(io, folderOf(device), forced);
}

/** A layout that was found, and the folder of the types where it has one. */
export interface Probed {
  readonly layout: Layout;
  readonly types: Folder | undefined;
}

/** The same as {@link probe} finds, in the fewest calls for what Linux has today. */
export async function probeFolder(
  io: Io,
  home: Folder,
  forced: LayoutName | undefined,
): Promise<Probed | undefined> {
  const types = home.folder(merged.registration);
  if (forced === undefined) {
    const [first] = await types.names();
    // Only this layout has that file.
    if (first !== undefined && (await types.folder(first).inode("device_api")) !== undefined)
      return { layout: merged, types };
  }
  const layout = await probe(io, home.path, forced);
  return layout && { layout, types: layout.hasTypeFolders ? types : undefined };
}
