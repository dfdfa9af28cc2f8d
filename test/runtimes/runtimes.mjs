/**
 * What the package is tested on: exact versions, so that `docs/runtimes.md` says what ran. A newer one is a new version here, and
 * `npm run test:runtimes -- --full --update`.
 *
 * The programs come from npm, without their installers: the package of this machine's architecture has the program itself.
 */
const arm = process.arch === "arm64";

/**
 * @typedef {object} Runtime
 * @property {string} name
 * @property {string} version
 * @property {string} package on npm, with the program
 * @property {string} program in that package
 * @property {string[]} args before the name of a program of ours
 * @property {boolean} [full] only with --full
 */

/** @param {string} version @param {boolean} [full] @returns {Runtime} */
const node = (version, full) => ({
  name: "Node.js",
  version,
  package: `node-linux-${arm ? "arm64" : "x64"}`,
  program: "bin/node",
  args: ["--enable-source-maps"],
  ...(full && { full }),
});

/** @type {readonly Runtime[]} */
export const runtimes = [
  node("20.16.0", true),
  node("20.20.2"),
  node("22.23.3"),
  node("24.21.0"),
  node("26.10.0"),
  {
    name: "Bun",
    version: "1.4.5",
    package: `@oven/bun-linux-${arm ? "aarch64" : "x64"}`,
    program: "bin/bun",
    args: ["run"],
  },
  {
    name: "Deno",
    version: "2.9.6",
    package: `@deno/linux-${arm ? "arm64" : "x64"}-glibc`,
    program: "deno",
    args: ["run", "-A", "--no-prompt", "--node-modules-dir=manual"],
  },
];

/** @typedef {{ version: string, full?: boolean }} Compiler */

/** TypeScript, the last of each version. @type {readonly Compiler[]} */
export const compilers = [
  { version: "5.5.4" },
  { version: "5.6.3", full: true },
  { version: "5.7.3", full: true },
  { version: "5.8.3", full: true },
  { version: "5.9.3", full: true },
  { version: "6.0.3", full: true },
  { version: "7.0.2" },
];
