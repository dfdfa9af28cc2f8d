import { describe, expect, it } from "vitest";
import { DisplayType } from "../../../src/extensions/display/index.js";
import type { DecodeError, MdevType } from "../../../src/index.js";
import { Errno, SimulatedHost } from "../../../src/testing/index.js";
import { findType, hostWith, typeWith } from "./trees.js";

const MIB = 2 ** 20;
const ID = "0000:86:00.0";
const UNKNOWN = {
  framebufferBytes: undefined,
  heads: undefined,
  maxResolution: undefined,
  maxInstances: undefined,
  frameRateLimit: undefined,
  description: undefined,
  others: {},
};

async function facts(type: MdevType): Promise<unknown> {
  return (await type.as(DisplayType).getOrThrow()).read().getOrThrow();
}

async function decodeError(type: MdevType): Promise<DecodeError> {
  const read = await (await type.as(DisplayType).getOrThrow()).read();
  if (read.ok || read.error.type !== "decode") throw new Error("it could be decoded");
  return read.error;
}

describe("a display type", () => {
  it("of NVIDIA has all facts from its description", async () => {
    const simulated = new SimulatedHost();
    simulated.addNvidiaGpu({ address: ID });
    expect(await facts(await findType(simulated, ID, "nvidia-156"))).toEqual({
      framebufferBytes: 2048 * MIB,
      heads: 4,
      maxResolution: { width: 5120, height: 2880 },
      maxInstances: 12,
      frameRateLimit: 45,
      description:
        "num_heads=4, frl_config=45, framebuffer=2048M, max_resolution=5120x2880, max_instance=12\n",
      others: {},
    });
  });

  it("of NVIDIA has its framebuffer from its name when it has no description", async () => {
    const type = await typeWith({ id: "nvidia-11", name: "GRID M60-0B" });
    expect(await facts(type)).toEqual({ ...UNKNOWN, framebufferBytes: 512 * MIB });
  });

  it("of GVT-g has a resolution, and no framebuffer", async () => {
    const description =
      "low_gm_size: 128MB\nhigh_gm_size: 512MB\nfence: 4\nresolution: 1920x1200\nweight: 4\naggregation: yes\n";
    expect(await facts(await typeWith({ id: "i915-GVTg_V5_4", description }))).toEqual({
      ...UNKNOWN,
      maxResolution: { width: 1920, height: 1200 },
      description,
      others: { aggregation: "yes" },
    });
  });

  it("of mdpy has a resolution", async () => {
    const simulated = new SimulatedHost();
    simulated.addMdpy();
    expect(await facts(await findType(simulated, "mdpy", "mdpy-hd"))).toEqual({
      ...UNKNOWN,
      maxResolution: { width: 1920, height: 1080 },
      description: "virtual display, 1920x1080 framebuffer\n",
    });
  });

  it("of mbochs has a framebuffer", async () => {
    const simulated = new SimulatedHost();
    simulated.addMbochs();
    expect(await facts(await findType(simulated, "mbochs", "mbochs-medium"))).toEqual({
      ...UNKNOWN,
      framebufferBytes: 16 * MIB,
      description: "virtual display, 16 MB video memory\n",
    });
  });

  it("of the class-based layout has its facts from files", async () => {
    const host = await hostWith(ID, {
      mdev_destroy: "",
      "mdev_supported_types/11/create": "",
      "mdev_supported_types/11/name": "GRID M60-0B\n",
      "mdev_supported_types/11/fb_length": "512M\n",
      "mdev_supported_types/11/resolution": "2560x1600\n",
      "mdev_supported_types/11/heads": "2\n",
      "mdev_supported_types/11/max_instances": "16\n",
    });
    const parent = await host.parent(ID).getOrThrow();
    expect(parent.layout).toBe("class-based");
    expect(await facts(await parent.type("11").getOrThrow())).toEqual({
      ...UNKNOWN,
      framebufferBytes: 512 * MIB,
      heads: 2,
      maxResolution: { width: 2560, height: 1600 },
      maxInstances: 16,
    });
  });

  it("of NVIDIA's own interface has its framebuffer from its name", async () => {
    const host = await hostWith(ID, {
      "nvidia/creatable_vgpu_types": "ID    : vGPU Name\n1145  : NVIDIA L40S-1B\n1147  : NVIDIA H100L-94C\n",
      "nvidia/current_vgpu_type": "0\n",
      resolution: "1x1\n", // a file of the function is none of the type
    });
    const parent = await host.parent(ID).getOrThrow();
    expect(parent.layout).toBe("nvidia-vfio");
    expect(await facts(await parent.type("nvidia-1145").getOrThrow())).toEqual({
      ...UNKNOWN,
      framebufferBytes: 1024 * MIB,
    });
    const unknown = await (await parent.type("nvidia-1147").getOrThrow()).as(DisplayType);
    expect(!unknown.ok && unknown.error.type).toBe("unsupported");
  });

  it("takes each fact from the first source that has it", async () => {
    const type = await typeWith({
      id: "nvidia-46",
      name: "GRID P40-8Q",
      description: "num_heads=4, framebuffer=1024M, max_resolution=5120x2880, class=Quadro\n",
      attributes: { fb_length: { read: () => "2G\n" }, heads: { read: () => "2\n" } },
    });
    expect(await facts(type)).toMatchObject({
      framebufferBytes: 2048 * MIB,
      heads: 2,
      maxResolution: { width: 5120, height: 2880 },
      maxInstances: undefined,
      others: { class: "Quadro" },
    });
  });

  it("is frozen data", async () => {
    const simulated = new SimulatedHost();
    simulated.addMdpy();
    const display = await (await findType(simulated, "mdpy", "mdpy-vga")).as(DisplayType).getOrThrow();
    const read = await display.read().getOrThrow();
    expect([read, read.maxResolution, read.others].every(Object.isFrozen)).toBe(true);
    expect(JSON.parse(JSON.stringify(read))).toEqual({
      maxResolution: { width: 640, height: 480 },
      description: "virtual display, 640x480 framebuffer\n",
      others: {},
    });
  });
});

describe("a type without a display", () => {
  it("is unsupported", async () => {
    const simulated = new SimulatedHost();
    simulated.addMtty();
    const display = await (await findType(simulated, "mtty", "mtty-1")).as(DisplayType);
    expect(!display.ok && display.error.type).toBe("unsupported");
    expect(!display.ok && display.error.message).toContain("DisplayType");
  });

  it.each([
    { id: "acme-1", name: "ACME-4Q", description: "num_heads=four, framebuffer=1G\nvirtual display, ?x?" },
    { id: "hct-1", name: "hct mdev type", description: "no newline" },
    { id: "nvidia-1", name: "GRID X2-1Q", description: "an altogether other text" },
    { id: "mdpy-8k", description: "" },
  ])("of a driver or in a form that nobody knows has no facts: $id", async (type) => {
    const unknown = await typeWith(type);
    const display = await unknown.as(DisplayType);
    expect(!display.ok && display.error.type).toBe("unsupported");
    const read = await new DisplayType(unknown).read().getOrThrow();
    expect(read).toEqual({ ...UNKNOWN, description: type.description });
  });
});

describe("a malformed number", () => {
  it.each([
    ["nvidia-46", "num_heads=4, framebuffer=?M\n", "has no framebuffer such as 2048M"],
    ["i915-GVTg_V5_4", "fence: 4\nresolution: 1920\n", "has no resolution such as 1920x1200"],
    ["mdpy-hd", "virtual display, hd framebuffer\n", "holds no resolution such as 1920x1080"],
    ["mbochs-small", "virtual display, 4MB video memory\n", "holds no size such as 4 MB"],
  ])("in the description of %s is an error", async (id, description, reason) => {
    const type = await typeWith({ id, description });
    const error = await decodeError(type);
    expect(error.raw).toBe(description);
    expect(error.path).toBe(`${type.path ?? ""}/description`);
    expect(error.message).toBe(
      `cannot read the display facts of ${id} on 0000:00:02.0: ` +
        `its description ${JSON.stringify(description)} ${reason}.`,
    );
  });

  it.each([
    ["fb_length", "512 MB\n"],
    ["fb_length", "-1\n"],
    ["fb_length", "99999999999999999999\n"],
    ["fb_length", "9007199254740993\n"],
    ["fb_length", "9999999999G\n"],
    ["resolution", "2560\n"],
    ["heads", "two\n"],
    ["heads", "-2\n"],
    ["max_instances", "\n"],
  ])("in the file %s is an error: %j", async (name, raw) => {
    const type = await typeWith({ id: "acme-1", attributes: { [name]: { read: () => raw } } });
    const error = await decodeError(type);
    expect(error.raw).toBe(raw);
    expect(error.path).toBe(`${type.path ?? ""}/${name}`);
  });
});

describe("reading", () => {
  it.each([
    ["0\n", 0],
    ["1048577\n", 1048577],
    ["3K\n", 3072],
    ["512M", 512 * MIB],
    [" 2G \n", 2048 * MIB],
  ])("takes %j for a length", async (raw, bytes) => {
    const type = await typeWith({ id: "acme-1", attributes: { fb_length: { read: () => raw } } });
    expect(await facts(type)).toMatchObject({ framebufferBytes: bytes });
  });

  it("fails as the files fail", async () => {
    const refuse = (): string => {
      throw new Errno("EIO");
    };
    const type = await typeWith({ id: "nvidia-46", attributes: { description: { read: refuse } } });
    const display = await type.as(DisplayType);
    expect(!display.ok && display.error).toMatchObject({ type: "io", errno: "EIO" });
    const read = await new DisplayType(type).read();
    expect(!read.ok && read.error).toMatchObject({ type: "io", errno: "EIO" });
  });

  it("is gone when the type is", async () => {
    const simulated = new SimulatedHost();
    const gpu = simulated.addNvidiaGpu({ address: ID });
    const type = await findType(simulated, ID, "nvidia-156");
    await gpu.unplug();
    const read = await new DisplayType(type).read();
    expect(!read.ok && read.error.type).toBe("gone");
  });

  it("has one limit of time for all files", async () => {
    const simulated = new SimulatedHost();
    simulated.addMdpy();
    const display = await (await findType(simulated, "mdpy", "mdpy-hd")).as(DisplayType).getOrThrow();
    const delay = simulated.delay({ path: /\/mdpy-hd\/[a-z_]+$/, ms: 40 });
    const late = await display.read({ timeout: 150 }); // five files are looked for, each for 40 or 80 ms
    expect(!late.ok && late.error.type).toBe("timeout");
    expect((await display.read({ timeout: 5000 })).ok).toBe(true);
    delay.end();
  });

  it("refuses options that are none, and can be aborted", async () => {
    const simulated = new SimulatedHost();
    simulated.addMdpy();
    const display = await (await findType(simulated, "mdpy", "mdpy-hd")).as(DisplayType).getOrThrow();
    const results = [
      display.read({ timeout: -1 }),
      display.read({ timeout: NaN }),
      display.read({ signal: AbortSignal.abort() }),
    ];
    const types = (await Promise.all(results)).map((result) => !result.ok && result.error.type);
    expect(types).toEqual(["invalid-argument", "invalid-argument", "aborted"]);
  });
});
