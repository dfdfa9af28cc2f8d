import { readFileSync } from "node:fs";
import { Result } from "typescript-result";
import { describe, expect, test } from "vitest";
import type * as Core from "../../src/index.js";
import type * as Testing from "../../src/testing/index.js";
import { load } from "./load.mjs";

type ErrorClass = new (facts: object) => Error;

const facts = { tried: "try", reason: "it did not work", failure: new Error("the first of two") };

describe.each(["ESM", "CJS"] as const)("%s", (format) => {
  test("every error class has its name and survives the bundling", async () => {
    const core = await load[format]("vfio-mdev");
    const { MdevError } = core as unknown as typeof Core;
    const names = Object.keys(core).filter((name) => name.endsWith("Error") && name !== "MdevError");
    expect(names.length).toBeGreaterThan(10);
    for (const name of names) {
      const ErrorClass = core[name] as ErrorClass;
      const error = new ErrorClass(facts);
      expect(error.name).toBe(name);
      expect(error.constructor.name).toBe(name);
      expect(error).toBeInstanceOf(MdevError);
      expect(String(error)).toBe(`${name}: cannot try: it did not work.`);
      expect(ErrorClass.prototype).not.toHaveProperty("__init"); // what a bundler leaves that rewrites class fields
    }
  });

  test("an error met through ./testing is the error of the core", async () => {
    const { MdevHost, NotFoundError } = (await load[format]("vfio-mdev")) as unknown as typeof Core;
    const { SimulatedHost } = (await load[format]("vfio-mdev/testing")) as unknown as typeof Testing;
    const parent = await new MdevHost({ fs: new SimulatedHost().fs }).parent("0000:3b:00.0");
    expect(parent.ok || parent.error).toBeInstanceOf(NotFoundError);
  });
});

test("docs/errors.md says of every error what to do about it", async () => {
  const core = await load.ESM("vfio-mdev");
  const page = readFileSync("docs/errors.md", "utf8");
  const names = Object.keys(core).filter((name) => name.endsWith("Error") && name !== "MdevError");
  const untold = names.filter((name) => {
    const { type } = new (core[name] as ErrorClass)(facts) as Error & { type: string };
    return !page.includes(`[\`${type}\`](#${type}) \`${name}\``) || !page.includes(`\n### ${type}\n`);
  });
  expect(untold).toEqual([]);
});

test("Result is the Result of typescript-result, passed on", async () => {
  expect((await load.ESM("vfio-mdev"))["Result"]).toBe(Result);
  expect((await load.CJS("vfio-mdev"))["Result"]).toBe((await load.CJS("typescript-result"))["Result"]);
});
