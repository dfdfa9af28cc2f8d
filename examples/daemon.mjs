// @ts-check
/**
 * Mediated devices over HTTP, with what happens to them as server-sent events. Creating and removing take root; it listens on
 * localhost, where every user of the machine can reach it: put something in front of it that asks who they are.
 *
 *     node examples/daemon.mjs 8080
 *     curl localhost:8080/parents
 *     curl -X POST localhost:8080/devices -d '{"parent":"mtty","type":"mtty-2"}'
 *     curl -X DELETE localhost:8080/devices/83b8f4f2-509f-382f-3c1e-e6bfe0fa1001
 *     curl -N localhost:8080/events
 */
import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { MdevHost } from "vfio-mdev";

/** Which status an error is; any other is 500. @type {Partial<Record<import("vfio-mdev").MdevErrorType, number>>} */
const STATUS = {
  "invalid-argument": 400,
  permission: 403,
  "not-found": 404,
  "already-exists": 409,
  busy: 409,
  conflict: 409,
  gone: 410,
  rejected: 422,
  unsupported: 501,
  "no-instances": 507,
  timeout: 504,
};

/**
 * @param {MdevHost} host
 * @param {import("vfio-mdev").WatchOptions} [watch]
 */
export function daemon(host, watch) {
  return createServer(async (request, response) => {
    const answer = await handle(host, request).catch((error) => ({
      status: 400,
      body: { message: error.message },
    }));
    if (answer === "events") return events(host, response, watch);
    response.writeHead(answer.status, { "content-type": "application/json" });
    return response.end(answer.body === undefined ? "" : JSON.stringify(answer.body));
  });
}

/**
 * @param {MdevHost} host
 * @param {import("node:http").IncomingMessage} request
 */
async function handle(host, request) {
  const [, name, id = ""] = (request.url ?? "").split("/").map(decodeURIComponent);
  switch (`${request.method} /${name}${id === "" ? "" : "/"}`) {
    case "GET /events":
      return "events";
    case "GET /parents":
      return answer(await host.snapshot().map(({ parents }) => parents));
    case "GET /devices":
      return answer(await host.snapshot().map(({ devices }) => devices));
    case "GET /devices/":
      return answer(await host.device(id).map((device) => device.read()));
    case "POST /devices": {
      const { parent, type, uuid } = /** @type {Record<string, string>} */ (await json(request));
      const found = host.parent(String(parent)).map((each) => each.type(String(type)));
      return answer(await found.map((each) => each.create({ uuid })).map((device) => device.read()), 201);
    }
    case "DELETE /devices/":
      return answer(await host.device(id).map((device) => device.remove({ retries: 10 })));
    default:
      return { status: 404, body: { message: `there is no ${request.method} ${request.url}` } };
  }
}

/**
 * @param {import("vfio-mdev").Result<unknown, import("vfio-mdev").MdevError>} result
 * @param {number} [status]
 */
function answer(result, status = 200) {
  if (result.ok) return { status, body: result.value };
  const { type, message, errno } = result.error;
  return { status: STATUS[type] ?? 500, body: { type, message, errno } };
}

/**
 * @param {MdevHost} host
 * @param {import("node:http").ServerResponse} response
 * @param {import("vfio-mdev").WatchOptions} [watch]
 */
async function events(host, response, watch) {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  for await (const { type, ...event } of host.watch({ ...watch, signal: gone.signal })) {
    response.write(`event: ${type}\ndata: ${JSON.stringify(event)}\n\n`);
  }
}

if (process.argv[1] === import.meta.filename) {
  daemon(new MdevHost({ timeout: 30_000 })).listen(Number(process.argv[2] ?? 8080), "localhost");
}
