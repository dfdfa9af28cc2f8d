import { existsSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { fails, ok } from "../contract/expect.js";
import { memoryFolder } from "./memory-folder.js";
import { installation, Mdevctl } from "./mdevctl.js";
import { noted, recorder, SCRIPT_FOLDERS } from "./scripts.js";
import { Ours, Theirs } from "./sides.js";
import type { Tree } from "./tree.js";

// Where this library does otherwise than mdevctl, on purpose. Each has its line in docs/definitions.md, by its name.

const UUID = "11111111-aaaa-4bbb-8ccc-0000000000ff";
const OTHER = "22222222-aaaa-4bbb-8ccc-000000000002";
const AUTO = '{\n  "mdev_type": "t",\n  "start": "auto",\n  "attrs": []\n}';
const type = { files: { available_instances: "4\n", device_api: "vfio-pci\n" } };
const TREE: Tree = { parents: { p: { t: type } }, devices: [], definitions: {} };

let ours: Ours;
let theirs: Theirs;
let mdevctl: Mdevctl;
function begin(suite: string | undefined): void {
  const folder = memoryFolder();
  mkdirSync(join(folder, "ours"));
  mdevctl = new Mdevctl(join(folder, "theirs"), installation(suite));
  ours = new Ours(join(folder, "ours"), { showsDefinitions: false });
  theirs = new Theirs(mdevctl);
}
const isOld = async (): Promise<boolean> => (await mdevctl.version()).startsWith("1.2.");

const lay = (tree: Partial<Tree>): void => {
  for (const side of [ours, theirs]) side.lay({ ...TREE, ...tree });
};
const files = ({ machine }: Ours | Theirs): Record<string, string> =>
  Object.fromEntries(
    Object.entries(machine.look()).flatMap(([path, text]) =>
      path.startsWith("etc/") && text.startsWith("file ")
        ? [[path.slice("etc/mdevctl.d/".length), text.slice(5)]]
        : [],
    ),
  );

describe.each([
  { of: "this machine", suite: undefined },
  { of: "Debian 13", suite: "trixie" },
])("mdevctl of $of", ({ suite }) => {
  beforeEach(() => begin(suite));

  it("broken-definition: mdevctl lists and starts nothing beside it, we the rest", async () => {
    lay({ definitions: { [`p/${UUID}`]: "{", [`p/${OTHER}`]: AUTO } });
    expect(await theirs.ask({ list: "defined" })).toBeUndefined();
    expect(await ours.ask({ list: "defined" })).toContain(OTHER);
    await theirs.perform({ do: "start automatic", parent: "p" });
    const { starts, problems } = await ok(ours.defined.startAuto({ parent: "p" }));
    expect(starts.map(({ definition, started }) => [definition.uuid, started])).toEqual([[OTHER, true]]);
    expect(problems).toHaveLength(1);
    expect(await theirs.ask({ list: "active" })).toBe("[]");
  });

  it("broken-type: mdevctl prints no types at all, we the others", async () => {
    lay({ parents: { p: { t: type, u: { files: { device_api: "vfio-pci\n" } } } } });
    expect(await theirs.ask({ list: "types" })).toBeUndefined();
    expect(await ours.ask({ list: "types" })).toContain('"t"');
  });

  it("unknown-keys: mdevctl loses them when it rewrites a file, we keep them", async () => {
    lay({ definitions: { [`p/${UUID}`]: '{"mdev_type":"t","start":"auto","note":[1]}' } });
    const modify = { do: "modify", uuid: UUID, start: "manual" } as const;
    expect([await ours.perform(modify), await theirs.perform(modify)]).toEqual([true, true]);
    const [kept, lost] = [files(ours)[`p/${UUID}`] ?? "", files(theirs)[`p/${UUID}`] ?? ""];
    expect(kept.replace(/,\s*"note": \[\s*1\s*\]/u, "")).toBe(lost);
    expect(kept).not.toBe(lost);
  });

  it("spelling: mdevctl writes a second file and cannot undefine the first, we know it for the same", async () => {
    const odd = UUID.replaceAll("-", "").toUpperCase();
    lay({ definitions: { [`p/${odd}`]: AUTO } });
    const modify = { do: "modify", uuid: UUID, start: "manual" } as const;
    expect([await ours.perform(modify), await theirs.perform(modify)]).toEqual([true, true]);
    expect(Object.keys(files(ours))).toEqual([`p/${odd}`]);
    expect(Object.keys(files(theirs)).sort()).toEqual([`p/${UUID}`, `p/${odd}`].sort());
    await ours.perform({ do: "undefine", uuid: UUID });
    await theirs.perform({ do: "undefine", uuid: UUID });
    expect([files(ours), Object.keys(files(theirs))]).toEqual([{}, [`p/${odd}`]]);
  });

  it("escape: mdevctl writes outside its folder what a name leads to, we refuse the name", async () => {
    lay({});
    const define = { do: "define", uuid: UUID, parent: "../elsewhere", type: "t", auto: false } as const;
    expect([await ours.perform(define), await theirs.perform(define)]).toEqual([false, true]);
    expect(existsSync(join(mdevctl.root, "etc/elsewhere", UUID))).toBe(true);
    for (const name of ["../../escape", "/escape"]) {
      await fails(
        ours.store.define({ parent: "p", type: "t", attributes: [[name, "1"]] }),
        "invalid-argument",
      );
    }
    await fails(ours.store.define({ parent: "scripts.d", type: "t" }), "invalid-argument");
  });

  it("links: mdevctl writes through a link in place of a parent's folder, we do not", async () => {
    lay({});
    for (const { machine } of [ours, theirs]) {
      mkdirSync(join(machine.root, "etc/target"));
      symlinkSync("../target", join(machine.root, "etc/mdevctl.d/p"));
    }
    const define = { do: "define", uuid: UUID, parent: "p", type: "t", auto: false } as const;
    expect([await ours.perform(define), await theirs.perform(define)]).toEqual([false, true]);
    expect(existsSync(join(mdevctl.root, "etc/target", UUID))).toBe(true);
    expect(existsSync(join(ours.machine.root, "etc/target", UUID))).toBe(false);
  });

  it("empty-value: mdevctl starts a device whose attribute gets nothing written, we refuse it", async () => {
    lay({ definitions: { [`p/${UUID}`]: '{"mdev_type":"t","start":"auto","attrs":[{"attr_a":""}]}' } });
    expect(await theirs.perform({ do: "start", uuid: UUID })).toBe(true);
    await fails(ours.defined.start(UUID), "invalid-argument");
  });

  it("in-place: mdevctl writes into the file, we put a whole new one in its place", async () => {
    lay({ definitions: { [`p/${UUID}`]: AUTO } });
    const sameFile = async (side: Ours | Theirs): Promise<boolean> => {
      const path = join(side.machine.root, "etc/mdevctl.d/p", UUID);
      const second = join(side.machine.root, "second");
      linkSync(path, second);
      await side.perform({ do: "modify", uuid: UUID, start: "manual" });
      return readFileSync(second, "utf8") === readFileSync(path, "utf8");
    };
    expect([await sameFile(ours), await sameFile(theirs)]).toEqual([false, true]);
  });

  it("active-as-defined: mdevctl before 1.3 shows the definition of an active device for what it is, we the device", async () => {
    lay({
      parents: { p: { t: type, u: type } },
      devices: [{ uuid: UUID, parent: "p", type: "u" }],
      definitions: { [`p/${UUID}`]: '{"mdev_type":"t","start":"auto","attrs":[{"attr_a":"1"}]}' },
    });
    const shown = JSON.stringify(JSON.parse((await ours.ask({ list: "active" })) ?? ""));
    expect(shown).toContain('{"mdev_type":"u","start":"auto","attrs":[]}');
    if (!(await isOld())) return;
    expect(JSON.parse((await theirs.ask({ list: "active" })) ?? "")).toMatchObject([
      { p: [{ [UUID]: { mdev_type: "t", attrs: [{ attr_a: "1" }] } }] },
    ]);
  });

  it.each(['{"mdev_type":5,"start":"auto"}', '{"mdev_type":"t","start":"auto","attrs":[{"a":1}]}'])(
    "panic: where mdevctl falls over %s, ours is an error with its place",
    async (text) => {
      lay({ definitions: { [`p/${UUID}`]: text } });
      expect(await theirs.ask({ list: "defined" })).toBeUndefined();
      expect((await fails(ours.store.get(UUID), "decode")).message).toMatch(/line 1, column \d+/u);
    },
  );

  it.each([
    UUID.toUpperCase(),
    UUID.replaceAll("-", ""),
    `{${UUID}}`,
    `urn:uuid:${UUID}`,
    `URN:UUID:${UUID}`,
    `{${UUID}`,
    ` ${UUID}`,
    "x",
    `{${UUID.replaceAll("-", "")}}`,
  ])("%j is a UUID to both, or to neither", async (spelling) => {
    lay({});
    const define = { do: "define", uuid: spelling, parent: "p", type: "t", auto: true } as const;
    const [mine, other] = [await ours.perform(define), await theirs.perform(define)];
    expect(mine).toBe(other);
    expect(files(ours)).toEqual(files(theirs));
  });

  it("modify-defines: since 1.3, mdevctl defines by modify --jsonfile what is not defined, we say so", async () => {
    lay({});
    writeFileSync(join(mdevctl.root, "given.json"), AUTO);
    const { ok: isDone } = await mdevctl.run(
      "modify",
      "--uuid",
      UUID,
      "--parent",
      "p",
      "--jsonfile",
      "/given.json",
    );
    expect([isDone, Object.keys(files(theirs))]).toEqual(
      (await isOld()) ? [false, []] : [true, [`p/${UUID}`]],
    );
    await fails(ours.store.modify(UUID, { json: AUTO }, { parent: "p" }), "not-found");
  });

  describe("scripts", () => {
    const [LIB, ETC] = SCRIPT_FOLDERS;
    const define = { do: "define", uuid: UUID, parent: "p", type: "t", auto: false } as const;
    const calls = (side: Ours | Theirs): string[] =>
      noted(side.machine.root).filter((call) => !call.includes("[capabilities]"));
    const events = (side: Ours | Theirs): string[] =>
      calls(side).map(
        (call) =>
          /scripts\.d\/(?:callouts|notifiers)\/(.*) \[-t\] .* \[-e\] \[(.*)\] \[-a\]/u
            .exec(call)
            ?.slice(1, 3)
            .join(" ") ?? call,
      );

    it("get the same arguments, the same input and the same environment", async () => {
      const environment = recorder({}).replace(
        "case ",
        'env | grep -vE "^(PWD|OLDPWD|SHLVL|_|PATH)=" | sort >> "$root/log"\ncase ',
      );
      lay({ scripts: { [`${ETC}/callouts/a`]: environment } });
      const outer = { ...process.env };
      for (const name of Object.keys(outer)) if (name !== "PATH") Reflect.deleteProperty(process.env, name);
      process.env["MDEVCTL_TEST"] = "a b";
      const given = [await ours.perform(define), await theirs.perform(define)];
      Reflect.deleteProperty(process.env, "MDEVCTL_TEST");
      Object.assign(process.env, outer);
      const [mine, other] = [calls(ours), calls(theirs)];
      expect(given).toEqual([true, true]);
      expect(mine.filter((line) => line !== "MDEVCTL_TEST=a b")).toEqual(other);
      expect(mine).toContain("MDEVCTL_TEST=a b");
    });

    it("older-scripts: before 1.3, mdevctl runs those in /etc alone, never asks what they support, and gives notifiers the definition", async () => {
      lay({
        scripts: {
          [`${LIB}/callouts/l`]: recorder({ "pre define": { status: 2 } }),
          [`${ETC}/callouts/e`]: recorder({}),
          [`${ETC}/notifiers/n`]: recorder({}),
        },
      });
      expect([await ours.perform(define), await theirs.perform(define)]).toEqual([true, true]);
      const [mine, other] = [noted(ours.machine.root), noted(theirs.machine.root)];
      if (!(await isOld())) {
        expect(mine).toEqual(other);
        return;
      }
      const asked = mine.filter((call) => !call.includes("[capabilities]") && !call.includes(LIB));
      expect(asked.slice(0, 2)).toEqual(other.slice(0, 2));
      expect(asked[2]?.replace("<>", '<{"mdev_type":"t","start":"manual","attrs":[]}>')).toBe(other[2]);
    });

    it("killed-script: mdevctl goes on where a script was killed before it could answer, we do not", async () => {
      lay({ scripts: { [`${ETC}/callouts/a`]: recorder({}).replace("case ", () => "kill -9 $$\ncase ") } });
      expect([await ours.perform(define), await theirs.perform(define)]).toEqual([false, true]);
    });

    it("define-asks: mdevctl asks for attributes wherever the UUID is active, define does not, and defineDevice does", async () => {
      const scripts = {
        [`${ETC}/callouts/a`]: recorder({ "get attributes": { output: '[{"attr_a":"1"}]' } }),
      };
      lay({ devices: [{ uuid: UUID, parent: "p", type: "t" }], scripts });
      expect([await ours.perform(define), await theirs.perform(define)]).toEqual([true, true]);
      expect(events(ours)).toEqual(["a pre", "a post"]);
      expect(events(theirs).sort()).toEqual(["a get", "a post", "a pre"]);
      for (const side of [ours, theirs]) await side.perform({ do: "undefine", uuid: UUID });
      for (const side of [ours, theirs]) noted(side.machine.root);
      const active = { do: "define active", uuid: UUID } as const;
      expect([await ours.perform(active), await theirs.perform(active)]).toEqual([true, true]);
      expect(files(ours)).toEqual(files(theirs));
      // Before 1.3 it asks first, and so the scripts see what will be stored.
      expect(events(theirs)).toEqual(
        (await isOld()) ? ["a get", "a pre", "a post"] : ["a pre", "a get", "a post"],
      );
      expect(events(ours)).toEqual(["a pre", "a get", "a post"]);
    });

    it("already-active: mdevctl asks scripts about automatic devices that are active, we do not", async () => {
      lay({
        devices: [{ uuid: UUID, parent: "p", type: "t" }],
        definitions: { [`p/${UUID}`]: AUTO },
        scripts: { [`${ETC}/callouts/a`]: recorder({}) },
      });
      for (const side of [ours, theirs]) await side.perform({ do: "start automatic", parent: "p" });
      expect(events(ours)).toEqual([]);
      expect(events(theirs)).toEqual(["a pre", "a post"]);
    });
  });
});
