/**
 * The package as a user has it, for programs that are run outside of this project: packed, unpacked into `node_modules` of
 * a folder, with its dependencies beside it; and the programs, bundled, with their imports of its sources turned into
 * imports of it.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { build } from "esbuild";
import { entries, specifierOf } from "./entries.mjs";

const root = join(import.meta.dirname, "..");

/** @param {string} folder @returns {any} */
const manifest = (folder) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

/** @param {object | undefined} dependencies */
const namesOf = (dependencies) => Object.keys(dependencies ?? {});

/** When the youngest file in or under `path` was changed; 0 if there is none. @param {string} path @returns {number} */
function youngest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return stat?.mtimeMs ?? 0;
  return Math.max(0, ...readdirSync(path).map((name) => youngest(join(path, name))));
}

/** The files that `exports` of package.json names. @param {any} exports @returns {string[]} */
const named = (exports) => (typeof exports === "string" ? [exports] : Object.values(exports).flatMap(named));

/** Builds it, unless what is there is younger than its sources. */
export function buildPackage() {
  const files = named(manifest(root).exports).filter((file) => file.startsWith("./dist/"));
  const made = Math.min(...files.map((file) => youngest(join(root, file)))); // 0 if one is missing
  const sources = ["src", "package.json", "tsup.config.ts", "tsconfig.json", "tsconfig.build.json"];
  if (sources.every((name) => youngest(join(root, name)) < made)) return;
  console.log(made > 0 ? "dist is older than its sources: building" : "dist is missing: building");
  execFileSync("npm", ["run", "build"], { cwd: root, stdio: "inherit" });
}

/** The folder of dependency `name` of the package in `from`, as Node looks for it. @param {string} name @param {string} from */
function dependency(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, "node_modules", name);
    if (existsSync(found)) return found;
    if (folder === root) throw new Error(`${name}, a dependency of ${from}, is not installed: run npm ci`);
  }
}

/** Copies what the package in `from` depends on, by these names, and what that depends on. @param {string} from @param {string} to @param {string[]} names */
function copyDependencies(from, to, names, copied = new Set()) {
  for (const name of names) {
    const folder = dependency(name, from);
    if (copied.has(folder)) continue;
    copied.add(folder);
    const skip = join(folder, "node_modules"); // those it needs get their own turn
    cpSync(folder, join(to, relative(root, folder)), { recursive: true, filter: (path) => path !== skip });
    copyDependencies(folder, to, namesOf(manifest(folder).dependencies), copied);
  }
}

/**
 * Packs what was built, and installs it into a folder.
 *
 * @param {string} stage
 * @param {{ peers?: boolean }} [options] whether its optional peers are installed, too
 */
export function installPackage(stage, { peers = false } = {}) {
  const { name, dependencies, peerDependencies } = manifest(root);
  const home = join(stage, "node_modules", name);
  mkdirSync(home, { recursive: true });
  execFileSync("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", stage], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const tarball = readdirSync(stage).find((file) => file.endsWith(".tgz"));
  if (tarball === undefined) throw new Error("npm pack made no package");
  execFileSync("tar", ["-xzf", join(stage, tarball), "-C", home, "--strip-components=1"]);
  rmSync(join(stage, tarball));
  copyDependencies(root, stage, namesOf({ ...dependencies, ...(peers && peerDependencies) }));
}

/** Turns imports of this package's sources into imports of the package, as it was built. @type {import("esbuild").Plugin} */
const builtPackage = {
  name: "built-package",
  setup: ({ onResolve }) => {
    onResolve({ filter: /\/src\// }, ({ path, resolveDir }) => {
      const source = relative(root, join(resolveDir, path)).replace(/\.js$/, ".ts");
      const entry = entries.find((known) => known.source === source);
      return entry && { path: specifierOf(entry), external: true };
    });
  },
};

/** Bundles programs, as `<name>.mjs` in a folder that has the package. @param {string[]} programs @param {string} stage */
export async function bundle(programs, stage) {
  const { metafile } = await build({
    entryPoints: programs,
    outdir: stage,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: "inline",
    metafile: true,
    absWorkingDir: root,
    external: namesOf(manifest(root).dependencies).flatMap((id) => [id, `${id}/*`]),
    plugins: [builtPackage],
    logLevel: "warning",
  });
  const strays = Object.keys(metafile.inputs).filter((file) => !/^(test|tools|node_modules)\//.test(file));
  if (strays.length > 0) throw new Error(`they must test the built package, but import ${strays.join(", ")}`);
}
