import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/**
 * The two ways into the package. A module that asks for "vfio-mdev" inside this project gets dist/ by way of `exports`.
 *
 * @type {Record<"ESM" | "CJS", (specifier: string) => Promise<Record<string, unknown>>>}
 */
export const load = {
  ESM: (specifier) => import(specifier),
  CJS: async (specifier) => require(specifier),
};
