// A stranger's strict projects, compiled by a TypeScript: every entry of the package, and the programs of README.md.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readFences } from "../../tools/doc-fences/extract.mjs";
import { entries, specifierOf } from "../../tools/entries.mjs";

const root = join(import.meta.dirname, "../..");
const readme = readFences(join(root, "README.md")).filter(({ language }) => language === "ts");
const everything = entries
  .map((entry) => `export * as ${entry.name} from "${specifierOf(entry)}";\n`)
  .join("");

/** A project for each way to resolve modules: its options, and its files. */
const projects = {
  NodeNext: { options: { module: "NodeNext" }, endings: ["mts", "cts"] },
  Bundler: { options: { module: "ESNext", moduleResolution: "Bundler" }, endings: ["ts"] },
};

/**
 * Compiles the projects in a folder that has the package.
 *
 * @param {string} version @param {string} typescript the folder of its package @param {string} stage
 * @returns {import("./tables.mjs").Row}
 */
export function compileConsumers(version, typescript, stage) {
  for (const name of ["@types/node", "undici-types"])
    cpSync(join(root, "node_modules", name), join(stage, "node_modules", name), { recursive: true });
  /** @type {Record<string, { passed: number, failed: number }>} */
  const cells = {};
  for (const [name, { options, endings }] of Object.entries(projects)) {
    const folder = join(stage, `${name}-${version}`);
    mkdirSync(folder);
    for (const ending of endings) writeFileSync(join(folder, `everything.${ending}`), everything);
    for (const { code, line } of readme)
      writeFileSync(join(folder, `readme-${line}.${endings[0]}`), `${code}\nexport {};\n`);
    const compilerOptions = {
      ...options,
      target: "ES2022",
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
      types: ["node"],
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*"] }));
    let messages = "";
    try {
      execFileSync(process.execPath, [join(typescript, "bin/tsc"), "-p", folder], {
        cwd: stage,
        encoding: "utf8",
      });
    } catch (thrown) {
      messages = /** @type {{ stdout?: string }} */ (thrown).stdout || String(thrown);
    }
    console.log(
      `TypeScript ${version}, ${name}: ${messages === "" ? "compiles" : "FAILED"}\n${messages}`.trim(),
    );
    cells[`\`${name}\``] = messages === "" ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  }
  return { table: "types", title: `TypeScript ${version}`, cells };
}
