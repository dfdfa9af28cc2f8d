import createDebug from "debug";

type Topic = "fs" | "list" | "create" | "remove" | "write" | "lock" | "watch";
type Logger = (format: string, ...values: readonly unknown[]) => void;

const root = createDebug("vfio-mdev");

/** What the library does, on stderr: `DEBUG=vfio-mdev:create`, or `DEBUG=vfio-mdev:*` for all of it. */
export const log: Readonly<Record<Topic, Logger>> = {
  fs: root.extend("fs"),
  list: root.extend("list"),
  create: root.extend("create"),
  remove: root.extend("remove"),
  write: root.extend("write"),
  lock: root.extend("lock"),
  watch: root.extend("watch"),
};
