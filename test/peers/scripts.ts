import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pick } from "../contract/random.js";

/** Where mdevctl looks for its scripts, in its order; 1.2 in the second one alone. */
export const SCRIPT_FOLDERS = ["usr/lib/mdevctl/scripts.d", "etc/mdevctl.d/scripts.d"] as const;

/** What a script answers, by event and action; exit status 0 and nothing to say for the others. */
export type Answers = Readonly<Record<string, { readonly status?: number; readonly output?: string }>>;

/**
 * A script that notes each call in `/log` of the tree that it lies in: which script, its arguments, its standard input. In
 * both trees it is the same text.
 */
export function recorder(answers: Answers): string {
  const cases = Object.entries(answers).map(
    ([when, { status = 0, output = "" }]) =>
      `  '${when}') printf '%s' '${output}'; echo "${when} here" >&2; exit ${status};;`,
  );
  return [
    "#!/bin/sh",
    "root=${0%/etc/mdevctl.d/*}",
    "root=${root%/usr/lib/mdevctl/*}",
    "input=$(cat; echo .)",
    '{ printf "%s" "${0#"$root"}"; printf " [%s]" "$@"; printf " <%s>\\n" "${input%.}"; } >> "$root/log"',
    'case "$4 $6" in',
    ...cases,
    "esac",
    "",
  ].join("\n");
}

/** What the scripts of a tree have noted since the last time. */
export function noted(root: string): string[] {
  const log = join(root, "log");
  if (!existsSync(log)) return [];
  const lines = readFileSync(log, "utf8").trimEnd().split("\n");
  rmSync(log);
  return lines;
}

const ACTIONS = ["start", "stop", "define", "undefine", "modify"] as const;
const LISTS = ["", "[]", "[{}]", '[{"attr_a":"1"},{"attr_a":"2"}]', "{", '{"attr_a":"1"}', '[{"attr_a":1}]'];

/** Scripts that let some things be done, and refuse others. */
export function randomScripts(next: () => number): Record<string, string> {
  const scripts: Record<string, string> = {};
  for (const folder of SCRIPT_FOLDERS) {
    for (const name of ["b", "a", "10", "9"])
      if (next() < 0.3) scripts[`${folder}/callouts/${name}`] = recorder(randomAnswers(next));
    if (next() < 0.7) scripts[`${folder}/notifiers/n`] = recorder({});
  }
  return scripts;
}

function randomAnswers(next: () => number): Answers {
  const some = <T>(all: readonly T[]): readonly T[] => all.filter(() => next() < 0.8);
  const answers: Record<string, { readonly status?: number; readonly output?: string }> = {};
  for (const event of ["pre", "post"])
    for (const action of ACTIONS)
      answers[`${event} ${action}`] = { status: pick([0, 0, 0, 2, 2, 1, 7], next) };
  answers["get attributes"] = { status: pick([0, 0, 2, 1], next), output: pick(LISTS, next) };
  if (next() < 0.4) {
    const actions = some([...ACTIONS, "attributes", "capabilities", "fly"]);
    const events = some(["pre", "post", "notify", "get", "live", "sing"]);
    const version = pick<unknown>([1, 2, 3, "2", null], next);
    answers["get capabilities"] = {
      status: pick([0, 0, 0, 1, 2], next),
      output: JSON.stringify({ supports: { version, actions, events } }),
    };
  } else answers["get capabilities"] = { status: pick([0, 1, 2], next), output: pick(["", "x", "{}"], next) };
  return answers;
}
