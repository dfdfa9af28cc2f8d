import { describe, expect, it } from "vitest";
import { type AnyMdevError, MdevError, type MdevErrorType, MdevHost, text } from "../src/index.js";
import { MttyParent } from "../src/extensions/samples/index.js";
import { SimulatedHost } from "../src/testing/index.js";
import { fails, ok } from "./contract/expect.js";
import { CLASS_OF_TAG } from "./support/tags.js";
import { GPU, makeSerialWorld, makeWorld, MTTY, MTTY_1, OTHER_UUID, UUID } from "./support/world.js";

/** Provokes an error as a user would meet it, and checks what it alone tells. */
type Provocation<K extends MdevErrorType> = () => Promise<Extract<AnyMdevError, { type: K }>>;

/** One for each tag; the compiler knows when one is missing. */
const PROVOCATIONS = {
  "invalid-argument": async () => {
    const { host } = await makeSerialWorld();
    const error = await fails(host.parent("../mtty"), "invalid-argument");
    expect(error.message).toMatchInlineSnapshot(
      `"cannot find the parent "../mtty": the parent id "../mtty" holds a slash."`,
    );
    expect(error).toMatchObject({
      path: undefined,
      errno: undefined,
      hint: undefined,
      operation: 'find the parent "../mtty"',
    });
    return error;
  },
  rejected: async () => {
    const { parent } = await makeSerialWorld();
    const error = await fails(parent.attribute("uevent", text).write("explode"), "rejected");
    expect(error.message).toMatchInlineSnapshot(
      `"cannot write uevent of mtty: the driver refused it (EINVAL)."`,
    );
    expect(error).toMatchObject({
      path: `${MTTY}/uevent`,
      errno: "EINVAL",
      operation: "write uevent of mtty",
    });
    expect(error.cause).toMatchObject({ errno: -22, code: "EINVAL", syscall: "write" });
    return error;
  },
  "not-found": async () => {
    const { host, parent } = await makeWorld();
    const byName = await fails(parent.type("GRID P40-2B"), "not-found");
    expect(byName.message).toMatchInlineSnapshot(
      `"cannot find the type "GRID P40-2B" of 0000:3b:00.0: there is no type with this id. It is the name of nvidia-156."`,
    );
    expect(byName.suggestion).toBe("nvidia-156");
    const stranger = await fails(host.device(OTHER_UUID), "not-found");
    expect(stranger.message).toMatchInlineSnapshot(
      `"cannot find the device "83b8f4f2-509f-382f-3c1e-e6bfe0fa1002": there is no such device."`,
    );
    expect(stranger).toMatchObject({ suggestion: undefined, hint: undefined, path: "/sys/bus/mdev/devices" });
    const error = await fails(host.parent("0000:3b:00.1"), "not-found");
    expect(error.message).toMatchInlineSnapshot(
      `"cannot find the parent "0000:3b:00.1": there is no such parent. Did you mean 0000:3b:00.0?"`,
    );
    expect(error).toMatchObject({
      suggestion: GPU,
      hint: `Did you mean ${GPU}?`,
      path: "/sys/class/mdev_bus",
    });
    return error;
  },
  unsupported: async () => {
    const { parent } = await makeWorld();
    const extension = await fails(parent.as(MttyParent), "unsupported");
    expect(extension.message).toMatchInlineSnapshot(
      `"cannot take 0000:3b:00.0 for a MttyParent: it is none."`,
    );
    expect(extension).toMatchObject({ missing: "MttyParent", path: parent.path });
    const error = await fails(parent.attribute("nvidia/none", text).write("1"), "unsupported");
    expect(error.message).toMatchInlineSnapshot(
      `"cannot write nvidia/none of 0000:3b:00.0: there is no such attribute to write."`,
    );
    expect(error).toMatchObject({
      missing: "nvidia/none",
      path: `${parent.path}/nvidia/none`,
      errno: undefined,
    });
    return error;
  },
  "already-exists": async () => {
    const { simulated, type } = await makeWorld();
    const seen = await fails(type.create({ uuid: UUID.toUpperCase() }), "already-exists");
    expect(seen.message).toMatchInlineSnapshot(
      `"cannot create 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 of type nvidia-156 on 0000:3b:00.0: a device with this UUID exists already, at /sys/devices/pci0000:3b/0000:3b:00.0/83b8f4f2-509f-382f-3c1e-e6bfe0fa1001."`,
    );
    expect(seen).toMatchObject({
      errno: undefined,
      existing: `${type.parent.path}/${UUID}`,
      path: `/sys/bus/mdev/devices/${UUID}`,
    });
    simulated.failNext({ path: `${type.path}/create`, errno: "EEXIST", operation: "writeFile" });
    const error = await fails(type.create({ uuid: OTHER_UUID }), "already-exists");
    expect(error.message).toMatchInlineSnapshot(
      `"cannot create 83b8f4f2-509f-382f-3c1e-e6bfe0fa1002 of type nvidia-156 on 0000:3b:00.0: a device with this UUID exists already (EEXIST)."`,
    );
    expect(error).toMatchObject({ errno: "EEXIST", existing: undefined, path: `${type.path}/create` });
    return error;
  },
  "no-instances": async () => {
    const { parent } = await makeWorld();
    // The GPU has one type of device at a time.
    const type = await ok(parent.type("nvidia-46"));
    const error = await fails(type.create({ uuid: OTHER_UUID }), "no-instances");
    expect(error.message).toMatchInlineSnapshot(
      `"cannot create 83b8f4f2-509f-382f-3c1e-e6bfe0fa1002 of type nvidia-46 on 0000:3b:00.0: no instance of the type is left, available_instances says 0 (EIO). The types of a parent share what it has: remove a device of any of them, or take another parent."`,
    );
    expect(error).toMatchObject({ errno: "EIO", available: 0, path: `${type.path}/create` });
    expect(error.cause).toMatchObject({ errno: -5 });
    return error;
  },
  busy: async () => {
    const { simulated, type } = await makeSerialWorld();
    const pause = simulated.pauseCreate({ before: "mdev_type" });
    const creation = type.create({ uuid: UUID });
    await pause.reached;
    const [device] = await ok(type.parent.devices());
    const error = await fails((device ?? expect.fail()).remove(), "busy");
    expect(error.message).toMatchInlineSnapshot(
      `"cannot remove 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 from mtty: it is not completely created yet. Try again when that is done."`,
    );
    expect(error).toMatchObject({ path: `${MTTY}/${UUID}`, errno: undefined });
    pause.resume();
    await ok(creation);
    return error;
  },
  conflict: async () => {
    const { simulated, device } = await makeWorld();
    for (const errno of ["EADDRNOTAVAIL", "EADDRINUSE"] as const) {
      simulated.failNext({ path: /vgpu_params$/u, operation: "writeFile", errno });
      expect((await fails(device.attribute("nvidia/vgpu_params", text).write("a=1"), "conflict")).errno).toBe(
        errno,
      );
    }
    simulated.failNext({ path: /vgpu_params$/u, operation: "writeFile", errno: "EADDRINUSE" });
    const error = await fails(device.attribute("nvidia/vgpu_params", text).write("a=1"), "conflict");
    expect(error.message).toMatchInlineSnapshot(
      `"cannot write nvidia/vgpu_params of 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001: somebody else has it (EADDRINUSE)."`,
    );
    return error;
  },
  permission: async () => {
    const { simulated } = await makeSerialWorld();
    const host = new MdevHost({ fs: simulated.fsAs(1000) });
    const type = await ok(host.parent("mtty").map((parent) => parent.type("mtty-1")));
    simulated.failNext({ path: `${MTTY_1}/create`, operation: "writeFile", errno: "EROFS" });
    const readOnly = await fails(type.create({ uuid: UUID }), "permission");
    expect(readOnly.message).toMatchInlineSnapshot(
      `"cannot create 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 of type mtty-1 on mtty: sysfs is mounted read-only (EROFS). Containers often see it so: mount the host's writable, and tell MdevHost where, as \`sysfs\`."`,
    );
    const error = await fails(type.create({ uuid: UUID }), "permission");
    expect(error.message).toMatchInlineSnapshot(
      `"cannot create 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 of type mtty-1 on mtty: this process may not do that (EACCES). Most of it takes root; and some files can only be read, others only be written."`,
    );
    expect(error).toMatchObject({ errno: "EACCES", path: `${MTTY_1}/create` });
    return error;
  },
  gone: async () => {
    const { gpu, device } = await makeWorld();
    gpu.remove(UUID);
    const error = await fails(device.read(), "gone");
    expect(error.message).toMatchInlineSnapshot(
      `"cannot read all of 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001: it is no longer there."`,
    );
    expect(error).toMatchObject({ errno: undefined, path: device.path });
    return error;
  },
  decode: async () => {
    const simulated = new SimulatedHost();
    simulated.addParent({
      path: "devices/pci0000:3a/0000:3b:00.0",
      subsystem: "bus/pci",
      driver: "ice",
      deviceDriver: "ice_vdcm",
      types: [{ id: "ice-vdcm", attributes: { available_instances: { read: () => "ivdcm\n" } } }],
    });
    const type = await ok(
      new MdevHost({ fs: simulated.fs }).parent(GPU).map((parent) => parent.type("ice-vdcm")),
    );
    const error = await fails(type.availableInstances.read(), "decode");
    expect(error.message).toMatchInlineSnapshot(
      `"cannot read available_instances of ice-vdcm on 0000:3b:00.0: its text "ivdcm\\n" is not a whole decimal number."`,
    );
    expect(error).toMatchObject({
      raw: "ivdcm\n",
      path: `${type.path}/available_instances`,
      errno: undefined,
    });
    return error;
  },
  timeout: async () => {
    const { simulated, type, host } = await makeSerialWorld();
    const delay = simulated.delay({ operation: "writeFile", path: `${MTTY_1}/create`, ms: "forever" });
    const pending = await fails(type.create({ uuid: UUID, timeout: 5 }), "timeout");
    expect(pending.message).toMatchInlineSnapshot(
      `"cannot create 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 of type mtty-1 on mtty: the limit of 5 ms passed. If the kernel made 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001, or still makes it, it is removed again."`,
    );
    delay.end();
    simulated.delay({ operation: "readdir", ms: "forever" });
    const error = await fails(host.devices({ timeout: 5 }), "timeout");
    expect(error.message).toMatchInlineSnapshot(`"cannot list the devices: the limit of 5 ms passed."`);
    expect(error).toMatchObject({ pending: undefined, hint: undefined, errno: undefined });
    return error;
  },
  aborted: async () => {
    const { simulated, type } = await makeSerialWorld();
    const device = await ok(type.create({ uuid: UUID }));
    const vm = simulated.open(UUID);
    const controller = new AbortController();
    const reason = new Error("the user closed the window");
    const removal = device.remove({ signal: controller.signal });
    await expect.poll(() => simulated.operations.at(-1)?.operation).toBe("writeDetached");
    controller.abort(reason);
    const error = await fails(removal, "aborted");
    expect(error.message).toMatchInlineSnapshot(
      `"cannot remove 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 from mtty: the signal was aborted. The kernel may still remove it: it waits until nobody has the device open."`,
    );
    expect(error.cause).toBe(reason);
    expect(error.pending).toBe(error.hint);
    vm.close();
    return error;
  },
  "rollback-failed": async () => {
    const { simulated, type } = await makeSerialWorld();
    simulated.failNext({ path: `${MTTY}/${UUID}/remove`, operation: "writeDetached", errno: "EIO" });
    const creation = type.create({ uuid: UUID, attributes: [["vendor/none", "1"]] });
    const error = await fails(creation, "rollback-failed");
    // One sentence after the other, each with one full stop.
    expect(error.message).not.toMatch(/\.\.|cannot create .*cannot create/u);
    expect(error.message).toMatchInlineSnapshot(
      `"cannot create 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 of type mtty-1 on mtty with its attribute vendor/none (1 of 1): it failed (unsupported), and so did removing the device again (io, EIO). /sys/devices/virtual/mtty/mtty/83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 is left behind."`,
    );
    expect(error.failure.message).toMatchInlineSnapshot(
      `"cannot create 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 of type mtty-1 on mtty with its attribute vendor/none (1 of 1): there is no such attribute to write."`,
    );
    expect(error.undoFailure.message).toMatchInlineSnapshot(
      `"cannot remove 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 from mtty: writeDetached /sys/devices/virtual/mtty/mtty/83b8f4f2-509f-382f-3c1e-e6bfe0fa1001/remove: EIO: i/o error, write (EIO)."`,
    );
    expect(error).toMatchObject({
      leftBehind: `${MTTY}/${UUID}`,
      path: `${MTTY}/${UUID}`,
      cause: error.failure,
    });
    return error;
  },
  io: async () => {
    const { simulated, device } = await makeWorld();
    simulated.failNext({ path: /uevent$/u, operation: "readFile", errno: "EMFILE", syscall: "open" });
    const error = await fails(device.attribute("uevent", text).read(), "io");
    expect(error.message).toMatchInlineSnapshot(
      `"cannot read uevent of 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001: readFile /sys/devices/pci0000:3b/0000:3b:00.0/83b8f4f2-509f-382f-3c1e-e6bfe0fa1001/uevent: EMFILE: too many open files, open '/sys/devices/pci0000:3b/0000:3b:00.0/83b8f4f2-509f-382f-3c1e-e6bfe0fa1001/uevent' (EMFILE)."`,
    );
    expect(error).toMatchObject({ errno: "EMFILE", path: `${device.path}/uevent` });
    expect(error.cause).toMatchObject({ code: "EMFILE", syscall: "open" });
    return error;
  },
} satisfies { readonly [K in MdevErrorType]: Provocation<K> };

const TAGS = Object.keys(PROVOCATIONS) as MdevErrorType[];

describe("every error there is", () => {
  it.each(TAGS)("%s", async (tag) => {
    const error: AnyMdevError = await PROVOCATIONS[tag]();
    expect(error).toBeInstanceOf(MdevError);
    expect(error).toBeInstanceOf(Error);
    expect(error.type).toBe(tag);
    expect(error.name).toBe(CLASS_OF_TAG[tag]);
    expect(error.constructor.name).toBe(CLASS_OF_TAG[tag]);
    expect(error.message.startsWith(`cannot ${error.operation}: `)).toBe(true);
    expect(error.message).toMatch(/[.?]$/u);
    if (error.errno !== undefined) expect(error.message).toContain(`(${error.errno})`);
    if (error.hint !== undefined) expect(error.message.endsWith(error.hint)).toBe(true);
    expect(error.stack).toContain(error.name);
    expect(error.message).not.toMatch(/undefined|\[object/u);
  });

  it("can be told apart by their tags, and no two have one", () => {
    expect(new Set(TAGS).size).toBe(TAGS.length);
    expect([...TAGS].sort()).toEqual(Object.keys(CLASS_OF_TAG).sort());
  });
});

describe("errnos", () => {
  it.each([
    [{ errno: -5, code: "EIO" }, "EIO"],
    [{ errno: -87, code: "Unknown system error -87" }, "EUSERS"],
    [{ errno: -87, code: "UNKNOWN" }, "EUSERS"],
    [{ code: "EIO" }, "EIO"],
    [{ errno: -523, code: "Unknown system error -523" }, "errno 523"],
    [{ errno: -523 }, "errno 523"],
    [{ errno: 5 }, undefined],
    [{ errno: "EIO" }, undefined],
    [{ errno: NaN, code: "ABORT_ERR" }, undefined],
    [{ code: "ERR_INVALID_ARG_TYPE" }, undefined],
    [{ code: "toString" }, undefined],
  ])("of %j: %s", async (facts, errno) => {
    const simulated = new SimulatedHost();
    simulated.addMtty();
    const cause = Object.assign(new Error("the words of the file system"), facts);
    const host = new MdevHost({ fs: { ...simulated.fs, readdir: () => Promise.reject(cause) } });
    const error = await fails(host.parents(), "io");
    expect(error.errno).toBe(errno);
    expect(error.cause).toBe(cause);
    expect(error.message).toContain("the words of the file system");
    if (errno !== undefined) expect(error.message).toContain(`(${errno})`);
  });
});
