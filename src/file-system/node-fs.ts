import type * as NodeFs from "node:fs";
import { createRequire } from "node:module";

/**
 * A module of Node itself. An `import` of `node:fs` would load all of Node's streams with it, which takes longer than
 * most of this library; this does not. (Before Node 20.16 there is no `getBuiltinModule`.)
 */
function builtin(name: string): object {
  const get = (process as Partial<Pick<typeof process, "getBuiltinModule">>).getBuiltinModule;
  return get?.(name) ?? (createRequire("/")(name) as object);
}

/** `node:fs` */
export const fs: typeof NodeFs = /* @__PURE__ */ builtin("node:fs") as typeof NodeFs;
/** `node:fs/promises` */
export const promises: typeof NodeFs.promises = fs.promises;
