import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { parseMediatedDevicesConfiguration, parseVgpuConfigs } from "../../../src/planning/index.js";

const laughs = Array.from({ length: 13 }, (_, at) => {
  const items = Array.from({ length: 9 }, () => (at === 0 ? "ha" : `*a${at - 1}`));
  return `a${at}: &a${at} [${items.join()}]`;
}).join("\n");

describe("YAML of somebody who means harm is refused, with the reason", () => {
  it.each([
    ["billion laughs", laughs, "aliases exceeded maxAliases (100)"],
    ["brackets, never closed", "[".repeat(500_000), "nesting exceeded maxDepth (32) in line 1"],
    ["brackets, closed", "[".repeat(50_000) + "]".repeat(50_000), "nesting exceeded maxDepth (32)"],
    ["lists in lists", `${"- ".repeat(50_000)}x`, "nesting exceeded maxDepth (32)"],
    ["keys in keys", `${"? ".repeat(50_000)}x`, "nesting exceeded maxDepth (32)"],
    ["an alias of itself", "version: &a [*a]", "version is no text"],
    ["a key twice", "version: v1\nversion: v1", "duplicated mapping key in line 2"],
    ["a tag of a language", "version: !!js/function 'x'", "unknown scalar tag"],
    ["a tag of its own", "version: !mine v1", "unknown scalar tag"],
    ["bytes", "version: !!binary djE=", "unknown scalar tag"],
    ["two documents", "version: v1\n---\nversion: v1", "expected a single document"],
    ["a mapping as a key", "{a: 1}: 2", "does not support complex keys"],
    ["an alias of nothing", "version: *v", "unidentified alias"],
    ["a control character", "version: \u0000", "null byte"],
    ["nothing", "", "the input is empty"],
    ["a comment", "# version: v1", "the input is empty"],
    ["a list", "[]", "the document is no mapping"],
    ["too much", "#".repeat(2 ** 20 + 1), "the document is longer than 1048576 characters"],
  ])("%s", async (_, yaml, reason) => {
    for (const parse of [parseVgpuConfigs, parseMediatedDevicesConfiguration]) {
      const read = await parse(yaml);
      expect(read.ok || read.error).toMatchObject({ type: "decode", raw: yaml });
      if (parse === parseVgpuConfigs) expect(read.ok || read.error.message).toContain(reason);
    }
  });

  it("a document that few aliases make large", async () => {
    const counts = Array.from({ length: 2000 }, (_, at) => `T${at}-1Q: 1`).join(", ");
    const others = "    - {devices: all, vgpu-devices: *counts}\n".repeat(90);
    const first = `    - {devices: all, vgpu-devices: &counts {${counts}}}\n`;
    const read = await parseVgpuConfigs(`version: v1\nvgpu-configs:\n  a:\n${first}${others}`);
    expect(read.ok || read.error.message).toContain("the document holds more than 50000 values");
  });

  it("a name that every object has", async () => {
    const parsed = await parseVgpuConfigs(
      "version: v1\nvgpu-configs: {__proto__: [{devices: all, vgpu-devices: {}}]}",
    );
    expect(parsed.getOrThrow().map(({ name }) => name)).toEqual(["__proto__"]);
    const labels = await parseMediatedDevicesConfiguration(
      'nodeMediatedDeviceTypes: [{nodeSelector: {__proto__: "x"}, mediatedDeviceTypes: [a]}]',
    ).getOrThrow();
    expect(Object.keys(labels.nodes[0]?.nodeSelector ?? {})).toEqual(["__proto__"]);
  });

  it("whatever it is", async () => {
    const alphabet = fc.constantFrom(
      ...Array.from("[]{}:,-?&*!|>'\"%@`#~ \n\tav1"),
      "version: v1\n",
      "vgpu-configs:",
      "<<: ",
    );
    const texts = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.string({ unit: alphabet, maxLength: 60 }),
    );
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        for (const parse of [parseVgpuConfigs, parseMediatedDevicesConfiguration]) {
          const read = await parse(text);
          expect(read.ok || read.error.type).toBeOneOf([true, "decode"]);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("what is no text, or cannot be read", () => {
  it.each([[undefined], [Buffer.from("version: v1")], [{}]])("%o is an invalid argument", async (text) => {
    const read = await parseVgpuConfigs(text as string);
    expect(read.ok || read.error).toMatchObject({ type: "invalid-argument" });
    expect(read.ok || read.error.hint).toBe('Read the file with the encoding "utf8".');
  });

  it("without js-yaml, it says what to install", async () => {
    vi.doMock("js-yaml", () => {
      throw new Error("Cannot find package 'js-yaml'");
    });
    const read = await parseVgpuConfigs("version: v1");
    vi.doUnmock("js-yaml");
    expect(read.ok || read.error).toMatchObject({ type: "unsupported", missing: "js-yaml" });
    expect(read.ok || read.error.message).toContain("npm install js-yaml");
  });
});
