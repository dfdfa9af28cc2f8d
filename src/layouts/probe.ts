import type { Io } from "../file-system/io.js";
import type { Layout } from "./layout.js";
import { merged } from "./merged.js";

/** All layouts, in the order in which a parent is tried. */
const LAYOUTS: readonly Layout[] = [merged];

/** The layout of a folder, by its files; `undefined` where it is no parent. */
export async function probe(io: Io, parent: string): Promise<Layout | undefined> {
  for (const layout of LAYOUTS) {
    if (await layout.fits(io, parent)) return layout;
  }
  return undefined;
}
