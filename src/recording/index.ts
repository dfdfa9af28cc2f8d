/**
 * What the library reads of a host, as one JSON document for a bug report, and a file system that answers from it.
 *
 * @packageDocumentation
 */
export { recordHost, type RecordError, type RecordOptions } from "./record-host.js";
export type {
  Maskable,
  RecordedEntry,
  RecordedFile,
  RecordedFolder,
  RecordedLink,
  RecordedNode,
  RecordedUnknown,
  Recording,
} from "./recording.js";
export { replay } from "./replay.js";
