import type * as NodeFs from "node:fs";
import { builtin } from "../node-builtin.js";

/** `node:fs` */
export const fs: typeof NodeFs = /* @__PURE__ */ builtin("node:fs");
/** `node:fs/promises` */
export const promises: typeof NodeFs.promises = fs.promises;
