import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  Callouts,
  type DefinitionFileSystem,
  DefinitionStore,
  type ScriptRunner,
} from "../../src/definitions/index.js";
import { MemoryDefinitionFileSystem } from "../../src/testing/index.js";
import { ok } from "../contract/expect.js";
import { bundle, Program } from "../support/built.js";
import { temporaryFolder } from "../support/temporary.js";

const ROOT = "/etc/mdevctl.d";
const UUID = "11111111-aaaa-4bbb-8ccc-000000000001";
const PATH = `${ROOT}/p/${UUID}`;
const text = (type: string): string => `{\n  "mdev_type": "${type}",\n  "start": "manual",\n  "attrs": []\n}`;

/** A file system whose process is killed before its nth call, or in the middle of it: nothing is answered any more. */
function killedAt(
  fs: MemoryDefinitionFileSystem,
  fatal: number,
  inTheMiddle: boolean,
): DefinitionFileSystem & { calls: number } {
  const never = new Promise<never>(() => undefined);
  const counter = { calls: 0 };
  return new Proxy(counter as DefinitionFileSystem & { calls: number }, {
    get: (_, name: keyof MemoryDefinitionFileSystem | "calls") => {
      if (name === "calls") return counter.calls;
      const method = fs[name] as (...given: unknown[]) => Promise<unknown>;
      return async (...given: unknown[]) => {
        counter.calls += 1;
        if (counter.calls > fatal || (counter.calls === fatal && !inTheMiddle)) return never;
        if (counter.calls === fatal && name === "create")
          fs.write(given[0] as string, (given[1] as string).slice(0, 9));
        else if (counter.calls === fatal) await method.apply(fs, given);
        else return method.apply(fs, given);
        return never;
      };
    },
  });
}

/** One callout and one notifier that let everything be done; running one counts as a call of the file system that is killed. */
function scriptsOf(dying: DefinitionFileSystem): ScriptRunner {
  return {
    scripts: async () => ["script"],
    run: async () => {
      await dying.sync("/"); // what is killed answers nothing any more
      return { status: 0, output: "", complaint: "" };
    },
  };
}

describe.each([
  ["modify", { [PATH]: text("old") }, [text("old"), text("new")]],
  ["define", {}, [undefined, text("new")]],
  ["undefine", { [PATH]: text("old") }, [text("old"), undefined]],
] as const)("%s, killed at each call", (what, files, allowed) => {
  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])(
    "leaves what was, or what is to be (in the middle: %s, with scripts: %s)",
    async (inTheMiddle, hasScripts) => {
      const seen = new Set<string | undefined>();
      let isWhole = false;
      for (let fatal = 1; !isWhole; fatal++) {
        const fs = new MemoryDefinitionFileSystem(files);
        const dying = killedAt(fs, fatal, inTheMiddle);
        const callouts = hasScripts
          ? new Callouts({ runner: scriptsOf(dying), folders: ["/scripts"] })
          : undefined;
        const store = new DefinitionStore({ fs: dying, timeout: 10, callouts });
        const result = await {
          modify: () => store.modify(UUID, { type: "new" }),
          define: () => store.define({ parent: "p", uuid: UUID, type: "new" }),
          undefine: () => store.undefine(UUID),
        }[what]();
        isWhole = result.ok;
        seen.add(fs.files[PATH]);
        expect(allowed).toContain(fs.files[PATH]);

        // Whoever comes next finds no trace of it, once what was left behind is old enough.
        const next = new DefinitionStore({ fs });
        const { problems } = await ok(next.list());
        expect(problems).toEqual([]);
        for (const path of Object.keys(fs.files)) {
          if (path === PATH) continue;
          expect(path).toMatch(/^\/etc\/mdevctl\.d\/\.vfio-mdev-new-/);
          const lstat = fs.lstat.bind(fs);
          fs.lstat = async (each) => ({ ...(await lstat(each)), modified: Date.now() - 61_000 });
        }
        await ok(next.define({ parent: "q", type: "t" }));
        expect(Object.keys(fs.files).filter((path) => path.includes(".vfio-mdev"))).toEqual([]);
      }
      expect(seen).toEqual(new Set(allowed));
    },
  );
});

it("is on the disk before it is put in place, and its folder after it", async () => {
  const calls: string[] = [];
  const fs = new MemoryDefinitionFileSystem({ [PATH]: text("old") });
  const noting = new Proxy(fs, {
    get: (target, name: keyof MemoryDefinitionFileSystem) => {
      const method = target[name] as (...given: unknown[]) => Promise<unknown>;
      return (...given: unknown[]) => {
        calls.push(name);
        return method.apply(target, given);
      };
    },
  });
  await ok(new DefinitionStore({ fs: noting }).modify(UUID, { type: "new" }));
  expect(calls.slice(calls.indexOf("create"))).toEqual(["create", "readFile", "rename", "sync", "unlink"]);
});

it("a process that is killed with SIGKILL at random, again and again, loses no definition and leaves no lock", async () => {
  const folder = temporaryFolder();
  const root = `${folder}/mdevctl.d`;
  mkdirSync(`${root}/p`, { recursive: true });
  writeFileSync(`${root}/p/${UUID}`, text("old"));
  const code = `
    import { DefinitionStore } from ${JSON.stringify(bundle(folder, "definitions/index.ts", "esm"))};
    import { DirectoryStore } from ${JSON.stringify(bundle(folder, "index.ts", "esm"))};
    const state = new DirectoryStore(${JSON.stringify(`${folder}/state`)});
    const store = new DefinitionStore({ root: ${JSON.stringify(root)}, state, timeout: 10_000 });
    for (let n = 0; ; n++) {
      const { type } = await store.modify("${UUID}", { type: "t" + process.pid + "x" + n }).getOrThrow();
      if (n === 0) console.log(type);
    }`;
  for (let round = 0; round < 10; round++) {
    const program = new Program(folder, code);
    expect(await program.line()).toBe(`t${program.pid}x0`);
    await new Promise((done) => setTimeout(done, Math.random() * 20));
    await program.kill();
    expect(readFileSync(`${root}/p/${UUID}`, "utf8")).toMatch(
      /^\{\n {2}"mdev_type": "t\d+x\d+",\n {2}"start": "manual",\n {2}"attrs": \[\]\n\}$/,
    );
    expect(readdirSync(`${root}/p`)).toEqual([UUID]);
  }
});
