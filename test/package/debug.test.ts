import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { fencesRunBy } from "../../tools/doc-fences/extract.mjs";

/** Runs a program that lists the parents; what it wrote on stderr, and the files of `debug` that it loaded. */
function listParents(
  type: "module" | "commonjs",
  debug: string | undefined,
): { stderr: string; loaded: string[] } {
  const load = (name: string): string =>
    type === "module" ? `await import("${name}")` : `require("${name}")`;
  const program = `
    (async () => {
      const { createRequire } = ${load("node:module")};
      const { MdevHost } = ${load("vfio-mdev")};
      const { SimulatedHost } = ${load("vfio-mdev/testing")};
      const simulated = new SimulatedHost();
      simulated.addMtty();
      await new MdevHost({ fs: simulated.fs }).parents().getOrThrow();
      await new Promise((resolve) => setTimeout(resolve, 50));
      const loaded = Object.keys(createRequire("/")("node:module")._cache ?? {});
      console.log(JSON.stringify(loaded.filter((path) => path.includes("node_modules/debug/"))));
    })();`.replace(/\(async \(\) => \{|\}\)\(\);$/gu, (part) => (type === "module" ? "" : part));
  const env = { ...process.env, DEBUG: debug, DEBUG_COLORS: "no" };
  const { stdout, stderr } = spawnSync(process.execPath, [`--input-type=${type}`, "--eval", program], {
    env: debug === undefined ? { ...env, DEBUG: "" } : env,
    encoding: "utf8",
  });
  return { stderr, loaded: JSON.parse(stdout) as string[] };
}

describe.each(["module", "commonjs"] as const)("%s", (type) => {
  test("debug is not loaded where nobody asks for its output", () => {
    expect(listParents(type, undefined)).toEqual({ stderr: "", loaded: [] });
  });

  test("DEBUG= says what is done, from the first call on", () => {
    const { stderr } = listParents(type, "vfio-mdev:*");
    expect(stderr).toContain("vfio-mdev:fs readdir /sys/class/mdev_bus");
    expect(stderr).toContain("vfio-mdev:list 1 parents");
    const { stderr: listing } = listParents(type, "vfio-mdev:list");
    expect(listing).toContain("vfio-mdev:list 1 parents");
    expect(listing).not.toContain("vfio-mdev:fs");
    expect(listParents(type, "express:*").stderr).toBe("");
  });
});

test("the command of docs/concepts.md shows what is written and what is listed, and nothing else", () => {
  const cwd = ".cache/debug";
  mkdirSync(cwd, { recursive: true });
  writeFileSync(
    `${cwd}/program.mjs`,
    `import { MdevHost } from "vfio-mdev";
    import { SimulatedHost } from "vfio-mdev/testing";
    const simulated = new SimulatedHost();
    simulated.addMtty();
    const [mtty] = await new MdevHost({ fs: simulated.fs }).parents().getOrThrow();
    await mtty.type("mtty-1").map((type) => type.create()).getOrThrow();`,
  );
  const [command = ""] = fencesRunBy("test/package/debug.test.ts", "docs/concepts.md", 1);
  const env = { ...process.env, DEBUG_COLORS: "no", DEBUG_HIDE_DATE: "yes" };
  const { stderr, status } = spawnSync("sh", ["-euc", command], { cwd, env, encoding: "utf8" });
  expect(status).toBe(0);
  const told = new Set(stderr.match(/vfio-mdev:\w+/gu));
  expect(told).toEqual(new Set(["vfio-mdev:list", "vfio-mdev:write"]));
});
