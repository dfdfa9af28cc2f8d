import { defineConfig, type Options } from "tsup";
import { entries } from "./tools/entries.mjs";

type Plugin = NonNullable<Options["plugins"]>[number];

/** esbuild calls a class that names itself `_Class`; its users see that name when they print an object. */
const plainClassNames: Plugin = {
  name: "plain-class-names",
  renderChunk: (code) => {
    const renamed = [...code.matchAll(/\b(?:var|let) (\w+) = class _\1\b/g)].map(([, name = ""]) => name);
    const underscored = new RegExp(`(?<![\\w$.])_(${renamed.join("|")})(?![\\w$])`, "g");
    return renamed.length === 0 ? undefined : { code: code.replace(underscored, "$1") };
  },
};

export default defineConfig({
  entry: Object.fromEntries(entries.map(({ name, source }) => [name, source])),
  format: ["esm", "cjs"],
  target: "node20",
  platform: "node",
  tsconfig: "tsconfig.build.json",
  dts: {
    banner: '/// <reference lib="esnext.disposable" />', // of `Lock`, for those who have no types of Node
    compilerOptions: { ignoreDeprecations: "6.0" }, // tsup injects `baseUrl`, which TypeScript 6 deprecates
  },
  splitting: true, // one copy of every class for all entries, in CJS too
  treeshake: true, // Rollup writes the CJS; tsup's own converter renames classes to `_class`
  sourcemap: true,
  clean: true,
  removeNodeProtocol: false,
  plugins: [plainClassNames],
});
