import type * as NodeCrypto from "node:crypto";
import type * as NodeFs from "node:fs";
import type * as NodeUtil from "node:util";

interface Builtins {
  readonly "node:crypto": typeof NodeCrypto;
  readonly "node:fs": typeof NodeFs;
  readonly "node:util": typeof NodeUtil;
}

/**
 * A module of Node itself. An `import` of it would load all that it can lead to, Node's streams among it, which takes
 * longer than most of this library; this does not.
 */
export function builtin<N extends keyof Builtins>(name: N): Builtins[N] {
  return process.getBuiltinModule(name);
}
