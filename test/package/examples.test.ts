import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";

test("docs/layouts.md prints examples/choose-and-create.mjs whole, and so the docs run it", () => {
  const program = readFileSync("examples/choose-and-create.mjs", "utf8").trim();
  expect(readFileSync("docs/layouts.md", "utf8")).toContain(program);
});

test.each(["choose-and-create.mjs", "accelerator/index.mjs", "demo.mjs", "list.mjs"])(
  "examples/%s runs",
  (name) => {
    expect(execFileSync(process.execPath, [`examples/${name}`], { encoding: "utf8" })).not.toBe("");
  },
);

test("examples/watch.mjs tells what happens, and ends", () => {
  const output = execFileSync(process.execPath, ["examples/watch.mjs", "--simulated"], { encoding: "utf8" });
  expect(output.match(/^\{"type":"(?:snapshot|device-ready|parent-unregistered)"/gmu)).toHaveLength(3);
});

test("examples/start-automatic.mjs starts what is automatic, once, and says what it could not", () => {
  const folder = resolve(".cache/start-automatic");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const program = readFileSync("examples/start-automatic.mjs", "utf8")
    .replace("new MdevHost()", "new MdevHost({ fs: simulated.fs })")
    .replace("new DefinitionStore()", "store");
  const world = `
    import { MemoryDefinitionFileSystem, SimulatedHost } from "vfio-mdev/testing";
    const simulated = new SimulatedHost();
    simulated.addMtty();
    const store = new DefinitionStore({ fs: new MemoryDefinitionFileSystem() });
    for (const [type, start] of [["mtty-1", "auto"], ["mtty-2", "manual"], ["mtty-9", "auto"]])
      await store.define({ parent: "mtty", type, start }).getOrThrow();
    await store.define({ parent: "absent", type: "t", start: "auto" }).getOrThrow();`;
  writeFileSync(
    `${folder}/program.mjs`,
    program.replace("const [parent]", () => `${world}\nconst [parent]`),
  );
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [`${folder}/program.mjs`, ...args], { encoding: "utf8" });

  const ofOne = run("mtty");
  expect(ofOne.stdout).toMatch(/^started \S{36}\n$/u);
  expect(ofOne.stderr).toMatch(/^cannot find the type "mtty-9"[^\n]*\n$/u);
  expect(ofOne.status).toBe(1);
  expect(run().stderr.trim().split("\n")).toHaveLength(2);
});

test("examples/planned.mjs comes to the same end, wherever it is killed", () => {
  const run = (made: number) =>
    execFileSync(process.execPath, ["examples/planned.mjs", `${made}`], { encoding: "utf8" }).split("\n\n");
  const whole = run(7);
  expect(whole[0]).toMatch(/^create .*\n(?:.*\n)+reached, steps: 7\n-- ended$/u);
  for (let made = 0; made < 7; made++) {
    const [first, second, third, end] = run(made);
    expect(first).toMatch(/\n-- killed$/u);
    expect(second).toMatch(/(?:reached, steps: \d|nothing is left to do)\n-- ended$/u);
    expect(third).toMatch(/nothing is left to do\n-- ended$/u);
    const kept = (text = "") => text.match(/^keep \S+ \S+ \(.*?\) on \S+ as \S+/gmu)?.sort();
    expect(kept(third)).toHaveLength(7);
    expect(kept(third)).toEqual(kept(whole[2]));
    expect(end).toBe("8 devices, one of them somebody else's\n");
  }
});
