import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { derivedUuid, InvalidArgumentError } from "../src/index.js";

const DNS = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
const URL = "6ba7b811-9dad-11d1-80b4-00c04fd430c8";

describe("a derived UUID", () => {
  it.each([
    [DNS, "www.example.com", "2ed6657d-e927-568b-95e1-2665a8aea6a2"], // RFC 9562, appendix A.4
    [DNS, "python.org", "886313e1-3b8a-5372-9b90-0c9aee199e5d"], // the documentation of Python's module uuid
    [DNS.toUpperCase(), "python.org", "886313e1-3b8a-5372-9b90-0c9aee199e5d"],
    [URL, "https://example.com/vm-7/größe 🚀", "9dc9e289-3981-5572-a735-f3138f849ec3"],
    [DNS, "", "4ebd0208-8328-5d69-8c44-ec50939c0967"],
  ])("of %s and %j is known", (namespace, name, uuid) => {
    expect(derivedUuid(namespace, name)).toBe(uuid);
  });

  it("has its version and its variant, and is another one for another name", () => {
    fc.assert(
      fc.property(fc.uuid(), fc.string(), fc.string(), (namespace, one, other) => {
        const uuid = derivedUuid(namespace, one);
        expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(derivedUuid(namespace, other) === uuid).toBe(one === other);
      }),
    );
  });

  it.each([
    ["", "x"],
    ["dns", "x"],
    [`{${DNS}}`, "x"],
    [DNS, "half \ud800"],
    [DNS, 7 as unknown as string],
  ])("is refused of %j and %j", (namespace, name) => {
    expect(() => derivedUuid(namespace, name)).toThrow(InvalidArgumentError);
  });
});
