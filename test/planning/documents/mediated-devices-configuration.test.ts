import fc from "fast-check";
import { dump } from "js-yaml";
import { describe, expect, it } from "vitest";
import { parseMediatedDevicesConfiguration } from "../../../src/planning/index.js";

const SECTION = `
mediatedDeviceTypes: [nvidia-222, nvidia-228]
nodeMediatedDeviceTypes:
  - nodeSelector: {kubernetes.io/hostname: n1}
    mediatedDeviceTypes: [nvidia-223]
  - nodeSelector: {gpu: t4, zone: a}
    mediatedDevicesTypes: [GRID_T4-1Q, nvidia-223]
`;
const indent = (text: string, by: number) => text.replaceAll("\n", `\n${" ".repeat(by)}`);
const resource = (section: string, gates = "[]") => `
apiVersion: kubevirt.io/v1
kind: KubeVirt
metadata: {name: kubevirt}
spec:
  certificateRotateStrategy: {}
  configuration:
    developerConfiguration: {featureGates: ${gates}, logVerbosity: {}}
    permittedHostDevices: {mediatedDevices: [{mdevNameSelector: GRID T4-1Q, resourceName: nvidia.com/T4}]}
    mediatedDevicesConfiguration: ${indent(section, 6)}
`;

describe("KubeVirt's configuration of mediated devices", () => {
  it.each([
    ["its resource", resource(SECTION)],
    ["the section with its name", `mediatedDevicesConfiguration: ${indent(SECTION, 2)}`],
    ["the section alone", SECTION],
  ])("is read from %s", async (_, yaml) => {
    expect(await parseMediatedDevicesConfiguration(yaml).getOrThrow()).toEqual({
      enabled: true,
      types: ["nvidia-222", "nvidia-228"],
      nodes: [
        { nodeSelector: { "kubernetes.io/hostname": "n1" }, types: ["nvidia-223"] },
        { nodeSelector: { gpu: "t4", zone: "a" }, types: ["GRID_T4-1Q", "nvidia-223"] },
      ],
    });
  });

  it.each([
    ["the old spelling", "mediatedDevicesTypes: [a]", ["a"]],
    ["the old one where the new one has none", "{mediatedDeviceTypes: [], mediatedDevicesTypes: [a]}", ["a"]],
    ["the new one where both have some", "{mediatedDeviceTypes: [b], mediatedDevicesTypes: [a]}", ["b"]],
    ["neither", "enabled: true", []],
    ["nothing", "{mediatedDeviceTypes: , nodeMediatedDeviceTypes: }", []],
  ])("%s", async (_, yaml, types) => {
    expect((await parseMediatedDevicesConfiguration(yaml).getOrThrow()).types).toEqual(types);
  });

  it.each([
    [SECTION, "[]", true],
    [SECTION, "[DisableMDEVConfiguration]", false],
    [`\nenabled: false${SECTION}`, "[]", false],
    [`\nenabled: true${SECTION}`, "[DisableMDEVConfiguration]", true],
    [`\nenabled: ${SECTION}`, "[VSOCK]", true],
  ])("is switched off by its field, or else by the old feature gate", async (section, gates, enabled) => {
    const configuration = await parseMediatedDevicesConfiguration(resource(section, gates)).getOrThrow();
    expect(configuration.enabled).toBe(enabled);
  });

  it.each([
    ["kind: KubeVirt", "may be absent"],
    ["{kind: KubeVirt, spec: {configuration: }}", "may be absent"],
  ])("%s: it %s", async (yaml) => {
    const configuration = await parseMediatedDevicesConfiguration(yaml).getOrThrow();
    expect(configuration).toEqual({ enabled: true, types: [], nodes: [] });
  });

  it.each([
    ["kind: VirtualMachine", "kind is not KubeVirt"],
    ["{kind: KubeVirt, spec: 1}", "spec is no mapping"],
    ["mediatedDeviceType: [a]", "mediatedDeviceType is not known here"],
    ["{mediatedDevicesConfiguration: {enabled: true}, x: 1}", "x is not known here"],
    ["mediatedDevicesConfiguration: {types: [a]}", "mediatedDevicesConfiguration.types is not known here"],
    ["enabled: yes", "enabled is neither true nor false"],
    ["mediatedDeviceTypes: nvidia-222", "mediatedDeviceTypes is no list"],
    ["mediatedDeviceTypes: [222]", "mediatedDeviceTypes[0] is no text; quote it"],
    ['mediatedDeviceTypes: [a, " "]', "mediatedDeviceTypes[1] is empty"],
    [
      "nodeMediatedDeviceTypes: [{mediatedDeviceTypes: [a]}]",
      "nodeMediatedDeviceTypes[0] has no nodeSelector",
    ],
    ["nodeMediatedDeviceTypes: [{nodeSelector: {gpu: true}}]", "[0].nodeSelector.gpu is no text; quote it"],
    ["nodeMediatedDeviceTypes: [{nodeSelector: {a/b: 1}}]", '[0].nodeSelector["a/b"] is no text'],
    ["nodeMediatedDeviceTypes: [{nodeSelector: {}, types: [a]}]", "[0].types is not known here"],
  ])("%j is refused: %s", async (yaml, reason) => {
    const read = await parseMediatedDevicesConfiguration(yaml);
    expect(read.ok || read.error).toMatchObject({ type: "decode", raw: yaml });
    expect(read.ok || read.error.message).toContain(reason);
  });

  it("comes back, whatever it is", async () => {
    const types = fc.array(fc.stringMatching(/^[A-Za-z][A-Za-z0-9_ -]{0,10}[A-Za-z0-9]$/), { maxLength: 4 });
    const nodes = fc.array(fc.record({ nodeSelector: fc.dictionary(fc.string(), fc.string()), types }));
    await fc.assert(
      fc.asyncProperty(types, nodes, fc.boolean(), async (ofAll, ofNodes, enabled) => {
        const section = {
          enabled,
          mediatedDeviceTypes: ofAll,
          nodeMediatedDeviceTypes: ofNodes.map(({ nodeSelector, types: own }, at) => ({
            nodeSelector,
            [at % 2 === 0 ? "mediatedDeviceTypes" : "mediatedDevicesTypes"]: own,
          })),
        };
        const read = await parseMediatedDevicesConfiguration(dump(section)).getOrThrow();
        expect(read).toEqual({ enabled, types: ofAll, nodes: ofNodes });
      }),
    );
  });
});
