import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { SimulatedHost } from "../../src/testing/index.js";
import { ok, plain } from "../contract/expect.js";
import { Program } from "../support/built.js";
import { DiskTree } from "../support/disk-tree.js";
import { temporaryFolder } from "../support/temporary.js";
import { OTHER_UUID, UUID } from "../support/world.js";
import { canContain, contained } from "./container.js";
import { type Machine, makeMachine, traces, TYPE } from "./machine.js";

const HOST = { sysfs: "/host/sys", dev: "/host/dev" };

describe.runIf(canContain)("in a container with the host's sysfs in /host/sys", () => {
  /** What a program says there. The container's own /sys is that of a machine with other devices, and stays as it is. */
  async function said(machine: Machine, access: "rw" | "ro", code: string, store?: string): Promise<never> {
    const another = new SimulatedHost();
    another.addMtty().create("mtty-1", OTHER_UUID);
    const other = await DiskTree.of(another, temporaryFolder());
    const before = traces(other.sysfs);
    const program = new Program(machine.folder, `${machine.prelude(HOST, store)} ${code}`, [], {
      under: contained(machine.tree, other.sysfs, access),
    });
    const line = await program.line();
    await program.ended;
    expect(traces(other.sysfs)).toEqual(before);
    return JSON.parse(line) as never;
  }

  it("everything is seen as on the host", async () => {
    const machine = await makeMachine();
    const here = async <T>(value: Promise<T>): Promise<unknown> =>
      JSON.parse(JSON.stringify(plain(await value)).replaceAll(join(machine.tree.sysfs, ".."), "/host"));
    const device = await ok(machine.host.device(UUID));
    const seen: Record<string, unknown> = await said(
      machine,
      "rw",
      `console.log(JSON.stringify({
        snapshot: await host.snapshot().getOrThrow(),
        nodes: await device.vfioNodes().getOrThrow(),
        use: await device.inUse().getOrThrow(),
      }));`,
    );
    expect(seen["snapshot"]).toEqual(await here(ok(machine.host.snapshot())));
    expect(seen["snapshot"]).toMatchObject({ parents: [{}, {}, {}], devices: [{}, {}], problems: [] });
    expect(seen["nodes"]).toEqual(await here(ok(device.vfioNodes())));
    expect(seen["nodes"]).toMatchObject({
      group: expect.stringMatching(/^\/host\/dev\/vfio\/\d+$/u) as string,
    });
    // Its /proc shows its own processes alone.
    expect(seen["use"]).toEqual({ state: "unknown", holders: [] });
  });

  it("devices are created and removed on the host", async () => {
    const machine = await makeMachine();
    const { tree } = machine;
    const create = join(tree.sysfs, TYPE, "create");
    chmodSync(create, 0o600); // for us to see what is written
    const written = { create: "", remove: "" };
    const kernel = setInterval(() => {
      if (written.create === "") {
        written.create = readFileSync(create, "utf8");
        if (written.create !== "") tree.appear(OTHER_UUID);
      } else if (written.remove === "") {
        written.remove = tree.removal(OTHER_UUID);
        if (written.remove !== "") tree.disappear(OTHER_UUID);
      }
    }, 5);
    onTestFinished(() => clearInterval(kernel));
    const seen: Record<string, unknown> = await said(
      machine,
      "rw",
      `import { existsSync } from "node:fs";
      // As the kernel's, its write returns when the device is there.
      const { writeFile } = NodeFileSystem.prototype;
      NodeFileSystem.prototype.writeFile = async function (path, text, options) {
        await writeFile.call(this, path, text, options);
        for (let look = 0; look < 2_000 && !existsSync("/host/sys/bus/mdev/devices/${OTHER_UUID}"); look++) await new Promise((done) => setTimeout(done, 5));
      };
      const made = await type.create({ uuid: "${OTHER_UUID}" }).getOrThrow();
      console.log(JSON.stringify({ path: made.path, removed: await made.remove().getOrThrow() }));`,
    );
    expect(seen).toEqual({
      path: `/host/sys/devices/virtual/mdpy/mdpy/${OTHER_UUID}`,
      removed: { removed: true },
    });
    expect(written).toEqual({ create: `${OTHER_UUID}\n`, remove: "1\n" });
  });

  it("that is read-only, all is seen, and nothing is written, not even in part", async () => {
    const machine = await makeMachine();
    const { tree } = machine;
    const store = temporaryFolder();
    const before = traces(tree.sysfs);
    const seen: Record<string, unknown> = await said(
      machine,
      "ro",
      `const attributes = [["first", "after"], ["second", "after"]];
      console.log(JSON.stringify({
        devices: (await host.devices().getOrThrow()).map(({ id }) => id),
        problems: (await host.snapshot().getOrThrow()).problems,
        create: await end(type.create({ uuid: "${OTHER_UUID}", owner: "me", attributes })),
        set: await end(device.setAttributes(attributes)),
        remove: await end(device.remove()),
        owned: (await host.ownedDevices("me").getOrThrow()),
        claims: await options.state.names(),
      }));`,
      store,
    );
    expect(seen["devices"]).toHaveLength(2);
    expect(seen["problems"]).toEqual([]);
    const refused = (path: string, progress?: object): object => ({
      ...{ type: "permission", errno: "EROFS", ...(progress && { progress }) },
      path: `/host/sys/${path}`,
      message: expect.stringContaining(
        "sysfs is mounted read-only (EROFS). Containers often see it so: mount the host's writable",
      ) as string,
    });
    const device = `devices/virtual/mdpy/mdpy/${UUID}`;
    expect(seen["create"]).toEqual(refused(`${TYPE}/create`));
    expect(seen["set"]).toEqual(refused(`${device}/first`, { failed: "first", written: [] }));
    expect(seen["remove"]).toEqual(refused(`${device}/remove`));
    expect(seen["owned"]).toEqual({ devices: [], gone: [], notes: {}, problems: [], unproven: [] });
    expect(seen["claims"]).toEqual([]);
    expect(traces(tree.sysfs)).toEqual(before);
  });
});
