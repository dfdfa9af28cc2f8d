/** What can be masked in a recording. */
export type Maskable = "serial-numbers" | "uuids" | "vm-names";

/** All of them. */
export const MASKABLE: readonly Maskable[] = ["serial-numbers", "uuids", "vm-names"];

/** Whether a value is a list of what can be masked. */
export function areMaskable(value: unknown): value is readonly Maskable[] {
  return (
    Array.isArray(value) && value.every((each: unknown) => (MASKABLE as readonly unknown[]).includes(each))
  );
}

/** What a document has to say of itself to be one. */
export const FORMAT = "vfio-mdev recording";

/** The version of the documents that are written. Those of all versions before it can be read. */
export const VERSION = 1;

interface Recorded {
  /** Its permission bits, as four octal digits: `0444`. */
  readonly mode: string;
  /** Its inode number; left out where it was not known. */
  readonly ino?: number;
}

/** A folder. What is in it are the entries below its path. */
export interface RecordedFolder extends Recorded {
  /** It is a folder. */
  readonly kind: "folder";
  /** The kernel's error, where it could not be listed: `EACCES`. */
  readonly errno?: string;
  /** Not all that is in it was recorded: what is missing is not known, rather than not there. */
  readonly partial?: true;
}

/** A file. Without `text` and `errno` it was not read. */
export interface RecordedFile extends Recorded {
  /** It is a file. */
  readonly kind: "file";
  /** What was read of it. */
  readonly text?: string;
  /** The kernel's error, where it could not be read: `EACCES` of a file that can only be written. */
  readonly errno?: string;
}

/** A symbolic link. */
export interface RecordedLink extends Recorded {
  /** It is a symbolic link. */
  readonly kind: "link";
  /** Where it leads. */
  readonly target: string;
}

/** A device node, or whatever else is none of these. It was not opened. */
export interface RecordedNode extends Recorded {
  /** It is something else. */
  readonly kind: "node";
}

/** Something that could not be looked at. */
export interface RecordedUnknown {
  /** It is not known what it is. */
  readonly kind: "unknown";
  /** The kernel's error. */
  readonly errno: string;
}

/** What was found at one path. */
export type RecordedEntry = RecordedFolder | RecordedFile | RecordedLink | RecordedNode | RecordedUnknown;

/** What the library reads of a host, at the time of {@link recordHost}: plain, frozen data, and JSON as it is. */
export interface Recording {
  /** What it is. */
  readonly format: "vfio-mdev recording";
  /** The version of this format; later ones of the library read all earlier ones. */
  readonly version: 1;
  /** The release of its kernel, `/proc/sys/kernel/osrelease`; left out where that could not be read. */
  readonly kernel?: string;
  /** What was masked. */
  readonly masked: readonly Maskable[];
  /** Whether all of it found room; where not, the folders concerned are `partial`. */
  readonly complete: boolean;
  /** What there was, by path, sorted: sysfs is at `/sys` and the device nodes at `/dev`, wherever they were mounted. */
  readonly entries: Readonly<Record<string, RecordedEntry>>;
}
