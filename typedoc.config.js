import { entries } from "./tools/entries.mjs";
import { groups } from "./tools/site/pages.mjs";

/** @type {Partial<import("typedoc").TypeDocOptions>} */
export default {
  name: "vfio-mdev",
  entryPoints: entries.map(({ source }) => source),
  projectDocuments: Object.values(groups).flat(),
  readme: "README.md",
  out: "site",
  tsconfig: "tsconfig.build.json",
  plugin: ["./tools/site/plugin.mjs"],

  favicon: "docs/favicon.svg",
  customCss: "tools/site/style.css",
  headings: { readme: false, document: false },
  navigation: { includeGroups: true, compactFolders: false },
  groupOrder: [...Object.keys(groups), "API", "Classes", "Functions", "*"],
  sortEntryPoints: false,
  sort: ["kind", "instance-first", "alphabetical-ignoring-documents"],
  searchInComments: true,
  searchInDocuments: true,
  includeVersion: true,
  disableSources: true,

  excludeExternals: true,
  excludePrivate: true,
  excludeInternal: true,
  externalSymbolLinkMappings: {
    "typescript-result": { "*": "https://github.com/everweij/typescript-result#readme" },
  },
  validation: {
    notExported: true,
    invalidLink: true,
    invalidPath: true,
    rewrittenLink: true,
    notDocumented: true,
    unusedMergeModuleWith: true,
  },
  requiredToBeDocumented: [
    ...["Module", "Class", "Interface", "TypeAlias", "Variable", "Function"],
    ...["Constructor", "Property", "Accessor", "Method", "CallSignature", "ConstructorSignature"],
  ],
  treatWarningsAsErrors: true,
};
