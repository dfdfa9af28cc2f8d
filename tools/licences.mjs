/**
 * What is installed with this package, and under which licences: compares it with `docs/licences.md`, or writes that
 * page with `--update`. Fails for a licence that asks more of a user than to keep its text.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { format } from "prettier";

/** @typedef {{ name: string; license: string; dependencies?: Record<string, string>; peerDependencies?: Record<string, string> }} Manifest */
/** @typedef {{ name: string; range: string; license: string; reason: string }} Row */

const permissive = new Set(["MIT", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "PSF-2.0"]);
const root = resolve(import.meta.dirname, "..");
const page = resolve(root, "docs/licences.md");
const { values } = parseArgs({ options: { update: { type: "boolean", default: false } } });

/** @type {Row[]} */
const rows = [];

/** @param {string} folder @returns {Manifest} */
const manifestOf = (folder) => JSON.parse(readFileSync(resolve(folder, "package.json"), "utf8"));

/** Where Node finds a package from a folder; its `exports` may hide its package.json. @param {string} name @param {string} from */
function folderOf(name, from) {
  const places = createRequire(resolve(from, "package.json")).resolve.paths(name) ?? [];
  for (const place of places) {
    try {
      manifestOf(resolve(place, name));
      return resolve(place, name);
    } catch {
      continue;
    }
  }
  throw new Error(`${name} is not installed.`);
}

/** @param {Record<string, string> | undefined} ranges @param {string} from @param {string} reason */
function add(ranges, from, reason) {
  for (const [name, range] of Object.entries(ranges ?? {})) {
    if (rows.some((row) => row.name === name && row.range === range)) continue;
    const folder = folderOf(name, from);
    const { license, dependencies } = manifestOf(folder);
    rows.push({ name, range, license, reason });
    add(dependencies, folder, `needed by ${name}`);
  }
}

const self = manifestOf(root);
add(self.dependencies, root, "always installed");
add(self.peerDependencies, root, "optional, installed by you");

const text = `---
title: Licences
---

# Licences

\`vfio-mdev\` is under the licence ${self.license}. What comes with it:

| package | versions | licence | why |
| --- | --- | --- | --- |
${rows.map((row) => `| \`${row.name}\` | ${row.range} | ${row.license} | ${row.reason} |`).join("\n")}

\`npm run licences:update\` writes this page from what is installed, and the check of this repository compares it.
`;
const formatted = await format(text, { parser: "markdown", printWidth: 110 });
const strange = rows.filter(({ license }) => !permissive.has(license));

for (const { name, license } of strange)
  console.error(`${name} is under ${license}, which is not in the list.`);
if (values.update) writeFileSync(page, formatted);
else if (readFileSync(page, "utf8") !== formatted) {
  console.error("docs/licences.md is not what is installed: npm run licences:update");
  process.exitCode = 1;
}
if (strange.length > 0) process.exitCode = 1;
