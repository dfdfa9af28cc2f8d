import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { entries } from "../../tools/entries.mjs";

/**
 * The most kilobytes that an entry may take, minified and compressed, with all of this package that it needs and nothing of
 * others. Whoever has to raise one says in the commit what for.
 */
const LIMITS: Readonly<Record<string, number>> = {
  index: 40,
  nvidia: 44,
  intel: 40,
  s390: 46,
  display: 45,
  samples: 40,
  definitions: 49,
  qemu: 42,
  libvirt: 45,
  incus: 41,
  kubevirt: 41,
  planning: 50,
  recording: 43,
  testing: 26,
};

test("the core is ASCII: Node takes longer to read and compile anything else", () => {
  const files = [...readFileSync("dist/index.js", "utf8").matchAll(/from ['"]\.\/(chunk-\w+\.js)['"]/g)];
  expect(files.length).toBeGreaterThan(0);
  for (const [, file = ""] of files) expect(readFileSync(`dist/${file}`, "utf8")).toMatch(/^[\0-\x7f]*$/);
});

test.each(entries)("$subpath is no larger than its limit", async ({ name }) => {
  const { outputFiles } = await build({
    entryPoints: [`dist/${name}.js`],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "node",
    packages: "external",
    write: false,
    logLevel: "error",
  });
  const size = gzipSync(outputFiles[0]?.contents ?? "").length / 1000;
  const limit = LIMITS[name] ?? expect.fail(`there is no limit for ${name}: it has ${size.toFixed(1)} kB`);
  expect(size, `kilobytes of ${name}`).toBeLessThan(limit);
});
