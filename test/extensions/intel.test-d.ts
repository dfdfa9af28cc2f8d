/* eslint-disable @typescript-eslint/no-unsafe-call -- what must not compile has no type */
import { describe, expectTypeOf, it } from "vitest";
import {
  type GvtDescription,
  GvtDevice,
  GvtType,
  type GvtTypeId,
  parseGvtTypeId,
} from "../../src/extensions/intel/index.js";
import type {
  AsyncResult,
  AttributeReadError,
  ExtensionError,
  MdevDevice,
  MdevType,
  ReadableAttribute,
  Result,
} from "../../src/index.js";

declare const device: MdevDevice;
declare const type: MdevType;
declare const gvt: GvtDevice;

describe("device.as(GvtDevice)", () => {
  it("has exact types", () => {
    expectTypeOf(device.as(GvtDevice)).toEqualTypeOf<AsyncResult<GvtDevice, ExtensionError>>();
    expectTypeOf(gvt.vgpuId).toEqualTypeOf<ReadableAttribute<number>>();
    expectTypeOf(gvt.hwId).toEqualTypeOf<ReadableAttribute<number>>();
    expectTypeOf(gvt.vgpuId.read()).toEqualTypeOf<AsyncResult<number | undefined, AttributeReadError>>();
  });

  it("does not write what can only be read", () => {
    // @ts-expect-error vgpu_id has mode 0444
    void gvt.vgpuId.write(1);
    // @ts-expect-error hw_id has mode 0444
    void GvtDevice.hwId.to(1);
  });
});

describe("type.as(GvtType)", () => {
  it("has exact types", () => {
    expectTypeOf(type.as(GvtType)).toEqualTypeOf<AsyncResult<GvtType, ExtensionError>>();
    expectTypeOf<GvtType["description"]>().toEqualTypeOf<ReadableAttribute<GvtDescription>>();
    expectTypeOf<GvtType["parsedId"]>().toEqualTypeOf<GvtTypeId | undefined>();
    expectTypeOf(parseGvtTypeId).returns.toEqualTypeOf<Result<GvtTypeId, string>>();
  });

  it("is for types, as the other is for devices", () => {
    // @ts-expect-error a device is no type
    void device.as(GvtType);
    // @ts-expect-error a type is no device
    void type.as(GvtDevice);
  });
});
