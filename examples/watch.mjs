// @ts-check
/**
 * Prints what happens to the mediated devices of this machine, one line of JSON for each event, until it is interrupted.
 *
 *     node examples/watch.mjs
 *     node examples/watch.mjs --simulated     # a kernel in memory, to which a little happens
 */
import { MdevHost } from "vfio-mdev";
import { SimulatedHost } from "vfio-mdev/testing";

const controller = new AbortController();
const { signal } = controller;
process.once("SIGINT", () => controller.abort());

const simulated = process.argv.includes("--simulated") ? new SimulatedHost() : undefined;
const gpu = simulated?.addNvidiaGpu({ address: "0000:3b:00.0" });
/** What happens there after an event. */
const happens = {
  snapshot: () => void gpu?.create("nvidia-156"),
  "device-ready": () => void gpu?.unplug(),
  "parent-unregistered": () => controller.abort(),
};

const host = new MdevHost(simulated ? { fs: simulated.fs } : {});
for await (const event of host.watch({ signal, source: simulated?.changes })) {
  console.log(JSON.stringify(summaryOf(event)));
  if (simulated && event.type in happens) happens[/** @type {keyof happens} */ (event.type)]();
}

/** @param {import("vfio-mdev").HostEvent} event */
function summaryOf(event) {
  switch (event.type) {
    case "snapshot":
      return { type: event.type, parents: event.snapshot.parents.length, devices: event.snapshot.devices };
    case "problem":
      return event;
    case "parent-registered":
    case "parent-unregistered":
      return { type: event.type, parent: event.parent.id };
    case "type-added":
    case "type-removed":
    case "availability-changed":
      return { ...event, parent: event.parent.id, mdevType: event.mdevType.id };
    default:
      return { type: event.type, device: event.device };
  }
}
