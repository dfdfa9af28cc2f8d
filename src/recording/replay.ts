import type { DecodeError, FileSystem, Result } from "../index.js";
import { parseRecording } from "./parse-recording.js";
import type { Recording } from "./recording.js";
import { ReplayFileSystem } from "./replay-file-system.js";

/**
 * A file system that answers what the host answered when it was recorded, to be given to `new MdevHost({ fs })`: sysfs is at
 * `/sys` and the device nodes at `/dev`. It cannot be written to (EROFS, as where sysfs is mounted read-only). What could not
 * be read fails as it did, and what the recording does not hold with ENODATA, rather than as if it were not there. `decode` where
 * it is no recording, or one of a later version.
 *
 * @param recording - what {@link recordHost} gave, or its JSON: of this version of the library or one before
 *
 * @example
 * ```ts
 * import { replay } from "vfio-mdev/recording";
 *
 * const broken = replay('{ "format": "something else" }');
 * console.log(!broken.ok && broken.error.type); // prints: decode
 * ```
 */
export function replay(recording: Recording | string): Result<FileSystem, DecodeError> {
  return parseRecording(recording).map(({ entries }): FileSystem => new ReplayFileSystem(entries));
}
