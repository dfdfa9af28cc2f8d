import { entries } from "./tools/entries.mjs";

/** @type {Partial<import("typedoc").TypeDocOptions>} */
export default {
  entryPoints: entries.map(({ source }) => source),
  out: "docs/api",
  tsconfig: "tsconfig.build.json",
  readme: "README.md",
  projectDocuments: ["docs/*.md"],
  includeVersion: true,
  disableSources: true, // links to sources need a git remote, which a clone may not have
  excludeExternals: true, // Result and what Error inherits are documented where they come from
  externalSymbolLinkMappings: {
    "typescript-result": { "*": "https://github.com/everweij/typescript-result#readme" },
  },
  excludePrivate: true,
  excludeInternal: true,
  validation: {
    notExported: true,
    invalidLink: true,
    invalidPath: true,
    rewrittenLink: true,
    notDocumented: true,
    unusedMergeModuleWith: true,
  },
  treatWarningsAsErrors: true,
};
