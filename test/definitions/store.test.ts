import { describe, expect, it } from "vitest";
import { type DefinitionFileSystem, DefinitionStore } from "../../src/definitions/index.js";
import { MdevHost } from "../../src/index.js";
import { MemoryDefinitionFileSystem, MemoryStore, SimulatedHost } from "../../src/testing/index.js";
import { fails, ok } from "../contract/expect.js";

const ROOT = "/etc/mdevctl.d";
const UUID = "11111111-aaaa-4bbb-8ccc-0000000000ff";
const OTHER = "22222222-aaaa-4bbb-8ccc-000000000002";
const TEXT = '{\n  "mdev_type": "t",\n  "start": "manual",\n  "attrs": []\n}';

function world(files: Readonly<Record<string, string>> = {}) {
  const fs = new MemoryDefinitionFileSystem(
    Object.fromEntries(Object.entries(files).map(([name, text]) => [`${ROOT}/${name}`, text])),
  );
  return { fs, store: new DefinitionStore({ fs }) };
}

describe("define", () => {
  it("writes mdevctl's bytes, and reads them again", async () => {
    const { fs, store } = world();
    const definition = await ok(
      store.define({
        parent: "matrix",
        uuid: `{${UUID.toUpperCase()}}`,
        type: "vfio_ap-passthrough",
        start: "auto",
        attributes: [
          ["assign_adapter", "5"],
          ["assign_adapter", '"\u0001é\u007f/'],
        ],
      }),
    );
    const path = `${ROOT}/matrix/${UUID}`;
    const text = [
      "{",
      '  "mdev_type": "vfio_ap-passthrough",',
      '  "start": "auto",',
      '  "attrs": [',
      "    {",
      '      "assign_adapter": "5"',
      "    },",
      "    {",
      '      "assign_adapter": "\\"\\u0001é\u007f/"',
      "    }",
      "  ]",
      "}",
    ].join("\n");
    expect(fs.files).toEqual({ [path]: text });
    expect(definition).toMatchObject({ uuid: UUID, parent: "matrix", path, start: "auto", otherKeys: [] });
    expect(definition.json).toBe(text);
    expect(await ok(store.get(UUID))).toEqual(definition);
    expect(Object.isFrozen(definition)).toBe(true);
  });

  it("takes a random UUID, manual and no attributes where nothing is said", async () => {
    const { store } = world();
    const { uuid, start, attributes } = await ok(store.define({ parent: "p", type: "t" }));
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    expect([start, attributes]).toEqual(["manual", []]);
  });

  it("takes a JSON text whole, with what mdevctl does not know", async () => {
    const { fs, store } = world();
    const json = '{"more":[1e400,{}],"attrs":[{"a":"1"}],"start":true,"mdev_type":"t"}';
    const { otherKeys } = await ok(store.define({ parent: "p", uuid: UUID, json }));
    expect(otherKeys).toEqual(["more"]);
    expect(Object.values(fs.files)[0]).toContain('"start": "manual"');
    expect(Object.values(fs.files)[0]).toContain('  "more": [\n    1e400,\n    {}\n  ]\n}');
    await fails(store.define({ parent: "p", json, type: "t" }), "invalid-argument");
    await fails(store.define({ parent: "p", json: '{"start":"auto"}' }), "invalid-argument");
  });

  it("never overwrites: not what it saw, not what appears meanwhile, not what is broken", async () => {
    const { fs, store } = world({ [`p/${UUID.replaceAll("-", "")}`]: TEXT, [`q/${UUID}`]: "{" });
    for (const parent of ["p", "q"]) {
      const before = fs.files;
      await fails(store.define({ parent, uuid: UUID, type: "t" }), "already-exists");
      expect(fs.files).toEqual(before);
    }
    const racing = new MemoryDefinitionFileSystem();
    const create = racing.create.bind(racing);
    racing.create = (path, text) => {
      racing.write(`${ROOT}/p/${UUID}`, "theirs");
      return create(path, text);
    };
    await fails(
      new DefinitionStore({ fs: racing }).define({ parent: "p", uuid: UUID, type: "t" }),
      "already-exists",
    );
    expect(racing.files).toEqual({ [`${ROOT}/p/${UUID}`]: "theirs" });
  });

  it.each([
    { parent: "../x", type: "t" },
    { parent: "scripts.d", type: "t" },
    { parent: ".hidden", type: "t" },
    { parent: "", type: "t" },
    { parent: "a/b", type: "t" },
    { parent: "p", type: "a/b" },
    { parent: "p", type: "" },
    { parent: "p" },
    { type: "t" },
    { parent: "p", type: "t", uuid: "x" },
    { parent: "p", type: "t", start: "soon" },
    { parent: "p", type: "t", attributes: [["../../a", "1"]] },
    { parent: "p", type: "t", attributes: [["/a", "1"]] },
    { parent: "p", type: "t", attributes: [["a", 1]] },
    { parent: "p", type: "t", attributes: ["ab"] },
    { parent: "p", type: "t", attributes: [["a", "\ud800"]] },
    { parent: "p", type: "t", timeout: -1 },
    null,
  ])("refuses %j before any I/O", async (options) => {
    const fs = new Proxy({} as DefinitionFileSystem, {
      get: (_, name) => expect.fail(`${String(name)} was called`),
    });
    await fails(new DefinitionStore({ fs }).define(options as never), "invalid-argument");
  });

  it("does not follow a link in place of a parent's folder", async () => {
    const { fs, store } = world({ "elsewhere/x": "" });
    fs.symlink(`${ROOT}/elsewhere`, `${ROOT}/p`);
    const error = await fails(store.define({ parent: "p", uuid: UUID, type: "t" }), "io");
    expect(error.errno).toBe("ELOOP");
    expect(Object.keys(fs.files)).toEqual([`${ROOT}/elsewhere/x`]);
  });

  it("stores what a device is", async () => {
    const simulated = new SimulatedHost();
    simulated.addMtty().create("mtty-2", UUID);
    const device = await ok(new MdevHost({ fs: simulated.fs }).device(UUID));
    const { store } = world();
    const definition = await ok(store.defineDevice(device, { start: "auto", attributes: [["a", "b"]] }));
    expect(definition).toMatchObject({ uuid: UUID, parent: "mtty", type: "mtty-2", start: "auto" });
    await fails(store.defineDevice(device), "already-exists");
  });
});

describe("list", () => {
  it("orders as mdevctl does, and is empty where there is no folder", async () => {
    expect(await ok(world().store.list())).toEqual({ definitions: [], problems: [] });
    const { store } = world({ [`9/${UUID}`]: TEXT, [`10/${OTHER}`]: TEXT, [`10/${UUID}`]: TEXT });
    const list = await ok(store.list());
    expect(list.definitions.map(({ parent, uuid }) => [parent, uuid])).toEqual([
      ["10", UUID],
      ["10", OTHER],
      ["9", UUID],
    ]);
    expect((await ok(store.list({ parent: "9" }))).definitions).toHaveLength(1);
    expect((await ok(store.list({ uuid: UUID }))).definitions).toHaveLength(2);
    expect((await ok(store.list({ parent: "9", uuid: OTHER }))).definitions).toHaveLength(0);
  });

  it.each([
    ["{", 1, 2],
    ["[]", 1, 1],
    ['{\n  "start": "auto"\n}', 1, 1],
    ['{\n "mdev_type": 5, "start": "auto"}', 2, 15],
    ['{"mdev_type":"t"}', 1, 1],
    ['{"mdev_type":"t","start":null}', 1, 26],
    ['{"mdev_type":"t","start":"auto","attrs":{}}', 1, 41],
    ['{"mdev_type":"t","start":"auto","attrs":[{}]}', 1, 42],
    ['{"mdev_type":"t","start":"auto","attrs":[\n{"a":"1"},\n{"a":"1","b":"2"}]}', 3, 1],
    ['{"mdev_type":"t","start":"auto","attrs":[{"a":1}]}', 1, 47],
    ['{"mdev_type":"t","start":"auto","attrs":["a"]}', 1, 42],
    ['{"mdev_type":"é\\ud800","start":"auto"}', 1, 14],
    ['{"mdev_type":"t","start":"auto",}', 1, 33],
    ['{"mdev_type":"t","start":"auto"} x', 1, 34],
    ['\ufeff{"mdev_type":"t","start":"auto"}', 1, 1],
    ["", 1, 1],
  ])("tells where %j is no definition, and lists the rest", async (text, line, column) => {
    const { store } = world({ [`p/${OTHER}`]: text, [`p/${UUID}`]: TEXT });
    const { definitions, problems } = await ok(store.list());
    expect(definitions).toHaveLength(1);
    expect(problems).toMatchObject([
      { path: `${ROOT}/p/${OTHER}`, type: "decode", raw: text, place: { line, column } },
    ]);
    expect(problems[0]?.message).toContain(`line ${line}, column ${column}`);
    expect((await fails(store.get(OTHER), "decode")).raw).toBe(text);
    await ok(store.get(UUID));
  });

  it("reads what mdevctl reads", async () => {
    const { store } = world({
      [`p/${UUID}`]: '\t{"start":"bogus","attrs":null,"mdev_type":"a","mdev_type":"b"}\r\n',
      [`q/${UUID}`]: '{"mdev_type":"t","start":"auto","attrs":[{"a":"1","a":"\\u00e9"}]}',
    });
    const { definitions } = await ok(store.list());
    expect(definitions).toMatchObject([
      { type: "b", start: "manual", attributes: [] },
      { type: "t", start: "auto", attributes: [["a", "é"]] },
    ]);
  });

  it("shows every spelling of a UUID as the same device, and a second file as a problem", async () => {
    const odd = UUID.replaceAll("-", "").toUpperCase();
    const { store, fs } = world({ [`p/${odd}`]: TEXT, [`q/urn:uuid:${UUID}`]: TEXT, [`r/{${UUID}}`]: TEXT });
    const { definitions } = await ok(store.list({ uuid: odd }));
    expect(definitions.map(({ uuid, path }) => [uuid, path.slice(ROOT.length)])).toEqual([
      [UUID, `/p/${odd}`],
      [UUID, `/q/urn:uuid:${UUID}`],
      [UUID, `/r/{${UUID}}`],
    ]);
    await ok(store.modify(UUID, { start: "auto" }, { parent: "p" }));
    expect(Object.keys(fs.files)).toContain(`${ROOT}/p/${odd}`);

    fs.write(`${ROOT}/p/${UUID}`, TEXT);
    const { problems } = await ok(store.list({ parent: "p" }));
    expect(problems).toMatchObject([{ type: "conflict", path: `${ROOT}/p/${odd}` }]);
    expect((await ok(store.get(UUID, { parent: "p" }))).path).toBe(`${ROOT}/p/${UUID}`);
    await ok(store.undefine(UUID));
    expect(fs.files).toEqual({});
  });

  it.each([
    "{11111111aaaa4bbb8ccc0000000000ff}",
    `URN:UUID:${UUID}`,
    `urn:uuid:${UUID.replaceAll("-", "")}`,
    ` ${UUID}`,
  ])("does not take %j for a UUID, as mdevctl does not", async (name) => {
    const { store } = world({ [`p/${name}`]: TEXT });
    expect(await ok(store.list())).toMatchObject({ definitions: [], problems: [{ type: "conflict" }] });
    await fails(store.get(name), "invalid-argument");
  });

  it("follows no links, and leaves mdevctl's scripts and files beside the folders alone", async () => {
    const { store, fs } = world({ [`scripts.d/${UUID}`]: TEXT, [UUID]: TEXT, [`p/${OTHER}`]: TEXT });
    fs.symlink(`${ROOT}/p`, `${ROOT}/q`);
    fs.symlink(`${ROOT}/p/${OTHER}`, `${ROOT}/p/${UUID}`);
    const { definitions, problems } = await ok(store.list());
    expect(definitions.map(({ uuid }) => uuid)).toEqual([OTHER]);
    expect(problems).toMatchObject([{ path: `${ROOT}/p/${UUID}`, type: "conflict" }]);
    expect(problems[0]?.message).toContain("is a link, which is not followed");
  });

  it("looks a second time at a file that another program is just writing", async () => {
    const { store, fs } = world({ [`p/${UUID}`]: "" });
    const list = store.list();
    setTimeout(() => fs.write(`${ROOT}/p/${UUID}`, TEXT), 5);
    expect((await ok(list)).definitions).toHaveLength(1);
  });
});

describe("modify", () => {
  const attrs = (...names: string[]): string =>
    JSON.stringify({ mdev_type: "t", start: "manual", attrs: names.map((name) => ({ [name]: "1" })) });

  it.each([
    [[{ edit: "insert", attribute: ["x", "1"] }], "abx"],
    [[{ edit: "insert", index: 0, attribute: ["x", "1"] }], "xab"],
    [[{ edit: "insert", index: 2, attribute: ["x", "1"] }], "abx"],
    [[{ edit: "insert", index: 3, attribute: ["x", "1"] }], undefined],
    [[{ edit: "replace", index: 1, attribute: ["x", "1"] }], "ax"],
    [[{ edit: "replace", index: 2, attribute: ["x", "1"] }], undefined],
    [[{ edit: "delete" }], "a"],
    [[{ edit: "delete", index: 0 }], "b"],
    [[{ edit: "delete", index: 2 }], undefined],
    [[{ edit: "delete" }, { edit: "delete" }, { edit: "delete" }], ""],
    [[{ edit: "delete", index: -1 }], undefined],
    [[{ edit: "replace", attribute: ["x", "1"] }], undefined],
    [[{ edit: "move" }], undefined],
    ["edits", undefined],
  ])("%j gives %j", async (edits, names) => {
    const { store, fs } = world({ [`p/${UUID}`]: attrs("a", "b") });
    const before = fs.files;
    const modified = store.modify(UUID, { edits: edits as never });
    if (names === undefined) {
      await fails(modified, "invalid-argument");
      expect(fs.files).toEqual(before);
    } else expect((await ok(modified)).attributes.map(([name]) => name).join("")).toBe(names);
  });

  it("changes type, start and all attributes, or takes a JSON text; what mdevctl does not know stays", async () => {
    const { store, fs } = world({ [`p/${UUID}`]: '{"note":"x","mdev_type":"t","start":"auto"}' });
    await ok(store.modify(UUID, { type: "u", start: "manual", attributes: [["a", "1"]] }));
    expect(JSON.parse(Object.values(fs.files)[0] ?? "")).toEqual({
      mdev_type: "u",
      start: "manual",
      attrs: [{ a: "1" }],
      note: "x",
    });
    const { type, otherKeys } = await ok(
      store.modify(UUID, { json: '{"mdev_type":"v","start":"auto","n":0}' }),
    );
    expect([type, otherKeys]).toEqual(["v", ["n"]]);
  });

  it("wants to know which parent is meant, and that there is a definition", async () => {
    const { store, fs } = world({ [`p/${UUID}`]: TEXT, [`q/${UUID}`]: TEXT });
    await fails(store.modify(UUID, { start: "auto" }), "conflict");
    await fails(store.modify(OTHER, { start: "auto" }), "not-found");
    await fails(store.modify(UUID, { start: "auto" }, { parent: "r" }), "not-found");
    await ok(store.modify(UUID, { start: "auto" }, { parent: "q" }));
    expect(fs.files[`${ROOT}/p/${UUID}`]).toBe(TEXT);
  });

  it("is a conflict, and writes nothing, where somebody else changed the file meanwhile", async () => {
    for (const change of ["write", "unlink"] as const) {
      const { store, fs } = world({ [`p/${UUID}`]: TEXT });
      const create = fs.create.bind(fs);
      fs.create = async (path, text) => {
        await create(path, text);
        if (change === "write") fs.write(`${ROOT}/p/${UUID}`, "theirs");
        else await fs.unlink(`${ROOT}/p/${UUID}`);
      };
      await fails(store.modify(UUID, { start: "auto" }), "conflict");
      expect(fs.files).toEqual(change === "write" ? { [`${ROOT}/p/${UUID}`]: "theirs" } : {});
    }
  });

  it("loses no change of others who use this library, in this object or through a shared state", async () => {
    const state = new MemoryStore();
    const fs = new MemoryDefinitionFileSystem({ [`${ROOT}/p/${UUID}`]: TEXT });
    const alone = new DefinitionStore({ fs });
    const shared = [new DefinitionStore({ fs, state }), new DefinitionStore({ fs, state })];
    for (const stores of [[alone], shared]) {
      await ok(alone.modify(UUID, { attributes: [] }));
      const changes = Array.from({ length: 8 }, (_, n) => {
        const store = stores[n % stores.length] ?? alone;
        return ok(store.modify(UUID, { edits: [{ edit: "insert", attribute: [`a${n}`, "1"] }] }));
      });
      await Promise.all(changes);
      expect((await ok(alone.get(UUID))).attributes).toHaveLength(8);
    }
  });
});

describe("undefine", () => {
  it("removes the definition under one parent, or all, and leaves the folders", async () => {
    const { store, fs } = world({ [`p/${UUID}`]: TEXT, [`q/${UUID}`]: TEXT, [`r/${UUID}`]: TEXT });
    expect(await ok(store.undefine(UUID, { parent: "q" }))).toMatchObject([{ parent: "q" }]);
    expect(await ok(store.undefine(UUID))).toMatchObject([{ parent: "p" }, { parent: "r" }]);
    expect(fs.files).toEqual({});
    expect(await fs.readdir(ROOT)).toEqual(["p", "q", "r"]);
    await fails(store.undefine(UUID), "not-found");
  });
});

describe("limits", () => {
  const never = (): Promise<never> => new Promise(() => undefined);

  it("strikes whatever call is never answered, and says what may still happen", async () => {
    const calls = ["readdir", "lstat", "readFile", "mkdir", "create", "link", "rename", "sync"] as const;
    for (const call of calls) {
      const { store, fs } = world({ [`p/${UUID}`]: TEXT });
      fs[call] = never;
      const change =
        call === "mkdir" || call === "link"
          ? store.define({ parent: "p", type: "t", timeout: 20 })
          : store.modify(UUID, {}, { timeout: 20 });
      const { pending } = await fails(change, "timeout");
      const isWritten = ["create", "link", "rename", "sync"].includes(call);
      expect(pending, call).toBe(isWritten ? "What was begun may still be written." : undefined);
    }
  });

  it("ends at once when the signal is aborted", async () => {
    const { store } = world();
    await fails(store.list({ signal: AbortSignal.abort() }), "aborted");
    await fails(store.define({ parent: "p", type: "t", signal: AbortSignal.abort() }), "aborted");
  });

  it("gives the lock back after a limit struck", async () => {
    const { store, fs } = world({ [`p/${UUID}`]: TEXT });
    const rename = fs.rename.bind(fs);
    let go = (): void => undefined;
    fs.rename = async (from, to) => {
      await new Promise<void>((resolve) => (go = resolve));
      await rename(from, to);
    };
    await fails(store.modify(UUID, { start: "auto" }, { timeout: 20 }), "timeout");
    await fails(store.modify(UUID, {}, { timeout: 50 }), "conflict"); // the first one is not over
    fs.rename = rename;
    go();
    expect((await ok(store.modify(UUID, { type: "u" }, { timeout: 5_000 }))).type).toBe("u");
  });
});

describe("a misbehaving file system", () => {
  it.each(["EACCES", "EROFS", "ENOSPC", "EIO"])(
    "%s at any call is an error, and leaves nothing behind",
    async (code) => {
      for (let fatal = 1; ; fatal++) {
        const { fs, store } = world({ [`p/${UUID}`]: TEXT });
        let calls = 0;
        const hostile = new Proxy(fs, {
          get: (target, name: keyof MemoryDefinitionFileSystem) => {
            const method = target[name] as (...given: unknown[]) => Promise<unknown>;
            return (...given: unknown[]) =>
              ++calls === fatal
                ? Promise.reject(Object.assign(new Error(code), { code }))
                : method.apply(target, given);
          },
        });
        const result = await new DefinitionStore({ fs: hostile }).modify(UUID, { start: "auto" });
        if (result.ok && calls < fatal) break;
        if (!result.ok) expect(["io", "permission"]).toContain(result.error.type);
        expect(Object.keys(fs.files)).toHaveLength(1);
        await ok(store.get(UUID));
      }
    },
  );

  it("refuses a root that is none", () => {
    for (const root of ["etc", "/etc/", "", "/\0", 5]) {
      expect(() => new DefinitionStore({ root: root as string })).toThrow("absolute path");
    }
  });
});
