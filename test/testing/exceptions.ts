// What of the recordings SimulatedHost does not answer as the real kernel did, and why. The replays fail when one of
// these is not needed (any more), and when something else differs.
import type { RecordedOperation } from "./recordings.js";

/** Files whose contents are different. */
export const DIFFERENT_CONTENTS: readonly { readonly path: RegExp; readonly reason: string }[] = [
  { path: /^\/sys\/module\/\w+\/coresize$/u, reason: "the size of one build of a module" },
  { path: /^\/sys\/module\/\w+\/srcversion$/u, reason: "a hash of one version of a module's source" },
  {
    path: /^\/sys\/module\/\w+\/taint$/u,
    reason: "the samples were built outside the kernel's tree, unsigned",
  },
];

const api =
  (pattern: RegExp) =>
  (operation: RecordedOperation): boolean =>
    pattern.test(operation.api ?? "");

const about =
  (group: string, pattern: RegExp) =>
  (operation: RecordedOperation): boolean =>
    operation.group === group && pattern.test(operation.about);

/** Operations that are not replayed. */
export const UNASKED_OPERATIONS: readonly {
  readonly what: string;
  readonly reason: string;
  readonly matches: (operation: RecordedOperation) => boolean;
}[] = [
  {
    what: "several calls on one descriptor, or one at a position",
    reason: "FileSystem has no open descriptors: each call opens, does one thing and closes",
    matches: (operation) =>
      api(
        /^fs\.(writeSync|writevSync|readSync|ftruncateSync|fstatSync)\b|^two reads|two halves|iterable of two/u,
      )(operation) || about("parent goes away", /descriptor of \w+ opened before$/u)(operation),
  },
  {
    what: "mkdir, rmdir, rm, unlink, rename, symlink, utimes, truncate",
    reason: "FileSystem cannot ask for them",
    matches: api(/^fs\.(mkdir|rmdir|rm|unlink|rename|symlink|utimes|truncate)Sync\b/u),
  },
  {
    what: "access",
    reason: "FileSystem cannot ask for it",
    matches: (operation) =>
      api(/^fs\.accessSync/u)(operation) || about("permissions", /access\(create, W_OK\)/u)(operation),
  },
  {
    what: "times and owners of a stat",
    reason: "FileStat has neither",
    matches: (operation) =>
      api(/^fs\.statSync$/u)(operation) || about("permissions", /^owner and mode/u)(operation),
  },
  {
    what: "a tally of what another thread's reads met",
    reason: "chance; each outcome is provoked on purpose in the tests of half-made devices",
    matches: about("races", /^another thread lists the bus/u),
  },
  {
    what: "fs.watch",
    reason: "FileSystem cannot ask for it, and the kernel tells nothing by it",
    matches: about("watching", /./u),
  },
  {
    what: "signals, process exit and libuv's pool while a removal waits",
    reason: "of Node and the process, not of the kernel",
    matches: about("remove: while open", /^(fs\.promises\.writeFile|four pending)/u),
  },
  {
    what: "rmmod of a module that is in use",
    reason: "parents are unplugged, modules are not unloaded by hand",
    matches: about("parent goes away", /^rmmod mtty with a device open/u),
  },
];
