import fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  type ChannelAddress,
  type ChannelPathMasks,
  formatChannelAddress,
  SubchannelParent,
  VfioCcwDevice,
} from "../../../src/extensions/s390/index.js";
import { type Codec, MdevHost, type ReadableAttribute } from "../../../src/index.js";
import { SimulatedHost, type SubchannelOptions } from "../../../src/testing/index.js";

const BYTE = fc.integer({ min: 0, max: 0xff });
const { channelDeviceAddress, chpids, pathMasks, driverOverride } = SubchannelParent;

async function subchannelOf(options: SubchannelOptions) {
  const simulated = new SimulatedHost();
  simulated.addSubchannel(options);
  const parent = await new MdevHost({ fs: simulated.fs }).parent(options.id).getOrThrow();
  return { simulated, parent, subchannel: await parent.as(SubchannelParent).getOrThrow() };
}

function survives<T>(codec: Codec<T>, values: fc.Arbitrary<T>): void {
  fc.assert(
    fc.property(values, (value) => {
      const text = codec.encode(value).getOrThrow();
      expect(codec.decode(text).getOrThrow()).toEqual(value);
      expect(codec.decode(`${text}\n`).getOrThrow()).toEqual(value);
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(typeof codec.decode(text).ok).toBe("boolean");
    }),
  );
}

describe("SubchannelParent", () => {
  it("understands what the driver writes", () => {
    expect(chpids.codec.decode("00 4a ff 00 00 00 00 00 \n").getOrThrow()).toEqual([
      0, 0x4a, 0xff, 0, 0, 0, 0, 0,
    ]);
    expect(pathMasks.codec.decode("c0 80 ff\n").getOrThrow()).toEqual({ pim: 0xc0, pam: 0x80, pom: 0xff });
    expect(channelDeviceAddress.codec.decode("none\n").getOrThrow()).toBeUndefined();
    expect(driverOverride.codec.decode("(null)\n").getOrThrow()).toBeUndefined();
    expect(driverOverride.codec.decode("vfio_ccw\n").getOrThrow()).toBe("vfio_ccw");
  });

  it("refuses other texts and values", () => {
    for (const text of ["", "00", "00 00 00 00 00 00 00", "00 00 00 00 00 00 00 0g", "0 0 0 0 0 0 0 0"])
      expect(chpids.codec.decode(text).ok).toBe(false);
    expect(pathMasks.codec.decode("80 80").ok).toBe(false);
    expect(channelDeviceAddress.codec.decode("(null)").ok).toBe(false);
    expect(chpids.codec.encode([0]).ok).toBe(false);
    expect(chpids.codec.encode([0, 0, 0, 0, 0, 0, 0, 256]).ok).toBe(false);
    expect(pathMasks.codec.encode({ pim: 0, pam: -1, pom: 0 }).ok).toBe(false);
    expect(channelDeviceAddress.codec.encode({ cssid: 0, ssid: 4, number: 0 }).ok).toBe(false);
  });

  it("has codecs whose values survive being written and read, and which never throw", () => {
    survives(chpids.codec, fc.array(BYTE, { minLength: 8, maxLength: 8 }));
    survives(pathMasks.codec, fc.record({ pim: BYTE, pam: BYTE, pom: BYTE }));
    survives(driverOverride.codec, fc.constantFrom(undefined, "vfio_ccw", "io_subchannel"));
    const addresses = fc.record({ cssid: BYTE, ssid: fc.nat(3), number: fc.nat(0xffff) });
    survives(channelDeviceAddress.codec, fc.option(addresses, { nil: undefined }));
  });

  it("tells the installed paths from the others, which have the id 00 too", async () => {
    const { subchannel } = await subchannelOf({ id: "0.0.0313", chpids: [0x4a, 0, 0xff] });
    expect(await subchannel.chpids.read().getOrThrow()).toEqual([0x4a, 0, 0xff, 0, 0, 0, 0, 0]);
    expect(await subchannel.pathMasks.read().getOrThrow()).toEqual({ pim: 0xe0, pam: 0xe0, pom: 0xff });
    const working = { available: true, operational: true };
    expect(await subchannel.paths().getOrThrow()).toEqual(
      [0x4a, 0, 0xff].map((chpid) => ({ chpid, ...working })),
    );
  });

  it("tells a path that is not available, and one that is not operational", async () => {
    const simulated = new SimulatedHost();
    const says = (text: string) => ({ read: () => text });
    simulated.addParent({
      path: "devices/css0/0.0.0313",
      subsystem: "bus/css",
      driver: "vfio_ccw",
      deviceDriver: "vfio_ccw_mdev",
      types: [{ id: "vfio_ccw-io", deviceApi: "vfio-ccw" }],
      attributes: { chpids: says("10 11 12 00 00 00 00 00 \n"), pimpampom: says("e0 a0 7f\n") },
    });
    const parent = await new MdevHost({ fs: simulated.fs }).parent("0.0.0313").getOrThrow();
    const subchannel = await parent.as(SubchannelParent).getOrThrow();
    expect(await subchannel.paths().getOrThrow()).toEqual([
      { chpid: 0x10, available: true, operational: false },
      { chpid: 0x11, available: false, operational: true },
      { chpid: 0x12, available: true, operational: true },
    ]);
    // a kernel without dev_busid and driver_override
    expect(await subchannel.channelDeviceAddress.read().getOrThrow()).toBeUndefined();
    expect(await subchannel.driverOverride.exists().getOrThrow()).toBe(false);
  });

  it("has no paths where a file is missing, and an error where one cannot be understood", async () => {
    const simulated = new SimulatedHost();
    let ids = "10 11 12 00 00 00 00 00 \n";
    simulated.addParent({
      path: "devices/css0/0.0.0313",
      subsystem: "bus/css",
      deviceDriver: "vfio_ccw_mdev",
      types: [{ id: "vfio_ccw-io" }],
      attributes: { chpids: { read: () => ids } },
    });
    const parent = await new MdevHost({ fs: simulated.fs }).parent("0.0.0313").getOrThrow();
    const subchannel = await parent.as(SubchannelParent).getOrThrow();
    expect(await subchannel.paths().getOrThrow()).toBeUndefined();
    ids = "what?\n";
    const failed = await subchannel.paths();
    expect(failed.error?.type).toBe("decode");
  });

  it("has one limit for the two files of its paths", async () => {
    const { simulated, subchannel } = await subchannelOf({ id: "0.0.0313" });
    simulated.delay({ operation: "readFile", path: /\/(?:chpids|pimpampom)$/u, ms: 200 });
    expect((await subchannel.paths({ timeout: 300 })).error?.type).toBe("timeout");
  });

  it("knows of a subchannel without a channel device", async () => {
    const { subchannel } = await subchannelOf({ id: "0.0.0313", device: "none" });
    expect(await subchannel.channelDeviceAddress.exists().getOrThrow()).toBe(true);
    expect(await subchannel.channelDeviceAddress.read().getOrThrow()).toBeUndefined();
  });

  it("is reached from a device", async () => {
    const { parent } = await subchannelOf({ id: "0.0.0313", device: "0.0.e1d2" });
    const type = await parent.type("vfio_ccw-io").getOrThrow();
    const device = await type.create().getOrThrow();
    const ccw = await device.as(VfioCcwDevice).getOrThrow();
    const subchannel = await ccw.subchannel().getOrThrow();
    const address = await subchannel.channelDeviceAddress.read().getOrThrow();
    expect(address && formatChannelAddress(address).getOrThrow()).toBe("0.0.e1d2");
  });

  it("has exact types, and nothing that writes", async () => {
    const { parent, subchannel } = await subchannelOf({ id: "0.0.0313" });
    expectTypeOf(await parent.as(SubchannelParent).getOrThrow()).toEqualTypeOf<SubchannelParent>();
    expectTypeOf(subchannel.channelDeviceAddress).toEqualTypeOf<
      ReadableAttribute<ChannelAddress | undefined>
    >();
    expectTypeOf(subchannel.pathMasks).toEqualTypeOf<ReadableAttribute<ChannelPathMasks>>();
    expectTypeOf(await subchannel.chpids.read().getOrThrow()).toEqualTypeOf<readonly number[] | undefined>();
    // @ts-expect-error -- read-only
    expect(subchannel.driverOverride.write).toBeUndefined();
    // @ts-expect-error -- read-only, so it is no setting of `create`
    expect(() => void SubchannelParent.chpids.to([0, 0, 0, 0, 0, 0, 0, 0])).not.toThrow();
    // @ts-expect-error -- an extension of parents does not fit a device
    const wrong = (): unknown => parent.as(VfioCcwDevice);
    expect(wrong).toBeTypeOf("function");
  });
});
