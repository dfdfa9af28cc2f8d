import { describe, expectTypeOf, it } from "vitest";
import type {
  AnyMdevError,
  AsyncResult,
  CreateError,
  CreateOptions,
  DecodeError,
  DeviceApi,
  DeviceState,
  HostSupport,
  LookupError,
  ParentLookupError,
  MdevDevice,
  MdevDeviceInfo,
  MdevError,
  MdevErrorType,
  MdevHost,
  MdevType,
  MdevTypeInfo,
  NotFoundError,
  Parent,
  ParentInfo,
  PciFacts,
  Problem,
  QueryError,
  RemoveError,
  RemoveOutcome,
  VfioNodes,
} from "../src/index.js";

declare const host: MdevHost;
declare const parent: Parent;
declare const type: MdevType;
declare const device: MdevDevice;

describe("the objects", () => {
  it("give exactly these", () => {
    expectTypeOf(host.support()).toEqualTypeOf<AsyncResult<HostSupport, QueryError>>();
    expectTypeOf(host.parents()).toEqualTypeOf<AsyncResult<readonly Parent[], QueryError>>();
    expectTypeOf(host.parent("x")).toEqualTypeOf<AsyncResult<Parent, ParentLookupError>>();
    expectTypeOf(host.devices()).toEqualTypeOf<AsyncResult<readonly MdevDevice[], QueryError>>();
    expectTypeOf(host.device("x")).toEqualTypeOf<AsyncResult<MdevDevice, LookupError>>();
    expectTypeOf(parent.types()).toEqualTypeOf<AsyncResult<readonly MdevType[], QueryError>>();
    expectTypeOf(parent.type("x")).toEqualTypeOf<AsyncResult<MdevType, NotFoundError | QueryError>>();
    expectTypeOf(parent.findTypes({})).toEqualTypeOf<AsyncResult<readonly MdevType[], QueryError>>();
    expectTypeOf(parent.driver()).toEqualTypeOf<AsyncResult<string | undefined, QueryError>>();
    expectTypeOf(parent.pci()).toEqualTypeOf<AsyncResult<PciFacts | undefined, QueryError>>();
    expectTypeOf(parent.read()).toEqualTypeOf<AsyncResult<ParentInfo, QueryError>>();
    expectTypeOf(type.read()).toEqualTypeOf<AsyncResult<MdevTypeInfo, QueryError>>();
    expectTypeOf(type.create()).toEqualTypeOf<AsyncResult<MdevDevice, CreateError>>();
    expectTypeOf(type.path).toEqualTypeOf<string | undefined>();
    expectTypeOf(device.parent()).toEqualTypeOf<AsyncResult<Parent, QueryError>>();
    expectTypeOf(device.type()).toEqualTypeOf<AsyncResult<MdevType | undefined, QueryError>>();
    expectTypeOf(device.iommuGroup()).toEqualTypeOf<
      AsyncResult<number | undefined, DecodeError | QueryError>
    >();
    expectTypeOf(device.vfioNodes()).toEqualTypeOf<AsyncResult<VfioNodes, DecodeError | QueryError>>();
    expectTypeOf(device.state()).toEqualTypeOf<AsyncResult<DeviceState, QueryError>>();
    expectTypeOf(device.read()).toEqualTypeOf<AsyncResult<MdevDeviceInfo, QueryError>>();
    expectTypeOf(device.remove()).toEqualTypeOf<AsyncResult<RemoveOutcome, RemoveError>>();
    expectTypeOf(device.uuid).toEqualTypeOf<string | undefined>();
  });

  it("give data that nobody can change", () => {
    expectTypeOf<HostSupport>().toEqualTypeOf<Readonly<HostSupport>>();
    expectTypeOf<ParentInfo>().toEqualTypeOf<Readonly<ParentInfo>>();
    expectTypeOf<MdevTypeInfo>().toEqualTypeOf<Readonly<MdevTypeInfo>>();
    expectTypeOf<MdevDeviceInfo>().toEqualTypeOf<Readonly<MdevDeviceInfo>>();
    expectTypeOf<Problem>().toEqualTypeOf<Readonly<Problem>>();
    expectTypeOf<RemoveOutcome>().toEqualTypeOf<Readonly<RemoveOutcome>>();
    expectTypeOf<VfioNodes>().toEqualTypeOf<Readonly<VfioNodes>>();
    expectTypeOf<PciFacts>().toEqualTypeOf<Readonly<PciFacts>>();
    expectTypeOf<ParentInfo["types"]>().toEqualTypeOf<readonly string[]>();
    expectTypeOf<ParentInfo["problems"]>().toEqualTypeOf<readonly Problem[]>();
    expectTypeOf<"creating" | "active" | "removing">().toEqualTypeOf<DeviceState>();
  });

  it("cannot be changed or made by hand", () => {
    // @ts-expect-error it is read-only
    device.id = "x";
    // @ts-expect-error it is read-only
    parent.path = "/";
    // @ts-expect-error it is protected
    expectTypeOf(device.context).toBeNever();
  });

  it("know the device interfaces of the kernel, and take others", () => {
    expectTypeOf<"vfio-pci">().toExtend<DeviceApi>();
    expectTypeOf<"vfio-something-new">().toExtend<DeviceApi>();
    expectTypeOf<DeviceApi>().toExtend<string>();
  });

  it("take options that they know", () => {
    const uuid: string | undefined = undefined;
    void type.create({ uuid, attributes: undefined, signal: undefined, timeout: undefined });
    void type.create({ attributes: [["name", "text"]] } satisfies CreateOptions);
    // @ts-expect-error an unknown option
    void type.create({ colour: "red" });
    // @ts-expect-error a pair without a text
    void type.create({ attributes: [["name"]] });
    // @ts-expect-error a text, no milliseconds
    void device.remove({ timeout: "5s" });
    // @ts-expect-error a controller is no signal
    void device.remove({ signal: new AbortController() });
  });
});

describe("the errors", () => {
  it("are a closed union with one class for each tag", () => {
    expectTypeOf<AnyMdevError["type"]>().toEqualTypeOf<MdevErrorType>();
    expectTypeOf<AnyMdevError>().toExtend<MdevError>();
    expectTypeOf<Extract<AnyMdevError, { type: "decode" }>["raw"]>().toEqualTypeOf<string>();
    expectTypeOf<CreateError | RemoveError | LookupError>().toExtend<AnyMdevError>();
  });

  it("are all in a switch that the compiler checks", () => {
    const exhaustive = (error: CreateError): string => {
      switch (error.type) {
        case "invalid-argument":
        case "rejected":
        case "gone":
        case "conflict":
        case "decode":
        case "permission":
        case "io":
          return error.message;
        case "unsupported":
          return error.missing;
        case "already-exists":
          return error.existing ?? "";
        case "no-instances":
          return String(error.available);
        case "busy":
          return error.message;
        case "timeout":
        case "aborted":
          return error.pending ?? "";
        case "rollback-failed":
          return error.leftBehind;
      }
    };
    expectTypeOf(exhaustive).returns.toBeString();
    // @ts-expect-error one is missing
    const incomplete = (error: RemoveError): string => {
      // eslint-disable-next-line @typescript-eslint/switch-exhaustiveness-check -- the compiler sees it too
      switch (error.type) {
        case "busy":
        case "rejected":
        case "permission":
        case "invalid-argument":
        case "decode":
        case "timeout":
        case "aborted":
          return "";
      }
    };
    expectTypeOf(incomplete).toBeFunction();
  });

  it("are no more than an operation can end in", () => {
    expectTypeOf<RemoveError["type"]>().toEqualTypeOf<
      | "busy"
      | "conflict"
      | "rejected"
      | "unsupported"
      | "permission"
      | "invalid-argument"
      | "decode"
      | "timeout"
      | "aborted"
      | "io"
    >();
    expectTypeOf<QueryError["type"]>().toEqualTypeOf<
      "gone" | "permission" | "invalid-argument" | "decode" | "timeout" | "aborted" | "io"
    >();
    expectTypeOf<CreateError["type"]>().toEqualTypeOf<Exclude<MdevErrorType, "not-found">>();
  });

  it("narrow with `ok`", async () => {
    const created = await type.create();
    if (created.ok) {
      expectTypeOf(created.value).toEqualTypeOf<MdevDevice>();
    } else {
      expectTypeOf(created.error).toEqualTypeOf<CreateError>();
      if (created.error.type === "no-instances")
        expectTypeOf(created.error.available).toEqualTypeOf<number | undefined>();
    }
  });

  it("add up along a chain", () => {
    const chain = host
      .parent("x")
      .map((found) => found.type("y"))
      .map((found) => found.create());
    expectTypeOf(chain).toExtend<AsyncResult<MdevDevice, LookupError | CreateError>>();
  });
});
