/**
 * Compares the public surface of every entry point with its report in etc/, or records it with `--update`.
 * Reads the built .d.ts files.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { entries } from "./entries.mjs";

const { values } = parseArgs({ options: { update: { type: "boolean", default: false } } });
const root = resolve(import.meta.dirname, "..");
const silent = { logLevel: ExtractorLogLevel.None };
const toldBelow = new Set([
  "console-preamble",
  "console-api-report-copied",
  "console-api-report-created",
  "console-api-report-not-copied",
  "console-api-report-unchanged",
]);
let failed = false;
mkdirSync(resolve(root, "etc"), { recursive: true });

for (const { name } of entries) {
  const config = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: resolve(root, "package.json"),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: `<projectFolder>/dist/${name}.d.ts`,
      compiler: { tsconfigFilePath: "<projectFolder>/tsconfig.build.json" },
      newlineKind: "lf",
      apiReport: {
        enabled: true,
        reportFileName: name,
        reportFolder: "<projectFolder>/etc",
        reportTempFolder: "<projectFolder>/.cache/api",
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        // Documentation and types that users cannot import are the business of typedoc: it sees all entries at once.
        extractorMessageReporting: { default: silent },
        tsdocMessageReporting: { default: silent },
      },
    },
  });
  const { apiReportChanged, errorCount } = Extractor.invoke(config, {
    localBuild: values.update,
    messageCallback: (message) => {
      message.handled = toldBelow.has(message.messageId);
    },
  });
  if (errorCount > 0) failed = true;
  console.log(
    `etc/${name}.api.md: ${!apiReportChanged ? "unchanged" : values.update ? "updated" : "CHANGED"}`,
  );
  if (apiReportChanged && !values.update) {
    failed = true;
    const [recorded, found] = [`etc/${name}.api.md`, `.cache/api/${name}.api.md`];
    spawnSync("git", ["diff", "--no-index", recorded, found], { cwd: root, stdio: "inherit" });
  }
}

if (failed) console.error("The public surface is not the recorded one. If that is meant: npm run api:update");
process.exitCode = failed ? 1 : 0;
