import type { Io } from "../file-system/io.js";

/** Where the text of an attribute comes from. */
export type AttributeSource = FileSource | LayoutSource | NoSource;

/** A file below the object's folder. */
export interface FileSource {
  readonly from: "file";
  readonly name: string;
}

/** What the layout makes of other files. */
export interface LayoutSource {
  readonly from: "layout";
  /** The text; `undefined` where it is not known. */
  derive(io: Io): Promise<string | undefined>;
}

/** Nowhere: the layout has no such thing. */
export interface NoSource {
  readonly from: "nowhere";
}

/** A file below the object's folder. */
export function file(name: string): FileSource {
  return { from: "file", name };
}

/** What the layout makes of other files. */
export function derived(derive: (io: Io) => Promise<string | undefined>): LayoutSource {
  return { from: "layout", derive };
}

/** The layout has no such thing. */
export const NOWHERE: NoSource = { from: "nowhere" };
