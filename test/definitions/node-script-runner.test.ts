import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { NodeScriptRunner } from "../../src/definitions/index.js";
import { temporaryFolder } from "../support/temporary.js";

const runner = new NodeScriptRunner();
const never = new AbortController().signal;

function script(text: string, mode = 0o755): string {
  const path = `${temporaryFolder()}/script`;
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

describe("scripts", () => {
  it("are the files of a folder, and what links lead to", async () => {
    const folder = temporaryFolder();
    for (const name of ["b", ".a", "c~"]) writeFileSync(`${folder}/${name}`, "");
    mkdirSync(`${folder}/d`);
    for (const [name, target] of Object.entries({ l: "b", gone: "nothing", ld: "d" }))
      symlinkSync(target, `${folder}/${name}`);
    expect([...(await runner.scripts(folder))].sort()).toEqual([".a", "b", "c~", "l"]);
    expect(await runner.scripts(`${folder}/nowhere`)).toEqual([]);
  });
});

describe("run", () => {
  it("gives a script its arguments, its input and this process's environment, through no shell", async () => {
    vi.stubEnv("VFIO_MDEV_TEST", "from here");
    const path = script(
      '#!/bin/sh\nprintf "[%s]" "$@"; cat; printf "%s" "$VFIO_MDEV_TEST"; pwd; echo oh >&2; exit 7\n',
    );
    const args = ["-t", "$(echo no)", "a b", "*", ""];
    expect(await runner.run({ path, args, input: 'é"\n', signal: never })).toEqual({
      status: 7,
      output: `[-t][$(echo no)][a b][*][]é"\nfrom here${process.cwd()}\n`,
      complaint: "oh\n",
    });
    vi.unstubAllEnvs();
  });

  it("is not put out by one that reads nothing, nor by one that says much", async () => {
    const deaf = script("#!/bin/sh\nexec 0<&-\nexit 0\n");
    expect(await runner.run({ path: deaf, args: [], input: "x".repeat(1e6), signal: never })).toMatchObject({
      status: 0,
    });
    const loud = script("#!/bin/sh\nhead -c 5000000 /dev/zero\n");
    const end = await runner.run({ path: loud, args: [], input: "", signal: never });
    expect(end?.status).toBe(0);
    expect(end?.output.length).toBeLessThan(1_200_000);
  });

  it("takes nothing for a script that cannot be run", async () => {
    for (const path of [
      script("#!/bin/sh\nexit 0\n", 0o644),
      script("#!/no/such/interpreter\n"),
      script("echo by a shell\n"),
      script(""),
      "/no/such/script",
    ])
      expect(await runner.run({ path, args: [], input: "", signal: never })).toBeUndefined();
  });

  it("ends a script that is to end, whoever holds its output, and begins none that is to end by then", async () => {
    const mark = `${temporaryFolder()}/mark`;
    const path = script(`#!/bin/sh\necho $$ > ${mark}\nsleep 5 &\nsleep 5\n`);
    const controller = new AbortController();
    const running = runner.run({ path, args: [], input: "", signal: controller.signal });
    await vi.waitFor(() => expect(existsSync(mark) && readFileSync(mark, "utf8")).toMatch(/\d/u), 5_000);
    const began = performance.now();
    controller.abort();
    expect(await running).toMatchObject({ status: undefined });
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(existsSync(`/proc/${readFileSync(mark, "utf8").trim()}/fd`)).toBe(false);
    const other = script(`#!/bin/sh\n: > ${mark}.2\n`);
    expect(await runner.run({ path: other, args: [], input: "", signal: controller.signal })).toMatchObject({
      status: undefined,
    });
    expect(existsSync(`${mark}.2`)).toBe(false);
  });
});
