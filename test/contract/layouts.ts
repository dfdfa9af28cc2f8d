import assert from "node:assert/strict";
import type {
  CreateFact,
  DeviceOperation,
  LayoutName,
  MdevDevice,
  MdevHost,
  MdevType,
  MdevTypeInfo,
  Parent,
} from "../../src/index.js";
import { fails, ok, plain } from "./expect.js";
import type { Runner } from "./subject.js";

/** What differs between layouts, each by its name. */
export interface LayoutDifferences {
  readonly layout: LayoutName;
  /** What a device can do. */
  readonly can: readonly DeviceOperation[];
  /** What creating can be given. */
  readonly createOptions: readonly CreateFact[];
  /** Devices tell their type. */
  readonly tellsType: boolean;
  /** What a type tells of itself. */
  readonly typeFacts: readonly (keyof MdevTypeInfo)[];
}

/** A host all of whose parents have one layout, without any device. */
export interface LayoutSubject {
  readonly host: MdevHost;
  readonly differences: LayoutDifferences;
  /** How many devices of the first type the whole host can have. */
  readonly capacity: number;
}

const UUID = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1003";
const OPERATIONS: readonly DeviceOperation[] = [
  "remove",
  "online",
  "reset",
  "group",
  "priority",
  "weight",
  "params",
];
const FACTS: readonly (keyof MdevTypeInfo)[] = [
  "name",
  "description",
  "deviceApi",
  "availableInstances",
  "requiresGroup",
  "maxInstances",
  "params",
];

/** What a manager can rely on, whatever the layout. */
export function layoutContract({ describe, it, afterEach }: Runner, subject: LayoutSubject): void {
  const { host, differences, capacity } = subject;
  const firstParent = async (): Promise<Parent> => {
    const [parent] = await ok(host.parents());
    assert.ok(parent);
    return parent;
  };
  const firstType = async (): Promise<MdevType> => {
    const [type] = await ok((await firstParent()).types());
    assert.ok(type);
    return type;
  };
  const ids = (objects: readonly { readonly id: string }[]): string[] => objects.map(({ id }) => id);

  afterEach(async () => {
    const left = await ok(host.devices());
    for (const device of left) await ok(device.remove());
    assert.deepEqual(ids(left), [], "devices were left over");
  });

  describe("any layout", () => {
    it("is found out by its files", async () => {
      for (const parent of await ok(host.parents())) {
        assert.equal(parent.layout, differences.layout);
        assert.equal((await ok(host.parent(parent.id))).path, parent.path);
        assert.equal((await ok(parent.read())).layout, differences.layout);
      }
    });

    it("has types that tell what the layout knows, and nothing else", async () => {
      const parent = await firstParent();
      const types = await ok(parent.types());
      assert.ok(types.length > 0);
      for (const type of types) {
        assert.equal((await ok(parent.type(type.id))).id, type.id);
        const info = await ok(type.read());
        assert.deepEqual(info.problems, []);
        const known = FACTS.filter((fact) => info[fact] !== undefined);
        assert.deepEqual(known, differences.typeFacts);
        assert.equal(await ok(type.name.read()), info.name);
        assert.equal(await ok(type.availableInstances.exists()), known.includes("availableInstances"));
      }
      await fails(parent.type("nothing-1"), "not-found");
    });

    it("has a device that lives from create to remove", async () => {
      const type = await firstType();
      const device = await ok(type.create());
      assert.equal(device.uuid === undefined, !differences.createOptions.includes("uuid"));
      assert.equal(await ok(device.state()), "active");
      assert.equal((await ok(device.parent())).id, type.parent.id);
      assert.equal((await ok(device.type()))?.id, differences.tellsType ? type.id : undefined);
      assert.equal((await ok(host.device(device.id))).path, device.path);
      assert.deepEqual(ids(await ok(host.devices())), [device.id]);
      assert.deepEqual(ids(await ok(type.parent.devices())), [device.id]);
      if (differences.tellsType) assert.deepEqual(ids(await ok(type.devices())), [device.id]);
      else await fails(type.devices(), "unsupported");
      const info = await ok(device.read());
      assert.deepEqual(info.problems, []);
      assert.deepEqual([info.id, info.parent, info.state], [device.id, type.parent.id, "active"]);
      assert.deepEqual(JSON.parse(JSON.stringify(info)), plain(info));

      assert.deepEqual(await ok(device.remove()), { removed: true });
      assert.deepEqual(await ok(device.remove()), { removed: false });
      await fails(host.device(device.id), "not-found");
      for (const gone of [
        device.read(),
        device.state(),
        device.type(),
        device.parent(),
        device.can("remove"),
      ]) {
        await fails(gone, "gone");
      }
    });

    it("honours an option of create, or refuses it before anything is done", async () => {
      const type = await firstType();
      assert.deepEqual([...type.createOptions].sort(), [...differences.createOptions].sort());
      const options = { uuid: UUID, params: "a=1", group: "vm-7" } as const;
      for (const option of ["uuid", "params", "group"] as const) {
        if (type.createOptions.has(option)) {
          await ok((await ok(type.create({ [option]: options[option] }))).remove());
        } else {
          const error = await fails(type.create({ [option]: options[option] }), "unsupported");
          assert.equal(error.missing, `create option ${option}`);
        }
      }
    });

    it("does what it says it can, and is unsupported where it cannot", async () => {
      const device = await ok((await firstType()).create());
      for (const operation of OPERATIONS) {
        assert.equal(await ok(device.can(operation)), differences.can.includes(operation), operation);
      }
      if (differences.can.includes("reset")) await ok(device.reset());
      else await fails(device.reset(), "unsupported");
      for (const name of ["priority", "weight"] as const) {
        if (differences.can.includes(name)) {
          await ok(device[name].write(7));
          assert.equal(await ok(device[name].read()), 7);
          assert.equal((await ok(device.read()))[name], 7);
        } else {
          assert.equal(await ok(device[name].read()), undefined);
          await fails(device[name].write(7), "unsupported");
        }
      }
      if (differences.can.includes("online")) {
        assert.equal(await ok(device.online.read()), false);
        await ok(device.online.write(true));
        assert.equal(await ok(device.online.read()), true);
        await fails(device.remove(), "busy");
        await ok(device.online.write(false));
      } else {
        assert.equal(await ok(device.online.read()), undefined);
        await fails(device.online.write(true), "unsupported");
      }
      await ok(device.remove());
    });

    it("is filled until nothing is left, and empty again", async () => {
      const devices: MdevDevice[] = [];
      const fill = async (type: MdevType): Promise<void> => {
        for (;;) {
          const created = await type.create();
          if (created.ok) devices.push(created.value);
          else {
            assert.equal(created.error.type, "no-instances", created.error.message);
            return;
          }
        }
      };
      const { id } = await firstType();
      for (const parent of await ok(host.parents())) {
        const type = await parent.type(id);
        if (type.ok) await fill(type.value);
      }
      assert.equal(devices.length, capacity);
      assert.deepEqual(ids(await ok(host.devices())).sort(), ids(devices).sort());
      for (const device of devices) assert.deepEqual(await ok(device.remove()), { removed: true });
    });

    it("lets nobody get what somebody else has", async () => {
      const type = await firstType();
      const { uuid } = { uuid: differences.createOptions.includes("uuid") ? UUID : undefined };
      const results = await Promise.all(Array.from({ length: 6 }, () => type.create({ uuid })));
      const made = results.filter((result) => result.ok);
      assert.equal(made.length, 1);
      const refusal = uuid === undefined ? "no-instances" : "already-exists";
      for (const result of results) if (!result.ok) assert.equal(result.error.type, refusal);
      const [device] = await ok(host.devices());
      assert.ok(device);
      const removals = await Promise.all(Array.from({ length: 4 }, () => ok(device.remove())));
      assert.equal(removals.filter(({ removed }) => removed).length, 1);
    });

    it("has no device where an attribute of it could not be set", async () => {
      const type = await firstType();
      await fails(type.create({ attributes: [["vendor/nothing", "x"]] }), "unsupported");
      await fails(type.create({ attributes: [["../x", "x"]] }), "invalid-argument");
      assert.deepEqual(await ok(host.devices()), []);
    });
  });
}
