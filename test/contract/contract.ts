import assert from "node:assert/strict";
import { discovery } from "./discovery.js";
import { attributes } from "./attributes.js";
import { creation } from "./creation.js";
import { concurrency } from "./concurrency.js";
import { ok } from "./expect.js";
import { extensions } from "./extensions.js";
import { inUse } from "./in-use.js";
import type { Runner, Subject } from "./subject.js";

/**
 * What every host with mtty, mdpy and mbochs does, be it simulated or real. Each behaviour leaves the host as it found
 * it, and fails where it does not.
 */
export function contract(runner: Runner, subject: Subject): void {
  const { host } = subject;
  runner.afterEach(async () => {
    const left = await ok(host.devices());
    for (const device of left) await ok(device.remove());
    assert.deepEqual(
      left.map(({ id }) => id),
      [],
      "devices were left over",
    );
  });
  for (const part of [discovery, attributes, creation, extensions, inUse, concurrency]) part(runner, subject);
}
