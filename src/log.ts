import type createDebug from "debug";

type Topic = "fs" | "list" | "create" | "remove" | "write" | "lock" | "watch";
type Logger = (format: string, ...values: readonly unknown[]) => void;

/** What was said while `debug` was being loaded. */
const waiting: (() => void)[] = [];
let wanted: boolean | undefined;
let debug: typeof createDebug | undefined;

/** Whether somebody asks for the output of `debug`: it takes longer to load than all of this library, so who does not does without. */
function isWanted(): boolean {
  if (wanted === undefined) {
    wanted = environment() !== "";
    if (wanted) void load();
  }
  return wanted;
}

function environment(): string {
  try {
    return process.env["DEBUG"] ?? "";
  } catch {
    return ""; // Deno shows a program only what it may see
  }
}

async function load(): Promise<void> {
  try {
    ({ default: debug } = await import("debug"));
    for (const say of waiting) say();
  } catch {
    wanted = false; // it is not there: whoever bundled this left it out
  }
  waiting.length = 0;
}

function loggerOf(topic: Topic): Logger {
  let logger: createDebug.Debugger | undefined;
  const say: Logger = (format, ...values) => {
    if (!isWanted()) return;
    if (debug === undefined) {
      waiting.push(() => {
        say(format, ...values);
      });
      return;
    }
    logger ??= debug(`vfio-mdev:${topic}`);
    logger(format, ...values);
  };
  return say;
}

/** Whether somebody may read what is logged of a topic. */
export function isLogged(topic: Topic): boolean {
  return isWanted() && (debug === undefined || debug.enabled(`vfio-mdev:${topic}`));
}

/** What the library does, on stderr: `DEBUG=vfio-mdev:create`, or `DEBUG=vfio-mdev:*` for all of it. */
export const log: Readonly<Record<Topic, Logger>> = {
  fs: loggerOf("fs"),
  list: loggerOf("list"),
  create: loggerOf("create"),
  remove: loggerOf("remove"),
  write: loggerOf("write"),
  lock: loggerOf("lock"),
  watch: loggerOf("watch"),
};
