import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DecodeError, type FileSystem, MdevHost } from "../../src/index.js";
import { type RecordedEntry, type Recording, recordHost, replay } from "../../src/recording/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { fails, ok } from "../contract/expect.js";
import { recordedParent } from "../testing/recordings.js";
import { everything } from "./zoo.js";

const WRITE = { flag: 1 };
const folder: RecordedEntry = { kind: "folder", mode: "0755" };
const file: RecordedEntry = { kind: "file", mode: "0444", text: "1\n" };

function documentOf(entries: Readonly<Record<string, unknown>>): Recording {
  const document = { format: "vfio-mdev recording", version: 1, masked: [], complete: true, entries };
  return document as unknown as Recording;
}

function fileSystemOf(entries: Readonly<Record<string, RecordedEntry>>): FileSystem {
  return replay(documentOf(entries)).getOrThrow();
}

const codeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => "no error",
    (error: unknown) => (error as { readonly code: unknown }).code,
  );

describe("a replay", () => {
  it("is taken from what real kernels were recorded to show", async () => {
    for (const name of ["mtty", "mdpy", "mbochs"]) {
      const { parent, steps } = recordedParent(name);
      const types = [];
      for (const { recording } of steps) {
        const host = new MdevHost({ fs: replay(recording).getOrThrow() });
        const { devices, parents, problems } = await ok(host.snapshot());
        expect(problems).toEqual([]);
        expect(
          parents
            .find(({ id }) => id === parent.name)
            ?.types.map(({ id }) => id)
            .sort(),
        ).toEqual([...parent.types].sort());
        types.push(devices.map(({ type, driver, state }) => `${type ?? ""} ${driver ?? ""} ${state}`));
      }
      const [first = "", second = ""] = parent.types.map((type) => `${type} ${parent.driver} active`);
      expect(types).toEqual([[], [first], [first, second], []]);
    }
  });

  it("can be read and not be written to", async () => {
    const simulated = new SimulatedHost();
    const uuid = simulated.addMtty().create("mtty-1");
    const fs = replay(await ok(recordHost(simulated.fs))).getOrThrow();
    const host = new MdevHost({ fs });
    const type = await ok(host.parent("mtty").map((parent) => parent.type("mtty-1")));
    expect((await fails(type.create(), "permission")).errno).toBe("EROFS");
    expect((await fails((await ok(host.device(uuid))).remove(), "permission")).errno).toBe("EROFS");
    const home = `/sys/bus/mdev/devices/${uuid}`;
    expect(await codeOf(fs.readFile(`${home}/remove`, "utf8"))).toBe("EACCES"); // a file that can only be written
    expect(await codeOf(fs.writeFile(`${home}/missing`, "1", WRITE))).toBe("ENOENT");
    expect(await codeOf(fs.writeFile(home, "1", WRITE))).toBe("EISDIR");
    expect(await codeOf(fs.readFile(`${home}/power/control`, "utf8"))).toBe("ENODATA");
    expect(await codeOf(fs.readFile("/dev/vfio/0", "utf8"))).toBe("ENODATA");
  });

  it("answers as a file system does", async () => {
    const fs = fileSystemOf({
      "/sys/a": folder,
      "/sys/a/file": file,
      "/sys/a/link": { kind: "link", mode: "0777", target: "../b/./folder" },
      "/sys/a/up": { kind: "link", mode: "0777", target: "/sys/a/../a/file" },
      "/sys/a/loop": { kind: "link", mode: "0777", target: "loop" },
      "/sys/a/lost": { kind: "unknown", errno: "EPERM" },
      "/sys/b/folder": folder,
      "/sys/b/folder/file": { kind: "file", mode: "0444", text: "", ino: 7 },
      "/sys/b/closed": { kind: "folder", mode: "0700", errno: "EACCES" },
      "/sys/b/part": { kind: "folder", mode: "0755", partial: true },
    });
    expect((await fs.readdir("/sys/a")).sort()).toEqual(["file", "link", "loop", "lost", "up"]);
    expect(await fs.readdir("/sys/a/link")).toEqual(["file"]);
    expect(await fs.readFile("/sys/a/link/file", "utf8")).toBe("");
    expect(await fs.readFile("/sys/a/up", "utf8")).toBe("1\n");
    expect(await fs.readlink("/sys/a/link")).toBe("../b/./folder");
    expect((await fs.lstat("/sys/a/link")).isSymbolicLink()).toBe(true);
    expect(await fs.lstat("/sys/a/link/file")).toMatchObject({ ino: 7, mode: 0o100444 });
    expect((await fs.lstat("/sys/b")).isDirectory()).toBe(true);

    expect(await codeOf(fs.readFile("/sys/a/loop", "utf8"))).toBe("ELOOP");
    expect(await codeOf(fs.readFile("/sys/a/file/x", "utf8"))).toBe("ENOTDIR");
    expect(await codeOf(fs.readFile("/sys/a", "utf8"))).toBe("EISDIR");
    expect(await codeOf(fs.readFile("/sys/a/no", "utf8"))).toBe("ENOENT");
    expect(await codeOf(fs.readlink("/sys/a/file"))).toBe("EINVAL");
    expect(await codeOf(fs.readdir("/sys/a/file"))).toBe("ENOTDIR");
    expect(await codeOf(fs.lstat("/sys/a/lost"))).toBe("EPERM");
    expect(await codeOf(fs.readdir("/sys/b/closed"))).toBe("EACCES");
    expect(await codeOf(fs.lstat("/sys/b/closed/x"))).toBe("EACCES");
    // What only leads to what was recorded: nothing else is there, but that cannot be a listing.
    expect(await codeOf(fs.lstat("/sys/b/x"))).toBe("ENOENT");
    expect(await codeOf(fs.readdir("/sys/b"))).toBe("ENODATA");
    expect(await codeOf(fs.readdir("/sys/b/part"))).toBe("ENODATA");
    expect(await codeOf(fs.lstat("/sys/b/part/x"))).toBe("ENODATA");
  });
});

describe("a document that is no recording", () => {
  const refused = (document: unknown): DecodeError => {
    const result = replay(document as Recording);
    expect(result.error).toBeInstanceOf(DecodeError);
    return result.error as DecodeError;
  };

  it.each<[string, unknown]>([
    ["is no JSON", "{"],
    ["no format", "{}"],
    ["no format", "[]"],
    ["no format", null],
    ["no format", undefined],
    ["no format", { ...documentOf({}), format: "other" }],
    ["its version", { ...documentOf({}), version: "1" }],
    ["its version", { ...documentOf({}), version: 0 }],
    ["its kernel", { ...documentOf({}), kernel: 6 }],
    ["its masked", { ...documentOf({}), masked: ["all"] }],
    ["its complete", { ...documentOf({}), complete: "yes" }],
    ["its entries", { ...documentOf({}), entries: [] }],
    ["absolute path", documentOf({ "sys/a": file })],
    ["absolute path", documentOf({ "/sys/../etc": file })],
    ["absolute path", documentOf({ "/sys//a": file })],
    ["absolute path", documentOf({ "/sys/a/": file })],
    ["is below something", documentOf({ "/sys/a": file, "/sys/a/b": file })],
    ["is not an object", documentOf({ "/sys/a": "text" })],
    ["kind", documentOf({ "/sys/a": { kind: "pipe", mode: "0444" } })],
    ["mode", documentOf({ "/sys/a": { kind: "file", mode: 292 } })],
    ["ino", documentOf({ "/sys/a": { ...file, ino: -1 } })],
    ["text", documentOf({ "/sys/a": { ...file, text: 1 } })],
    ["errno", documentOf({ "/sys/a": { ...file, errno: "no" } })],
    ["errno", documentOf({ "/sys/a": { kind: "unknown" } })],
    ["target", documentOf({ "/sys/a": { kind: "link", mode: "0777" } })],
    ["partial", documentOf({ "/sys/a": { ...folder, partial: false } })],
  ])("is a decode error that says what is wrong: %s", (words, document) => {
    expect(refused(document).message).toContain(words);
  });

  it("has its text in the error", () => {
    expect(refused("no JSON").raw).toBe("no JSON");
  });

  it("of a later version names both versions, and what to do", () => {
    const { message } = refused({ ...documentOf({}), version: 2 });
    expect(message).toContain("it is of version 2, and those up to 1 are understood");
    expect(message).toContain("a later one");
  });

  it("never throws, whatever it is, and neither does a host that gets it", async () => {
    const whole = JSON.stringify(await ok(recordHost(everything().fs)));
    const anything = fc.oneof(
      fc.json(),
      fc.anything().map((value) => documentOf({ "/sys/class/mdev_bus": value })),
      fc.dictionary(fc.string(), fc.anything()).map(documentOf),
      // A real one, with something cut out of it or put into it.
      fc
        .tuple(fc.nat(whole.length), fc.nat(40), fc.string())
        .map(([at, length, text]) => whole.slice(0, at) + text + whole.slice(at + length)),
      // A real one, with something else at one of its paths.
      fc.tuple(fc.nat(), fc.anything()).map(([at, value]) => {
        const { entries } = JSON.parse(whole) as Recording;
        const paths = Object.keys(entries);
        return documentOf({ ...entries, [paths[at % paths.length] ?? ""]: value });
      }),
    );
    await fc.assert(
      fc.asyncProperty(anything, async (document) => {
        const result = replay(document);
        if (!result.ok) expect(result.error.type).toBe("decode");
        else expect(await new MdevHost({ fs: result.value }).snapshot()).toHaveProperty("ok");
      }),
      { numRuns: 200 },
    );
  });

  it("cannot lead anybody out of it, or into endless links", async () => {
    const link = (target: string): RecordedEntry => ({ kind: "link", mode: "0777", target });
    const fs = fileSystemOf({
      "/sys/class/mdev_bus": folder,
      "/sys/class/mdev_bus/a": link("../../../../../../../etc"),
      "/sys/class/mdev_bus/b": link("b/b/b/b/b"),
      "/sys/class/mdev_bus/__proto__": link("../__proto__"),
    });
    expect(await ok(new MdevHost({ fs }).parents())).toEqual([]);
  });
});
