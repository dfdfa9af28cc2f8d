import { describe, expect, it } from "vitest";
import { NvidiaVgpuDevice } from "../../../src/extensions/nvidia/index.js";
import { type MdevDevice, MdevHost, type MdevType } from "../../../src/index.js";
import { Errno, SimulatedHost } from "../../../src/testing/index.js";
import { fails, ok } from "../../contract/expect.js";

const ALL = ["placement_id", "gpu_instance_id", "vgpu_params"] as const;

interface Form {
  readonly form: string;
  /** The function with the type. */
  readonly parent: string;
  readonly type: string;
  add(simulated: SimulatedHost): void;
}

const FORMS: readonly Form[] = [
  {
    form: "a board without SR-IOV",
    parent: "0000:3b:00.0",
    type: "nvidia-156",
    add: (simulated) => void simulated.addNvidiaGpu({ address: "0000:3b:00.0" }),
  },
  {
    form: "mediated devices on virtual functions",
    parent: "0000:41:00.4",
    type: "nvidia-1148",
    add: (simulated) =>
      void simulated.addNvidiaSriovGpu({ address: "0000:41:00.0", interface: "mdev", attributes: ALL }),
  },
  {
    form: "NVIDIA's own interface",
    parent: "0000:41:00.4",
    type: "nvidia-1148",
    add: (simulated) => void simulated.addNvidiaSriovGpu({ address: "0000:41:00.0", attributes: ALL }),
  },
];

interface World {
  readonly simulated: SimulatedHost;
  readonly host: MdevHost;
  readonly type: MdevType;
}

async function world({ add, parent, type }: Form): Promise<World> {
  const simulated = new SimulatedHost();
  add(simulated);
  const host = new MdevHost({ fs: simulated.fs });
  return { simulated, host, type: await ok((await ok(host.parent(parent))).type(type)) };
}

function vgpuOf(device: MdevDevice): Promise<NvidiaVgpuDevice> {
  return ok(device.as(NvidiaVgpuDevice));
}

describe.each(FORMS)("a vGPU of $form", (form) => {
  it("is created with its parameters", async () => {
    const { type } = await world(form);
    const attributes = [NvidiaVgpuDevice.vgpuParams.to({ frame_rate_limiter: 0, hint: "fast" })];
    const vgpu = await vgpuOf(await ok(type.create({ attributes })));
    expect(await ok(vgpu.vgpuParams.read())).toEqual({ frame_rate_limiter: 0, hint: "fast" });
    expect(await ok(vgpu.vgpuParams.readRaw())).toBe("frame_rate_limiter=0,hint=fast\n");
  });

  it("has its parameters replaced as a whole, and cleared", async () => {
    const { type, simulated } = await world(form);
    const vgpu = await vgpuOf(await ok(type.create()));
    expect(await ok(vgpu.vgpuParams.read())).toEqual({});
    await ok(vgpu.vgpuParams.write({ frame_rate_limiter: 0, disable_vnc: 1 }));
    await ok(vgpu.vgpuParams.write({ disable_vnc: 0 }));
    expect(await ok(vgpu.vgpuParams.read())).toEqual({ disable_vnc: 0 });
    await ok(vgpu.vgpuParams.write({}));
    expect(await ok(vgpu.vgpuParams.read())).toEqual({});
    const writes = simulated.operations.filter(({ path }) => path === vgpu.vgpuParams.path);
    expect(writes.flatMap(({ text }) => text ?? [])).toEqual([
      "frame_rate_limiter=0,disable_vnc=1\n",
      "disable_vnc=0\n",
      " \n",
    ]);
  });

  it("has parameters set before its virtual machine starts, not after", async () => {
    const { type, simulated } = await world(form);
    const vgpu = await vgpuOf(await ok(type.create()));
    const machine = simulated.open(vgpu.device.id, { vmName: "desktop-7" });
    const error = await fails(vgpu.vgpuParams.write({ disable_vnc: 1 }), "busy");
    expect(error).toMatchObject({ errno: "EPERM", hint: "Set it before the machine starts." });
    machine.close();
    await ok(vgpu.vgpuParams.write({ disable_vnc: 1 }));
  });

  it("refuses too long parameters before anything is made", async () => {
    const { type, host, simulated } = await world(form);
    const before = simulated.operations.length;
    const error = await fails(
      type.create({ attributes: [NvidiaVgpuDevice.vgpuParams.to({ hint: "x".repeat(1024) })] }),
      "invalid-argument",
    );
    expect(error.message).toContain(
      'the value for "nvidia/vgpu_params" is longer than the driver\'s 1024 bytes',
    );
    expect(simulated.operations).toHaveLength(before);
    expect(await ok(host.devices())).toEqual([]);
  });

  it("is removed again when its parameters cannot be set", async () => {
    const { type, host, simulated } = await world(form);
    simulated.failNext({ operation: "writeFile", path: /vgpu_params$/, errno: "E2BIG", syscall: "write" });
    const attributes = [NvidiaVgpuDevice.vgpuParams.to({ frame_rate_limiter: 0 })];
    await fails(type.create({ attributes }), "rejected");
    expect(await ok(host.devices())).toEqual([]);
    await ok(type.create({ attributes }));
  });

  it.each([
    ["write", "E2BIG", "rejected"],
    ["write", "EPERM", "busy"],
    ["write", "ENXIO", "gone"],
    ["write", "EACCES", "permission"],
    ["read", "ENXIO", "gone"],
    ["read", "EIO", "io"],
  ] as const)("maps a %s of its parameters with %s to %s", async (call, errno, type) => {
    const { type: vgpuType, simulated } = await world(form);
    const { vgpuParams } = await vgpuOf(await ok(vgpuType.create()));
    const operation = call === "read" ? "readFile" : "writeFile";
    simulated.failNext({ operation, path: /vgpu_params$/, errno, syscall: call });
    const error = await fails(call === "read" ? vgpuParams.read() : vgpuParams.write({}), type);
    expect(error.errno).toBe(errno);
  });

  it("does not understand parameters that are no pairs", async () => {
    const { type } = await world(form);
    const { vgpuParams } = await vgpuOf(await ok(type.create()));
    await ok(vgpuParams.writeRaw("anything\n"));
    expect((await fails(vgpuParams.read(), "decode")).raw).toBe("anything\n");
    expect(await ok(vgpuParams.readRaw())).toBe("anything\n");
  });

  it("is found again among the devices", async () => {
    const { type, host } = await world(form);
    const { id } = await ok(type.create());
    const vgpu = await vgpuOf(await ok(host.device(id)));
    expect(vgpu.device.id).toBe(id);
  });
});

describe.each(FORMS.slice(0, 2))("a vGPU of $form", (form) => {
  it("tells which virtual machine uses it", async () => {
    const { type, simulated } = await world(form);
    const vgpu = await vgpuOf(await ok(type.create()));
    expect(await ok(vgpu.vmName.read())).toBe("");
    const machine = simulated.open(vgpu.device.id, { vmName: "desktop-7" });
    expect(await ok(vgpu.vmName.read())).toBe("desktop-7");
    machine.close();
    expect(await ok(vgpu.vmName.read())).toBe("");
  });
});

describe.each(FORMS.slice(1))("a vGPU of $form", (form) => {
  it("has a place, which can be chosen", async () => {
    const { type, simulated } = await world(form);
    const attributes = [NvidiaVgpuDevice.placementId.to(4)];
    const vgpu = await vgpuOf(await ok(type.create({ attributes })));
    expect(await ok(vgpu.placementId.read())).toBe(4);
    const error = await fails(vgpu.placementId.write(3), "rejected");
    expect(error.message).toContain("the GPU has no such place for a vGPU of this type, or it is taken");
    simulated.open(vgpu.device.id);
    await fails(vgpu.placementId.write(6), "busy");
  });

  it("has a GPU instance, where the GPU is divided", async () => {
    const { type } = await world(form);
    const vgpu = await vgpuOf(await ok(type.create()));
    expect(await ok(vgpu.gpuInstanceId.readRaw())).toBe("Not Applicable\n");
    expect(await ok(vgpu.gpuInstanceId.read())).toBeUndefined();
    expect(await ok(vgpu.gpuInstanceId.exists())).toBe(true);
    await ok(vgpu.gpuInstanceId.write(3));
    expect(await ok(vgpu.gpuInstanceId.read())).toBe(3);
    await fails(vgpu.gpuInstanceId.write(undefined), "invalid-argument");
  });
});

describe("a driver without a file", () => {
  it("knows no places and no GPU instances", async () => {
    const { type } = await world(FORMS[0] as Form);
    const vgpu = await vgpuOf(await ok(type.create()));
    for (const attribute of [vgpu.placementId, vgpu.gpuInstanceId]) {
      expect(await ok(attribute.exists())).toBe(false);
      expect(await ok(attribute.read())).toBeUndefined();
      expect((await fails(attribute.write(1), "unsupported")).missing).toBe(attribute.name);
    }
  });

  it("has the vGPU removed again whose parameters were wanted", async () => {
    const simulated = new SimulatedHost();
    const gpu = simulated.addNvidiaSriovGpu({ address: "0000:41:00.0" });
    const parent = await ok(new MdevHost({ fs: simulated.fs }).parent("0000:41:00.4"));
    const type = await ok(parent.type("nvidia-1148"));
    const attributes = [NvidiaVgpuDevice.vgpuParams.to({ disable_vnc: 1 })];
    await fails(type.create({ attributes }), "unsupported");
    expect(gpu.typeOf("0000:41:00.4")).toBeUndefined();
  });

  it("does not tell whether a vGPU is in use", async () => {
    const { type } = await world(FORMS[2] as Form);
    const vgpu = await vgpuOf(await ok(type.create()));
    expect(await ok(vgpu.vmName.read())).toBeUndefined();
  });
});

describe("a vGPU that is gone", () => {
  it.each(FORMS)("of $form is gone", async (form) => {
    const { type } = await world(form);
    const vgpu = await vgpuOf(await ok(type.create()));
    await ok(vgpu.device.remove());
    await fails(vgpu.vgpuParams.read(), "gone");
    await fails(vgpu.vgpuParams.write({ disable_vnc: 1 }), "gone");
    await fails(vgpu.device.as(NvidiaVgpuDevice), "gone");
  });
});

describe("what does not fit", () => {
  it.each(["acme-1", "nvidia-grid", "nvidia"])("is a device of type %s", async (id) => {
    const simulated = new SimulatedHost();
    simulated.addParent({
      path: "devices/pci0000:00/0000:00:02.0",
      subsystem: "bus/pci",
      deviceDriver: "any",
      types: [{ id }],
    });
    const parent = await ok(new MdevHost({ fs: simulated.fs }).parent("0000:00:02.0"));
    const device = await ok((await ok(parent.type(id))).create());
    expect((await fails(device.as(NvidiaVgpuDevice), "unsupported")).missing).toBe("NvidiaVgpuDevice");
  });

  it("is a device whose type cannot be found for another reason", async () => {
    const { type, simulated } = await world(FORMS[0] as Form);
    const device = await ok(type.create());
    simulated.failNext({ path: /mdev_type$/, errno: "EIO" });
    await fails(device.as(NvidiaVgpuDevice), "io");
  });
});

describe("a driver that answers unlike the others", () => {
  it.each(["", "N/A\n", "-1\n"])("has a placement that cannot be understood: %j", async (raw) => {
    const simulated = new SimulatedHost();
    simulated.addParent({
      path: "devices/pci0000:00/0000:00:02.0",
      subsystem: "bus/pci",
      deviceDriver: "nvidia-vgpu-vfio",
      types: [{ id: "nvidia-1" }],
      deviceAttributes: {
        "nvidia/placement_id": { read: () => raw },
        "nvidia/vm_name": {
          read: () => {
            throw new Errno("ENXIO");
          },
        },
      },
    });
    const parent = await ok(new MdevHost({ fs: simulated.fs }).parent("0000:00:02.0"));
    const vgpu = await vgpuOf(await ok((await ok(parent.type("nvidia-1"))).create()));
    expect((await fails(vgpu.placementId.read(), "decode")).raw).toBe(raw);
    const error = await fails(vgpu.vmName.read(), "gone");
    expect(error.message).toContain("there is no vGPU any more (ENXIO)");
  });
});
