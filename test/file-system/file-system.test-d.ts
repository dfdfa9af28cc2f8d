import * as callbacks from "node:fs";
import * as promises from "node:fs/promises";
import { describe, expectTypeOf, it } from "vitest";
import {
  type FileSystem,
  MdevHost,
  NodeFileSystem,
  nodeFileSystem,
  type WriteOptions,
} from "../../src/index.js";
import { SimulatedHost } from "../../src/testing/index.js";

describe("a FileSystem", () => {
  it("is node:fs/promises as it is", () => {
    promises satisfies FileSystem;
    callbacks.promises satisfies FileSystem;
    new MdevHost({ fs: promises });
    // @ts-expect-error it has callbacks
    new MdevHost({ fs: callbacks });
  });

  it("is ours, local and simulated", () => {
    expectTypeOf(nodeFileSystem).toExtend<FileSystem>();
    expectTypeOf(new NodeFileSystem({ reads: "pool" })).toExtend<FileSystem>();
    expectTypeOf(new SimulatedHost().fs).toExtend<FileSystem>();
    // @ts-expect-error no such way to read
    new NodeFileSystem({ reads: "sync" });
  });

  it("may lack writeDetached, and nothing else", () => {
    const { readFile, writeFile, readdir, readlink, lstat } = promises;
    ({ readFile, writeFile, readdir, readlink, lstat }) satisfies FileSystem;
    // @ts-expect-error lstat is missing
    ({ readFile, writeFile, readdir, readlink }) satisfies FileSystem;
  });

  it("writes with a number as its flag", () => {
    expectTypeOf<WriteOptions["flag"]>().toBeNumber();
    expectTypeOf<WriteOptions["signal"]>().toEqualTypeOf<AbortSignal | undefined>();
  });
});
