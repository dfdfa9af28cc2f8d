import { parseJson, type Json } from "./json.js";

/** What a script is asked about. */
export type CalloutAction =
  "start" | "stop" | "define" | "undefine" | "modify" | "attributes" | "capabilities";
/** When it is asked. */
export type CalloutEvent = "pre" | "post" | "notify" | "get";
/** How the action ended, as far as it has. */
export type CalloutState = "none" | "success" | "failure";

/** The device that an action is of. */
export interface CalloutSubject {
  /** Its UUID. */
  readonly uuid: string;
  /** The id of its parent. */
  readonly parent: string;
  /** The id of its type. */
  readonly type: string;
}

/** The exit status of a script that says: not mine, ask the next one. */
export const NOT_MINE = 2;

/** What mdevctl 1.3 and later tell a script that they can do. */
export const PROVIDES: string = JSON.stringify({
  provides: {
    version: 2,
    actions: ["start", "stop", "define", "undefine", "modify", "attributes", "capabilities"],
    events: ["pre", "post", "notify", "get", "live"],
  },
});

/** A script that has said what it supports: it serves all events of its parent and type. */
export interface VersionedScript {
  readonly path: string;
  readonly actions: ReadonlySet<string>;
  readonly events: ReadonlySet<string>;
}

/** The arguments of a script. */
export function argumentsOf(
  { uuid, parent, type }: CalloutSubject,
  event: CalloutEvent,
  action: CalloutAction,
  state: CalloutState,
): readonly string[] {
  return ["-t", type, "-e", event, "-a", action, "-s", state, "-u", uuid, "-p", parent];
}

/** What a script supports, by its answer to {@link PROVIDES}; `undefined` where it is none. */
export function supportedBy(path: string, output: string): VersionedScript | undefined {
  const supports = memberOf(parseJson(bare(output)).value, "supports");
  const version = memberOf(supports, "version");
  const [actions, events] = [textsOf(memberOf(supports, "actions")), textsOf(memberOf(supports, "events"))];
  if (version?.kind !== "literal" || !/^\d+$/u.test(version.text)) return undefined;
  return actions === undefined || events === undefined ? undefined : { path, actions, events };
}

/** What a script has written, without the zeros that some end it with. */
export function bare(output: string): string {
  return output.replace(/\0+$/u, "");
}

function memberOf(json: Json | undefined, name: string): Json | undefined {
  return json?.kind === "object" ? json.members.get(name) : undefined;
}

function textsOf(json: Json | undefined): ReadonlySet<string> | undefined {
  if (json?.kind !== "array") return undefined;
  const texts = json.items.flatMap((item) => (item.kind === "string" ? item.value : []));
  return texts.length === json.items.length ? new Set(texts) : undefined;
}
