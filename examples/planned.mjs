// @ts-check
/**
 * A manager that reads a YAML, prints its plan, applies it, is killed in the middle of that, and comes to the same end when it is
 * started again. The machine is a simulated one, which lives on in this process as a kernel would; the manager is a process of its
 * own, killed with SIGKILL. Its ledger and its locks are files.
 *
 *     npm run build && node examples/planned.mjs        # killed at a step of chance
 *     node examples/planned.mjs 3                       # killed as it makes the one after 3 devices
 */
import { fork } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DirectoryStore, MdevHost } from "vfio-mdev";
import {
  apply,
  formatPlan,
  inventoryOf,
  parseVgpuConfigs,
  plan,
  planningFacts,
  readState,
  wantedVgpus,
} from "vfio-mdev/planning";
import { SimulatedHost } from "vfio-mdev/testing";
import { connect, serve } from "./remote-files.mjs";

const [first, store = ""] = process.argv.slice(2);
if (first === "manager") {
  await manage(new MdevHost({ fs: connect(), state: new DirectoryStore(store) }));
  process.disconnect();
} else {
  await machine(Number(first ?? Math.floor(Math.random() * 7)));
}

/** What a manager does, whether it is its first run or not. @param {MdevHost} host */
async function manage(host) {
  const yaml = readFileSync(new URL("planned.yaml", import.meta.url), "utf8");
  const configs = await parseVgpuConfigs(yaml).getOrThrow();
  const inventory = inventoryOf(await host.snapshot({ include: planningFacts }).getOrThrow());
  const gpus = inventory.cards.map(({ id }) => id);
  // Nobody else makes UUIDs like ours: what a crash left half-made is ours, too.
  const options = { owner: "example", unproven: /** @type {const} */ ("take"), gpus };
  const { state } = wantedVgpus(configs, inventory, options).getOrThrow();

  const planned = plan(await readState(host, state).getOrThrow(), state).getOrThrow();
  console.log(formatPlan(planned));
  if (planned.changes === 0) return console.log("nothing is left to do");
  const { reached, results } = await apply(host, planned, {
    onProgress: (event) => {
      if (event.type === "ended") console.log(" ", event.result.status, event.result.step.name);
    },
  }).getOrThrow();
  console.log(reached ? `reached, steps: ${results.length}` : "not reached");
}

/** @param {number} most how many devices the first run gets to make */
async function machine(most) {
  const simulated = new SimulatedHost();
  simulated.addNvidiaGpu({ address: "0000:3b:00.0" }).create("nvidia-156"); // somebody else's
  simulated.addNvidiaGpu({ address: "0000:af:00.0" });
  const folder = mkdtempSync(join(tmpdir(), "vfio-mdev-planned-"));
  try {
    for (const devices of [most, Infinity, Infinity]) {
      const ended = await run(simulated, folder, devices);
      console.log(ended === "SIGKILL" ? "-- killed\n" : "-- ended\n");
    }
    const { devices } = await new MdevHost({ fs: simulated.fs }).snapshot().getOrThrow();
    console.log(`${devices.length} devices, one of them somebody else's`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One run of the manager, killed as soon as it has made so many devices. @param {SimulatedHost} simulated @param {string} folder @param {number} most */
function run(simulated, folder, most) {
  const child = fork(fileURLToPath(import.meta.url), ["manager", folder]);
  let made = 0;
  serve(child, simulated.fs, ({ call, path }) => {
    if (call === "writeFile" && path.endsWith("/create") && ++made > most) child.kill("SIGKILL");
  });
  return new Promise((resolve) => child.on("close", (status, signal) => resolve(signal ?? status)));
}
