import { posix } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  inNaturalOrder,
  inNaturalOrderOf,
  isName,
  isUuid,
  nearest,
  parseAttributeName,
  parseName,
  parseUuid,
  quote,
} from "../src/identifiers.js";

const TRIED = "test";
const FOLDER = "/sys/devices/pci0000:3a/0000:3b:00.0";

const hex = (digits: number): fc.Arbitrary<string> =>
  fc.nat({ max: 16 ** digits - 1 }).map((number) => number.toString(16).padStart(digits, "0"));
const pciAddress = fc
  .tuple(hex(4), hex(2), hex(2), fc.nat({ max: 7 }))
  .map(([domain, bus, device, fn]) => `${domain}:${bus}:${device}.${fn}`);
/** Names that try to lead elsewhere, and ordinary ones. */
const component = fc.oneof(
  fc.constantFrom(
    "",
    ".",
    "..",
    "...",
    "a",
    "vendor",
    "nvidia-9",
    "a\0",
    "a\n",
    "\ud800",
    " ",
    "~",
    "-",
    "%2e%2e",
  ),
  fc.string({ unit: "grapheme", maxLength: 5 }),
  fc.string({ unit: "binary", maxLength: 3 }),
  pciAddress,
);
const path = fc.array(component, { minLength: 1, maxLength: 5 }).map((components) => components.join("/"));
/** Names of all the kinds that are sorted. */
const name = fc.oneof(
  pciAddress,
  fc.uuid(),
  hex(4).map((number) => `0.0.${number}`),
  fc
    .tuple(fc.constantFrom("nvidia-", "mtty-", "i915-GVTg_V5_", ""), fc.nat())
    .map(([stem, n]) => `${stem}${n}`),
  fc.string({ maxLength: 6 }),
);

describe("parseUuid", () => {
  it("takes any UUID in any case, and gives it in lower case", () => {
    fc.assert(
      fc.property(fc.uuid(), fc.array(fc.boolean(), { minLength: 36, maxLength: 36 }), (uuid, upper) => {
        const mixed = [...uuid]
          .map((character, at) => (upper[at] === true ? character.toUpperCase() : character))
          .join("");
        const parsed = parseUuid(mixed, TRIED);
        expect(parsed.ok && parsed.value).toBe(uuid);
        expect(isUuid(uuid)).toBe(true);
      }),
    );
  });

  it("takes nothing else", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          path,
          fc.anything(),
          fc.uuid().map((uuid) => `${uuid}\n`),
        ),
        (value) => {
          const parsed = parseUuid(value as string, TRIED);
          if (parsed.ok) expect(parsed.value).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u);
          else expect(parsed.error.type).toBe("invalid-argument");
        },
      ),
      { numRuns: 500 },
    );
    // Letters that become ASCII ones in lower case are none of the hexadecimal digits.
    for (const letter of ["\u212a", "\u0130", "ａ", "а"]) {
      expect(parseUuid(`${letter}3b8f4f2-509f-382f-3c1e-e6bfe0fa1001`, TRIED).ok).toBe(false);
    }
  });
});

describe("parseName", () => {
  it("accepts no name that is more than one step into its folder", () => {
    fc.assert(
      fc.property(fc.oneof(component, path, fc.string()), (value) => {
        const parsed = parseName("type", value, TRIED);
        if (!parsed.ok) return;
        expect(parsed.value).toBe(value);
        expect(posix.dirname(posix.resolve(FOLDER, value))).toBe(FOLDER);
        expect(posix.join(FOLDER, value)).toBe(`${FOLDER}/${value}`);
        expect(value).not.toContain("\0");
        expect(isName(value)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ["is empty", ""],
    ["would lead elsewhere", ".."],
    ["would lead elsewhere", "."],
    ["holds a slash", "a/b"],
    ["holds a control character", "a\nb"],
    ["holds a control character", "\ud800"],
    ["is longer than 255 characters", "x".repeat(256)],
    ["is not a string", 5 as unknown as string],
  ])("tells that a name %s", (reason, value) => {
    const parsed = parseName("parent", value, TRIED);
    expect(parsed.ok ? undefined : parsed.error.message).toMatch(reason);
  });

  it("takes the names that real hosts have", () => {
    for (const real of [
      "0000:3b:00.0",
      "0.0.0313",
      "matrix",
      "mtty",
      "nvidia-222",
      "i915-GVTg_V5_4",
      "vfio_ap-passthrough",
      "a b",
    ]) {
      expect(parseName("type", real, TRIED).ok, real).toBe(true);
    }
  });
});

describe("parseAttributeName", () => {
  it("accepts no name that leads out of its folder, or to the folder itself", () => {
    let accepted = 0;
    fc.assert(
      fc.property(path, (value) => {
        const parsed = parseAttributeName(value, TRIED);
        if (!parsed.ok) return;
        accepted += 1;
        expect(parsed.value).toBe(value);
        const resolved = posix.resolve(FOLDER, value);
        expect(resolved).toBe(`${FOLDER}/${value}`);
        expect(posix.relative(FOLDER, resolved)).toBe(value);
      }),
      { numRuns: 2000 },
    );
    expect(accepted).toBeGreaterThan(50);
  });

  it("takes names below folders", () => {
    for (const real of ["uevent", "vendor/resolution", "mdev_type/name", "nvidia/vgpu_params"]) {
      expect(parseAttributeName(real, TRIED).ok, real).toBe(true);
    }
  });

  it.each([
    ["is an absolute path", "/etc/passwd"],
    ['the component "" of the attribute name "a//b" is empty', "a//b"],
    ['the component ".." of the attribute name "a/../b" would lead elsewhere', "a/../b"],
    ["is not a string", 5 as unknown as string],
  ])("tells that a name %s", (reason, value) => {
    const parsed = parseAttributeName(value, TRIED);
    expect(parsed.ok ? undefined : parsed.error.message).toMatch(reason);
  });

  it("refuses what is absolute, empty or no string", () => {
    for (const value of ["", "/", "/etc/passwd", "a//b", "a/", "a/../b", undefined, null, 5, {}]) {
      expect(parseAttributeName(value as string, TRIED).ok, quote(value)).toBe(false);
    }
  });
});

describe("the natural order", () => {
  it("counts trailing numbers by value", () => {
    expect(inNaturalOrder(["nvidia-10", "nvidia-9", "nvidia-100", "nvidia-1"])).toEqual([
      "nvidia-1",
      "nvidia-9",
      "nvidia-10",
      "nvidia-100",
    ]);
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 20n - 1n }),
        fc.bigInt({ min: 0n, max: 10n ** 20n - 1n }),
        (a, b) => {
          const [first, second] = a <= b ? [a, b] : [b, a];
          expect(inNaturalOrder([`x-${second}`, `x-${first}`])).toEqual([`x-${first}`, `x-${second}`]);
        },
      ),
    );
  });

  it("counts PCI addresses by value, domains of more than four digits too", () => {
    const addresses = fc.tuple(
      fc.nat({ max: 0xfffff }),
      fc.nat({ max: 0xff }),
      fc.nat({ max: 0x1f }),
      fc.nat({ max: 7 }),
    );
    const shown = ([domain, bus, device, fn]: readonly [number, number, number, number]): string =>
      `${domain.toString(16).padStart(4, "0")}:${bus.toString(16).padStart(2, "0")}:${device.toString(16).padStart(2, "0")}.${fn}`;
    const valueOf = ([domain, bus, device, fn]: readonly [number, number, number, number]): number =>
      ((domain * 256 + bus) * 32 + device) * 8 + fn;
    fc.assert(
      fc.property(fc.uniqueArray(addresses, { selector: shown }), (list) => {
        const byValue = [...list].sort((a, b) => valueOf(a) - valueOf(b)).map(shown);
        expect(inNaturalOrder(list.map(shown))).toEqual(byValue);
      }),
    );
    const sorted = ["0000:3b:00.0", "0000:3b:00.4", "0000:b3:00.0", "10000:00:02.0"];
    expect(inNaturalOrder([...sorted].reverse())).toEqual(sorted);
  });

  it("counts subchannels as the hexadecimal numbers they are", () => {
    const sorted = ["0.0.0009", "0.0.000a", "0.0.0010", "0.0.001f", "0.0.0313", "0.1.0001"];
    expect(inNaturalOrder([...sorted].reverse())).toEqual(sorted);
  });

  it("leaves UUIDs as they are spelt", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.uuid()), (uuids) => {
        expect(inNaturalOrder(uuids)).toEqual([...uuids].sort());
      }),
    );
  });

  it("is one total order, whatever is in the list and whatever order it comes in", () => {
    fc.assert(
      fc.property(fc.array(name, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (names, random) => {
        const sorted = inNaturalOrder(names);
        expect([...sorted].sort()).toEqual([...names].sort());
        const shuffled = [...names];
        for (let at = shuffled.length - 1; at > 0; at--) {
          const other = (random.next().value as number) % (at + 1);
          [shuffled[at], shuffled[other]] = [shuffled[other] ?? "", shuffled[at] ?? ""];
        }
        expect(inNaturalOrder(shuffled)).toEqual(sorted);
        // Any two of them are in the order that they have alone.
        for (const [at, first] of sorted.entries()) {
          for (const second of sorted.slice(at + 1))
            expect(inNaturalOrder([second, first])).toEqual([first, second]);
        }
      }),
    );
  });

  it("sorts things by their names, and leaves the list alone", () => {
    const things = Object.freeze([{ id: "b10" }, { id: "b9" }]);
    expect(inNaturalOrderOf(things, ({ id }) => id)).toEqual([{ id: "b9" }, { id: "b10" }]);
  });
});

describe("nearest", () => {
  it("is one of the known names, or none", () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (wanted, known) => {
        const found = nearest(wanted, known);
        if (found !== undefined) expect(known).toContain(found);
      }),
    );
  });

  it("finds a name through one slip, whatever its case", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{3,8}-[0-9]{1,3}$/u), fc.nat(), (meant, at) => {
        const known = ["zzzzzzzzzzzzzzzzzzzzzzz", meant];
        const cut = at % meant.length;
        expect(nearest(meant, known)).toBe(meant);
        expect(nearest(meant.toUpperCase(), known)).toBe(meant);
        expect(nearest(meant.slice(0, cut) + meant.slice(cut + 1), known)).toBe(meant);
        expect(nearest(`${meant.slice(0, cut)}?${meant.slice(cut)}`, known)).toBe(meant);
        expect(nearest(`${meant.slice(0, cut)}?${meant.slice(cut + 1)}`, known)).toBe(meant);
      }),
    );
  });

  it("suggests the nearest of several, and nothing that is far", () => {
    expect(nearest("nvidia-22", ["nvidia-222", "nvidia-22"])).toBe("nvidia-22");
    expect(nearest("0000:3b:00.0", ["0000:af:00.0"])).toBe("0000:af:00.0");
    expect(nearest("matrix", ["mtty", "mdpy"])).toBeUndefined();
    expect(nearest("mtty", [])).toBeUndefined();
    expect(nearest("", ["abc"])).toBeUndefined();
  });
});

describe("quote", () => {
  it("makes one printable line of any value", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary", maxLength: 300 }), fc.anything()), (value) => {
        const shown = quote(value);
        // eslint-disable-next-line no-control-regex -- that is the point
        expect(shown).not.toMatch(/[\u0000-\u001f]/u);
        expect(shown.length).toBeLessThan(600);
      }),
    );
    expect(quote("x".repeat(500))).toHaveLength(83);
    expect(quote(undefined)).toBe("a value of type undefined");
  });
});
