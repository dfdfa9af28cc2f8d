import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { MdevHost, type WatchOptions } from "../../src/index.js";
import { recordHost } from "../../src/recording/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { fencesRunBy } from "../../tools/doc-fences/extract.mjs";

// The compiler sees them together with the built package, which they import.
const load = (name: string): Promise<unknown> => import(pathToFileURL(resolve("examples", name)).href);
const { metricsOf } = (await load("exporter.mjs")) as { metricsOf: (host: MdevHost) => Promise<string> };
const { daemon } = (await load("daemon.mjs")) as {
  daemon: (host: MdevHost, watch: WatchOptions) => Server;
};

const UUID = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

function machine(): SimulatedHost {
  const simulated = new SimulatedHost();
  simulated.addMtty().create("mtty-2", UUID);
  const types = [{ id: "acme-1", name: 'a "quoted" \\ name\nof two lines' }];
  simulated.addParent({
    path: "devices/virtual/acme/acme",
    subsystem: "class/acme",
    deviceDriver: "acme",
    types,
  });
  return simulated;
}

function run(...args: readonly string[]): string {
  return execFileSync(process.execPath, [...args], { encoding: "utf8" });
}

test("examples/exporter.mjs writes the text format of Prometheus, to the letter", async () => {
  const metrics = await metricsOf(new MdevHost({ fs: machine().fs }));
  const acme = 'parent="acme",path="/sys/devices/virtual/acme/acme"';
  const mtty = 'parent="mtty",path="/sys/devices/virtual/mtty/mtty"';
  expect(metrics.split("\n")).toEqual([
    "# HELP mdev_parent_info Parents of mediated devices, and the layout of their files.",
    "# TYPE mdev_parent_info gauge",
    `mdev_parent_info{${acme},layout="merged"} 1`,
    `mdev_parent_info{${mtty},layout="merged"} 1`,
    "# HELP mdev_type_available_instances Devices of a type that can still be created: a hint.",
    "# TYPE mdev_type_available_instances gauge",
    `mdev_type_available_instances{${acme},type="acme-1",name="a \\"quoted\\" \\\\ name\\nof two lines"} 1`,
    `mdev_type_available_instances{${mtty},type="mtty-1",name="Single port serial"} 22`,
    `mdev_type_available_instances{${mtty},type="mtty-2",name="Dual port serial"} 11`,
    "# HELP mdev_devices Mediated devices that exist, by type, state and driver.",
    "# TYPE mdev_devices gauge",
    'mdev_devices{parent="mtty",type="mtty-2",state="active",driver="mtty"} 1',
    "# HELP mdev_problems Files that could not be read or understood.",
    "# TYPE mdev_problems gauge",
    "mdev_problems 0",
    "",
  ]);
});

test("a recording is what the examples that only read run on, and they print the same as on the host", async () => {
  const folder = resolve(".cache/examples");
  mkdirSync(folder, { recursive: true });
  const { fs } = machine();
  writeFileSync(`${folder}/host.json`, JSON.stringify(await recordHost(fs).getOrThrow()));
  const metrics = run("examples/exporter.mjs", "--once", "--replay", `${folder}/host.json`);
  expect(metrics).toBe(await metricsOf(new MdevHost({ fs })));
  const tree = run("examples/tree.mjs", `${folder}/host.json`);
  expect(tree).toContain(`    └── ${UUID} (active, driver mtty, IOMMU group 0)`);
});

test("the commands of docs/examples.md print trees and metrics: of this machine, and of a recording", async () => {
  const [here = "", ofRecording = ""] = fencesRunBy(
    "test/package/example-programs.test.ts",
    "docs/examples.md",
    2,
  );
  // The first line made what these tests look at.
  const [build, ...commands] = here.split("\n");
  expect(build).toBe("npm ci && npm run build");
  const shell = (cwd: string, commands: string): string =>
    execFileSync("sh", ["-euc", commands], { cwd, encoding: "utf8" });
  expect(shell(".", commands.join("\n"))).toBe(run("examples/tree.mjs"));

  const folder = resolve(".cache/examples");
  cpSync("examples", `${folder}/examples`, { recursive: true });
  const { fs } = machine();
  writeFileSync(`${folder}/host.json`, JSON.stringify(await recordHost(fs).getOrThrow()));
  const printed = shell(folder, ofRecording);
  expect(printed).toContain(`    └── ${UUID} (active, driver mtty, IOMMU group 0)`);
  expect(printed.endsWith(await metricsOf(new MdevHost({ fs })))).toBe(true);
});

test("examples/record.mjs prints a recording of this machine", () => {
  expect(JSON.parse(run("examples/record.mjs", "--uuids"))).toMatchObject({
    format: "vfio-mdev recording",
    masked: ["serial-numbers", "uuids", "vm-names"],
  });
});

test("examples/desktop-pool is tested as a user tests it", () => {
  expect(run("--test", "--test-reporter=tap", "examples/desktop-pool")).toMatch(/^# fail 0$/mu);
});

test("examples/daemon.mjs lists, creates, removes, and tells what happens", async () => {
  const simulated = machine();
  const server = daemon(new MdevHost({ fs: simulated.fs }), { source: simulated.changes });
  server.listen(0, "localhost");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const ask = async (method: string, path: string, body?: string): Promise<[number, unknown]> => {
    const request = body === undefined ? { method } : { method, body };
    const response = await fetch(`http://localhost:${port}${path}`, request);
    return [response.status, await response.json()];
  };
  const gone = new AbortController();
  const events = await fetch(`http://localhost:${port}/events`, { signal: gone.signal });
  const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader();
  let told = "";
  const until = async (type: string): Promise<void> => {
    while (!told.includes(`event: ${type}\ndata: {`)) told += (await reader?.read())?.value ?? "";
  };
  await until("snapshot");

  expect(await ask("GET", "/parents")).toMatchObject([200, [{ id: "acme" }, { id: "mtty" }]]);
  const [status, created] = await ask("POST", "/devices", '{"parent":"mtty","type":"mtty-1"}');
  expect([status, created]).toMatchObject([201, { parent: "mtty", type: "mtty-1", state: "active" }]);
  await until("device-ready");
  const { id } = created as { readonly id: string };
  expect(await ask("GET", `/devices/${id}`)).toEqual([200, created]);
  expect(await ask("DELETE", `/devices/${id}`)).toEqual([200, { removed: true }]);
  await until("device-removed");
  expect(await ask("GET", "/devices")).toMatchObject([200, [{ id: UUID }]]);

  expect(await ask("DELETE", `/devices/${id}`)).toMatchObject([404, { type: "not-found" }]);
  expect(await ask("POST", "/devices", '{"parent":"acme","type":"acme-1"}')).toMatchObject([201, {}]);
  expect(await ask("POST", "/devices", '{"parent":"acme","type":"acme-1"}')).toMatchObject([
    507,
    { type: "no-instances", errno: "EUSERS" },
  ]);
  expect(await ask("POST", "/devices", "no JSON")).toMatchObject([400, {}]);
  expect(await ask("GET", "/devices/%E0%A4%A")).toMatchObject([400, {}]);
  expect(await ask("PUT", "/devices")).toMatchObject([404, {}]);
  gone.abort();
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});
