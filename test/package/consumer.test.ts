import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { entries, specifierOf } from "../../tools/entries.mjs";

const folder = resolve(".cache/consumer");

test("the types of every entry compile in a stranger's strict project, ESM and CJS", () => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const lines = entries.map((entry) => `export * as ${entry.name} from "${specifierOf(entry)}";`);
  const files = ["consumer.mts", "consumer.cts"].map((name) => resolve(folder, name));
  for (const file of files) writeFileSync(file, lines.join("\n"));

  const program = ts.createProgram(files, {
    module: ts.ModuleKind.NodeNext,
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    types: ["node"],
  });
  const messages = ts.getPreEmitDiagnostics(program);
  expect(messages.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
});
