import { chmodSync, chownSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type HostSnapshot, readOnly, text } from "../../src/index.js";
import { ok, plain } from "../contract/expect.js";
import { Program } from "../support/built.js";
import { temporaryFolder } from "../support/temporary.js";
import { OTHER_UUID, UUID } from "../support/world.js";
import { makeMachine, traces, TYPE } from "./machine.js";

/** The user `nobody`. */
const NOBODY = 65_534;

// Only root can become somebody else.
it.runIf(process.getuid?.() === 0)(
  "another user than root sees all but what only root may read, and changes nothing",
  async () => {
    const { tree, folder, host, prelude } = await makeMachine();
    const store = temporaryFolder();
    chownSync(store, NOBODY, NOBODY);
    chmodSync(tree.file(UUID, "first"), 0o400);
    const include = { devices: { first: readOnly("first", text), second: readOnly("second", text) } };
    const ofRoot = plain(await ok(host.snapshot({ include }))) as HostSnapshot;
    expect(ofRoot).toMatchObject({ parents: [{}, {}, {}], devices: [{}, {}], problems: [] });
    const before = traces(tree.sysfs);

    const program = `${prelude({ sysfs: tree.sysfs, dev: tree.dev }, store)}
      const include = { devices: { first: readOnly("first", text), second: readOnly("second", text) } };
      console.log(JSON.stringify({
        user: process.getuid(),
        snapshot: await host.snapshot({ include }).getOrThrow(),
        use: await device.inUse().getOrThrow(),
        create: await end(type.create({ uuid: "${OTHER_UUID}", owner: "me" })),
        remove: await end(device.remove()),
        claims: await options.state.names(),
      }));`;
    const line = await new Program(folder, program, [], { user: NOBODY }).line();

    const refused = (path: string): object => ({
      ...{ type: "permission", errno: "EACCES", path },
      message: expect.stringContaining("Most of it takes root") as string,
    });
    const hidden = { type: "permission", path: tree.file(UUID, "first") };
    expect(JSON.parse(line)).toEqual({
      user: NOBODY,
      snapshot: {
        ...ofRoot,
        devices: ofRoot.devices.map(({ attributes: { first, ...others }, ...device }) => ({
          ...device,
          attributes: device.id === UUID ? others : { first, ...others },
        })),
        problems: [expect.objectContaining(hidden)],
      },
      use: { state: "unknown", holders: [] },
      create: refused(join(tree.sysfs, TYPE, "create")),
      remove: refused(tree.file(UUID, "remove")),
      claims: [],
    });
    expect(traces(tree.sysfs)).toEqual(before);
  },
);
