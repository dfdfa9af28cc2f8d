import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GvtDevice, gvtNumber, GvtType, parseGvtTypeId } from "../../../src/extensions/intel/index.js";
import { type MdevDevice, MdevHost, type Parent } from "../../../src/index.js";
import { Errno, SimulatedHost, type SimulatedDeviceAttribute } from "../../../src/testing/index.js";
import { fails, ok } from "../../contract/expect.js";

const IGPU = "0000:00:02.0";
const DESCRIPTION = "low_gm_size: 128MB\nhigh_gm_size: 512MB\nfence: 4\nresolution: 1920x1200\nweight: 4\n";

interface Files {
  readonly kernel?: "5.10" | "6.1";
  readonly device?: Readonly<Record<string, SimulatedDeviceAttribute>>;
}

/** An integrated GPU with GVT-g (drivers/gpu/drm/i915/gvt/kvmgt.c, vgpu.c). */
async function igpu({ kernel = "6.1", device = {} }: Files = {}): Promise<Parent> {
  const simulated = new SimulatedHost({ kernel });
  const vgpus: string[] = [];
  simulated.addParent({
    path: `devices/pci0000:00/${IGPU}`,
    subsystem: "bus/pci",
    driver: "i915",
    deviceDriver: "intel_vgpu_mdev",
    types: [
      { id: "i915-GVTg_V5_4", description: DESCRIPTION, ...(kernel === "6.1" ? { name: "GVTg_V5_4" } : {}) },
      { id: "i915-GVTg_V6_a", description: "anything" },
      { id: "i915-other" },
    ],
    deviceAttributes: {
      "intel_vgpu/vgpu_id": {
        read: ({ uuid }) => {
          if (!vgpus.includes(uuid)) vgpus.push(uuid);
          return `${vgpus.indexOf(uuid) + 1}\n`;
        },
      },
      ...device,
    },
    capacity: 3,
  });
  return ok(new MdevHost({ fs: simulated.fs }).parent(IGPU));
}

async function create(parent: Parent, type = "i915-GVTg_V5_4"): Promise<MdevDevice> {
  return ok((await ok(parent.type(type))).create());
}

describe("a GVT-g type", () => {
  it("has a typed description and a parsed id", async () => {
    const type = await ok((await igpu()).type("i915-GVTg_V5_4"));
    const gvt = await ok(type.as(GvtType));
    expect(gvt.type).toBe(type);
    expect(gvt.parsedId).toEqual({ generation: 5, divisor: 4 });
    expect(await ok(gvt.description.read())).toMatchObject({ fences: 4, weight: 4 });
    expect(await ok(gvt.description.readRaw())).toBe(DESCRIPTION);
  });

  it("needs no name, which old kernels do not have", async () => {
    const gvt = await ok((await ok((await igpu({ kernel: "5.10" })).type("i915-GVTg_V5_4"))).as(GvtType));
    expect(await ok(gvt.type.name.read())).toBeUndefined();
    expect(gvt.parsedId?.divisor).toBe(4);
  });

  it("of a form to come has no parsed id, and its description says why not", async () => {
    const gvt = await ok((await ok((await igpu()).type("i915-GVTg_V6_a"))).as(GvtType));
    expect(gvt.parsedId).toBeUndefined();
    expect((await fails(gvt.description.read(), "decode")).raw).toBe("anything");
  });

  it("is told by its id", async () => {
    const type = await ok((await igpu()).type("i915-other"));
    expect((await fails(type.as(GvtType), "unsupported")).missing).toBe("GvtType");
  });
});

describe("a GVT-g device", () => {
  it("has a number", async () => {
    const parent = await igpu();
    const [first, second] = [await create(parent), await create(parent)];
    for (const [device, number] of [
      [first, 1],
      [second, 2],
    ] as const) {
      // prettier-ignore
      expect(await ok((await ok(device.as(GvtDevice))).vgpuId.read())).toBe(number);
    }
  });

  it("has a hardware id on kernels that have the file", async () => {
    const now = await ok((await create(await igpu())).as(GvtDevice));
    expect(await ok(now.hwId.read())).toBeUndefined();
    expect(await ok(now.hwId.exists())).toBe(false);
    const device = { "intel_vgpu/hw_id": { read: () => "17\n" } };
    const then = await ok((await create(await igpu({ kernel: "5.10", device }))).as(GvtDevice));
    expect(await ok(then.hwId.read())).toBe(17);
  });

  it.each([
    ["-1\n", "is below 0"],
    ["one\n", "is not a whole decimal number"],
    ["\n", "is not a whole decimal number"],
  ])("has a number that cannot be understood: %j", async (raw, reason) => {
    const device = { "intel_vgpu/vgpu_id": { read: () => raw } };
    const gvt = await ok((await create(await igpu({ device }))).as(GvtDevice));
    const error = await fails(gvt.vgpuId.read(), "decode");
    expect(error.raw).toBe(raw);
    expect(error.message).toContain(reason);
  });

  it("fails as its file fails, and is gone when it is", async () => {
    const refuse = (): string => {
      throw new Errno("EIO");
    };
    const gvt = await ok(
      (await create(await igpu({ device: { "intel_vgpu/vgpu_id": { read: refuse } } }))).as(GvtDevice),
    );
    await fails(gvt.vgpuId.read(), "io");
    await ok(gvt.device.remove());
    await fails(gvt.vgpuId.read(), "gone");
    await fails(gvt.device.as(GvtDevice), "gone");
  });

  it("is told by the id of its type", async () => {
    const device = await create(await igpu(), "i915-other");
    expect((await fails(device.as(GvtDevice), "unsupported")).missing).toBe("GvtDevice");
  });
});

describe("parseGvtTypeId", () => {
  it.each([4, 5].flatMap((generation) => [1, 2, 4, 8].map((divisor) => [generation, divisor] as const)))(
    "understands V%i_%i",
    (generation, divisor) => {
      const expected = { generation, divisor };
      for (const id of [`i915-GVTg_V${generation}_${divisor}`, `GVTg_V${generation}_${divisor}\n`]) {
        const parsed = parseGvtTypeId(id).getOrThrow();
        expect(parsed).toEqual(expected);
        expect(Object.isFrozen(parsed)).toBe(true);
      }
    },
  );

  it.each([
    "",
    "i915-GVTg_V5",
    "i915-GVTg_V05_4",
    "i915-GVTg_V5_0",
    "i915-GVTg_V5_4x",
    "nvidia-35",
    "mdpy-hd",
  ])("says why it does not understand %j", (id) => {
    const parsed = parseGvtTypeId(id);
    expect(!parsed.ok && parsed.error).toBe("is no id of a GVT-g type such as i915-GVTg_V5_4");
  });

  it("puts ids that follow the grammar back together, and never throws", () => {
    const number = fc.integer({ min: 1, max: 99 });
    fc.assert(
      fc.property(number, number, fc.string({ unit: "binary" }), (generation, divisor, text) => {
        const parsed = parseGvtTypeId(`i915-GVTg_V${generation}_${divisor}`).getOrThrow();
        expect(parsed).toEqual({ generation, divisor });
        expect(typeof parseGvtTypeId(text).ok).toBe("boolean");
      }),
    );
  });
});

describe("gvtNumber", () => {
  it("decodes what it encoded, and takes any text for a number or says why not", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.string({ unit: "binary" }), (value, raw) => {
        expect(gvtNumber.decode(`${gvtNumber.encode(value).getOrThrow()}\n`).getOrThrow()).toBe(value);
        const decoded = gvtNumber.decode(raw);
        if (decoded.ok) expect(decoded.value).toBeGreaterThanOrEqual(0);
        else expect(decoded.error).toMatch(/^is /);
      }),
    );
  });

  it.each([-1, 0.5, NaN])("does not write %j", (value) => {
    expect(gvtNumber.encode(value).ok).toBe(false);
  });
});
