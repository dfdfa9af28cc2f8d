import { describe, expectTypeOf, it } from "vitest";
import {
  type Attribute,
  AttributeDescriptor,
  type AttributeReadError,
  type AttributeSetting,
  type AttributeWriteError,
  type AsyncResult,
  type Codec,
  hexadecimal,
  integer,
  type MdevDevice,
  type MdevType,
  type Parent,
  type ReadableAttribute,
  readOnly,
  readWrite,
  text,
  type WritableAttribute,
  writeOnly,
} from "../../src/index.js";

declare const device: MdevDevice;
declare const type: MdevType;
declare const parent: Parent;

const RO = readOnly("a", integer);
const WO = writeOnly("b", integer);
const RW = readWrite("c", integer);

describe("descriptors", () => {
  it("know their value and their access", () => {
    expectTypeOf(RO).toEqualTypeOf<AttributeDescriptor<number, "ro">>();
    expectTypeOf(WO).toEqualTypeOf<AttributeDescriptor<number, "wo">>();
    expectTypeOf(RW).toEqualTypeOf<AttributeDescriptor<number, "rw">>();
    expectTypeOf(readOnly("d", text)).toEqualTypeOf<AttributeDescriptor<string, "ro">>();
    expectTypeOf(readOnly<"a" | "b">("e", null as unknown as Codec<"a" | "b">)).toEqualTypeOf<
      AttributeDescriptor<"a" | "b", "ro">
    >();
    expectTypeOf(new AttributeDescriptor("f", "wo", hexadecimal)).toEqualTypeOf<
      AttributeDescriptor<number, "wo">
    >();
  });

  it("set only what can be written, to a value of its type", () => {
    expectTypeOf(WO.to(1)).toEqualTypeOf<AttributeSetting>();
    expectTypeOf(RW.to(1)).toEqualTypeOf<AttributeSetting>();
    // @ts-expect-error a read-only descriptor
    RO.to(1);
    // @ts-expect-error a value of another type
    WO.to("1");
    // @ts-expect-error without any value
    RW.to();
  });

  it("name errnos and what they mean", () => {
    readOnly("a", text, { readErrnos: { EPERM: { is: "busy", because: "it is in use" } } });
    // @ts-expect-error no attribute means that
    readOnly("a", text, { readErrnos: { EPERM: { is: "no-instances", because: "it is in use" } } });
    // @ts-expect-error without a reason
    readOnly("a", text, { writeErrnos: { EPERM: { is: "busy" } } });
  });
});

describe("attributes", () => {
  it("are what their access calls for", () => {
    expectTypeOf(device.attribute(RO)).toEqualTypeOf<ReadableAttribute<number>>();
    expectTypeOf(type.attribute(WO)).toEqualTypeOf<WritableAttribute<number>>();
    expectTypeOf(parent.attribute(RW)).toEqualTypeOf<Attribute<number>>();
    expectTypeOf(device.attribute("vendor/x", text)).toEqualTypeOf<Attribute<string>>();
  });

  it("are read as their value or undefined", () => {
    expectTypeOf(device.attribute(RO).read()).toEqualTypeOf<
      AsyncResult<number | undefined, AttributeReadError>
    >();
    expectTypeOf(device.attribute(RW).read()).toEqualTypeOf<
      AsyncResult<number | undefined, AttributeReadError>
    >();
    expectTypeOf(type.name.read()).toEqualTypeOf<AsyncResult<string | undefined, AttributeReadError>>();
    expectTypeOf(type.availableInstances.read()).toEqualTypeOf<
      AsyncResult<number | undefined, AttributeReadError>
    >();
    expectTypeOf(parent.numaNode.read()).toEqualTypeOf<AsyncResult<number | undefined, AttributeReadError>>();
    expectTypeOf(type.name.readRaw()).toEqualTypeOf<AsyncResult<string | undefined, AttributeReadError>>();
  });

  it("are written with a value of their type", () => {
    expectTypeOf(device.attribute(WO).write(1)).toEqualTypeOf<AsyncResult<void, AttributeWriteError>>();
    expectTypeOf(device.attribute(RW).writeRaw("1")).toEqualTypeOf<AsyncResult<void, AttributeWriteError>>();
    // @ts-expect-error a value of another type
    void device.attribute(WO).write("1");
    // @ts-expect-error a value of another type
    void device.attribute(RW).write(undefined);
    // @ts-expect-error a number is no text
    void device.attribute(RW).writeRaw(1);
    // @ts-expect-error without any value
    void device.attribute("x", text).write();
  });

  it("are not accessed as the driver would refuse", () => {
    expectTypeOf(device.attribute(RO)).not.toHaveProperty("write");
    expectTypeOf(device.attribute(RO)).not.toHaveProperty("writeRaw");
    expectTypeOf(device.attribute(WO)).not.toHaveProperty("read");
    expectTypeOf(device.attribute(WO)).not.toHaveProperty("readRaw");
    expectTypeOf(type.name).not.toHaveProperty("write");
    // @ts-expect-error it is read-only
    expectTypeOf<ReadableAttribute<number>["write"]>();
    // @ts-expect-error it is write-only
    expectTypeOf<WritableAttribute<number>["read"]>();
  });

  it("need a codec where they have no descriptor", () => {
    // @ts-expect-error without any codec
    device.attribute("vendor/x");
    // @ts-expect-error without any codec
    device.attribute("vendor/x", Number);
  });
});
