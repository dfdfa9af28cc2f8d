import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";

interface Packed {
  readonly files: readonly { readonly path: string }[];
}

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };

describe("the published package", () => {
  let paths: string[] = [];

  beforeAll(() => {
    const output = execFileSync("npm", ["pack", "--json", "--dry-run", "--ignore-scripts"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    const packed = JSON.parse(output) as Packed[] | Record<string, Packed>; // an array before npm 12
    paths = (Object.values(packed)[0]?.files ?? []).map(({ path }) => path);
  });

  test("holds dist and four documents, nothing else", () => {
    expect(paths.filter((path) => !path.startsWith("dist/")).sort()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "package.json",
    ]);
    expect(paths).toContain("dist/index.js");
  });

  test("names no folder of the machine that built it", () => {
    const naming = paths.filter((path) => readFileSync(path, "utf8").includes(process.cwd()));
    expect(naming).toEqual([]);
  });
});

test("what the package needs to be published with provenance", () => {
  const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Record<string, unknown>;
  expect(manifest).toMatchObject({ license: "MIT", sideEffects: false });
  expect(manifest).not.toHaveProperty("private");
  for (const script of ["preinstall", "install", "postinstall", "prepare"]) {
    expect(manifest["scripts"]).not.toHaveProperty(script); // nothing runs when somebody installs it
  }
});

test("the changelog's newest version is the package's", () => {
  const versions = readFileSync("CHANGELOG.md", "utf8").matchAll(/^## \[?(\d[^\]\s]*)/gmu);
  expect([...versions][0]?.[1]).toBe(version);
});

test("the lockfile names no registry", () => {
  expect(readFileSync("package-lock.json", "utf8")).not.toContain('"resolved"');
});
