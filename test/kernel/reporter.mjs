// A reporter for node:test: one line of JSON per event, for run.mjs to read.
// It runs in the guest and writes at once, so that what was under way is known
// even when the guest never comes back (a blocked remove can't be killed).
import { openSync, writeSync } from "node:fs";
import { release, version } from "node:os";
import { inspect } from "node:util";

const out = openSync("results.jsonl", "w");
/** @param {object} line */
const write = (line) => writeSync(out, `${JSON.stringify(line)}\n`);

write({ is: "guest", kernel: release(), version: version(), arch: process.arch, node: process.version });

/** @param {any} event */
const outcome = ({ type, data }) => {
  if (data.skip !== undefined || data.todo !== undefined) return "skipped";
  if (type === "test:pass") return data.details.type === "suite" ? undefined : "passed";
  // A suite also fails because a test in it did; that one was told already.
  const because = data.details.error?.failureType;
  return data.details.type === "suite" && because === "subtestsFailed" ? undefined : "failed";
};

// The test runner's own steps in a stack are noise.
const inside = /^\s+at .*(\(node:|at node:|\(<anonymous>\)$)/;

/** @param {Error} error */
const explain = ({ message, cause }) => {
  const lines = inspect(cause instanceof Error ? cause : message, { depth: 8 }).split("\n");
  return lines.filter((line) => !inside.test(line)).join("\n");
};

const summary = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

/** @param {AsyncIterable<any>} events */
export default async function* report(events) {
  /** @type {string[]} */
  const path = [];
  for await (const event of events) {
    const { type, data } = event;
    if (type === "test:dequeue") write({ is: "begun", name: data.name });
    if (type === "test:complete") write({ is: "over", name: data.name });
    if (type === "test:start") path[data.nesting] = data.name;
    if (type === "test:diagnostic" && !summary.test(data.message)) write({ is: "note", text: data.message });
    if (type === "test:pass" || type === "test:fail") {
      const error = data.details.error;
      write({
        is: "test",
        name: [...path.slice(0, data.nesting), data.name].join(" > "),
        outcome: outcome(event),
        ms: Math.round(data.details.duration_ms),
        ...(error && { error: explain(error) }),
      });
    }
  }
  write({ is: "end" });
  yield "";
}
