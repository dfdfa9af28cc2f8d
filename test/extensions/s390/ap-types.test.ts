import { expectTypeOf, it } from "vitest";
import {
  type ApConfig,
  type ApMatrix,
  type ApplyMatrixError,
  applyMatrix,
  VfioApDevice,
  VfioApParent,
} from "../../../src/extensions/s390/index.js";
import type {
  Attribute,
  AttributeSetting,
  MdevDevice,
  Parent,
  ReadableAttribute,
  WritableAttribute,
} from "../../../src/index.js";

// The compiler is the test: nothing of this runs.
async function devices(device: MdevDevice): Promise<void> {
  const crypto = await device.as(VfioApDevice).getOrThrow();
  expectTypeOf(crypto).toEqualTypeOf<VfioApDevice>();
  expectTypeOf(crypto.assignAdapter).toEqualTypeOf<WritableAttribute<number>>();
  expectTypeOf(crypto.matrix).toEqualTypeOf<ReadableAttribute<ApMatrix>>();
  expectTypeOf(crypto.apConfig).toEqualTypeOf<Attribute<ApConfig>>();
  expectTypeOf(await crypto.controlDomains.read().getOrThrow()).toEqualTypeOf<
    readonly number[] | undefined
  >();
  expectTypeOf(VfioApDevice.assignDomain.to(4)).toEqualTypeOf<AttributeSetting>();
  expectTypeOf(crypto.assignAdapter).not.toHaveProperty("read");
  expectTypeOf(crypto.matrix).not.toHaveProperty("write");
  expectTypeOf((await crypto.config().getOrThrow()).adapters).not.toHaveProperty("push");
  // @ts-expect-error a number, so that nobody writes an octal one
  void crypto.assignDomain.write("05");
  // @ts-expect-error read-only attributes have no settings
  VfioApDevice.matrix.to({ adapters: [], domains: [] });
  // @ts-expect-error all three parts
  void crypto.apConfig.write({ adapters: [], domains: [] });
  const applied = await applyMatrix(crypto, { adapters: [5], domains: [4] });
  if (!applied.ok) expectTypeOf(applied.error).toEqualTypeOf<ApplyMatrixError>();
  expectTypeOf(applyMatrix).parameter(0).toEqualTypeOf<VfioApDevice>();
}

async function parents(parent: Parent): Promise<void> {
  const matrix = await parent.as(VfioApParent).getOrThrow();
  expectTypeOf(matrix.features).toEqualTypeOf<ReadableAttribute<readonly string[]>>();
  expectTypeOf(parent.as).parameter(0).not.toExtend<typeof VfioApDevice>();
}

it("has exact types", () => {
  expectTypeOf(devices).toBeFunction();
  expectTypeOf(parents).toBeFunction();
});
