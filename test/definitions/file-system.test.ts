import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  type DefinitionFileSystem,
  DefinitionStore,
  NodeDefinitionFileSystem,
} from "../../src/definitions/index.js";
import { MemoryDefinitionFileSystem } from "../../src/testing/index.js";
import { ok } from "../contract/expect.js";
import { temporaryFolder } from "../support/temporary.js";

interface Subject {
  readonly fs: DefinitionFileSystem;
  readonly root: string;
  symlink(target: string, path: string): void;
}
const subjects: Readonly<Record<string, () => Subject>> = {
  node: () => {
    const root = temporaryFolder();
    return { fs: new NodeDefinitionFileSystem(), root, symlink: (target, path) => symlinkSync(target, path) };
  },
  memory: () => {
    const fs = new MemoryDefinitionFileSystem({ "/root/x": "" });
    void fs.unlink("/root/x");
    return { fs, root: "/root", symlink: (target, path) => fs.symlink(target, path) };
  },
};

describe.each(Object.entries(subjects))("%s", (_, make) => {
  const rejects = async (promise: Promise<unknown>, code: string): Promise<void> => {
    await expect(promise).rejects.toMatchObject({ code });
  };

  it("does what its interface says", async () => {
    const { fs, root, symlink } = make();
    await fs.mkdir(`${root}/d`);
    await rejects(fs.mkdir(`${root}/d`), "EEXIST");
    await fs.create(`${root}/d/a`, "é", 0o600);
    await rejects(fs.create(`${root}/d/a`, ""), "EEXIST");
    expect(await fs.readFile(`${root}/d/a`)).toBe("é");
    expect(await fs.lstat(`${root}/d/a`)).toMatchObject({ kind: "file", mode: 0o600 });
    expect((await fs.lstat(`${root}/d/a`)).modified).toBeGreaterThan(Date.now() - 60_000);
    await fs.link(`${root}/d/a`, `${root}/d/b`);
    await rejects(fs.link(`${root}/d/a`, `${root}/d/b`), "EEXIST");
    await fs.unlink(`${root}/d/a`);
    await rejects(fs.readFile(`${root}/d/a`), "ENOENT");
    await fs.create(`${root}/c`, "new");
    await fs.rename(`${root}/c`, `${root}/d/b`);
    await fs.sync(`${root}/d`);
    expect(await fs.readFile(`${root}/d/b`)).toBe("new");
    expect(await fs.readdir(root)).toEqual(["d"]);
    expect((await fs.lstat(`${root}/d`)).kind).toBe("folder");

    symlink(`${root}/d/b`, `${root}/l`);
    expect((await fs.lstat(`${root}/l`)).kind).toBe("link");
    await rejects(fs.readFile(`${root}/l`), "ELOOP");
    await fs.unlink(`${root}/l`);
    for (const call of ["readdir", "lstat", "readFile", "unlink"] as const)
      await rejects(fs[call](`${root}/n`), "ENOENT");
    await rejects(fs.rename(`${root}/n`, `${root}/m`), "ENOENT");
    await rejects(fs.link(`${root}/n`, `${root}/m`), "ENOENT");
  });
});

describe("the local file system", () => {
  const UUID = "11111111-aaaa-4bbb-8ccc-000000000001";

  it("replaces no byte that is no UTF-8, and waits for no pipe", async () => {
    const root = temporaryFolder();
    mkdirSync(`${root}/p`);
    writeFileSync(`${root}/p/${UUID}`, Buffer.from('{"mdev_type":"\xff","start":"auto"}', "latin1"));
    execFileSync("mkfifo", [`${root}/p/22222222-aaaa-4bbb-8ccc-000000000002`]);
    const { definitions, problems } = await ok(new DefinitionStore({ root }).list());
    expect(definitions).toEqual([]);
    expect(problems.map(({ type, message }) => `${type} ${message}`)).toEqual([
      expect.stringMatching(/^io .*no UTF-8/),
      expect.stringMatching(/^conflict .*is not a file/),
    ]);
  });

  it("keeps the permissions of a file that it rewrites, and makes others as mdevctl does", async () => {
    const root = `${temporaryFolder()}/new`;
    const store = new DefinitionStore({ root });
    const { path } = await ok(store.define({ parent: "p", uuid: UUID, type: "t" }));
    writeFileSync(`${root}/like-mdevctl`, "");
    expect(statSync(path).mode).toBe(statSync(`${root}/like-mdevctl`).mode);
    chmodSync(path, 0o622);
    await ok(store.modify(UUID, { start: "auto" }));
    expect(statSync(path).mode & 0o777).toBe(0o622);
  });
});
