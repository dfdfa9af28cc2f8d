import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fencesRunBy } from "../../tools/doc-fences/extract.mjs";

const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as {
  readonly scripts: Readonly<Record<string, string>>;
};

/** The commands of a clone that a page shows, without their comments. */
const shown = (page: string, count: number): string[] =>
  fencesRunBy("test/package/commands.test.ts", page, count)
    .flatMap((fence) => fence.split(/\n|&&/u))
    .map((line) => line.replace(/#.*/u, "").trim());
const commands = [...shown("CONTRIBUTING.md", 4), ...shown("README.md", 1)];
const NPM = /^(?:[A-Z_]+=\d+ )*npm (?:ci|test|run (?<script>[\w:]+)(?: -- (?<options>.*))?)$/u;

/** What npm would run: the last program of a script, as the others before it build. */
const program = (script = ""): string => scripts[script]?.split(" && ").at(-1) ?? `no script ${script}`;

test("there are commands, of npm alone", () => {
  expect(commands.filter((command) => !NPM.test(command))).toEqual([]);
  expect(commands.length).toBeGreaterThan(10);
});

// CI runs the scripts themselves. Here their programs parse the options that are shown, and refuse the one after them.
const withOptions = commands.flatMap((command) => {
  const { script, options } = NPM.exec(command)?.groups ?? {};
  return options === undefined ? [] : [[command, script, options] as const];
});
test.each(withOptions)("%s: its program takes these options", (_, script, options) => {
  const { status, stderr } = spawnSync("sh", ["-euc", `${program(script)} ${options} --no-such-option`], {
    encoding: "utf8",
  });
  expect(stderr).toMatch(/Unknown option '--no-such-option'/u);
  expect(status).not.toBe(0);
});

test.each(["CONTRIBUTING.md", "README.md", "SECURITY.md"])("%s names scripts that there are", (page) => {
  const named = readFileSync(page, "utf8").matchAll(/npm run ([\w:]+)/gu);
  for (const [, script = ""] of named) expect(Object.keys(scripts)).toContain(script);
});

test("the variables that are set are read where they say it", () => {
  const peers = readFileSync("test/peers/sequences.test.ts", "utf8");
  const variables = commands.flatMap((command) =>
    [...command.matchAll(/\b([A-Z_]+)=\d+ (?=.*npm run test:peers$)/gu)].map(([, name = ""]) => name),
  );
  expect(variables).toEqual(["VFIO_MDEV_SEED", "VFIO_MDEV_ROUNDS"]);
  for (const name of variables) expect(peers).toContain(`process.env["${name}"]`);
});
