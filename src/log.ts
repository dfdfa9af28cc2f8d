import { createRequire } from "node:module";
import type createDebug from "debug";

type Topic = "fs" | "list" | "create" | "remove" | "write";
type Logger = (format: string, ...values: readonly unknown[]) => void;

const silent: Logger = () => undefined;
const loggers = new Map<Topic, Logger>();

/** The package `debug` takes longer to load than all of this library: who does not ask for its output does without. */
function loggerOf(topic: Topic): Logger {
  let logger = loggers.get(topic);
  if (logger === undefined) {
    const wanted = process.env["DEBUG"];
    if (wanted === undefined || wanted === "") logger = silent;
    else {
      const load = createRequire(import.meta.url)("debug") as typeof createDebug;
      const namespace = load(`vfio-mdev:${topic}`);
      logger = namespace.enabled ? namespace : silent;
    }
    loggers.set(topic, logger);
  }
  return logger;
}

/** Whether anybody reads what is logged of a topic. */
export function isLogged(topic: Topic): boolean {
  return loggerOf(topic) !== silent;
}

/** What the library does, on stderr: `DEBUG=vfio-mdev:create`, or `DEBUG=vfio-mdev:*` for all of it. */
export const log: Readonly<Record<Topic, Logger>> = {
  fs: (...said) => loggerOf("fs")(...said),
  list: (...said) => loggerOf("list")(...said),
  create: (...said) => loggerOf("create")(...said),
  remove: (...said) => loggerOf("remove")(...said),
  write: (...said) => loggerOf("write")(...said),
};
