import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import {
  Callouts,
  type CalloutsOptions,
  DefinedHost,
  DefinitionStore,
  type ScriptCall,
  type ScriptEnd,
  type ScriptRunner,
} from "../../src/definitions/index.js";
import { MdevHost } from "../../src/index.js";
import { MemoryDefinitionFileSystem, SimulatedHost } from "../../src/testing/index.js";
import { fails, ok } from "../contract/expect.js";

const LIB = "/usr/lib/mdevctl/scripts.d";
const ETC = "/etc/mdevctl.d/scripts.d";
const UUID = "11111111-aaaa-4bbb-8ccc-000000000001";

type Answer = Partial<ScriptEnd> | "no program" | ((call: ScriptCall) => Promise<Partial<ScriptEnd>>);

/** Scripts as somebody would have them who answers by hand: by path, then by event and action. */
class Hand implements ScriptRunner {
  readonly calls: string[] = [];
  readonly #scripts: Readonly<Record<string, Readonly<Record<string, Answer>>>>;

  constructor(scripts: Readonly<Record<string, Readonly<Record<string, Answer>>>>) {
    this.#scripts = scripts;
  }

  async scripts(folder: string): Promise<readonly string[]> {
    const paths = Object.keys(this.#scripts).filter((path) => path.startsWith(`${folder}/`));
    return paths.map((path) => path.slice(folder.length + 1)).reverse();
  }

  async run(call: ScriptCall): Promise<ScriptEnd | undefined> {
    const { path, args, input } = call;
    const [, , , event, , action, , state] = args;
    const when = `${event} ${action}`;
    if (when !== "get capabilities")
      this.calls.push(`${path.split("/").at(-1)} ${when} ${state}${input === "" ? "" : ` ${input}`}`);
    const answer = this.#scripts[path]?.[when] ?? {};
    if (answer === "no program") return undefined;
    const end = typeof answer === "function" ? await answer(call) : answer;
    return {
      status: "status" in end ? end.status : 0,
      output: end.output ?? "",
      complaint: end.complaint ?? "",
    };
  }
}

function world(scripts: ConstructorParameters<typeof Hand>[0], options?: CalloutsOptions) {
  const hand = new Hand(scripts);
  const fs = new MemoryDefinitionFileSystem();
  const callouts = new Callouts({ runner: hand, ...options });
  const store = new DefinitionStore({ fs, callouts });
  const simulated = new SimulatedHost();
  const mtty = simulated.addMtty();
  const host = new MdevHost({ fs: simulated.fs });
  return { hand, fs, store, callouts, mtty, host, defined: new DefinedHost({ host, store }) };
}
const MTTY = { parent: "mtty", uuid: UUID, type: "mtty-2" } as const;
const JSON_OF = '{"mdev_type":"mtty-2","start":"manual","attrs":[]}';
const both = { [`${ETC}/callouts/a`]: {}, [`${ETC}/notifiers/n`]: {} };

describe("what scripts are told", () => {
  it("is each action, before and after it, with the definition as mdevctl writes it in one line", async () => {
    const { hand, store, defined, fs } = world(both);
    await ok(store.define({ ...MTTY, json: undefined }));
    await ok(defined.start(UUID));
    await ok(defined.stop(UUID));
    const [path] = Object.keys(fs.files);
    fs.write(path ?? "", '{"mdev_type":"mtty-2","start":"manual","note":1}');
    await ok(store.modify(UUID, { start: "auto", attributes: [["a/b", 'é"\n']] }));
    await ok(store.undefine(UUID));
    const auto = '{"mdev_type":"mtty-2","start":"auto","attrs":[{"a/b":"é\\"\\n"}]}';
    expect(hand.calls).toEqual(
      (
        [
          ["define", JSON_OF],
          ["start", JSON_OF],
          ["stop", JSON_OF],
          ["modify", auto],
          ["undefine", auto],
        ] as const
      ).flatMap(([action, json]) => [
        `a pre ${action} none ${json}`,
        `a post ${action} success ${json}`,
        `n notify ${action} success`,
      ]),
    );
  });

  it("is that it failed, where it did", async () => {
    const { hand, store, defined } = world(both);
    await ok(store.define({ ...MTTY, type: "mtty-9" }));
    hand.calls.length = 0;
    await fails(defined.start(UUID), "not-found");
    expect(hand.calls.map((call) => call.split(" {")[0])).toEqual([
      "a pre start none",
      "a post start failure",
      "n notify start failure",
    ]);
  });

  it("is nothing by default, nor of what is refused before, nor of what is as it should be", async () => {
    const { hand, store, defined } = world(both);
    await ok(store.define(MTTY));
    await ok(defined.start(UUID));
    hand.calls.length = 0;
    await fails(store.define(MTTY), "already-exists");
    await fails(store.modify(UUID, { edits: [{ edit: "delete", index: 7 }] }), "invalid-argument");
    expect((await ok(defined.ensureStarted(UUID))).started).toBe(false);
    await fails(defined.stop("22222222-aaaa-4bbb-8ccc-000000000002"), "not-found");
    expect(hand.calls).toEqual([]);
    expect(new DefinitionStore().callouts).toBeUndefined();
  });
});

describe("a script that refuses", () => {
  it("keeps everything as it is, and notifiers hear of it", async () => {
    for (const action of ["define", "modify", "undefine", "start", "stop"] as const) {
      const refusing = { [`pre ${action}`]: { status: 3, complaint: "not\n today\n" } };
      const { hand, store, defined, fs, host } = world({ ...both, [`${LIB}/callouts/z`]: refusing });
      const before = {
        define: () => ok(defined.host.devices()),
        modify: () => ok(store.define(MTTY)),
        undefine: () => ok(store.define(MTTY)),
        start: () => ok(store.define(MTTY)),
        stop: () => ok(store.define(MTTY).map(() => defined.start(UUID))),
      };
      await before[action]();
      const were = [fs.files, (await ok(host.devices())).length];
      hand.calls.length = 0;
      const error = await fails(
        {
          define: () => store.define(MTTY),
          modify: () => store.modify(UUID, { start: "auto" }),
          undefine: () => store.undefine(UUID),
          start: () => defined.start(UUID),
          stop: () => defined.stop(UUID),
        }[action](),
        "rejected",
      );
      expect(error.message).toContain(
        `the script ${LIB}/callouts/z ended with status 3, and said: not today.`,
      );
      expect(error.path).toBe(`${LIB}/callouts/z`);
      expect([fs.files, (await ok(host.devices())).length]).toEqual(were);
      expect(hand.calls.map((call) => call.split(" {")[0])).toEqual([
        `z pre ${action} none`,
        `n notify ${action} none`,
      ]);
    }
  });

  it("of one parent does not keep the others from being undefined", async () => {
    const refusing: Answer = async ({ args }) => ({ status: args.includes("p") ? 1 : 0 });
    const { store } = world({ [`${ETC}/callouts/a`]: { "pre undefine": refusing } });
    for (const parent of ["p", "q"]) await ok(store.define({ parent, uuid: UUID, type: "t" }));
    await fails(store.undefine(UUID), "rejected");
    expect((await ok(store.list())).definitions.map(({ parent }) => parent)).toEqual(["p"]);
  });

  it("is one that was killed, too, but not one that is no program", async () => {
    const killed = world({ [`${ETC}/callouts/a`]: { "pre define": { status: undefined } } });
    expect((await fails(killed.store.define(MTTY), "rejected")).message).toContain("was killed");
    const none = world({
      [`${ETC}/callouts/README`]: { "pre define": "no program", "get capabilities": "no program" },
    });
    await ok(none.store.define(MTTY));
  });
});

describe("which script is asked", () => {
  it("is one folder's after the other's, by their names, until one does not say that it is not his", async () => {
    const scripts = Object.fromEntries(
      [`${ETC}/callouts/a`, `${LIB}/callouts/b`, `${LIB}/callouts/B`, `${ETC}/callouts/c`].map((path) => [
        path,
        { "pre define": { status: path.endsWith("a") ? 0 : 2 } },
      ]),
    );
    const { hand, store } = world(scripts);
    await ok(store.define(MTTY));
    expect(hand.calls.map((call) => call.split(" ").slice(0, 2).join(" "))).toEqual([
      "B pre",
      "b pre",
      "a pre",
      "a post",
    ]);
  });

  it("is the first that says what it supports, and only for that", async () => {
    const supports = (actions: string[], events: string[]): Answer => ({
      output: `${JSON.stringify({ supports: { version: 2, actions, events, more: 1 } })}\0`,
    });
    const { hand, store } = world({
      [`${LIB}/callouts/a`]: { "get capabilities": { output: "{}" } },
      [`${ETC}/callouts/b`]: { "get capabilities": supports(["define", "modify"], ["pre"]) },
      [`${ETC}/callouts/c`]: { "get capabilities": supports(["undefine"], ["pre", "post"]) },
    });
    await ok(store.define(MTTY));
    expect(hand.calls).toEqual([`b pre define none ${JSON_OF}`]);
    expect((await fails(store.undefine(UUID), "rejected")).message).toContain(
      "does not support the action undefine",
    );
  });

  it("is asked once what it supports, for all automatic definitions of a type", async () => {
    const asked: string[] = [];
    const capabilities: Answer = async ({ args, input }) => {
      asked.push(args.join(" "), input);
      return {};
    };
    const { store, defined } = world({ [`${ETC}/callouts/a`]: { "get capabilities": capabilities } });
    for (let n = 0; n < 3; n++) await ok(store.define({ parent: "mtty", type: "mtty-1", start: "auto" }));
    asked.length = 0;
    const { starts } = await ok(defined.startAuto());
    expect(starts.map(({ started }) => started)).toEqual([true, true, true]);
    expect(asked).toHaveLength(2);
    expect(asked[0]).toMatch(/^-t mtty-1 -e get -a capabilities -s none -u \S{36} -p mtty$/u);
    expect(JSON.parse(asked[1] ?? "")).toMatchObject({ provides: { version: 2 } });
  });
});

describe("attributes", () => {
  const printing = (answer: Answer) => ({ [`${ETC}/callouts/a`]: { "get attributes": answer } });

  it("are those that a script prints, where an active device is defined and none are given", async () => {
    const { store, mtty, host, callouts } = world(printing({ output: '[{"a":"1"},{"a":"2"}]' }));
    mtty.create("mtty-2", UUID);
    const device = await ok(host.device(UUID));
    expect((await ok(store.defineDevice(device))).attributes).toEqual([
      ["a", "1"],
      ["a", "2"],
    ]);
    expect(await ok(callouts.attributes(MTTY))).toHaveLength(2);
    await ok(store.undefine(UUID));
    expect((await ok(store.defineDevice(device, { attributes: [] }))).attributes).toEqual([]);
  });

  it.each([
    ["", 0],
    ["[]", 0],
    ["[{}]", 0],
    ['[{"a":"1"}]\0\0', 1],
  ])("are read from %j", async (output, count) => {
    const { callouts } = world(printing({ output }));
    expect(await ok(callouts.attributes(MTTY))).toHaveLength(count);
  });

  it("are an error where a script fails or prints something else, and nothing is defined then", async () => {
    for (const [answer, type] of [
      [{ output: "[" }, "decode"],
      [{ output: '{"a":"1"}' }, "decode"],
      [{ output: '[{"a":1}]' }, "decode"],
      [{ status: 1 }, "rejected"],
    ] as const) {
      const { store, mtty, host, fs, hand } = world({ ...printing(answer), [`${ETC}/notifiers/n`]: {} });
      mtty.create("mtty-2", UUID);
      await fails(store.defineDevice(await ok(host.device(UUID))), type);
      expect(fs.files).toEqual({});
      expect(hand.calls.at(-1)).toBe("n notify define failure");
    }
    const { callouts } = world(printing({ status: 2 }));
    expect(await ok(callouts.attributes(MTTY))).toEqual([]);
    await fails(callouts.attributes({ ...MTTY, type: "../t" }), "invalid-argument");
    await fails(callouts.attributes({ ...MTTY, uuid: "x" }), "invalid-argument");
  });
});

describe("limits", () => {
  const stuck: Answer = ({ signal }) =>
    new Promise((resolve) => signal.addEventListener("abort", () => resolve({ status: undefined })));

  it("end a script that is asked, and nothing is done", async () => {
    const { store, fs, defined } = world({
      [`${ETC}/callouts/a`]: { "pre define": stuck, "pre start": stuck },
    });
    await fails(store.define({ ...MTTY, timeout: 20 }), "timeout");
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    await fails(store.define({ ...MTTY, signal: controller.signal }), "aborted");
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    expect(fs.files).toEqual({});
    fs.write(`/etc/mdevctl.d/mtty/${UUID}`, JSON_OF);
    await fails(defined.start(UUID, { timeout: 20 }), "timeout");
    expect(await ok(defined.host.devices())).toEqual([]);
  });

  it("tell what is done where they strike afterwards", async () => {
    const { store } = world({ [`${ETC}/callouts/a`]: { "post define": stuck } }, { timeout: 100 });
    const { pending } = await fails(store.define({ ...MTTY, timeout: 20 }), "timeout");
    expect(pending).toBe("It is done, but not all scripts have been told.");
    expect((await ok(store.get(UUID))).uuid).toBe(UUID);
    await ok(store.undefine(UUID)); // the lock is given back when the script has ended
  });

  it("are a script's own, too", async () => {
    const { store } = world({ [`${ETC}/callouts/a`]: { "pre define": stuck } }, { timeout: 20 });
    expect((await fails(store.define(MTTY), "rejected")).message).toContain("was killed");
  });
});

it("a runner that fails is an error before the action, and changes nothing after it", async () => {
  const failing: Answer = () => Promise.reject(Object.assign(new Error("no more files"), { code: "EMFILE" }));
  for (const when of ["get capabilities", "pre define"]) {
    const { store, fs } = world({ [`${ETC}/callouts/a`]: { [when]: failing } });
    expect((await fails(store.define(MTTY), "io")).errno).toBe("EMFILE");
    expect(fs.files).toEqual({});
  }
  const { store, hand } = world({
    [`${ETC}/callouts/a`]: { "post define": failing },
    [`${ETC}/notifiers/m`]: { "notify define": failing },
    [`${ETC}/notifiers/n`]: {},
  });
  await ok(store.define(MTTY));
  expect(hand.calls.at(-1)).toBe("n notify define success");
});

it("what scripts write to their standard error can be heard", async () => {
  const heard: string[] = [];
  const onComplaint = (script: string, text: string): void => void heard.push(`${script}: ${text}`);
  const { store } = world({ [`${ETC}/callouts/a`]: { "post define": { complaint: "oh" } } }, { onComplaint });
  await ok(store.define(MTTY));
  expect(heard).toEqual([`${ETC}/callouts/a: oh`]);
});

it.each([{ folders: ["relative"] }, { folders: "x" }, { timeout: -1 }])("refuses %j", (options) => {
  expect(() => new Callouts(options as CalloutsOptions)).toThrow(/cannot run mdevctl's scripts/u);
});
