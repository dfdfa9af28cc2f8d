import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { fencesRunBy, readFences } from "../../tools/doc-fences/extract.mjs";

test("docs/recording.md: the test that a report becomes fails until the bug is mended", () => {
  const page = "docs/recording.md";
  const [code = ""] = fencesRunBy("test/package/bug-report.test.ts", page, 1);
  const reported = readFences(page).find(
    (fence) => fence.code.includes("hct_mdev") && fence.code.includes('writeFileSync("host.json"'),
  );
  const cwd = resolve(".cache/bug-report");
  mkdirSync(cwd, { recursive: true });
  writeFileSync(`${cwd}/report.mjs`, reported?.code ?? "");
  writeFileSync(`${cwd}/unlimited.test.mjs`, code);
  execFileSync(process.execPath, ["report.mjs"], { cwd });
  const recording = readFileSync(`${cwd}/host.json`, "utf8");

  const tested = (document: string): string => {
    writeFileSync(`${cwd}/hct-unlimited.json`, document);
    const args = ["--test", "--test-reporter=tap", "unlimited.test.mjs"];
    return spawnSync(process.execPath, args, { cwd, encoding: "utf8" }).stdout;
  };
  const failed = tested(recording);
  expect(failed).toMatch(/^# fail 1$/mu);
  expect(failed).toMatch(/AssertionError|ERR_ASSERTION/u);
  expect(failed).toContain("unlimited");
  expect(tested(recording.replaceAll("unlimited", "3"))).toMatch(/^# pass 1$/mu);
});
