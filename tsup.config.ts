import { defineConfig } from "tsup";
import { entries } from "./tools/entries.mjs";

export default defineConfig({
  entry: Object.fromEntries(entries.map(({ name, source }) => [name, source])),
  format: ["esm", "cjs"],
  target: "node20",
  platform: "node",
  tsconfig: "tsconfig.build.json",
  dts: { compilerOptions: { ignoreDeprecations: "6.0" } }, // tsup injects `baseUrl`, which TypeScript 6 deprecates
  splitting: true, // one copy of every class for all entries, in CJS too
  treeshake: true, // Rollup writes the CJS; tsup's own converter renames classes to `_class`
  sourcemap: true,
  clean: true,
  removeNodeProtocol: false,
  keepNames: true, // a class that names itself would become `_Class`
});
