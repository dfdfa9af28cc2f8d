import { describe, expect, it } from "vitest";
import { type FileSystem, MdevHost } from "../../src/index.js";
import { NvidiaVgpuDevice } from "../../src/extensions/nvidia/index.js";
import { type Recording, recordHost, type RecordOptions, replay } from "../../src/recording/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { ok } from "../contract/expect.js";
import { GPU, OTHER_UUID, UUID } from "../support/world.js";
import { sightOf } from "./sight.js";
import { everything } from "./zoo.js";

const SERIAL = "S3CR3T-0815";

/** Two vGPUs of one virtual machine and one of another, and two devices with the same serial number. */
function secretive(): SimulatedHost {
  const simulated = new SimulatedHost();
  const gpu = simulated.addNvidiaGpu({ address: GPU });
  for (const vmName of ["payroll", "payroll", "board"]) simulated.open(gpu.create("nvidia-156"), { vmName });
  const acme = simulated.addParent({
    path: "devices/virtual/acme/acme",
    subsystem: "class/acme",
    deviceDriver: "acme_mdev",
    types: [{ id: "acme-1" }],
    uevent: [`ACME_SERIAL=${SERIAL}`, "ACME_MODEL=7"],
    attributes: { serial_number: { read: () => `${SERIAL}\n` }, empty_serial: { read: () => "\n" } },
    deviceAttributes: { "acme/serial": { read: () => `${SERIAL}\n` } },
  });
  acme.create("acme-1");
  return simulated;
}

const record = (simulated: SimulatedHost, options?: RecordOptions): Promise<Recording> =>
  ok(recordHost(simulated.fs, { attributes: ["serial_number"], ...options }));

async function vmNamesOf(recording: Recording): Promise<unknown[]> {
  const host = new MdevHost({ fs: replay(recording).getOrThrow() });
  const include = { devices: { vmName: NvidiaVgpuDevice.vmName } };
  const { devices } = await ok(host.snapshot({ include }));
  return devices.map(({ attributes }) => attributes.vmName).sort();
}

describe("a mask", () => {
  it("takes out serial numbers and names of virtual machines where nothing else is said", async () => {
    const recording = await record(secretive());
    const json = JSON.stringify(recording);
    for (const secret of [SERIAL, "payroll", "board"]) expect(json).not.toContain(secret);
    expect(recording.masked).toEqual(["serial-numbers", "vm-names"]);
    expect(await vmNamesOf(recording)).toEqual(expect.arrayContaining(["vm-1", "vm-2"]));
  });

  it("is the same for the same text, wherever it is", async () => {
    const recording = await record(secretive(), { mask: ["serial-numbers"] });
    const serials = JSON.stringify(recording).match(/serial-\d+/gu) ?? [];
    expect(serials.length).toBe(3);
    expect(new Set(serials)).toEqual(new Set(["serial-1"]));
    expect(JSON.stringify(recording)).toContain("ACME_SERIAL=serial-1\\nACME_MODEL=7");
    const names = await vmNamesOf(await record(secretive(), { mask: ["vm-names"] }));
    expect([...new Set(names)].sort()).toEqual(["vm-1", "vm-2", undefined]);
  });

  it("takes out nothing where it is empty", async () => {
    const recording = await record(secretive(), { mask: [] });
    expect(JSON.stringify(recording)).toContain(SERIAL);
    expect((await vmNamesOf(recording)).slice(0, 3)).toEqual(["board", "payroll", "payroll"]);
  });

  it("of UUIDs keeps their order, also of one that only its folder tells of any more", async () => {
    const simulated = new SimulatedHost();
    const mtty = simulated.addMtty();
    for (const uuid of [OTHER_UUID, UUID]) mtty.create("mtty-1", uuid);
    const pause = simulated.pauseRemove({ before: "folder" });
    const removal = simulated.fs.writeFile(`${mtty.path}/${UUID}/remove`, "1", { flag: 1 });
    await pause.reached;
    const statesOf = async (fs: FileSystem): Promise<unknown> =>
      (await ok(new MdevHost({ fs }).snapshot())).devices.map(({ state }) => state);
    const states = await statesOf(simulated.fs);
    expect(states).toEqual(["removing", "active"]);
    const recording = await ok(recordHost(simulated.fs, { mask: ["uuids"] }));
    expect(await statesOf(replay(recording).getOrThrow())).toEqual(states);
    pause.resume();
    await removal;
  });

  it("of UUIDs leaves the host the same but for their names, and in the same order", async () => {
    const { fs } = everything();
    const recording = await ok(recordHost(fs, { mask: ["uuids"] }));
    const seen = await ok(new MdevHost({ fs }).snapshot());
    const uuids = seen.devices.map(({ id }) => id).filter((id) => id.length === 36);
    const json = JSON.stringify(recording);
    for (const uuid of uuids) expect(json.toLowerCase()).not.toContain(uuid);

    const mask = new Map(
      [...new Set(uuids)]
        .sort()
        .map((uuid, at) => [uuid, `00000000-0000-8000-8000-${(at + 1).toString(16).padStart(12, "0")}`]),
    );
    const renamed = JSON.stringify(await sightOf(fs)).replaceAll(
      /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gu,
      (uuid) => mask.get(uuid) ?? uuid,
    );
    expect(await sightOf(replay(recording).getOrThrow())).toEqual(JSON.parse(renamed));
  });
});
