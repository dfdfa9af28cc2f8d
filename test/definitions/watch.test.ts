import { getEventListeners } from "node:events";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  DefinitionStore,
  type DefinitionWatchOptions,
  NodeDefinitionFileSystem,
} from "../../src/definitions/index.js";
import { type ChangeSource, pollingSource } from "../../src/index.js";
import { MemoryDefinitionFileSystem } from "../../src/testing/index.js";
import { pick, random } from "../contract/random.js";
import { ok } from "../contract/expect.js";
import { quiet } from "../support/settled.js";
import { temporaryFolder } from "../support/temporary.js";
import { Watched } from "./watched.js";

const ROOT = "/etc/mdevctl.d";
const NEVER = 3_600_000;
const [ONE, TWO] = ["11111111-aaaa-4bbb-8ccc-000000000001", "22222222-aaaa-4bbb-8ccc-000000000002"];
const config = (type: string): string => JSON.stringify({ mdev_type: type, start: "manual", attrs: [] });

/** Somebody who listens until the test is over. */
const listening: Watched[] = [];
function listen(store: DefinitionStore, options?: DefinitionWatchOptions): Watched {
  const watched = new Watched(store, { interval: NEVER, ...options });
  listening.push(watched);
  return watched;
}
const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);
beforeEach(() => void process.on("unhandledRejection", note));
afterEach(async () => {
  for (const each of listening.splice(0)) await each.return();
  await quiet();
  process.off("unhandledRejection", note);
  vi.restoreAllMocks();
  expect(unhandled.splice(0)).toEqual([]);
});

describe("what is told", () => {
  const world = () => {
    const fs = new MemoryDefinitionFileSystem();
    return { fs, store: new DefinitionStore({ fs }) };
  };

  it("is all definitions first, and then each change to them", async () => {
    const { fs, store } = world();
    fs.write(`${ROOT}/p/${TWO}`, config("t"));
    const watched = listen(store);
    expect(await watched.next()).toEqual({ type: "snapshot", snapshot: await ok(store.list()) });
    await ok(store.define({ parent: "p", uuid: ONE, type: "t" }));
    expect(await watched.next()).toEqual({ type: "defined", definition: await ok(store.get(ONE)) });
    await ok(store.modify(ONE, { start: "auto" }));
    expect(await watched.next()).toMatchObject({
      before: { start: "manual" },
      definition: { start: "auto" },
    });
    fs.write(`${ROOT}/p/${ONE}`, `${config("t").slice(0, -1)},"note":1}`);
    await watched.untilItKnows();
    await ok(store.undefine(TWO));
    await watched.next();
    expect(watched.story).toEqual(["snapshot", "defined p/1", "changed p/1", "changed p/1", "undefined p/2"]);
  });

  it("is nothing where a file is written anew with the same, and a change where only its spelling is another", async () => {
    const { fs, store } = world();
    fs.write(`${ROOT}/p/${ONE}`, config("t"));
    const watched = listen(store);
    await watched.next();
    fs.write(`${ROOT}/p/${ONE}`, `\n${config("t")}`);
    fs.write(`${ROOT}/p/${TWO}`, config("t"));
    await watched.next();
    await fs.rename(`${ROOT}/p/${ONE}`, `${ROOT}/p/{${ONE}}`);
    await watched.next();
    expect(watched.story).toEqual(["snapshot", "defined p/2", "changed p/1"]);
  });

  it("is what was asked for", async () => {
    const { fs, store } = world();
    const [ofOne, ofParent] = [listen(store, { uuid: ONE }), listen(store, { parent: "q" })];
    for (const each of [ofOne, ofParent]) await each.next();
    for (const path of [`p/${TWO}`, `p/${ONE}`, `q/${TWO}`]) fs.write(`${ROOT}/${path}`, config("t"));
    for (const each of [ofOne, ofParent]) await each.next();
    expect([ofOne.story, ofParent.story]).toEqual([
      ["snapshot", "defined p/1"],
      ["snapshot", "defined q/2"],
    ]);
  });

  it("is a problem once, and what it hides is not undefined", async () => {
    const { fs, store } = world();
    fs.write(`${ROOT}/p/${ONE}`, config("t"));
    const watched = listen(store);
    await watched.next();
    fs.write(`${ROOT}/p/${ONE}`, "{");
    expect(await watched.next()).toMatchObject({ type: "problem", problem: { place: { line: 1 } } });
    fs.write(`${ROOT}/p/${TWO}`, config("t"));
    await watched.next();
    fs.write(`${ROOT}/p/${ONE}`, config("u"));
    await watched.next();
    fs.write(`${ROOT}/p/${ONE}`, "{");
    await watched.next();
    await fs.unlink(`${ROOT}/p/${ONE}`);
    await watched.next();
    expect(watched.story).toEqual([
      "snapshot",
      "problem decode",
      "defined p/2",
      "changed p/1",
      "problem decode",
      "undefined p/1",
    ]);
  });

  it("is what has changed since, to whoever was busy meanwhile", async () => {
    const { store } = world();
    const watched = listen(store);
    await watched.next();
    for (let round = 0; round < 20; round++) {
      await ok(store.define({ parent: "p", uuid: ONE, type: `t${round}` }));
      if (round < 19) await ok(store.undefine(ONE));
    }
    expect(await watched.next()).toMatchObject({ type: "defined", definition: { type: "t19" } });
  });

  it("costs one look for a burst of changes", async () => {
    const { fs, store } = world();
    const watched = listen(store);
    await watched.next();
    const look = vi.spyOn(fs, "readdir");
    const next = watched.next();
    for (let round = 0; round < 200; round++) fs.write(`${ROOT}/p${round}/${ONE}`, config("t"));
    await next;
    expect(look.mock.calls.filter(([path]) => path === ROOT).length).toBeLessThan(4);
  });
});

it("takes no more than half of the time for looking", async () => {
  const fs = new MemoryDefinitionFileSystem();
  const readdir = fs.readdir.bind(fs);
  let looks = 0;
  fs.readdir = async (path) => {
    looks += 1;
    await new Promise((resolve) => setTimeout(resolve, 20));
    return readdir(path);
  };
  const restless = pollingSource({ interval: 1 });
  const watched = listen(new DefinitionStore({ fs }), { source: restless });
  await watched.next();
  const end = new Promise((resolve) => setTimeout(resolve, 400));
  const next = watched.next();
  await end;
  expect(looks).toBeLessThan(15);
  fs.write(`${ROOT}/p/${ONE}`, config("t"));
  await next;
});

describe("what tells when to look", () => {
  it("is asked for by polling where the file system has nothing, and by the interval whatever is told", async () => {
    const memory = new MemoryDefinitionFileSystem();
    const bound = new Proxy(memory, {
      get: (fs, name: keyof MemoryDefinitionFileSystem) =>
        name === "changes" ? undefined : (fs[name] as () => unknown).bind(fs),
    });
    const store = new DefinitionStore({ fs: bound });
    const deaf: ChangeSource = {
      async *hints(signal) {
        yield { type: "changed" };
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      },
    };
    for (const options of [
      {},
      { source: pollingSource({ interval: 5 }) },
      { source: deaf, interval: 5 },
    ] as const) {
      const watched = listen(store, options);
      await watched.next();
      memory.write(`${ROOT}/p/${ONE}`, config("t"));
      expect(await watched.next()).toMatchObject({ type: "defined" });
      await memory.unlink(`${ROOT}/p/${ONE}`);
    }
  });

  it("can break, and then it is polled", async () => {
    const fs = new MemoryDefinitionFileSystem();
    const store = new DefinitionStore({ fs });
    for (const hints of [
      async function* () {
        yield { type: "changed" } as const;
        await Promise.resolve();
        throw new Error("it broke");
      },
      async function* () {
        yield { type: "changed" } as const;
      },
    ]) {
      const watched = listen(store, { source: { hints }, interval: 20 });
      await watched.next();
      while (watched.story.length < 2) await watched.next();
      fs.write(`${ROOT}/p/${ONE}`, config("t"));
      await watched.untilItKnows();
      expect(watched.story).toEqual(
        expect.arrayContaining(["snapshot", "problem io", "defined p/1"]) as string[],
      );
      await fs.unlink(`${ROOT}/p/${ONE}`);
    }
  });

  it("cannot keep the first look waiting, nor can a look that fails end the watch", async () => {
    const fs = new MemoryDefinitionFileSystem();
    const store = new DefinitionStore({ fs });
    const never: ChangeSource = {
      hints: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }) }),
    };
    const watched = listen(store, { source: never, interval: 5 });
    expect((await watched.next())?.type).toBe("snapshot");
    vi.spyOn(fs, "readdir").mockImplementation(() =>
      Promise.reject(Object.assign(new Error("x"), { code: "EIO" })),
    );
    expect(await watched.next()).toMatchObject({ type: "problem", problem: { type: "io" } });
    vi.restoreAllMocks();
    fs.write(`${ROOT}/p/${ONE}`, config("t"));
    expect((await watched.next())?.type).toBe("defined");
  });
});

describe("the local file system", () => {
  it("tells of a folder that is not there yet, that goes and comes again, and of those above it", async () => {
    const top = `${temporaryFolder()}/a`;
    const root = `${top}/b/mdevctl.d`;
    const watched = listen(new DefinitionStore({ root }));
    await watched.next();
    const put = (parent: string, uuid: string, type = "t"): void => {
      mkdirSync(`${root}/${parent}`, { recursive: true });
      writeFileSync(`${root}/${parent}/${uuid}`, config(type));
    };
    const steps: (() => void)[] = [
      () => put("p", ONE),
      () => writeFileSync(`${root}/p/${ONE}`, config("u")),
      () => rmSync(`${root}/p`, { recursive: true }),
      () => put("p", ONE),
      () => renameSync(`${root}/p`, `${root}/q`),
      () => put("q", TWO),
      () => rmSync(top, { recursive: true }),
      () => put("p", TWO),
      () => renameSync(`${top}/b`, `${top}/c`),
      () => renameSync(`${top}/c`, `${top}/b`),
      () => put("p", TWO, "after all that"),
      () => {
        renameSync(`${root}/p`, `${top}/kept`);
        put("p", ONE);
      },
      () => put("p", ONE, "in the new folder"),
      () => unlinkSync(`${root}/p/${ONE}`),
    ];
    for (const step of steps) {
      step();
      await watched.untilItKnows();
    }
    expect(watched.story.filter((each) => each.startsWith("problem"))).toEqual([]);
    expect(watched.story.length).toBeGreaterThan(steps.length);
  });

  it("follows no link to a parent's folder, but the one that the store's folder may be", async () => {
    const folder = temporaryFolder();
    for (const name of ["real", "elsewhere"]) mkdirSync(`${folder}/${name}`);
    symlinkSync("real", `${folder}/root`);
    symlinkSync("../elsewhere", `${folder}/real/p`);
    const watched = listen(new DefinitionStore({ root: `${folder}/root` }));
    await watched.next();
    writeFileSync(`${folder}/elsewhere/${ONE}`, config("t"));
    mkdirSync(`${folder}/real/q`);
    writeFileSync(`${folder}/real/q/${TWO}`, config("t"));
    await watched.untilItKnows();
    expect(watched.story).toEqual(["snapshot", "defined q/2"]);
  });

  it("listens to all folders before it says so, and to no others", async () => {
    const root = temporaryFolder();
    for (const name of ["p", "elsewhere/r"]) mkdirSync(`${root}/${name}`, { recursive: true });
    symlinkSync("elsewhere/r", `${root}/linked`);
    const controller = new AbortController();
    const source = new NodeDefinitionFileSystem().changes(root);
    const hints = source.hints(controller.signal)[Symbol.asyncIterator]();
    await hints.next();
    writeFileSync(`${root}/p/${ONE}`, ""); // at once
    await hints.next();
    const silence = (): Promise<unknown> =>
      new Promise((resolve) => setTimeout(() => resolve("silence"), 100));
    let another = hints.next();
    while ((await Promise.race([another, silence()])) !== "silence") another = hints.next();
    writeFileSync(`${root}/linked/${ONE}`, "");
    expect(await Promise.race([another, silence()])).toBe("silence");
    writeFileSync(`${root}/p/${TWO}`, "");
    await another;
    controller.abort();
  });

  it("misses nothing of what somebody does as fast as he can", async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const next = random(seed);
    const root = `${temporaryFolder()}/mdevctl.d`;
    const watched = listen(new DefinitionStore({ root }));
    await watched.next();
    for (let round = 0; round < 60; round++) {
      for (let step = 0; step < 1 + next() * 6; step++) {
        const parent = `${root}/${pick(["p", "q"], next)}`;
        const file = `${parent}/${pick([ONE, TWO], next)}`;
        const action = pick(["write", "write", "write", "unlink", "remove", "remove all"], next);
        if (action === "write") mkdirSync(parent, { recursive: true });
        if (action === "write") writeFileSync(file, config(`t${round}x${step}`));
        else
          rmSync({ unlink: file, remove: parent, "remove all": root }[action] ?? "", {
            recursive: true,
            force: true,
          });
        if (next() < 0.3) await new Promise((resolve) => setTimeout(resolve, next() * 3));
      }
      await watched.untilItKnows().catch((cause: unknown) => {
        throw new Error(`seed ${seed}, round ${round}`, { cause });
      });
    }
  });

  it("says so where the system has no inotify to give, and goes on by polling", async () => {
    const root = temporaryFolder();
    const fs = new NodeDefinitionFileSystem();
    fs.changes = () => ({
      hints() {
        throw Object.assign(new Error("ENOSPC: System limit for number of file watchers reached"), {
          code: "ENOSPC",
        });
      },
    });
    const watched = listen(new DefinitionStore({ root, fs }), { interval: 10 });
    mkdirSync(`${root}/p`);
    writeFileSync(`${root}/p/${ONE}`, config("t"));
    await watched.untilItKnows();
    expect(watched.story).toContain("problem io");
  });
});

describe("the end", () => {
  const inotify = (): number =>
    readdirSync("/proc/self/fdinfo").filter((fd) => {
      try {
        return readFileSync(`/proc/self/fdinfo/${fd}`, "utf8").includes("inotify wd");
      } catch {
        return false;
      }
    }).length;

  it("comes with the signal, in the midst of waiting too, and leaves nothing open", async () => {
    const root = temporaryFolder();
    for (const end of ["abort", "return"] as const) {
      const controller = new AbortController();
      const watch = new DefinitionStore({ root }).watch({ signal: controller.signal, interval: NEVER });
      await watch.next();
      const waiting = watch.next();
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(inotify()).toBe(1);
      if (end === "abort") controller.abort();
      else await watch.return();
      expect(await waiting).toEqual({ done: true, value: undefined });
      expect(await watch.next()).toEqual({ done: true, value: undefined });
      expect(getEventListeners(controller.signal, "abort")).toEqual([]);
      expect(inotify()).toBe(0);
    }
  });

  it("is there at once where the signal was aborted, and options that are none are refused", async () => {
    const store = new DefinitionStore({ fs: new MemoryDefinitionFileSystem() });
    expect(await store.watch({ signal: AbortSignal.abort() }).next()).toEqual({
      done: true,
      value: undefined,
    });
    for (const options of [
      { interval: 0 },
      { source: {} },
      { timeout: -1 },
      { uuid: "x" },
      { parent: "../x" },
      null,
    ])
      expect(() => store.watch(options as DefinitionWatchOptions), JSON.stringify(options)).toThrow(
        /watch the definitions/u,
      );
  });
});
