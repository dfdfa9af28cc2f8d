import fc from "fast-check";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import {
  kubevirtTypeName,
  permittedMediatedDevice,
  podDevices,
  podVariable,
} from "../../../src/interop/kubevirt/index.js";
import { fencesRunBy, readFences } from "../../../tools/doc-fences/extract.mjs";

const ID = "c2177883-f1bb-47f0-914d-32a22e3a8804";
const OTHER = "95242535-e423-41a6-bb58-f28a44d68d66";

describe("names", () => {
  it.each([
    ["nvidia-222", "GRID T4-1Q", "GRID_T4-1Q"],
    ["nvidia-222", "NVIDIA RTX6000-Ada-4Q\n", "NVIDIA_RTX6000-Ada-4Q"],
    ["i915-GVTg_V5_4", undefined, "i915-GVTg_V5_4"],
  ])("%s %j is %s", (id, name, expected) => {
    expect(kubevirtTypeName({ id, name })).toBe(expected);
  });

  it("permit a type", () => {
    const type = { id: "nvidia-222", name: "GRID T4-1Q" };
    expect(
      permittedMediatedDevice(type, "nvidia.com", { externalResourceProvider: true }).getOrThrow(),
    ).toEqual({
      mdevNameSelector: "GRID T4-1Q",
      resourceName: "nvidia.com/GRID_T4-1Q",
      externalResourceProvider: true,
    });
    expect(
      permittedMediatedDevice({ id: "a-b", name: undefined }, "x.org", { name: "vgpu" }).getOrThrow(),
    ).toEqual({
      mdevNameSelector: "a-b",
      resourceName: "x.org/vgpu",
    });
  });

  it.each([
    [
      "I/O subchannel (Non-QDIO)",
      "ibm.com",
      "cannot be the name of a resource of Kubernetes. Give another name.",
    ],
    ["", "ibm.com", "cannot be the name of a resource of Kubernetes"],
    ["x".repeat(64), "ibm.com", "cannot be the name of a resource of Kubernetes"],
    ["GRID T4-1Q", "NVIDIA.com", "the vendor is no domain such as nvidia.com"],
    ["GRID T4-1Q", "", "the vendor is no domain such as nvidia.com"],
  ])("%j of %j are refused", (name, vendor, reason) => {
    const permitted = permittedMediatedDevice({ id: "a", name }, vendor);
    expect(permitted.ok || permitted.error).toMatchObject({ type: "invalid-argument" });
    expect(permitted.ok || permitted.error.message).toContain(reason);
  });
});

describe("the environment of a pod", () => {
  it("names mediated devices and functions", () => {
    expect(podVariable("nvidia.com/GRID_T4-1Q", [{ id: ID }, { id: OTHER }]).getOrThrow()).toEqual([
      "MDEV_PCI_RESOURCE_NVIDIA_COM_GRID_T4-1Q",
      `${ID},${OTHER}`,
    ]);
    expect(podVariable("nvidia.com/l40s", [{ id: "0000:41:00.5" }]).getOrThrow()).toEqual([
      "PCI_RESOURCE_NVIDIA_COM_L40S",
      "0000:41:00.5",
    ]);
  });

  it.each([[[]], [["mtty"]], [[ID, "0000:41:00.5"]]])("does not name %j", (ids) => {
    const named = podVariable("a.b/c", ids.map((id) => ({ id }))); // prettier-ignore
    expect(named.ok || named.error.type).toBe("invalid-argument");
  });

  it("comes back", () => {
    const ids = fc.array(fc.uuid(), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(ids, fc.stringMatching(/^[a-z.]{1,8}\/[A-Za-z_-]{1,8}$/), (uuids, resourceName) => {
        const [name, value] = podVariable(resourceName, uuids.map((id) => ({ id }))).getOrThrow(); // prettier-ignore
        const resource = resourceName.toUpperCase().replace(/[/.]/g, "_");
        expect(podDevices({ [name]: value })).toEqual([{ resource, kind: "mdev", devices: uuids }]);
      }),
    );
  });

  it("leaves all else out", () => {
    const environment = {
      PATH: "/bin",
      MDEV_PCI_RESOURCE_A: `${ID.toUpperCase()},`,
      MDEV_PCI_RESOURCE_B: "nothing",
      PCI_RESOURCE_C: "0000:41:00.5,0000:41:00.6",
      PCI_RESOURCE_D: ID,
      PCI_RESOURCE_E: undefined,
    };
    expect(podDevices(environment)).toEqual([
      { resource: "A", kind: "mdev", devices: [ID] },
      { resource: "C", kind: "pci", devices: ["0000:41:00.5", "0000:41:00.6"] },
    ]);
  });
});

it("the virtual machine of docs/kubevirt.md asks for what the program above it prints", () => {
  const page = "docs/kubevirt.md";
  const [program] = readFences(page);
  const type = { id: "nvidia-156", name: "GRID P40-2B" };
  const { mdevNameSelector, resourceName } = permittedMediatedDevice(type, "nvidia.com").getOrThrow();
  expect(program?.prints).toEqual([`${mdevNameSelector} ${resourceName}`]);

  const [yaml = ""] = fencesRunBy("test/interop/kubevirt/kubevirt.test.ts", page, 1);
  const gpus = [{ name: "vgpu0", deviceName: resourceName }];
  expect(load(yaml)).toEqual({ spec: { template: { spec: { domain: { devices: { gpus } } } } } });
});
