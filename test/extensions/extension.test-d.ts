import { describe, expectTypeOf, it } from "vitest";
import {
  type MbochsDevice,
  MdpyDevice,
  MdpyType,
  MttyDevice,
  MttyParent,
} from "../../src/extensions/samples/index.js";
import {
  type Attribute,
  type AttributeReadError,
  type AsyncResult,
  type ExtensionClass,
  type Resolution,
  type ExtensionError,
  integer,
  type MdevDevice,
  MdevDeviceExtension,
  type MdevType,
  type Parent,
  type ReadableAttribute,
  readWrite,
} from "../../src/index.js";

declare const parent: Parent;
declare const type: MdevType;
declare const device: MdevDevice;

class AcmeDevice extends MdevDeviceExtension {
  static readonly queues = readWrite("acme/queues", integer);
  static fits(target: MdevDevice): AsyncResult<boolean, AttributeReadError> {
    return target.attribute(AcmeDevice.queues).exists();
  }
  readonly queues = this.attribute(AcmeDevice.queues);
}

class Unfit extends MdevDeviceExtension {}

class Named {
  static fits(target: Parent): boolean {
    return target.id === "named";
  }
  readonly parent: Parent;
  constructor(target: Parent) {
    this.parent = target;
  }
}

describe("as()", () => {
  it("gives the extension's own type", () => {
    expectTypeOf(parent.as(MttyParent)).toEqualTypeOf<AsyncResult<MttyParent, ExtensionError>>();
    expectTypeOf(type.as(MdpyType)).toEqualTypeOf<AsyncResult<MdpyType, ExtensionError>>();
    expectTypeOf(device.as(MttyDevice)).toEqualTypeOf<AsyncResult<MttyDevice, ExtensionError>>();
    expectTypeOf(device.as(AcmeDevice)).toEqualTypeOf<AsyncResult<AcmeDevice, ExtensionError>>();
    expectTypeOf<ExtensionError["type"]>().toEqualTypeOf<AttributeReadError["type"] | "unsupported">();
  });

  it("takes only what extends that kind of object, and says what it fits", () => {
    // @ts-expect-error an extension of devices
    void parent.as(MttyDevice);
    // @ts-expect-error an extension of types
    void device.as(MdpyType);
    // @ts-expect-error an extension of parents
    void type.as(MttyParent);
    // @ts-expect-error it has no static `fits`
    void device.as(Unfit);
    // @ts-expect-error an object, no class
    void device.as({ fits: () => true });
  });

  it("takes a stranger's class that extends none of ours", () => {
    expectTypeOf(Named).toExtend<ExtensionClass<Parent, Named>>();
    expectTypeOf(parent.as(Named)).toEqualTypeOf<AsyncResult<Named, ExtensionError>>();
  });
});

describe("an extension's attributes", () => {
  it("have the types of their descriptors", () => {
    expectTypeOf<AcmeDevice["queues"]>().toEqualTypeOf<Attribute<number>>();
    expectTypeOf<AcmeDevice["device"]>().toEqualTypeOf<MdevDevice>();
    expectTypeOf<MdpyDevice["resolution"]>().toEqualTypeOf<ReadableAttribute<Resolution>>();
    expectTypeOf<MbochsDevice["memory"]>().toEqualTypeOf<ReadableAttribute<number>>();
    void type.create({ attributes: [AcmeDevice.queues.to(4)] });
    // @ts-expect-error it is read-only
    void type.create({ attributes: [MdpyDevice.resolution.to({ width: 1, height: 1 })] });
    // @ts-expect-error a value of another type
    void type.create({ attributes: [AcmeDevice.queues.to("4")] });
    // @ts-expect-error a descriptor is no setting
    void type.create({ attributes: [AcmeDevice.queues] });
  });
});
