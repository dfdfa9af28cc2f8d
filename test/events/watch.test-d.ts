import { expectTypeOf, test } from "vitest";
import { type HostEvent, type HostWatch, MdevHost, readOnly, text } from "../../src/index.js";

const host = new MdevHost();

test("a switch over the events is complete", () => {
  const nameOf = (event: HostEvent): string => {
    switch (event.type) {
      case "snapshot":
        return `${event.snapshot.devices.length}`;
      case "parent-registered":
      case "parent-unregistered":
        return event.parent.id;
      case "type-added":
      case "type-removed":
      case "availability-changed":
        return event.mdevType.id;
      case "device-added":
      case "device-ready":
      case "device-changed":
      case "device-removed":
        return event.device.id;
      case "problem":
        return event.problem.message;
    }
  };
  expectTypeOf(nameOf).returns.toBeString();
});

test("what is included has its types in the snapshot", async () => {
  const watch = host.watch({ include: { devices: { vmName: readOnly("nvidia/vm_name", text) } } });
  for await (const event of watch) {
    if (event.type !== "snapshot") continue;
    const [device] = event.snapshot.devices;
    expectTypeOf(device?.attributes.vmName).toEqualTypeOf<string | undefined>();
    break;
  }
});

test("an iteration has an end without a value, and is what for await takes", async () => {
  const watch = host.watch();
  expectTypeOf(watch).toEqualTypeOf<HostWatch>();
  expectTypeOf(watch).toExtend<AsyncIterable<HostEvent>>();
  const { done, value } = await watch.next();
  if (done === true) expectTypeOf(value).toEqualTypeOf<undefined>();
  else expectTypeOf(value).toEqualTypeOf<HostEvent>();
});
