/* eslint-disable @typescript-eslint/no-unsafe-call -- what must not compile has no type */
import { describe, expectTypeOf, it } from "vitest";
import {
  findVgpuType,
  NvidiaCard,
  NvidiaVgpuDevice,
  NvidiaVgpuType,
  type UsedVgpu,
  type VgpuCapacity,
  type VgpuDescription,
  type VgpuParams,
  vgpuParams,
  type VgpuTypeName,
  type VgpuUsage,
} from "../../src/extensions/nvidia/index.js";
import {
  type AsyncResult,
  type Attribute,
  type AttributeDescriptor,
  type AttributeReadError,
  type AttributeSetting,
  type AttributeWriteError,
  type Card,
  type Codec,
  type ExtensionError,
  type LookupError,
  type MdevDevice,
  MdevDeviceExtension,
  type MdevHost,
  type MdevType,
  type Parent,
  type QueryError,
  type ReadableAttribute,
  text,
  type UnsupportedError,
  type WritableAttribute,
  writeOnly,
} from "../../src/index.js";

declare const device: MdevDevice;
declare const type: MdevType;
declare const parent: Parent;
declare const card: Card;
declare const host: MdevHost;
declare const vgpu: NvidiaVgpuDevice;
declare const view: NvidiaCard;

class Secretive extends MdevDeviceExtension {
  static readonly secret: AttributeDescriptor<string, "wo"> = writeOnly("acme/secret", text);
  static fits(): boolean {
    return true;
  }
  readonly secret: WritableAttribute<string> = this.attribute(Secretive.secret);
}

describe("device.as(NvidiaVgpuDevice)", () => {
  it("has exact types", () => {
    expectTypeOf(device.as(NvidiaVgpuDevice)).toEqualTypeOf<AsyncResult<NvidiaVgpuDevice, ExtensionError>>();
    expectTypeOf(vgpu.device).toEqualTypeOf<MdevDevice>();
    expectTypeOf(vgpu.vgpuParams).toEqualTypeOf<Attribute<VgpuParams>>();
    expectTypeOf(vgpu.vmName).toEqualTypeOf<ReadableAttribute<string>>();
    expectTypeOf(vgpu.placementId).toEqualTypeOf<Attribute<number | undefined>>();
    expectTypeOf(vgpu.gpuInstanceId).toEqualTypeOf<Attribute<number | undefined>>();
    expectTypeOf(vgpu.vgpuParams.read()).toEqualTypeOf<
      AsyncResult<VgpuParams | undefined, AttributeReadError>
    >();
    expectTypeOf(vgpu.vgpuParams.write({})).toEqualTypeOf<AsyncResult<void, AttributeWriteError>>();
    expectTypeOf(vgpu.vmName.read()).toEqualTypeOf<AsyncResult<string | undefined, AttributeReadError>>();
    expectTypeOf(vgpu.placementId.read()).toEqualTypeOf<
      AsyncResult<number | undefined, AttributeReadError>
    >();
  });

  it("has parameters whose known keys are numbers, and any other key", () => {
    expectTypeOf<VgpuParams["frame_rate_limiter"]>().toEqualTypeOf<number | undefined>();
    expectTypeOf<VgpuParams["any_other"]>().toEqualTypeOf<string | number | undefined>();
    expectTypeOf(vgpuParams).toEqualTypeOf<Codec<VgpuParams>>();
    expectTypeOf(NvidiaVgpuDevice.vgpuParams.to).toBeCallableWith({ frame_rate_limiter: 0, any_other: "x" });
    expectTypeOf(NvidiaVgpuDevice.vgpuParams.to({})).toEqualTypeOf<AttributeSetting>();
    expectTypeOf(type.create).toBeCallableWith({ attributes: [NvidiaVgpuDevice.placementId.to(4)] });
  });

  it("takes no value of a wrong type", () => {
    // @ts-expect-error a known key is a number
    void vgpu.vgpuParams.write({ frame_rate_limiter: "0" });
    // @ts-expect-error no value is a boolean
    void vgpu.vgpuParams.write({ any_other: true });
    // @ts-expect-error the parameters are a map, not a text
    void vgpu.vgpuParams.write("frame_rate_limiter=0");
    // @ts-expect-error a known key is a number
    void NvidiaVgpuDevice.vgpuParams.to({ disable_vnc: "1" });
    // @ts-expect-error a place is a number
    void vgpu.placementId.write("4");
    // @ts-expect-error a place is a number
    void NvidiaVgpuDevice.placementId.to("4");
  });

  it("does not write what can only be read", () => {
    // @ts-expect-error vm_name has mode 0444
    void vgpu.vmName.write("desktop-7");
    // @ts-expect-error vm_name has mode 0444
    void vgpu.vmName.writeRaw("desktop-7\n");
    // @ts-expect-error vm_name has mode 0444
    void NvidiaVgpuDevice.vmName.to("desktop-7");
  });

  it("does not read what can only be written", () => {
    const { secret } = new Secretive(device);
    expectTypeOf(secret.write).toBeCallableWith("open sesame");
    // @ts-expect-error its mode is 0200
    void secret.read();
    // @ts-expect-error its mode is 0200
    void secret.readRaw();
  });
});

describe("type.as(NvidiaVgpuType)", () => {
  it("has exact types", () => {
    const typed = type.as(NvidiaVgpuType);
    expectTypeOf(typed).toEqualTypeOf<AsyncResult<NvidiaVgpuType, ExtensionError>>();
    expectTypeOf<NvidiaVgpuType["description"]>().toEqualTypeOf<ReadableAttribute<VgpuDescription>>();
    expectTypeOf<ReturnType<NvidiaVgpuType["name"]>>().toEqualTypeOf<
      AsyncResult<VgpuTypeName | undefined, AttributeReadError>
    >();
    expectTypeOf(NvidiaVgpuType.fits).returns.toEqualTypeOf<boolean>();
  });

  it("is for types, as the other is for devices", () => {
    // @ts-expect-error a device is no type
    void device.as(NvidiaVgpuType);
    // @ts-expect-error a type is no device
    void type.as(NvidiaVgpuDevice);
    // @ts-expect-error a parent is neither
    void parent.as(NvidiaVgpuDevice);
  });
});

describe("NvidiaCard", () => {
  it("has exact types", () => {
    expectTypeOf(NvidiaCard.all(host)).toEqualTypeOf<AsyncResult<readonly NvidiaCard[], QueryError>>();
    expectTypeOf(NvidiaCard.of(card)).toEqualTypeOf<AsyncResult<NvidiaCard, UnsupportedError | QueryError>>();
    expectTypeOf(view.functions()).toEqualTypeOf<AsyncResult<readonly Parent[], QueryError>>();
    expectTypeOf(view.freeFunctions()).toEqualTypeOf<AsyncResult<readonly Parent[], QueryError>>();
    expectTypeOf(view.capacity("L40S-4Q")).toEqualTypeOf<AsyncResult<VgpuCapacity, LookupError>>();
    expectTypeOf(view.usage()).toEqualTypeOf<AsyncResult<VgpuUsage, QueryError>>();
    expectTypeOf<VgpuCapacity["places"]>().toEqualTypeOf<readonly MdevType[]>();
    expectTypeOf<VgpuUsage["vgpus"]>().toEqualTypeOf<readonly UsedVgpu[]>();
    expectTypeOf(findVgpuType(parent, "P40-2B")).toEqualTypeOf<AsyncResult<MdevType, LookupError>>();
  });

  it("is made by its static methods alone", () => {
    // @ts-expect-error its constructor is private
    new NvidiaCard(card);
    // @ts-expect-error a card is asked for by name or id
    void view.capacity(1148);
  });
});
