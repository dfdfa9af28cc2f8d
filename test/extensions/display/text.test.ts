import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DisplayFacts, displayFactsOf, meets } from "../../../src/extensions/display/index.js";
import { DESCRIPTIONS, NAMES, printed } from "../nvidia/catalogue.js";

const MIB = 2 ** 20;
const NOTHING: DisplayFacts = displayFactsOf({
  id: "acme-1",
  name: undefined,
  description: undefined,
}).getOrThrow();

describe("displayFactsOf", () => {
  it.each(DESCRIPTIONS)("has all facts of $name", (described) => {
    const text = { id: described.id, name: described.name, description: printed(described) };
    const [width, height] = described.resolution;
    expect(displayFactsOf(text).getOrThrow()).toMatchObject({
      framebufferBytes: described.mebibytes * MIB,
      heads: described.heads,
      maxResolution: { width, height },
      maxInstances: described.instances,
      frameRateLimit: described.frameRate,
    });
  });

  it.each(NAMES)("takes the name $name for a framebuffer, with its brand only", ({ name, mebibytes }) => {
    const { framebufferBytes } = displayFactsOf({ id: "11", name, description: undefined }).getOrThrow();
    expect(framebufferBytes).toBe(/^(?:GRID|NVIDIA) /.test(name) ? mebibytes * MIB : undefined);
  });

  it("says why a description is malformed", () => {
    const text = { id: "nvidia-1", name: undefined, description: "num_heads=many" };
    const facts = displayFactsOf(text);
    expect(!facts.ok && facts.error).toBe("has no num_heads such as 4");
  });

  it("never throws, and knows nothing of other drivers", () => {
    const words = fc.array(
      fc.constantFrom(
        "num_heads=",
        "framebuffer=",
        "4",
        "M",
        ", ",
        "\n",
        "fence: ",
        "resolution: ",
        "4x4",
        "virtual display, ",
        " framebuffer",
        " video memory",
        " MB",
      ),
    );
    const description = fc.oneof(
      fc.string({ unit: "binary" }),
      words.map((parts) => parts.join("")),
    );
    const driver = fc.constantFrom("nvidia-", "i915-", "mdpy-", "mbochs-", "acme-");
    fc.assert(
      fc.property(driver, fc.string(), description, (prefix, name, text) => {
        const facts = displayFactsOf({ id: `${prefix}1`, name, description: text });
        if (prefix === "acme-") expect(facts.getOrThrow()).toEqual({ ...NOTHING, description: text });
        else if (facts.ok) expect(facts.value.description).toBe(text);
        else expect(facts.error).toMatch(/^(?:holds|has) /);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("meets", () => {
  const facts: DisplayFacts = {
    ...NOTHING,
    framebufferBytes: 1024 * MIB,
    heads: 2,
    maxResolution: { width: 2560, height: 1600 },
    maxInstances: 8,
    frameRateLimit: 60,
  };

  it.each([
    [{}, true],
    [{ heads: undefined }, true],
    [{ framebufferBytes: 1024 * MIB, heads: 2, resolution: { width: 2560, height: 1600 } }, true],
    [{ frameRate: 60, instances: 8 }, true],
    [{ framebufferBytes: 1024 * MIB + 1 }, false],
    [{ heads: 3 }, false],
    [{ heads: NaN }, false],
    [{ resolution: { width: 2561, height: 1 } }, false],
    [{ resolution: { width: 1600, height: 2560 } }, false],
    [{ frameRate: 61 }, false],
    [{ instances: 9 }, false],
    [{ heads: 1, instances: 9 }, false],
  ])("answers %j with %j", (needs, expected) => {
    expect(meets(facts, needs)).toBe(expected);
  });

  it("is never met by what is not known", () => {
    const needs = [
      { framebufferBytes: 0 },
      { heads: 0 },
      { resolution: { width: 0, height: 0 } },
      { frameRate: 0 },
      { instances: 0 },
    ];
    expect(needs.map((need) => meets(NOTHING, need))).toEqual(needs.map(() => false));
    expect(meets(NOTHING, {})).toBe(true);
  });
});
