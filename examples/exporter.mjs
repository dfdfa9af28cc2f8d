// @ts-check
/**
 * Tells Prometheus what mediated devices there are, and how many more there can be. Reads only, and takes no root.
 *
 *     node examples/exporter.mjs                        # http://localhost:9835/metrics
 *     node examples/exporter.mjs --once                 # prints the metrics once
 *     node examples/exporter.mjs --once --replay host.json
 */
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { hostOf } from "./host.mjs";

/** @param {import("vfio-mdev").MdevHost} host */
export async function metricsOf(host) {
  const { parents, devices, problems } = await host.snapshot().getOrThrow();
  const offers = parents.flatMap((parent) => parent.types.map((type) => ({ parent, type })));
  /** @type {Map<string, Sample>} */
  const counts = new Map();
  for (const { parent, type = "", state, driver = "" } of devices) {
    const labels = { parent, type, state, driver };
    const key = JSON.stringify(labels);
    counts.set(key, { labels, value: (counts.get(key)?.value ?? 0) + 1 });
  }
  return [
    ...gauge("mdev_parent_info", "Parents of mediated devices, and the layout of their files.", [
      ...parents.map(({ id, path, layout }) => ({ labels: { parent: id, path, layout }, value: 1 })),
    ]),
    ...gauge("mdev_type_available_instances", "Devices of a type that can still be created: a hint.", [
      // Types share what their parent has: do not add them up. One that cannot be read has no sample.
      ...offers.map(({ parent, type: { id, name = "", availableInstances } }) => ({
        labels: { parent: parent.id, path: parent.path, type: id, name }, // two parents can have one name
        value: availableInstances,
      })),
    ]),
    ...gauge("mdev_devices", "Mediated devices that exist, by type, state and driver.", [...counts.values()]),
    ...gauge("mdev_problems", "Files that could not be read or understood.", [{ value: problems.length }]),
    "",
  ].join("\n");
}

/** @typedef {{ labels?: Record<string, string>, value: number | undefined }} Sample */

/**
 * One metric in the text format of Prometheus.
 *
 * @param {string} name
 * @param {string} help
 * @param {Sample[]} samples
 */
function gauge(name, help, samples) {
  const lines = samples.flatMap(({ labels = {}, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    const braces = pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
    return value === undefined ? [] : [`${name}${braces} ${value}`];
  });
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...lines];
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: { once: { type: "boolean" }, port: { type: "string" }, replay: { type: "string" } },
  });
  const host = hostOf(values.replay);
  if (values.once) process.stdout.write(await metricsOf(host));
  else {
    const server = createServer((request, response) => {
      if (request.url !== "/metrics") return response.writeHead(404).end();
      return metricsOf(host).then(
        (metrics) =>
          response.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8").end(metrics),
        (error) => response.writeHead(500).end(error.message),
      );
    });
    server.listen(Number(values.port ?? 9835), "localhost");
  }
}
